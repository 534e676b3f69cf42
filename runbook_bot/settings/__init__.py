"""What this installation is told: config.yaml, services.yaml and the environment, strictly."""

from runbook_bot.settings.configuration import Configuration, Settings, home_from

__all__ = ["Configuration", "Settings", "home_from"]
