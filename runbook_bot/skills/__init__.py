"""What a team wants done the same way every time: found in folders, checked, and carried out step by step."""
