"""The composition root: the only room that knows every concrete class, and puts them together.

Nothing heavy is imported before it is needed: Slack, the queue and the playground by the commands that use them.
"""

from runbook_bot.bootstrap.errands import ask, investigate, replay, run_skill, skills
from runbook_bot.bootstrap.parts import (
    CREDENTIALS,
    actuators,
    audit,
    aws_provider,
    aws_wanted,
    journals,
    knowledge,
    providers,
    regions,
    services,
    unusable,
)
from runbook_bot.bootstrap.service import MOST_RESUMED, demo, running, serve, unfinished, work

__all__ = [
    "CREDENTIALS",
    "MOST_RESUMED",
    "actuators",
    "ask",
    "audit",
    "aws_provider",
    "aws_wanted",
    "demo",
    "investigate",
    "journals",
    "knowledge",
    "providers",
    "regions",
    "replay",
    "run_skill",
    "running",
    "serve",
    "services",
    "skills",
    "unfinished",
    "unusable",
    "work",
]
