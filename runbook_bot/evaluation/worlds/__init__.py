"""Worlds to examine the engine in, written from the vendors' own documentation of how each failure looks."""
