"""What was seen, where, and which way it points."""

from enum import StrEnum

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Instant, Json, Noun
from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow


class Direction(StrEnum):
    """`unknown` is a failed or denied query: it never counts for or against."""

    supports = "supports"
    refutes = "refutes"
    neutral = "neutral"
    unknown = "unknown"


class Strength(StrEnum):
    strong = "strong"
    weak = "weak"
    none = "none"


class Evidence(Noun):
    """One judged observation about one hypothesis."""

    id: str
    hypothesis: str
    source: str
    query: Json
    """The vendor's own call and parameters, exactly."""
    asked: str
    """The key of the neutral query whose result this judges."""
    window: TimeWindow | None = None
    observed_at: Instant
    status: Status
    direction: Direction
    strength: Strength
    weight: float = 0.0
    """Natural logarithm of the likelihood ratio; 0 says nothing either way."""
    group: str = ""
    """Evidence of one group is correlated: only the strongest counts."""
    expected: str = ""
    """The prediction that was tested, in words."""
    summary: str
    """One line, made by code from the numbers."""
    numbers: dict[str, JsonValue] = Field(default_factory=dict)
    """Effect size, onset offset in seconds, counts, baseline and level."""
    digest: str
    console: str | None = None
