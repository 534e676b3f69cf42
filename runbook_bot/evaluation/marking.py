"""Marks the answers: what was asked for, what came, and how sure it was."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worker import Outcome
from runbook_bot.evaluation.worlds.case import Case

TOP = 3
SURE = 0.7
"""Confidence from which a wrong answer is one that people would have acted on."""


class Mark(BaseModel):
    """One answered case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    part: str
    family: str
    variant: str
    mode: FailureMode
    service: str | None
    answerable: bool
    got: str | None
    """The failure mode of the root cause; None where none was named."""
    got_service: str | None
    named: bool
    """A root cause was named, be it that there is no fault."""
    right: bool
    """It is the one; of what cannot be known: none was named."""
    among_first: bool
    """It is among the first three that were ranked."""
    confidence: float
    """Of the answer ranked first."""
    first_right: bool
    """The answer ranked first is the one, named or not: what the confidence is measured against."""
    queries: int
    seconds: float
    loading: float
    problem: str = ""

    @property
    def wrong_and_sure(self) -> bool:
        return self.named and not self.right and self.confidence >= SURE

    @property
    def calm(self) -> bool:
        """There is no fault in it."""
        return self.mode is FailureMode.none


def mark(case: Case, outcome: Outcome) -> Mark:
    report = outcome.report or {}
    cause = report.get("root_cause") or {}
    ranked = report.get("ranked") or []
    fits = [case.answerable and _fits(case, each) for each in ranked[:TOP]]
    named = bool(cause)
    right = named and _fits(case, cause) if case.answerable else bool(report) and not named
    stats = report.get("stats") or {}
    return Mark(
        id=case.id,
        part=str(case.part),
        family=case.family,
        variant=case.variant,
        mode=case.mode,
        service=case.service,
        answerable=case.answerable,
        got=cause.get("failure_mode"),
        got_service=cause.get("service"),
        named=named,
        right=right,
        among_first=any(fits) or (right and named),
        confidence=float(ranked[0]["confidence"]) if ranked else 0.0,
        first_right=bool(fits) and fits[0],
        queries=int(stats.get("queries", 0)),
        seconds=float(stats.get("seconds", 0.0)),
        loading=outcome.loading,
        problem=outcome.problem,
    )


def _fits(case: Case, answer: dict[str, Any]) -> bool:
    wanted = [(case.mode, case.service), *((each.failure_mode, each.service) for each in case.accepted)]
    return any(answer["failure_mode"] == mode and service in (None, answer["service"]) for mode, service in wanted)
