"""From a hypothesis to a few typed questions: scoped to its service, its resource, and the window around the onset."""

from datetime import timedelta

from runbook_bot.analysis.vitals import reading
from runbook_bot.domain.hypothesis import Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.tools import ListChanges, ListEvents, Query, ReadMetrics, ReadState, SearchLogs
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.scratchpad import again

UNMEASURED = (ResourceType.log_group, ResourceType.alarm)
BEFORE = timedelta(minutes=30)
AFTER = timedelta(minutes=45)


def questions(case: Investigation, hypothesis: Hypothesis) -> list[tuple[Prediction, Query]]:
    """Each prediction with the question that tests it. A prediction that nothing can test is left out."""
    found = []
    for prediction in hypothesis.predictions:
        query = _question(case, prediction)
        if query is not None:
            found.append((prediction, query))
    return found


def around_onset(case: Investigation) -> TimeWindow:
    """Half an hour before the onset to 45 minutes after it; without an onset the end of the window."""
    assert case.incident is not None
    frame = case.incident.window
    onset = frame.onset or max(frame.start, frame.end - AFTER)
    start, end = max(frame.start, onset - BEFORE), min(frame.end, onset + AFTER)
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
            return SearchLogs(resource=prediction.resource, window=around_onset(case), any_of=prediction.words)
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
