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
from runbook_bot.domain.service import Resource, Service
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
        best = min(
            (s for s in companions if s.signal in COMPANIONS), key=lambda s: COMPANIONS.index(s.signal), default=None
        )
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
    if not same:
        return None
    # Some signals are told by several metrics, of which most stay at zero: the one that moved is meant.
    together = [each for each in same if each.key == same[-1].key]
    return max(reversed(together), key=lambda each: (each.shift.moved != "steady", abs(each.shift.effect)))


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
    seen: set[tuple[str, str, str]] = set()
    found = []
    for each in reversed(readings(case)):
        key = (each.series.resource.key, each.series.signal.value, each.series.name)
        if key in seen or each.window.start != frame.start or each.window.end != frame.end:
            continue
        seen.add(key)
        owner = case.graph.owner_of(each.series.resource)
        moved = each.shift
        if moved.moved == "steady" or owner is None or not _matters(each.series, moved):
            continue
        if not usual(case, each.series.resource, each.series.signal, moved.baseline, moved.level):
            found.append(Anomaly(owner.name, each.series.resource, each.series.signal, moved))
    found = [a for a in found if not _unfelt(case, a, found)] + _standing(case)
    return sorted(found, key=lambda a: (-min(abs(a.shift.effect), 50), a.service, a.signal))


PASSING = 900.0
"""Seconds up to which what users never felt, and is over, was nothing."""


def _unfelt(case: Investigation, a: Anomaly, found: list[Anomaly]) -> bool:
    """A short episode that is over, of what only runs the service, while what users feel was watched and calm.

    What users feel may follow with some delay, in the service itself or in whoever calls it.
    """
    if a.signal in SYMPTOMS or a.shift.ended is None or a.shift.ended - a.onset > PASSING:
        return False
    felt = [other for other in found if other.signal in SYMPTOMS or other.signal is Signal.healthy_hosts]
    if any(a.onset - PASSING <= other.onset <= a.shift.ended + PASSING for other in felt):
        return False
    return any(each.series.signal in SYMPTOMS and each.shift.enough for each in readings(case))


def passing(case: Investigation, resource: Resource, signal: Signal, moved: Shift) -> bool:
    """Whether a move of that signal was a short episode that nobody felt."""
    return moved.moved != "steady" and _unfelt(case, Anomaly("", resource, signal, moved), anomalies(case))


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
    earlier = [each for each in readings(case) if each.window.end <= frame.start]
    known = [_history(e) for e in earlier if e.series.resource.key == resource.key and e.series.signal is signal]
    times, values = (np.concatenate(each) for each in zip((np.empty(0), np.empty(0)), *known, strict=True))
    found = usually(times, values, frame.start.timestamp(), frame.end.timestamp())
    return found is not None and found.holds(level, slack=0.25 * abs(level - baseline))


def _history(each: Reading) -> tuple[Floats, Floats]:
    """The points of an earlier time; none where too few of them are there."""
    seen = each.series.times
    own = (min(seen), max(seen)) if seen else None
    times, values = points(each.series, each.window, each.watched or own)
    covered = values.size >= COVERED * each.window.length.total_seconds() / each.series.step
    return (times, values) if covered else (np.empty(0), np.empty(0))


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
        near = upstream.near(case.graph, name, service)
        moved = [a for a in found if a.service in near and unwell(a) and lasting(a, start)]
        moved = [a for a in moved if not (_deserted(a) and _withdrawn(found, service))]
        moved = [a for a in moved if not (surged and _surged(found, a.service, began))]
        if moved and not _too_little(moved, own):
            first = min(a.onset for a in moved)
            if first <= began + TOGETHER:
                movers[name] = first
    ordered = sorted(_without_overflow(case, found, movers), key=lambda name: (movers[name], name))
    together = [name for name in ordered if movers[name] <= movers[ordered[0]] + TOGETHER]
    if len(together) > 1:
        against = _against(case, service)
        round_it = {name: upstream.near(case.graph, name, service) for name in together}
        together.sort(key=lambda name: -max(against.get(each, 0.0) for each in round_it[name]))
    return [*together, *ordered[len(together) :]]


def _against(case: Investigation, service: str) -> dict[str, float]:
    """What speaks against each service as the one that explains the others (`upstream`), as `service` feels it."""
    if case.graph is None or case.incident is None:
        return {}
    frame = case.incident.window
    within = [
        each for each in reversed(readings(case)) if (each.window.start, each.window.end) == (frame.start, frame.end)
    ]
    owned = [(case.graph.owner_of(each.series.resource), each) for each in within]
    seen = [(o.name, each.series.signal, *points(each.series, each.window, each.watched)) for o, each in owned if o]
    symptom = case.symptom if case.symptom is not None and case.symptom.service == service else None
    return upstream.scores(seen, case.graph, symptom)


SHARE = 0.25
"""Of the errors a caller has gained, those that a failing dependency has to have gained to be what fails it."""


def _too_little(moved: list[Anomaly], own: list[Anomaly]) -> bool:
    """Whether the dependency only gained a few errors where its caller gained many: they come from elsewhere."""
    gained = max((a.shift.level - a.shift.baseline for a in own if a.signal is Signal.errors), default=0.0)
    if any(a.signal is not Signal.errors for a in moved):
        return False
    return sum(a.shift.level - a.shift.baseline for a in moved) < SHARE * gained


OVERFLOW = (Signal.cpu, Signal.connections, Signal.read_latency, Signal.latency, Signal.disk_queue)
"""What more work alone moves in a store."""


def _without_overflow(case: Investigation, found: list[Anomaly], movers: dict[str, float]) -> dict[str, float]:
    """Without stores that merely get what a cache beside them no longer answers."""
    failing = (Signal.cache_misses, Signal.evictions)
    caches = {a.service: a.onset for a in found if a.resource.type is ResourceType.elasticache_cluster
              and (_deserted(a) or (a.signal in failing and a.shift.moved == "rises"))}  # fmt: skip
    failed = min((at for name, at in caches.items() if name in movers), default=None)
    if failed is None:
        return movers
    kept = {}
    for name, at in movers.items():
        theirs = [a for a in found if a.service == name and unwell(a)]
        stores = all(a.resource.type in STORES for a in theirs)
        if not (theirs and stores and at >= failed - TOGETHER and all(a.signal in OVERFLOW for a in theirs)):
            kept[name] = at
    return kept


STORES = (ResourceType.rds_instance, ResourceType.rds_cluster, ResourceType.dynamodb_table)
"""What a cache usually stands before."""


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


def _deserted(a: Anomaly) -> bool:
    """Whether nearly all clients of a store have gone."""
    return a.signal is Signal.connections and a.shift.moved == "falls" and a.shift.ratio <= DESERTED


def _withdrawn(found: list[Anomaly], service: str) -> bool:
    """Whether the caller itself has become less: then its connections go because it does."""
    signals = (Signal.running_tasks, Signal.healthy_hosts, Signal.requests)
    return any(a.service == service and a.signal in signals and a.shift.moved == "falls" for a in found)


DESERTED = 0.05
"""Share of its connections that a store keeps whom nobody can reach; a starved client leaves more."""
BUSY = 70.0
"""Percent of the processor below which more work costs hardly any time: waiting grows with 1/(1 - load)
(Kleinrock, Queueing Systems I, 1975)."""


def unwell(a: Anomaly) -> bool:
    """A move that says that the resource itself suffers, not that it is merely used less or more."""
    if a.shift.moved == "falls":
        return a.signal in (Signal.healthy_hosts, Signal.running_tasks, Signal.disk_free, Signal.memory_free,
                            Signal.burst_balance, Signal.cpu_credits) or _deserted(a)  # fmt: skip
    if a.signal is Signal.cpu and a.shift.level < BUSY:
        return False
    return a.signal not in (Signal.requests, Signal.consumed_capacity, Signal.messages_deleted, Signal.network_in,
                            Signal.network_out, Signal.healthy_hosts, Signal.running_tasks, Signal.memory_free,
                            Signal.disk_free, Signal.burst_balance, Signal.cpu_credits,
                            Signal.account_concurrency)  # fmt: skip


COMPUTE = (ResourceType.ecs_service, ResourceType.lambda_function, ResourceType.kubernetes_workload,
           ResourceType.autoscaling_group, ResourceType.ec2_instance)  # fmt: skip
"""Resources that run a team's own code."""
