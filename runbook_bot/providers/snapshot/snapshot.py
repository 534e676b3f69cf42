"""What a frozen incident holds, in no vendor's words."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite

from pydantic import JsonValue

from runbook_bot.domain.observation import Alarm, Change, LogLine, Series
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import Signal


@dataclass(frozen=True)
class Snapshot:
    """One incident as it was seen at one moment."""

    folder: str
    text: str
    """What was reported."""
    now: datetime
    """The moment of the snapshot, UTC; nothing in it is later than that."""
    graph: ServiceGraph
    service: str | None = None
    """The service that the report is about."""
    at: datetime | None = None
    """When it was reported, UTC."""
    alarms: tuple[Alarm, ...] = ()
    series: tuple[Series, ...] = ()
    lines: Mapping[str, tuple[LogLine, ...]] = field(default_factory=dict)
    """Log lines in order of time, by the resource's key."""
    events: Mapping[str, tuple[LogLine, ...]] = field(default_factory=dict)
    """What the platform told of a resource, by its key."""
    changes: tuple[Change, ...] = ()
    facts: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    """The state of a resource, by its key."""


@dataclass
class Draft:
    """A snapshot in the making: importers put in what they find, in any order."""

    folder: str
    text: str = ""
    service: str | None = None
    at: datetime | None = None
    now: datetime | None = None
    alarms: list[Alarm] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    _services: dict[str, Service] = field(default_factory=dict)
    _points: dict[tuple[str, Signal], dict[float, float]] = field(default_factory=lambda: defaultdict(dict))
    _measured: dict[tuple[str, Signal], tuple[Resource, str, str]] = field(default_factory=dict)
    _lines: dict[str, list[LogLine]] = field(default_factory=lambda: defaultdict(list))
    _events: dict[str, list[LogLine]] = field(default_factory=lambda: defaultdict(list))
    _present: list[tuple[str, str, str]] = field(default_factory=list)
    _facts: dict[str, dict[str, JsonValue]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def names(self) -> list[str]:
        """The services so far."""
        return list(self._services)

    def has(self, service: str, *resources: Resource, calls: Iterable[str] = ()) -> None:
        """A service with these among its resources and dependencies."""
        known = self._services.get(service, Service(name=service))
        every = {each.key: each for each in (*known.resources, *resources)}
        called = dict.fromkeys((*known.depends_on, *(name for name in calls if name != service)))
        self._services[service] = known.model_copy(
            update={"resources": tuple(every.values()), "depends_on": tuple(called)}
        )

    def measure(
        self, resource: Resource, signal: Signal, at: datetime, value: float, name: str, unit: str = ""
    ) -> None:
        """One point of a series; of two at the same time the later told one counts, and what is no number is none."""
        if not isfinite(value):
            return
        self._points[resource.key, signal][at.timestamp()] = value
        self._measured[resource.key, signal] = (resource, name, unit)

    def log(self, resource: Resource, at: datetime, text: str, stream: str = "") -> None:
        self._lines[resource.key].append(LogLine(at=at, text=text, stream=stream))

    def tell(self, resource: Resource, at: datetime | None, text: str, stream: str = "") -> None:
        """Something that the platform said of a resource; without a time it is so at the moment of the snapshot."""
        if at is None:
            self._present.append((resource.key, text, stream))
        else:
            self._events[resource.key].append(LogLine(at=at, text=text, stream=stream))

    def know(self, resource: Resource, facts: Mapping[str, JsonValue]) -> None:
        self._facts[resource.key].update({name: value for name, value in facts.items() if value is not None})

    def finished(self) -> Snapshot:
        """The snapshot; its moment is the last one that anything in it is of, where none was named."""
        now = self.now or self._last()
        for key, text, stream in self._present:
            self._events[key].append(LogLine(at=now, text=text, stream=stream))
        return Snapshot(
            folder=self.folder,
            text=self.text,
            now=now,
            graph=ServiceGraph(services=tuple(self._services.values())),
            service=self.service,
            at=self.at,
            alarms=tuple(self.alarms),
            series=tuple(self._series()),
            lines={key: _ordered(lines) for key, lines in self._lines.items()},
            events={key: _ordered(lines) for key, lines in self._events.items()},
            changes=tuple(sorted(self.changes, key=lambda change: change.at)),
            facts=dict(self._facts),
        )

    def _series(self) -> Iterable[Series]:
        for key, points in self._points.items():
            resource, name, unit = self._measured[key]
            times = sorted(points)
            gaps = sorted(later - earlier for earlier, later in itertools.pairwise(times))
            yield Series(
                name=name,
                signal=key[1],
                resource=resource,
                unit=unit,
                step=gaps[len(gaps) // 2] if gaps else 60.0,
                times=tuple(times),
                values=tuple(points[time] for time in times),
            )

    def _last(self) -> datetime:
        told = [line.at for lines in (*self._lines.values(), *self._events.values()) for line in lines]
        told += [datetime.fromtimestamp(time, UTC) for points in self._points.values() for time in points]
        told += [change.at for change in self.changes]
        return max(told, default=self.at or datetime.now(UTC))


def _ordered(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    return tuple(sorted(lines, key=lambda line: line.at))
