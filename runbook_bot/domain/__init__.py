"""The nouns: what an incident, a hypothesis, a piece of evidence and an approval are."""
