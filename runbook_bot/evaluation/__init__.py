"""The examination: worlds that nobody tuned the engine on, what it makes of them, and how far it may be trusted."""
