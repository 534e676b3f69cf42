"""What a result says about a prediction: measured by code, worded by code."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import JsonValue

from runbook_bot.analysis.proximity import proximity
from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.templates import Template, novel, templates
from runbook_bot.analysis.vitals import anomalies, compared, first_movers, lasting, points, reading
from runbook_bot.domain import saying
from runbook_bot.domain.confidence import strength
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Expectation, Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import utc
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Query, Result, Status
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.reasoning import words

Numbers = dict[str, JsonValue]
Finding = tuple[float | None, str, Numbers]
"""Weight (natural logarithm of the likelihood ratio; None: it cannot be told), one line, and the numbers behind it."""

LATE = 300.0
"""Seconds after the symptom's onset from which a move is a consequence rather than a cause."""
THROUGH = "through"
"""What the fact of a vitals prediction says where what a service depends on counts as the service's own trouble."""
CONSEQUENCE = 0.25
"""What is left of the weight of a move that came late."""


def judge(
    case: Investigation, hypothesis: Hypothesis, prediction: Prediction, query: Query, result: Result
) -> Evidence:
    """Evidence for or against one hypothesis. A failed query is `unknown`, whatever was expected. The id is ""."""
    if not result.known:
        weight, summary, numbers = None, words.failed(prediction.text, result), dict[str, JsonValue]()
    else:
        weight, summary, numbers = _READERS[prediction.about](case, prediction, result)
    window = getattr(query, "window", None)
    return Evidence(
        id="",
        hypothesis=hypothesis.id,
        source=result.source,
        query=result.asked,
        asked=query.key,
        window=window or (case.incident.window if case.incident else None),
        observed_at=case.last_at or datetime.now(UTC),
        status=result.status,
        direction=_direction(weight),
        strength=strength(weight or 0.0),
        weight=weight or 0.0,
        group=prediction.group or f"{prediction.about}:{prediction.signal or prediction.fact}",
        expected=prediction.text,
        summary=summary,
        numbers=numbers,
        digest=result.digest,
        console=result.console,
    )


def _direction(weight: float | None) -> Direction:
    if weight is None:
        return Direction.unknown
    if strength(weight) is Strength.none:
        return Direction.neutral
    return Direction.supports if weight > 0 else Direction.refutes


def _onset(case: Investigation) -> float | None:
    onset = case.incident.window.onset if case.incident else None
    return onset.timestamp() if onset else None


def _weigh(prediction: Prediction, seen: bool, quality: float = 1.0) -> float:
    return math.log(prediction.seen if seen else prediction.unseen) * max(0.0, min(1.0, quality))


def _metric(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    if prediction.resource is None or prediction.signal is None:
        return None, words.not_measured(prediction.text), {}
    found = reading(case, prediction.resource, prediction.signal)
    if found is None:
        return None, words.nothing_there(prediction, result), {}
    moved = found.shift
    if not moved.enough:
        return None, words.too_few(prediction, moved), {"points": moved.points}
    onset = _onset(case)
    if moved.moved == "steady" and onset is not None:
        # Too slight for a blind search; with the onset known from the symptom it may still be clear.
        moved = compared(found.series, found.window, onset)
    numbers = _numbers(moved, onset)
    line = words.series(prediction.resource, prediction.signal, moved, onset)
    over = onset is not None and moved.ended is not None and moved.ended <= onset
    if prediction.expect is Expectation.steady:
        slight = prediction.ratio is not None and 1 / prediction.ratio < moved.ratio < prediction.ratio
        return _weigh(prediction, moved.moved == "steady" or slight or over), line, numbers
    if over:
        return _weigh(prediction, False), line, numbers
    if prediction.expect is Expectation.at_limit:
        return _limit(prediction, moved, prediction.limit or 90.0, line, numbers, onset)
    wanted = "rises" if prediction.expect is Expectation.rises else "falls"
    seen = moved.moved == wanted
    if seen and prediction.ratio is not None and moved.ratio < prediction.ratio:
        return _weigh(prediction, False, 0.7), line, numbers
    if not seen:
        return _weigh(prediction, False), line, numbers
    return _timed(_weigh(prediction, True, 0.6 + abs(moved.effect) / 25), moved, onset), line, numbers


def _limit(
    prediction: Prediction, moved: Shift, limit: float, line: str, numbers: Numbers, onset: float | None
) -> Finding:
    height = max(moved.peak, moved.level)
    numbers = {**numbers, "limit": limit, "share_of_limit": round(height / limit, 3) if limit else None}
    line = f"{line}; {words.share(height, limit)}"
    if moved.moved == "rises" and height >= 0.97 * limit:
        return _timed(_weigh(prediction, True), moved, onset), line, numbers
    if moved.moved == "rises" and height >= 0.85 * limit:
        return _timed(_weigh(prediction, True, 0.5), moved, onset), line, numbers
    # A level that has always been near the limit explains nothing that began at the onset.
    return _weigh(prediction, False, 1.0 if height < 0.8 * limit else 0.5), line, numbers


def _timed(weight: float, moved: Shift, onset: float | None) -> float:
    if onset is None or moved.onset is None or moved.onset <= onset + LATE:
        return weight
    return weight * CONSEQUENCE


def _numbers(moved: Shift, onset: float | None) -> Numbers:
    numbers: Numbers = {
        "moved": moved.moved,
        "baseline": round(moved.baseline, 4),
        "level": round(moved.level, 4),
        "peak": round(moved.peak, 4),
        "effect_size": round(moved.effect, 1),
        "points": moved.points,
    }
    if moved.onset is not None:
        numbers["onset"] = _iso(moved.onset)
        if onset is not None:
            numbers["onset_offset_seconds"] = round(moved.onset - onset)
    return numbers


def _iso(moment: float) -> str:
    return utc(datetime.fromtimestamp(moment, UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _state(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    limit = result.fact(prediction.fact)
    name = prediction.fact.replace("_", " ")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or limit <= 0:
        if result.status is Status.ok and prediction.fact == "reserved_concurrency":
            return _weigh(prediction, False, 0.5), f"no {name} is set ({result.where})", {}
        return None, f"the {name} could not be read ({result.where})", {}
    if prediction.resource is None or prediction.signal is None:
        return None, words.not_measured(prediction.text), {}
    found = reading(case, prediction.resource, prediction.signal)
    if found is None:
        return None, f"the {name} is {limit:g}; {words.nothing_there(prediction, result)}", {prediction.fact: limit}
    moved = found.shift
    _, values = points(found.series, found.window)
    peak = float(values.max()) if values.size else 0.0
    onset = _onset(case)
    line = f"{words.series(prediction.resource, prediction.signal, moved, onset)}; {name} is {limit:g}"
    numbers = {**_numbers(moved, onset), prediction.fact: limit, "share_of_limit": round(peak / limit, 3)}
    if peak >= 0.95 * limit:
        return _weigh(prediction, True), f"{line}; {words.share(peak, float(limit))}", numbers
    quality = 1.0 if peak < 0.7 * limit else 0.3
    return _weigh(prediction, False, quality), f"{line}; {words.share(peak, float(limit))}", numbers


def _lines(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = _onset(case)
    place = words.place(prediction.resource)
    if onset is None:
        return None, f"{place}: without an onset, before and after cannot be told apart", {}
    owner = case.graph.owner_of(prediction.resource) if case.graph and prediction.resource else None
    numbers: Numbers = {"service": owner.name if owner else ""}
    moment = onset - 120
    times = [line.at.timestamp() for line in result.lines]
    earliest = min([moment - 900, *times])
    latest = max([moment + 60, *times])
    found = templates(result.lines, moment)
    if not prediction.words:
        fresh = novel(found, before_minutes=(moment - earliest) / 60, after_minutes=(latest - moment) / 60)
        numbers |= {"lines": len(result.lines), "new_complaints": len(fresh)}
        blamed = _blamed(case, owner.name if owner else "", fresh)
        if blamed:
            numbers["blames"] = blamed
            fresh = []
        seen = bool(fresh)
        if blamed:
            line = words.blames(place, blamed)
        elif seen:
            numbers |= {"lines_after": fresh[0].after, "lines_before": fresh[0].before}
            line = words.new_complaint(place, fresh[0], len(fresh))
        else:
            line = words.no_new_complaint(place, len(result.lines), result)
        if not result.lines:
            return _weigh(prediction, prediction.expect is Expectation.absent, 0.3), line, numbers
        return _weigh(prediction, seen == (prediction.expect is Expectation.present)), line, numbers
    wanted = [w.casefold() for w in prediction.words]
    fitting = [t for t in found if any(w in t.exemplar.casefold() for w in wanted)]
    before, after = sum(t.before for t in fitting), sum(t.after for t in fitting)
    numbers |= {"lines_before": before, "lines_after": after}
    line = words.matches(place, prediction.words, fitting, before, after, result)
    rate_before = before / max((moment - earliest) / 60, 1)
    rate_after = after / max((latest - moment) / 60, 1)
    least = 1 if prediction.about == "events" else 2
    if after >= least and rate_after >= 3 * rate_before:
        return _weigh(prediction, True, 0.7 if after < 2 * least else 1.0), line, numbers
    return _weigh(prediction, False, 0.5 if after or result.status is Status.no_data else 1.0), line, numbers


def _blamed(case: Investigation, service: str, fresh: list[Template]) -> str:
    """The dependency that the new complaints are about, if they name one: then the fault is not here."""
    if case.graph is None or not service:
        return ""
    for name in case.graph.dependencies(service, hops=1):
        if any(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", t.exemplar, re.IGNORECASE) for t in fresh[:3]):
            return name
    return ""


def _changes(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = case.incident.window.onset if case.incident else None
    known = case.changes
    if known is None or known.status in (Status.error, Status.denied):
        return None, words.changes_unknown(known.message if known else ""), {}
    if onset is None:
        return None, "without an onset no change can be said to precede it", {}
    kinds = prediction.fact.split(",")
    service = case.graph.service(prediction.service) if case.graph else None
    own = {r.key for r in service.resources} if service else set[str]()
    theirs = [
        c
        for c in known.changes
        if c.kind in kinds and (c.service == prediction.service or (c.resource is not None and c.resource.key in own))
    ]
    scored = sorted(theirs, key=lambda c: (-proximity(c.at, onset), c.at))
    fit = proximity(scored[0].at, onset) if scored else 0.0
    numbers: Numbers = {"changes": len(theirs), "fit": round(fit, 2)}
    if scored and fit > 0.02:
        numbers |= {"changed_at": scored[0].at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "minutes_before_onset": round((onset - scored[0].at).total_seconds() / 60, 1)}  # fmt: skip
        line = words.change(scored[0], onset)
        present = prediction.expect is Expectation.present
        # A neighbour in time alone is weak: far back it is next to nothing.
        return (_weigh(prediction, True, fit) if present else _weigh(prediction, False, fit)), line, numbers
    line = words.no_change(prediction.service, kinds, len(theirs), known.message)
    complete = 0.4 if known.message else 1.0
    if prediction.expect is Expectation.absent:
        return _weigh(prediction, True, complete), line, numbers
    return _weigh(prediction, False, complete), line, numbers


def _symptom(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    symptom = case.symptom
    if symptom is None:
        return None, "no metric behind the alert could be read", {}
    steady = symptom.moved == "steady"
    numbers: Numbers = {"baseline": round(symptom.baseline, 4), "level": round(symptom.level, 4),
                        "effect_size": round(symptom.effect, 1)}  # fmt: skip
    return _weigh(prediction, steady == (prediction.expect is Expectation.steady)), saying.symptom(symptom), numbers


def _vitals(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = _onset(case)
    meant = {prediction.service}
    if prediction.fact == THROUGH and case.graph is not None:
        meant |= set(case.graph.dependencies(prediction.service, hops=2))
    moved = [
        a
        for a in anomalies(case)
        if a.service in meant
        and (not prediction.signals or a.signal in prediction.signals)
        and a.signal not in (Signal.requests, Signal.consumed_capacity, Signal.network_in, Signal.network_out)
        and (onset is None or a.onset <= onset + 2 * LATE)
        and lasting(a, onset)
    ]
    known = [s for s in result.series if _owner(case, s.resource) in meant]
    if not known and not moved:
        return None, f"no vital sign of {prediction.service or 'the service'} could be read ({result.where})", {}
    numbers: Numbers = {"moved": [f"{a.signal} {a.shift.moved}" for a in moved[:6]], "read": len(known)}
    line = words.vitals(prediction.service, moved, len(known), onset)
    if prediction.expect is Expectation.steady:
        return _weigh(prediction, not moved), line, numbers
    quality = min(1.0, 0.5 + max((abs(a.shift.effect) for a in moved), default=0.0) / 20) if moved else 1.0
    return _weigh(prediction, bool(moved), quality), line, numbers


def _owner(case: Investigation, resource: Resource) -> str:
    owner = case.graph.owner_of(resource) if case.graph else None
    return owner.name if owner else ""


def _dependencies(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    if case.graph is None:
        return None, "the dependencies are not known", {}
    movers = first_movers(case, anomalies(case), prediction.service)
    numbers: Numbers = {"first": list(movers)}
    if prediction.expect is Expectation.steady:
        asked = case.graph.dependencies(prediction.service, hops=1)
        if not asked:
            return 0.0, f"{prediction.service} has no known dependency", numbers
        return _weigh(prediction, not movers), words.movers(prediction.service, movers), numbers
    seen = prediction.fact in movers
    return _weigh(prediction, seen), words.mover(prediction.fact, seen), numbers


def _history(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    symptom = case.symptom
    series = next((s for s in result.series if symptom and s.resource.key == symptom.resource.key), None)
    if symptom is None or series is None or len(series.values) < 10:
        return None, f"nothing to compare with on the day before ({result.where})", {}
    highest, lowest = max(series.values), min(series.values)
    inside = lowest <= symptom.level <= highest * 1.1 if symptom.moved != "falls" else symptom.level >= lowest * 0.9
    numbers: Numbers = {"yesterday_highest": round(highest, 4), "yesterday_lowest": round(lowest, 4),
                        "level": round(symptom.level, 4)}  # fmt: skip
    return _weigh(prediction, inside), words.history(symptom, lowest, highest), numbers


_READERS: dict[str, Callable[[Investigation, Prediction, Result], Finding]] = {
    "metric": _metric,
    "state": _state,
    "logs": _lines,
    "events": _lines,
    "changes": _changes,
    "symptom": _symptom,
    "vitals": _vitals,
    "dependencies": _dependencies,
    "history": _history,
}
