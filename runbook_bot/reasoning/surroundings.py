"""Readers of the whole picture: the symptom, its history, the vital signs, and what moved first around it."""

from runbook_bot.analysis.complaints import reports
from runbook_bot.analysis.vitals import SYMPTOMS, anomalies, first_movers, lasting, readings, unwell
from runbook_bot.domain import saying
from runbook_bot.domain.hypothesis import Expectation, Prediction
from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import LogLine, Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.reasoning import words
from runbook_bot.reasoning.modes import telling
from runbook_bot.reasoning.weighing import LATE, Finding, Numbers, onset_of, weigh

THROUGH = "through"
"""What the fact of a vitals prediction says where what a service depends on counts as the service's own trouble."""


def symptom(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    symptom = case.symptom
    if symptom is None:
        return None, "no metric behind the alert could be read", {}
    steady = symptom.moved == "steady"
    numbers: Numbers = {"baseline": round(symptom.baseline, 4), "level": round(symptom.level, 4),
                        "effect_size": round(symptom.effect, 1)}  # fmt: skip
    # What nobody complained of, and no user feels, says little by having stayed where it was; and who complains in
    # words has felt something, which may be measured by nothing here.
    quality = 1.0 if not steady or _rang(case) else 0.6 if symptom.signal in SYMPTOMS else 0.4
    if steady and onset_of(case) is not None:
        quality *= 0.5  # it began all the same: a log tells when
    weight = weigh(prediction, steady == (prediction.expect is Expectation.steady), quality)
    return weight, saying.symptom(symptom), numbers


def _rang(case: Investigation) -> bool:
    return case.incident is not None and case.incident.alarm is not None


def vitals(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    onset = onset_of(case)
    meant = {prediction.service}
    if prediction.fact == THROUGH and case.graph is not None:
        meant |= set(case.graph.dependencies(prediction.service, hops=2))
    moved = [
        a
        for a in anomalies(case)
        if a.service in meant
        and (not prediction.signals or a.signal in prediction.signals or prediction.fact == THROUGH)
        and unwell(a)
        and (onset is None or a.onset <= onset + 2 * LATE)
        and lasting(a, onset)
    ]
    known = [s for s in result.series if _owner(case, s.resource) in meant]
    told = _told(case, prediction.service) if prediction.fact == THROUGH and not moved else None
    if told is not None:
        return weigh(prediction, True), words.reported(prediction.service, told), {}
    if not known and not moved:
        return None, f"no vital sign of {prediction.service or 'the service'} could be read ({result.where})", {}
    numbers: Numbers = {"moved": [f"{a.signal} {a.shift.moved}" for a in moved[:6]], "read": len(known)}
    line = words.vitals(prediction.service, moved, len(known), onset)
    if prediction.expect is Expectation.steady:
        return weigh(prediction, not moved), line, numbers
    quality = min(1.0, 0.5 + max((abs(a.shift.effect) for a in moved), default=0.0) / 20) if moved else 1.0
    return weigh(prediction, bool(moved), quality), line, numbers


def _told(case: Investigation, service: str) -> LogLine | None:
    """The vendor's first report of trouble of that service."""
    return next((line for line in reports(case, service) if telling(line.text)), None)


def _owner(case: Investigation, resource: Resource) -> str:
    owner = case.graph.owner_of(resource) if case.graph else None
    return owner.name if owner else ""


def dependencies(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    if case.graph is None:
        return None, "the dependencies are not known", {}
    movers = first_movers(case, anomalies(case), prediction.service)
    numbers: Numbers = {"first": list(movers)}
    if prediction.expect is Expectation.steady:
        asked = case.graph.dependencies(prediction.service, hops=1)
        if not asked:
            return 0.0, f"{prediction.service} has no known dependency", numbers
        watched = {_owner(case, each.series.resource) for each in readings(case)} & asked.keys()
        if not movers and not watched:
            return None, words.unwatched(sorted(asked)), numbers
        # Of a third party nothing is known: only those that were looked at can be said to have been well.
        share = 1.0 if movers else len(watched) / len(asked)
        return weigh(prediction, not movers, share), words.movers(prediction.service, movers), numbers
    told = _told(case, prediction.fact)
    if prediction.fact not in movers and told is not None:
        return weigh(prediction, True), words.reported(prediction.fact, told), numbers
    theirs = case.graph.service(prediction.fact)
    if prediction.fact not in movers and (theirs is None or not theirs.resources):
        return None, words.unwatched([prediction.fact]), numbers
    seen = prediction.fact in movers
    return weigh(prediction, seen), words.mover(prediction.fact, seen), numbers


def _same(series: Series, symptom: Symptom) -> bool:
    return series.resource.key == symptom.resource.key and series.signal is symptom.signal


def history(case: Investigation, prediction: Prediction, result: Result) -> Finding:
    symptom = case.symptom
    series = next((s for s in result.series if symptom and _same(s, symptom)), None)
    if symptom is None or series is None or len(series.values) < 10:
        return None, f"nothing to compare with on the day before ({result.where})", {}
    highest, lowest = max(series.values), min(series.values)
    inside = lowest <= symptom.level <= highest * 1.1 if symptom.moved != "falls" else symptom.level >= lowest * 0.9
    numbers: Numbers = {"yesterday_highest": round(highest, 4), "yesterday_lowest": round(lowest, 4),
                        "level": round(symptom.level, 4)}  # fmt: skip
    return weigh(prediction, inside), words.history(symptom, lowest, highest), numbers
