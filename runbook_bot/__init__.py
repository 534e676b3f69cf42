"""Runbook: an incident investigator that lives in Slack."""

__version__ = "0.1.0"
