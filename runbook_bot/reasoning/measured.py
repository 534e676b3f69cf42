"""Readers of what is measured: one metric, and a metric against the limit that a resource is set to."""

import math

from runbook_bot.analysis.proximity import proximity
from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.vitals import compared, points, reading
from runbook_bot.domain.hypothesis import Expectation, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Change
from runbook_bot.domain.tools import Result, Status
from runbook_bot.reasoning import words
from runbook_bot.reasoning.weighing import Finding, Numbers, numbers_of, onset_of, timed, weigh


def metric(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    if prediction.resource is None or prediction.signal is None:
        return None, words.not_measured(prediction.text), {}
    found = reading(case, prediction.resource, prediction.signal)
    if found is None:
        return None, words.nothing_there(prediction, result), {}
    moved = found.shift
    if not moved.enough:
        return None, words.too_few(prediction, moved), {"points": moved.points}
    onset = onset_of(case)
    if moved.moved == "steady" and onset is not None:
        # Too slight for a blind search; with the onset known from the symptom it may still be clear.
        moved = compared(found.series, found.window, onset)
    numbers = numbers_of(moved, onset)
    line = words.series(prediction.resource, prediction.signal, moved, onset)
    over = onset is not None and moved.ended is not None and moved.ended <= onset
    if prediction.expect is Expectation.steady:
        slight = prediction.ratio is not None and 1 / prediction.ratio < moved.ratio < prediction.ratio
        calm = moved.moved == "steady" or slight or over
        return weigh(prediction, calm, 1.0 if calm else _beyond(prediction, moved)), line, numbers
    if over:
        return weigh(prediction, False), line, numbers
    if prediction.expect is Expectation.at_limit:
        return _limit(prediction, moved, prediction.limit or 90.0, line, numbers, onset)
    wanted = "rises" if prediction.expect is Expectation.rises else "falls"
    seen = moved.moved == wanted
    if seen and wanted == "rises" and prediction.ratio is not None and moved.ratio < prediction.ratio:
        return weigh(prediction, False, 0.7), line, numbers
    if not seen:
        return weigh(prediction, False), line, numbers
    least = min(moved.level, moved.peak)
    if wanted == "falls" and prediction.ratio is not None and least > prediction.ratio * moved.baseline:
        return timed(weigh(prediction, True, 0.4), moved, onset), line, numbers  # less than before, and not used up
    return timed(weigh(prediction, True, 0.6 + abs(moved.effect) / 25), moved, onset), line, numbers


def _beyond(prediction: Prediction, moved: Shift) -> float:
    """How far a signal that was to stay has left the ratio it was allowed: retries double a load, seldom more."""
    if prediction.ratio is None or moved.ratio <= 0:
        return 1.0
    return min(1.0, abs(math.log(moved.ratio)) / math.log(2 * prediction.ratio))


def _limit(
    prediction: Prediction, moved: Shift, limit: float, line: str, numbers: Numbers, onset: float | None
) -> Finding:
    height = max(moved.peak, moved.level)
    numbers = {**numbers, "limit": limit, "share_of_limit": round(height / limit, 3) if limit else None}
    line = f"{line}; {words.share(height, limit, moved.level)}"
    if moved.moved == "rises" and height >= 0.97 * limit:
        return timed(weigh(prediction, True), moved, onset), line, numbers
    if moved.moved == "rises" and height >= 0.85 * limit:
        return timed(weigh(prediction, True, 0.5), moved, onset), line, numbers
    if onset is None and moved.moved == "steady" and moved.level >= limit:
        return weigh(prediction, True, 0.85), line, numbers  # full since before anybody looked
    if moved.moved == "steady" and moved.level >= limit:
        return 0.0, line, numbers  # it filled up before the window: no sign against it, and none for what began now
    # A level that has always been near the limit explains nothing that began at the onset.
    return weigh(prediction, False, 1.0 if height < 0.8 * limit else 0.5), line, numbers


def state(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    limit = result.fact(prediction.fact)
    name = prediction.fact.replace("_", " ")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit <= 0:
        if result.status is Status.ok and prediction.fact == "reserved_concurrency":
            return weigh(prediction, False), f"no {name} is set ({result.where})", {}
        return None, f"the {name} could not be read ({result.where})", {}
    if prediction.resource is None or prediction.signal is None:
        return None, words.not_measured(prediction.text), {}
    found = reading(case, prediction.resource, prediction.signal)
    if found is None:
        return None, f"the {name} is {limit:g}; {words.nothing_there(prediction, result)}", {prediction.fact: limit}
    moved = found.shift
    altered = _altered(case, prediction)
    if altered is not None:
        line = words.limit_changed(name, altered)
        return 0.0, line, {prediction.fact: limit}
    _, values = points(found.series, found.window)
    peak = float(values.max()) if values.size else 0.0
    onset = onset_of(case)
    line = f"{words.series(prediction.resource, prediction.signal, moved, onset)}; {name} is {limit:g}"
    numbers = {**numbers_of(moved, onset), prediction.fact: limit, "share_of_limit": round(peak / limit, 3)}
    if peak >= 0.95 * limit:
        return weigh(prediction, True), f"{line}; {words.share(peak, float(limit))}", numbers
    quality = 1.0 if peak < 0.7 * limit else 0.3
    return weigh(prediction, False, quality), f"{line}; {words.share(peak, float(limit))}", numbers


def _altered(case: Investigation, prediction: Prediction) -> Change | None:
    """A change of the very limit shortly before the onset: then the change is the cause, not the limit."""
    onset = case.incident.window.onset if case.incident else None
    resource = prediction.resource
    if onset is None or resource is None:
        return None
    fitting = [
        c
        for c in (case.changes.changes if case.changes else ())
        if prediction.fact in c.after
        and c.resource is not None
        and c.resource.key == resource.key
        and proximity(c.at, onset) > 0.3
    ]
    return fitting[-1] if fitting else None
