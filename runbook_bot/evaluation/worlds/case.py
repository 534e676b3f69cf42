"""One question of the examination: a world, what is asked in it, and which answers are right."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.dice import Part
from runbook_bot.evaluation.worlds.story import Accepted


@dataclass(frozen=True)
class Case:
    id: str
    family: str
    variant: str
    part: Part
    scenario: dict[str, Any]
    """A scenario file."""
    text: str
    """What is asked."""
    mode: FailureMode
    service: str | None
    ago: timedelta | None = None
    """How long ago the incident was, where that is said."""
    mapped: bool = True
    """Whether there is a services.yaml."""
    answerable: bool = True
    accepted: tuple[Accepted, ...] = field(default=())
