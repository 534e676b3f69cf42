"""The gate: no change to the world without the right people's yes."""
