"""The complaint as a measured signal: the alarm's own metric, or what moved most of the service that is named."""

from collections.abc import Sequence
from datetime import UTC, datetime

from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.vitals import Anomaly, Reading, anomalies, lasting, passing, reading, trouble, unwell, usual
from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.vocabulary import Signal

BLIP = 300.0
"""Seconds below which a departure that is over again is not worth anybody's sleep."""
USED_UP = {Signal.cpu: 88.0, Signal.memory: 95.0}
"""Percent from which a signal is no usual state of anything."""
AS_GIVEN = (Signal.cpu, Signal.memory, Signal.burst_balance, Signal.value)
"""Signals in the unit of the vendor's metric: an alarm's threshold can be held against them."""
STEADY_SIGNALS = (Signal.errors, Signal.latency, Signal.duration, Signal.requests, Signal.cpu, Signal.connections)


def symptom_of(case: Investigation) -> Symptom | None:
    """None where nothing could be measured at all."""
    alarm = case.incident.alarm if case.incident else None
    if alarm is not None:
        found = _of_alarm(case, alarm)
        if found is not None:
            return _usual(case, _breached(_sided(_symptom(case, found, found.shift), alarm), alarm))
    moved = anomalies(case)
    named = case.incident.services if case.incident else ()
    places = [*named, *(name for name in case.scope if name not in named)]
    for name in places if named else ():
        felt = trouble(moved, name) or _short(moved, name)
        if felt:
            worst = reading(case, felt[0].resource, felt[0].signal)
            if worst is not None:
                return _usual(case, _symptom(case, worst, felt[0].shift))
    felt = [a for name in places for a in trouble(moved, name)]
    if felt and not named:
        worst_of_all = max(felt, key=lambda a: min(abs(a.shift.effect), 50))
        found = reading(case, worst_of_all.resource, worst_of_all.signal)
        if found is not None:
            return _usual(case, _symptom(case, found, worst_of_all.shift))
    return _saturated(case, named) or _calm(case, places)


def _short(moved: list[Anomaly], name: str) -> list[Anomaly]:
    """What runs short in a service whose users' pain nothing measures, worst first."""
    return [a for a in moved if a.service == name and unwell(a) and lasting(a, None)]


def _of_alarm(case: Investigation, alarm: Alarm) -> Reading | None:
    if alarm.metric is not None:
        found = reading(case, alarm.metric, Signal.value)
        if found is not None and alarm.signal is None:
            return found
    if alarm.subject is not None and alarm.signal is not None:
        neutral = reading(case, alarm.subject, alarm.signal)
        if neutral is not None:
            return neutral
    return reading(case, alarm.metric, Signal.value) if alarm.metric is not None else None


def _symptom(case: Investigation, found: Reading, moved: Shift) -> Symptom:
    alarm = case.incident.alarm if case.incident else None
    subject = found.series.resource
    owner = case.graph.owner_of(subject) if case.graph else None
    if owner is None and alarm is not None and alarm.subject is not None and case.graph is not None:
        owner = case.graph.owner_of(alarm.subject)
    service = owner.name if owner else (case.incident.services[0] if case.incident and case.incident.services else "")
    brief = moved.ended is not None and moved.onset is not None and moved.ended - moved.onset < BLIP
    brief = brief and not _asked_about(case, moved)
    brief = brief or passing(case, subject, found.series.signal, moved)
    steady = moved.moved == "steady" or brief
    return Symptom(
        service=service,
        resource=subject,
        signal=found.series.signal,
        moved="steady" if steady else moved.moved,
        onset=None if steady or moved.onset is None else datetime.fromtimestamp(moved.onset, UTC),
        baseline=moved.baseline,
        level=moved.baseline if brief else moved.level,
        effect=0.0 if steady else moved.effect,
        ended=None if steady or moved.ended is None else datetime.fromtimestamp(moved.ended, UTC),
    )


def _asked_about(case: Investigation, moved: Shift) -> bool:
    """Whether a person asked about the very time at which it moved: then even a moment of it is what hurt."""
    at = case.request.at
    return at is not None and moved.onset is not None and abs(moved.onset - at.timestamp()) <= AROUND


AROUND = 900.0
"""Seconds by which people are mistaken about when it hurt."""


def _sided(symptom: Symptom, alarm: Alarm) -> Symptom:
    """A move away from the alarm's threshold is not what the alarm complains of."""
    other = {"above": "falls", "below": "rises"}.get(alarm.comparison or "")
    if symptom.moved == other:
        return symptom.model_copy(update={"moved": "steady", "onset": None, "effect": 0.0, "ended": None})
    return symptom


def _breached(symptom: Symptom, alarm: Alarm) -> Symptom:
    """What has been beyond the alarm's threshold ever since the window began is steady, and not calm."""
    over = {
        "above": alarm.threshold is not None and symptom.level >= alarm.threshold,
        "below": alarm.threshold is not None and symptom.level <= alarm.threshold,
    }
    neutral = alarm.signal is not None and symptom.signal is alarm.signal and symptom.signal not in AS_GIVEN
    if symptom.moved != "steady" or alarm.state != "alarm" or neutral or not over.get(alarm.comparison or ""):
        return symptom
    return symptom.model_copy(update={"moved": "rises" if alarm.comparison == "above" else "falls"})


def _saturated(case: Investigation, places: Sequence[str]) -> Symptom | None:
    """What is used up in a service that is named, and has been since the window began."""
    for name in places:
        service = case.graph.service(name) if case.graph else None
        for signal, full in USED_UP.items():
            for resource in service.resources if service else ():
                found = reading(case, resource, signal)
                if found is not None and found.shift.enough and found.shift.level >= full:
                    level = found.shift.level
                    return _usual(case, _symptom(case, found, Shift("rises", True, baseline=level, level=level)))
    return None


def _usual(case: Investigation, symptom: Symptom) -> Symptom:
    """Steady where the day before looked alike in the same hours (asked for in triage once something moved)."""
    alike = symptom.moved != "steady" and usual(case, symptom.resource, symptom.signal, symptom.baseline, symptom.level)
    calm = {"moved": "steady", "onset": None, "effect": 0.0, "ended": None}
    return symptom.model_copy(update=calm) if alike else symptom


def _calm(case: Investigation, places: list[str]) -> Symptom | None:
    """A signal of the first service that has any: nothing moved, and that is worth saying."""
    if case.graph is None:
        return None
    for name in places:
        service = case.graph.service(name)
        for signal in STEADY_SIGNALS:
            for resource in service.resources if service else ():
                found = reading(case, resource, signal)
                if found is not None:
                    calm = found.shift
                    return _symptom(case, found, Shift("steady", True, baseline=calm.baseline, level=calm.level))
    return None
