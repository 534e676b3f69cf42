"""What moved where: the vital signs of the services in scope, read from the journal's own answers."""

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from runbook_bot.analysis import upstream
from runbook_bot.analysis.baseline import baseline as usually
from runbook_bot.analysis.complaints import mentioned
from runbook_bot.analysis.shift import Floats, Shift, around, clean, filled, shift
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Queried
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow

COUNTS = frozenset({
    Signal.errors, Signal.throttles, Signal.deadlocks, Signal.dead_letters, Signal.connection_errors, Signal.evictions,
    Signal.cache_misses, Signal.client_errors, Signal.tls_errors, Signal.rejected, Signal.packets_dropped,
})  # fmt: skip
"""Signals whose absence means that nothing was counted, not that nothing is known."""
COMPANIONS = (Signal.requests, Signal.cpu, Signal.duration, Signal.healthy_hosts, Signal.latency)
"""Signals that show, by being there, that the resource was watched while a count was absent."""
SYMPTOMS = (
    Signal.errors, Signal.latency, Signal.latency_p99, Signal.duration, Signal.throttles, Signal.unhealthy_hosts,
    Signal.dead_letters, Signal.oldest_message_age, Signal.iterator_age, Signal.connection_errors,
)  # fmt: skip
"""What users feel, worst first."""


@dataclass(frozen=True)
class Anomaly:
    """One signal of one resource that moved."""

    service: str
    resource: Resource
    signal: Signal
    shift: Shift

    @property
    def onset(self) -> float:
        return self.shift.onset or 0.0


Span = tuple[float, float]
"""Epoch seconds, both ends included."""


def _rank(series: Series) -> int:
    return COMPANIONS.index(series.signal)


@dataclass(frozen=True)
class Reading:
    """A series as it was brought back, and where it stands in the journal."""

    series: Series
    result: Result
    key: str
    window: TimeWindow

    @cached_property
    def shift(self) -> Shift:
        return measured(self.series, self.window, self.watched)

    @cached_property
    def watched(self) -> Span | None:
        """From the first to the last point of another signal of the same resource; None where there is none."""
        companions = [s for s in self.result.series if s.resource.key == self.series.resource.key and s.times]
        best = min((s for s in companions if s.signal in COMPANIONS), key=_rank, default=None)
        return (min(best.times), max(best.times)) if best is not None else None


REMEMBERED = 256
_read: OrderedDict[int, tuple[Queried, list[Reading]]] = OrderedDict()
"""What was made of an answer. The answer is kept beside it, so that its `id` cannot become another object's."""


def readings(case: Investigation) -> list[Reading]:
    """All series that were read, newest answer first."""
    return [each for asked in reversed(case.asked) if asked.result.series for each in _readings_of(asked)]


def _readings_of(asked: Queried) -> list[Reading]:
    known = _read.get(id(asked))
    if known is not None:
        return known[1]
    window = asked.query.get("window")
    frame = TimeWindow.model_validate(window) if isinstance(window, dict) else None
    found = [Reading(each, asked.result, asked.key, frame) for each in asked.result.series] if frame else []
    _read[id(asked)] = (asked, found)
    if len(_read) > REMEMBERED:
        _read.popitem(last=False)
    return found


def reading(case: Investigation, resource: Resource, signal: Signal) -> Reading | None:
    """The first (triage's) reading of that signal within the incident's window, if it has been read."""
    frame = case.incident.window if case.incident else None
    same = [
        each
        for each in readings(case)
        if each.series.resource.key == resource.key
        and each.series.signal is signal
        and (frame is None or (each.window.start == frame.start and each.window.end == frame.end))
    ]
    return same[-1] if same else None


def points(series: Series, window: TimeWindow, watched: Span | None = None) -> tuple[Floats, Floats]:
    """Cleaned; counts with zeros where nothing was counted; the last, unfinished interval left out of counts.

    `watched` is when the resource is known to have been measured at all: outside of it an absent count is no zero.
    """
    t, v = clean(series.times, series.values)
    start, end = window.start.timestamp(), window.end.timestamp() - series.step
    if _absent_is_zero(series):
        if watched is not None:
            start, end = max(start, min(watched[0], t[0] if t.size else watched[0])), min(end, watched[1] + series.step)
        return filled(t, v, start, end, series.step)
    if series.signal is Signal.requests:
        return t[t <= end], v[t <= end]
    return t, v


def measured(series: Series, window: TimeWindow, watched: Span | None = None) -> Shift:
    t, v = points(series, window, watched)
    return shift(t, v, counts=_counted(series))


def compared(series: Series, window: TimeWindow, onset: float) -> Shift:
    """Before and after a known onset."""
    t, v = points(series, window)
    return around(t, v, onset, counts=_counted(series))


def _absent_is_zero(series: Series) -> bool:
    return series.signal in COUNTS or (series.signal is Signal.value and series.resource.statistic == "Sum")


def _counted(series: Series) -> bool:
    return series.signal is Signal.requests or _absent_is_zero(series)


def anomalies(case: Investigation) -> list[Anomaly]:
    """Everything that moved in the incident's window, strongest first."""
    if case.incident is None or case.graph is None:
        return []
    frame = case.incident.window
    seen: set[tuple[str, str]] = set()
    found = []
    for each in reversed(readings(case)):
        key = (each.series.resource.key, each.series.signal.value)
        if key in seen or each.window.start != frame.start or each.window.end != frame.end:
            continue
        seen.add(key)
        owner = case.graph.owner_of(each.series.resource)
        moved = each.shift
        if moved.moved == "steady" or owner is None or not _matters(each.series, moved):
            continue
        if not usual(case, each.series.resource, each.series.signal, moved.baseline, moved.level):
            found.append(Anomaly(owner.name, each.series.resource, each.series.signal, moved))
    found += _standing(case)
    return sorted(found, key=lambda a: (-min(abs(a.shift.effect), 50), a.service, a.signal))


def _standing(case: Investigation) -> list[Anomaly]:
    """The symptom, where it has been there since before the window: no series shows it as a move."""
    symptom = case.symptom
    if symptom is None or symptom.moved == "steady" or symptom.onset is not None or case.incident is None:
        return []
    start = case.incident.window.start.timestamp()
    there = Shift(symptom.moved, True, start, None, symptom.baseline, symptom.level, symptom.level)
    return [Anomaly(symptom.service, symptom.resource, symptom.signal, there)]


COVERED = 0.6
"""Share of the points that the day before has to have for a comparison."""


def usual(case: Investigation, resource: Resource, signal: Signal, baseline: float, level: float) -> bool:
    """Whether that level was reached at this time of earlier days or weeks; False where they were not read."""
    if case.incident is None:
        return False
    frame = case.incident.window
    known = [_history(each) for each in readings(case)
             if each.series.resource.key == resource.key and each.series.signal is signal
             and each.window.end <= frame.start]  # fmt: skip
    if not known:
        return False
    times, values = (np.concatenate(each) for each in zip(*known, strict=True))
    found = usually(times, values, frame.start.timestamp(), frame.end.timestamp())
    return found is not None and found.holds(level, slack=0.25 * abs(level - baseline))


def _history(each: Reading) -> tuple[Floats, Floats]:
    """The points of an earlier time; none where too few of them are there."""
    seen = each.series.times
    own = (min(seen), max(seen)) if seen else None
    times, values = points(each.series, each.window, each.watched or own)
    if values.size < COVERED * each.window.length.total_seconds() / each.series.step:
        return np.empty(0), np.empty(0)
    return times, values


def _matters(series: Series, moved: Shift) -> bool:
    """Leaves out what is statistically clear and practically nothing."""
    size = abs(moved.level - moved.baseline)
    match series.signal:
        case Signal.errors | Signal.throttles | Signal.connection_errors | Signal.dead_letters:
            return size >= 1.0
        case Signal.cpu | Signal.memory | Signal.burst_balance:
            return size >= 8.0
        case Signal.latency | Signal.latency_p99 | Signal.duration:
            return size >= 0.02 and moved.level >= 1.3 * moved.baseline
        case Signal.read_latency | Signal.write_latency:
            return size >= 0.004
        case _:
            return True


def lasting(a: Anomaly, began: float | None) -> bool:
    """Whether it can have to do with what began then: what was over before, or was but a blip, cannot."""
    if a.shift.ended is None:
        return True
    return a.shift.ended - a.onset >= BRIEF and (began is None or a.shift.ended > began + 60)


BRIEF = 300.0
"""Seconds below which a departure that is over again is a blip."""


def trouble(found: list[Anomaly], service: str) -> list[Anomaly]:
    """What users of that service feel, worst first."""
    felt = [a for a in found if a.service == service and a.signal in SYMPTOMS and a.shift.moved == "rises"]
    felt += [a for a in found if a.service == service and a.signal is Signal.healthy_hosts and a.shift.moved == "falls"]
    return sorted(felt, key=lambda a: -min(abs(a.shift.effect), 50))


def first_movers(case: Investigation, found: list[Anomaly], service: str) -> list[str]:
    """Dependencies of `service` that are in trouble themselves, and moved no later than it did; first mover first."""
    if case.graph is None:
        return []
    own = trouble(found, service)
    began = min((a.onset for a in own), default=np.inf)
    if case.symptom is not None and case.symptom.onset is not None and case.symptom.service == service:
        began = min(began, case.symptom.onset.timestamp())
    start = None if began == np.inf else began
    surged = _surged(found, service, began)
    movers = {}
    for name in dict.fromkeys([*case.graph.dependencies(service, hops=1), *mentioned(case, service)]):
        if _only_queues(case.graph.service(name)):
            continue  # a backlog is what its readers leave behind; it holds up neither them nor the writers
        near = _near(case.graph, name, service)
        moved = [a for a in found if a.service in near and unwell(a) and lasting(a, start)]
        moved = [a for a in moved if not (surged and _surged(found, a.service, began))]
        if moved:
            first = min(a.onset for a in moved)
            if first <= began + TOGETHER:
                movers[name] = first
    ordered = sorted(movers, key=lambda name: (movers[name], name))
    together = [name for name in ordered if movers[name] <= movers[ordered[0]] + TOGETHER]
    if len(together) > 1:
        against = _against(case, service)
        round_it = {name: _near(case.graph, name, service) for name in together}
        together.sort(key=lambda name: -max(against.get(each, 0.0) for each in round_it[name]))
    return [*together, *ordered[len(together) :]]


def _near(graph: ServiceGraph, name: str, service: str) -> set[str]:
    """A service in between may pass trouble on without showing it in what is measured of it."""
    return {name, *graph.dependencies(name, hops=2)} - {service}


def _against(case: Investigation, service: str) -> dict[str, float]:
    """What speaks against each service as the one that explains the others (`upstream`), as `service` feels it."""
    if case.graph is None or case.incident is None:
        return {}
    frame = case.incident.window
    measured = []
    for each in reversed(readings(case)):
        owner = case.graph.owner_of(each.series.resource)
        if owner is not None and (each.window.start, each.window.end) == (frame.start, frame.end):
            measured.append((owner.name, each.series.signal, *points(each.series, each.window, each.watched)))
    symptom = case.symptom if case.symptom is not None and case.symptom.service == service else None
    onset = symptom.onset.timestamp() if symptom is not None and symptom.onset is not None else None
    return upstream.scores(measured, case.graph, (service, symptom.signal) if symptom is not None else None, onset)


def _only_queues(service: Service | None) -> bool:
    queues = (ResourceType.sqs_queue, ResourceType.kinesis_stream)
    return service is not None and bool(service.resources) and all(r.type in queues for r in service.resources)


TOGETHER = 240.0
"""Seconds within which two onsets count as one: metrics come by the minute."""


def _surged(found: list[Anomaly], service: str, began: float) -> bool:
    """Whether the service got far more to do: what suffers under the caller's own load is not the load's cause."""
    return any(
        a.service == service
        and a.signal is Signal.requests
        and a.shift.moved == "rises"
        and a.shift.ratio >= 1.5
        and a.onset <= began + TOGETHER
        for a in found
    )


def unwell(a: Anomaly) -> bool:
    """A move that says that the resource itself suffers, not that it is merely used less or more."""
    if a.shift.moved == "falls":
        return a.signal in (Signal.healthy_hosts, Signal.running_tasks, Signal.disk_free, Signal.memory_free,
                            Signal.burst_balance, Signal.cpu_credits)  # fmt: skip
    return a.signal not in (Signal.requests, Signal.consumed_capacity, Signal.messages_deleted, Signal.network_in,
                            Signal.network_out, Signal.healthy_hosts, Signal.running_tasks, Signal.memory_free,
                            Signal.disk_free, Signal.burst_balance, Signal.cpu_credits,
                            Signal.account_concurrency)  # fmt: skip


COMPUTE = (ResourceType.ecs_service, ResourceType.lambda_function, ResourceType.kubernetes_workload,
           ResourceType.autoscaling_group, ResourceType.ec2_instance)  # fmt: skip
"""Resources that run a team's own code."""
