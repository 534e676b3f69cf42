"""The team's memory: runbooks, post-mortems and known issues, found again when they are needed."""
