"""The numbers of a part: how often right, how honest about it, and how far chance alone could move them.

Brier score: G. W. Brier, "Verification of forecasts expressed in terms of probability" (1950). Expected calibration
error over ten bins of equal width: Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning"
(2015). Selective accuracy: Geifman and El-Yaniv, "Selective classification for deep neural networks" (2017).
Intervals: Efron's percentile bootstrap (1979), 95 %.
"""

import random
from collections.abc import Callable, Sequence
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from runbook_bot.evaluation.marking import Mark

BINS = 10
_DRAWS = 1000
_LOW, _HIGH = 0.025, 0.975


class Number(BaseModel):
    """One number with its interval; None where the part has no case to count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float | None
    low: float | None
    high: float | None
    of: int
    """Cases it is counted over."""


def brier(forecasts: Sequence[tuple[float, bool]]) -> float:
    """Mean squared distance between confidence and truth; 0 is perfect."""
    return fmean((p - right) ** 2 for p, right in forecasts)


def expected_calibration_error(forecasts: Sequence[tuple[float, bool]]) -> float:
    """Mean distance between confidence and share of right answers, over bins weighted by their cases."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for p, right in forecasts:
        bins.setdefault(min(int(p * BINS), BINS - 1), []).append((p, right))
    gaps = (abs(sum(p for p, _ in each) - sum(right for _, right in each)) for each in bins.values())
    return sum(gaps) / len(forecasts)


def selective_accuracy(forecasts: Sequence[tuple[float, bool]], coverage: float) -> float:
    """Share of right answers among the surest `coverage` of them."""
    kept = sorted(forecasts, key=lambda each: -each[0])[: max(1, round(coverage * len(forecasts)))]
    return fmean(right for _, right in kept)


def _forecasts(marks: Sequence[Mark]) -> list[tuple[float, bool]]:
    return [(each.confidence, each.first_right) for each in marks]


Measure = Callable[[Sequence[Mark]], float]
Counted = Callable[[Mark], bool]


def _share(what: Callable[[Mark], bool]) -> Measure:
    return lambda marks: fmean(what(each) for each in marks)


def _always(_: Mark) -> bool:
    return True


MEASURES: dict[str, tuple[Counted, Measure]] = {
    "top-1": (lambda m: m.answerable, _share(lambda m: m.right)),
    "top-3": (lambda m: m.answerable, _share(lambda m: m.among_first)),
    "wrong and confident (>= 0.7)": (_always, _share(lambda m: m.wrong_and_sure)),
    "abstained": (lambda m: m.answerable, _share(lambda m: not m.named)),
    "abstained where nothing can be known": (lambda m: not m.answerable, _share(lambda m: not m.named)),
    "no fault recognised": (lambda m: m.calm, _share(lambda m: m.right)),
    "fault taken for none": (lambda m: not m.calm and m.answerable, _share(lambda m: m.got == "none")),
    "Brier": (_always, lambda marks: brier(_forecasts(marks))),
    "ECE": (_always, lambda marks: expected_calibration_error(_forecasts(marks))),
    "accuracy of the surest 50 %": (lambda m: m.answerable, lambda ms: selective_accuracy(_forecasts(ms), 0.5)),
    "accuracy of the surest 80 %": (lambda m: m.answerable, lambda ms: selective_accuracy(_forecasts(ms), 0.8)),
    "accuracy of all": (lambda m: m.answerable, lambda ms: selective_accuracy(_forecasts(ms), 1.0)),
    "queries": (_always, lambda marks: fmean(m.queries for m in marks)),
    "most queries": (_always, lambda marks: max(m.queries for m in marks)),
    "seconds": (_always, lambda marks: fmean(m.seconds for m in marks)),
    "longest, seconds": (_always, lambda marks: max(m.seconds for m in marks)),
    "loading a world, seconds": (_always, lambda marks: fmean(m.loading for m in marks)),
    "failed": (_always, _share(lambda m: bool(m.problem))),
}
"""Name → over which cases, and what."""


def scores(marks: Sequence[Mark], *, seed: int = 0) -> dict[str, Number]:
    """All numbers of these cases."""
    return {
        name: _number([m for m in marks if counted(m)], measure, seed) for name, (counted, measure) in MEASURES.items()
    }


def _number(marks: Sequence[Mark], measure: Measure, seed: int) -> Number:
    if not marks:
        return Number(value=None, low=None, high=None, of=0)
    chance = random.Random(seed)  # noqa: S311  # the same intervals for the same cases
    drawn = sorted(measure(chance.choices(marks, k=len(marks))) for _ in range(_DRAWS))
    low, high = (drawn[round(share * (_DRAWS - 1))] for share in (_LOW, _HIGH))
    return Number(value=round(measure(marks), 4), low=round(low, 4), high=round(high, 4), of=len(marks))
