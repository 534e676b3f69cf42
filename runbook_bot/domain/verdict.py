"""How an investigation ends."""

from typing import Literal

from pydantic import Field

from runbook_bot.domain.noun import Instant, Noun
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import FailureMode


class Candidate(Noun):
    """One line of the ranking, best first; `none` and `unknown` are among them."""

    service: str = ""
    resource: Resource | None = None
    failure_mode: FailureMode | None
    """None is "none of these": a cause that nobody here thought of."""
    confidence: float = Field(ge=0, le=1)
    hypothesis: str | None = None


class RootCause(Noun):
    statement: str
    service: str
    resource: Resource | None
    failure_mode: FailureMode
    confidence: float = Field(ge=0, le=1)
    causal_chain: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Verdict(Noun):
    """Concluded with a root cause (`none` is one too), or inconclusive with what would separate the rest."""

    status: Literal["concluded", "inconclusive"]
    root_cause: RootCause | None
    ranked: tuple[Candidate, ...]
    ruled_out: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()
    """What could not be checked, each with the permission or the part that is missing."""
    next_step: str = ""
    """For an inconclusive one: the cheapest test that would separate the leaders."""
    struck: int = 0
    """Sentences that were removed because a number, id or time in them stood in no evidence."""
    cut_short: str = ""
    """The limit that ended it early, if one did."""
    at: Instant
