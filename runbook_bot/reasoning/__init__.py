"""The reasoners: where hypotheses come from, and how a result is read."""
