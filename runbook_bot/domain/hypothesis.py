"""What may be the cause, and what would speak for and against it."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from runbook_bot.domain.noun import Noun
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import FailureMode, Signal


class Expectation(StrEnum):
    """What a prediction says of its observable."""

    rises = "rises"
    falls = "falls"
    steady = "steady"
    present = "present"
    absent = "absent"
    at_limit = "at_limit"


class Prediction(Noun):
    """If the hypothesis holds, then this is seen. The likelihood ratios say how much the seeing is worth."""

    about: Literal[
        "metric", "logs", "events", "changes", "mechanism", "state", "symptom", "vitals", "dependencies", "history"
    ]
    """`vitals`: every vital sign of the service; `dependencies`: whether one of them was in trouble first;
    `mechanism`: whether what runs short began to do so with the change; `history`: the symptom a day earlier."""
    resource: Resource | None = None
    service: str = ""
    """For vitals, dependencies and changes: whose."""
    signal: Signal | None = None
    signals: tuple[Signal, ...] = ()
    """For vitals: these only; none means all of them."""
    limit: float | None = None
    """For `at_limit` where the limit is no fact: percent."""
    ratio: float | None = None
    """For `rises`: at least this multiple of the baseline; for `falls`: at most."""
    words: tuple[str, ...] = ()
    """For logs and events: phrases, one of which is looked for (case-insensitive)."""
    fact: str = ""
    """For state: the name of the fact that is the limit of `signal`. For changes: the kinds, comma-separated."""
    expect: Expectation
    seen: float = Field(gt=0)
    """Likelihood ratio when it is seen as expected: P(seen | this) / P(seen | another cause)."""
    unseen: float = Field(gt=0)
    """Likelihood ratio when it was looked for and is not so. Well below 1 makes it a refuting test."""
    group: str = ""
    """Predictions of one group are correlated: only the strongest of them counts."""
    text: str
    """For people: what is expected, e.g. `memory of checkout-api climbs before the errors`."""

    @property
    def refuting(self) -> bool:
        """Its failure alone can rule the hypothesis out."""
        return self.unseen <= 0.2


class HypothesisState(StrEnum):
    open = "open"
    testing = "testing"
    supported = "supported"
    pruned = "pruned"
    inconclusive = "inconclusive"


class Hypothesis(Noun):
    """One possible cause. `id` is `H2`, a branch of it `H2.1`, down to depth 4."""

    id: str
    parent: str | None = None
    statement: str
    failure_mode: FailureMode
    service: str = ""
    resource: Resource | None = None
    predictions: tuple[Prediction, ...] = ()
    prior: float = Field(ge=0, le=1)
    explained_by: tuple[FailureMode, ...] = ()
    """Modes of the same service that, once shown, explain this one away: it is then their consequence."""
    proposed_by: str = "catalogue"
    """The reasoner's name, a Slack user id, or `known issue …`."""
    because: str = ""
    """What in the context suggested it."""
    state: HypothesisState = HypothesisState.open
    confidence: float = Field(default=0.0, ge=0, le=1)
    reason: str = ""
    """Why it ended as it did: what killed it or what carried it."""

    @property
    def depth(self) -> int:
        """1 for `H2`, 2 for `H2.1`."""
        return self.id.count(".") + 1

    @property
    def would_refute(self) -> str:
        return "; ".join(f"not: {p.text}" for p in self.predictions if p.refuting) or "nothing that can be asked here"
