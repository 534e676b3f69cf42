"""The loopback Slack: Slack's Web API and Socket Mode on one local port, with a page for its people.

It is our reading of Slack's documents; nothing in it was measured against a live workspace.
"""

from runbook_bot.playground.slack.blockkit import validate, validate_metadata, validate_view
from runbook_bot.playground.slack.calls import Call
from runbook_bot.playground.slack.faults import Faults
from runbook_bot.playground.slack.server import LoopbackSlack
from runbook_bot.playground.slack.workspace import Group, Person, Room, Workspace

__all__ = [
    "Call",
    "Faults",
    "Group",
    "LoopbackSlack",
    "Person",
    "Room",
    "Workspace",
    "validate",
    "validate_metadata",
    "validate_view",
]
