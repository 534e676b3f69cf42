"""The thinking: from a complaint to a verdict, one journal entry at a time."""
