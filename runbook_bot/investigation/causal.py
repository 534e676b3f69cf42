"""From a hypothesis to a few typed questions: scoped to its service, its resource, and the window around the onset."""

import math
from collections.abc import Mapping
from datetime import timedelta

from runbook_bot.analysis.vitals import reading
from runbook_bot.domain.hypothesis import Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, ListEvents, Query, ReadMetrics, ReadState, SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.scratchpad import Wanted, again, narrowed

UNMEASURED = (ResourceType.log_group, ResourceType.alarm)
BEFORE = timedelta(minutes=30)
AFTER = timedelta(minutes=45)
LONGEST = timedelta(hours=6)
"""Of logs that are read without knowing when to look."""


def questions(case: Investigation, hypothesis: Hypothesis) -> list[tuple[Prediction, Query]]:
    """Each prediction with the question that tests it. A prediction that nothing can test is left out."""
    found = []
    for prediction in hypothesis.predictions:
        query = _question(case, prediction)
        if query is not None:
            found.append((prediction, query))
    return found


def around_onset(case: Investigation) -> TimeWindow:
    """Half an hour before the onset to 45 minutes after it; without an onset the window, of a long one its end."""
    assert case.incident is not None
    frame = case.incident.window
    if frame.onset is None:
        return TimeWindow(start=max(frame.start, frame.end - LONGEST), end=frame.end)
    start, end = max(frame.start, frame.onset - BEFORE), min(frame.end, frame.onset + AFTER)
    return TimeWindow(start=start, end=max(end, start + timedelta(minutes=1)), onset=frame.onset)


def _question(case: Investigation, prediction: Prediction) -> Query | None:
    if case.incident is None:
        return None
    match prediction.about:
        case "metric":
            return _metric(case, prediction)
        case "state" if prediction.resource is not None:
            return ReadState(resource=prediction.resource)
        case "logs" if prediction.resource is not None:
            return _lines(case, prediction, prediction.resource)
        case "events" if prediction.resource is not None:
            return ListEvents(resource=prediction.resource, window=around_onset(case))
        case "changes" | "mechanism":
            return _asked(case, ListChanges)
        case "history":
            return yesterday(case)
        case "symptom" | "vitals" | "dependencies":
            return _asked(case, ReadMetrics)
        case _:
            return None


def worth(prediction: Prediction, prior: float) -> float:
    """What the answer may be expected to move: natural logarithm of a likelihood ratio, whichever way it turns out."""
    return prior * abs(math.log(prediction.seen)) + (1 - prior) * abs(math.log(prediction.unseen))


COSTS: Mapping[str, float] = {ReadState.kind: 0.5, ReadMetrics.kind: 1.0, ListEvents.kind: 1.0, ListChanges.kind: 2.0}
"""Of one question, against that for a metric; logs are the dearest."""
LOGS_COST = 3.0


def by_worth(case: Investigation, wanted: Wanted) -> dict[str, tuple[Query, tuple[str, ...]]]:
    """Questions by what they may be expected to tell for their cost, best first."""
    told: dict[str, float] = {}
    for id in {id for _, who in wanted.values() for id in who}:
        hypothesis = case.hypotheses[id]
        for prediction, query in questions(case, hypothesis):
            allowed, _ = narrowed(query)
            if allowed is not None:
                told[allowed.key] = told.get(allowed.key, 0.0) + worth(prediction, hypothesis.prior)

    def rank(key: str) -> tuple[float, str]:
        return -told.get(key, 0.0) / COSTS.get(wanted[key][0].kind, LOGS_COST), key

    return {key: wanted[key] for key in sorted(wanted, key=rank)}


def _lines(case: Investigation, prediction: Prediction, resource: Resource) -> Query:
    """A search for words, or the lines around the onset that were all read before: in them the words are found too."""
    every = SearchLogs(resource=resource, window=around_onset(case))
    known = case.answers.get(every.key)
    if known is not None and known.status is Status.ok and len(known.lines) < every.limit:
        return every
    return every.model_copy(update={"any_of": prediction.words})


def yesterday(case: Investigation) -> Query | None:
    """The symptom in the same hours of the day before."""
    if case.symptom is None or case.incident is None:
        return None
    day = timedelta(days=1)
    frame = case.incident.window
    service = case.graph.service(case.symptom.service) if case.graph else None
    theirs = service.resources if service else ()
    measured = {r.key: r for r in (case.symptom.resource, *theirs) if r.type not in UNMEASURED}
    return ReadMetrics(
        resources=tuple(measured.values())[:20],
        window=TimeWindow(start=frame.start - day, end=frame.end - day),
    )


def _metric(case: Investigation, prediction: Prediction) -> Query | None:
    if prediction.resource is None or prediction.signal is None or case.incident is None:
        return None
    known = reading(case, prediction.resource, prediction.signal)
    if known is not None:
        return next((again(asked) for asked in case.asked if asked.key == known.key), None)
    return ReadMetrics(resources=(prediction.resource,), signals=(prediction.signal,), window=case.incident.window)


def _asked(case: Investigation, kind: type[Query]) -> Query | None:
    """The question of triage whose answer this prediction is read from: the widest one of that kind."""
    triage = [each for each in case.asked if each.query_kind == kind.kind and not each.hypotheses]
    widest = max(triage, key=lambda each: (len(str(each.query)), each.key), default=None)
    return again(widest) if widest else None
