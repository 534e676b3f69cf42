"""How much a finding is worth: the likelihood ratio of its prediction, and what timing leaves of it."""

import math
from datetime import UTC, datetime

from pydantic import JsonValue

from runbook_bot.analysis.shift import Shift
from runbook_bot.domain.hypothesis import Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import utc

Numbers = dict[str, JsonValue]
Finding = tuple[float | None, str, Numbers]
"""Weight (natural logarithm of the likelihood ratio; None: it cannot be told), one line, and the numbers behind it."""

LATE = 300.0
"""Seconds after the symptom's onset from which a move is a consequence rather than a cause."""
CONSEQUENCE = 0.25
"""What is left of the weight of a move that came late."""


def onset_of(case: Investigation) -> float | None:
    onset = case.incident.window.onset if case.incident else None
    return onset.timestamp() if onset else None


def weigh(prediction: Prediction, seen: bool, quality: float = 1.0) -> float:
    return math.log(prediction.seen if seen else prediction.unseen) * max(0.0, min(1.0, quality))


def timed(weight: float, moved: Shift, onset: float | None) -> float:
    if onset is None or moved.onset is None or moved.onset <= onset + LATE:
        return weight
    return weight * CONSEQUENCE


def numbers_of(moved: Shift, onset: float | None) -> Numbers:
    numbers: Numbers = {
        "moved": moved.moved,
        "baseline": round(moved.baseline, 4),
        "level": round(moved.level, 4),
        "peak": round(moved.peak, 4),
        "effect_size": round(moved.effect, 1),
        "points": moved.points,
    }
    if moved.onset is not None:
        numbers["onset"] = stamp(moved.onset)
        if onset is not None:
            numbers["onset_offset_seconds"] = round(moved.onset - onset)
    return numbers


def stamp(moment: float) -> str:
    return utc(datetime.fromtimestamp(moment, UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
