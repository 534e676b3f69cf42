"""Readers of what is told: log lines, vendors' events, and changes with what began with them."""

from collections.abc import Sequence

from runbook_bot.analysis.complaints import mentioned
from runbook_bot.analysis.proximity import proximity
from runbook_bot.analysis.templates import Template, novel, templates
from runbook_bot.analysis.vitals import SYMPTOMS, anomalies, lasting
from runbook_bot.domain.hypothesis import Expectation, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Change, LogLine
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.reasoning import words
from runbook_bot.reasoning.ideas import blames
from runbook_bot.reasoning.modes import literal, telling
from runbook_bot.reasoning.weighing import LATE, Finding, Numbers, onset_of, weigh

BLAMES = "blames"
"""The fact of a logs prediction whose word is the name of a dependency."""


def lines(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = onset_of(case)
    place = words.place(prediction.resource)
    if prediction.about == "events" and not prediction.words:
        return _reports(prediction, result, place)
    blind = onset is None and prediction.about != "events"
    if blind and (case.symptom is not None or not prediction.words):
        return None, f"{place}: without an onset, before and after cannot be told apart", {}
    owner = case.graph.owner_of(prediction.resource) if case.graph and prediction.resource else None
    numbers: Numbers = {"service": owner.name if owner else ""}
    # A vendor's event tells of trouble under way, often long before it is felt: none of them is "before".
    moment = onset - 120 if onset is not None and prediction.about != "events" else window_start(case)
    times = [line.at.timestamp() for line in result.lines]
    earliest = min([moment - 900, *times])
    latest = max([moment + 60, *times])
    if not prediction.words:
        found = templates(result.lines, moment)
        fresh = novel(found, before_minutes=(moment - earliest) / 60, after_minutes=(latest - moment) / 60)
        numbers |= {"lines": len(result.lines), "new_complaints": len(fresh)}
        blamed = _blamed(case, owner.name if owner else "", fresh)
        if blamed:
            numbers["blames"] = blamed
            fresh = []
        named = literal(fresh[0].exemplar) if fresh and prediction.expect is Expectation.present else None
        if named is not None:
            return 0.0, words.named_outright(place, named, fresh[0]), numbers
        seen = bool(fresh)
        if blamed:
            line = words.blames(place, blamed)
        elif seen:
            numbers |= {"lines_after": fresh[0].after, "lines_before": fresh[0].before}
            line = words.new_complaint(place, fresh[0], len(fresh))
        else:
            line = words.no_new_complaint(place, len(result.lines), result)
        if not result.lines:
            return weigh(prediction, prediction.expect is Expectation.absent, 0.3), line, numbers
        return weigh(prediction, seen == (prediction.expect is Expectation.present)), line, numbers
    fitting = templates(_fitting(case, prediction, result.lines), moment)
    before, after = sum(t.before for t in fitting), sum(t.after for t in fitting)
    numbers |= {"lines_before": before, "lines_after": after}
    line = words.matches(place, prediction.words, fitting, before, after, result)
    rate_before = before / max((moment - earliest) / 60, 1)
    rate_after = after / max((latest - moment) / 60, 1)
    least = 1 if prediction.about == "events" else 2
    if after >= least and rate_after >= 3 * rate_before:
        return weigh(prediction, True, 0.5 if blind else 0.7 if after < 2 * least else 1.0), line, numbers
    # A log may say the same thing in words that nobody here thought of; a vendor's events are worded by the vendor.
    thin = after or blind or result.status is Status.no_data or (prediction.about == "logs" and not fitting)
    return weigh(prediction, False, 0.5 if thin else 1.0), line, numbers


def _fitting(case: Investigation, prediction: Prediction, found: Sequence[LogLine]) -> list[LogLine]:
    """The lines in which one of the words stands, or which blame the dependency whose name the word is."""
    wanted = [word.casefold() for word in prediction.words]
    if prediction.fact == BLAMES:
        return [each for each in found if any(blames(case, each.text, name) for name in prediction.words)]
    return [each for each in found if any(word in each.text.casefold() for word in wanted)]


def _reports(prediction: Prediction, result: Result, place: str) -> Finding:
    """Whether the vendor reports trouble of any kind, as far as the catalogue knows the words for it."""
    told = [line for line in result.lines if telling(line.text)]
    numbers: Numbers = {"reports": len(told), "events": len(result.lines)}
    line = words.reported(prediction.service, told[0]) if told else words.no_report(place, len(result.lines))
    return weigh(prediction, bool(told) == (prediction.expect is Expectation.present)), line, numbers


def _blamed(case: Investigation, service: str, fresh: list[Template]) -> str:
    """The dependency that the new complaints are about, if they name one: then the fault is not here."""
    if case.graph is None or not service:
        return ""
    for name in dict.fromkeys([*case.graph.dependencies(service, hops=1), *mentioned(case, service)]):
        if any(blames(case, each.exemplar, name) for each in fresh[:3]):
            return name
    return ""


def window_start(case: Investigation) -> float:
    return case.incident.window.start.timestamp() if case.incident else 0.0


def changes(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = case.incident.window.onset if case.incident else None
    known = case.changes
    if known is None or known.status in (Status.error, Status.denied):
        return None, words.changes_unknown(known.message if known else ""), {}
    if onset is None:
        return None, "without an onset no change can be said to precede it", {}
    kinds = [kind for kind in prediction.fact.split(",") if kind != "other"]
    theirs = _their_changes(case, prediction)
    scored = sorted(theirs, key=lambda c: (-proximity(c.at, onset), c.at))
    fit = proximity(scored[0].at, onset) if scored and not _too_late(case, prediction.service, scored[0]) else 0.0
    numbers: Numbers = {"changes": len(theirs), "fit": round(fit, 2)}
    if scored and fit > 0.02:
        numbers |= {"changed_at": scored[0].at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "minutes_before_onset": round((onset - scored[0].at).total_seconds() / 60, 1)}  # fmt: skip
        line = words.change(scored[0], onset)
        # A neighbour in time alone is weak: far back it is next to nothing.
        return weigh(prediction, prediction.expect is Expectation.present, fit), line, numbers
    gap = known.message if known.status is Status.truncated else ""
    line = words.no_change(prediction.service, kinds, len(theirs), gap)
    return weigh(prediction, prediction.expect is Expectation.absent, 0.4 if gap else 1.0), line, numbers


def _too_late(case: Investigation, service: str, change: Change) -> bool:
    """Whether users of the service felt it, clearly, before the change was made."""
    onset = onset_of(case)
    felt = (a for a in anomalies(case) if a.service == service and a.signal in SYMPTOMS and lasting(a, onset))
    first = min((a.onset for a in felt if onset is None or a.onset > onset - LATE), default=None)
    return first is not None and change.at.timestamp() > first + ROUNDED


ROUNDED = 120.0
"""Seconds by which metrics by the minute, and clocks, may put an effect before its cause."""


def _their_changes(case: Investigation, prediction: Prediction) -> list[Change]:
    """Changes of the predicted kinds to the predicted service."""
    kinds = prediction.fact.split(",")
    service = case.graph.service(prediction.service) if case.graph else None
    own = {r.key for r in service.resources} if service else set[str]()
    return [
        c
        for c in (case.changes.changes if case.changes else ())
        if c.kind in kinds and not c.automatic and (c.service == prediction.service or c.touches(own))
    ]


def mechanism(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    """Whether what runs short began to do so with the change, or at some other time."""
    onset = case.incident.window.onset if case.incident else None
    theirs = _their_changes(case, prediction)
    if onset is None or not theirs:
        return 0.0, f"nothing of {prediction.service} was changed", {}
    change = max(theirs, key=lambda c: (proximity(c.at, onset), c.at))
    short = [
        a
        for a in anomalies(case)
        if a.service == prediction.service and a.signal in SHORTAGES and lasting(a, onset.timestamp())
    ]
    if not short:
        return 0.0, f"nothing runs short in {prediction.service}", {}
    nearest = min(short, key=lambda a: abs(a.onset - change.at.timestamp()))
    lag = nearest.onset - change.at.timestamp()
    numbers: Numbers = {"lag_seconds": round(lag)}
    line = words.mechanism(nearest, change, lag)
    return weigh(prediction, -ROUNDED <= lag <= 3 * SOON), line, numbers


SHORTAGES = (Signal.cpu, Signal.memory, Signal.memory_free, Signal.connections, Signal.running_tasks, Signal.throttles,
             Signal.concurrency, Signal.disk_free, Signal.disk_queue, Signal.healthy_hosts)  # fmt: skip


SOON = 240.0
"""Seconds within which an onset belongs to a change: metrics come by the minute, roll-outs take a few."""
