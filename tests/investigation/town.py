"""A small town of services to investigate: metrics, logs and changes from a seed, behind the provider port."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.observation import Alarm, Change, Fact, LogLine, Series
from runbook_bot.domain.ports import Check
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    ReadState,
    Result,
    SearchLogs,
    Status,
)
from runbook_bot.domain.vocabulary import ResourceType, Signal

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
R, S = ResourceType, Signal
BASELINE: dict[tuple[ResourceType, Signal], tuple[float, float]] = {
    (R.target_group, S.requests): (900, 40), (R.target_group, S.errors): (1, 1),
    (R.target_group, S.latency): (0.08, 0.006),
    (R.target_group, S.healthy_hosts): (4, 0), (R.target_group, S.unhealthy_hosts): (0, 0),
    (R.ecs_service, S.cpu): (35, 3), (R.ecs_service, S.memory): (48, 2), (R.ecs_service, S.running_tasks): (4, 0),
    (R.lambda_function, S.requests): (300, 20), (R.lambda_function, S.errors): (0.2, 0.4),
    (R.lambda_function, S.duration): (0.12, 0.01), (R.lambda_function, S.throttles): (0, 0),
    (R.lambda_function, S.concurrency): (12, 1.5),
    (R.rds_instance, S.cpu): (30, 3), (R.rds_instance, S.connections): (60, 4),
    (R.rds_instance, S.memory_free): (4e9, 5e7),
    (R.rds_instance, S.read_latency): (0.002, 0.0003), (R.rds_instance, S.write_latency): (0.003, 0.0003),
    (R.rds_instance, S.disk_free): (5e10, 1e8), (R.rds_instance, S.disk_queue): (0.4, 0.1),
    (R.dynamodb_table, S.throttles): (0, 0), (R.dynamodb_table, S.consumed_capacity): (4000, 200),
    (R.sqs_queue, S.queue_depth): (5, 2), (R.sqs_queue, S.oldest_message_age): (3, 1),
}  # fmt: skip


@dataclass
class Effect:
    """From `at` on (epoch seconds), the signal goes to `level`; over `ramp` seconds; until `until`."""

    level: float
    at: datetime
    ramp: float = 0.0
    until: datetime | None = None


@dataclass
class Town:
    """Implements `Provider`."""

    graph: ServiceGraph
    seed: int = 7
    effects: dict[tuple[str, Signal], Effect] = field(default_factory=dict)
    """By resource name and signal."""
    changes: list[Change] = field(default_factory=list)
    lines: dict[str, list[LogLine]] = field(default_factory=dict)
    events: dict[str, list[LogLine]] = field(default_factory=dict)
    facts: dict[str, dict[str, float]] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    denied: frozenset[str] = frozenset()
    name: str = "town"
    tools: Sequence[type[Query]] = ()
    routes: Sequence[Route] = ()
    """What it takes every question for."""
    asked: list[Query] = field(default_factory=list)

    def answers(self, query: Query) -> bool:
        return True

    def understand(self, question: Question) -> Sequence[Route]:
        del question
        return self.routes

    async def discover(self) -> ServiceGraph:
        return ServiceGraph()

    def forget(self) -> None:
        """It remembers nothing."""

    async def prepare(self) -> None:
        """There is nothing to prepare."""

    async def check(self) -> Sequence[Check]:
        return ()

    async def ask(self, query: Query) -> Result:
        self.asked.append(query)
        if query.kind in self.denied:
            return Result(status=Status.denied, source="town", where=query.kind, message=f"needs town:{query.kind}")
        match query:
            case ReadMetrics():
                found = [s for r in query.resources for s in self._series(r, query)]
                return self._result("town.metrics", series=tuple(found))
            case SearchLogs():
                return self._result("town.logs", lines=tuple(self._lines(query)))
            case ListEvents():
                lines = [e for e in self.events.get(query.resource.name, []) if query.window.holds(e.at)]
                return self._result("town.events", lines=tuple(lines))
            case ListChanges():
                names = {r.name for r in query.resources}
                near = [c for c in self.changes if query.window.holds(c.at) and c.resource and c.resource.name in names]
                return self._result("town.changes", changes=tuple(near))
            case ReadState():
                facts = self.facts.get(query.resource.name, {})
                return self._result("town.state", facts=tuple(Fact(name=n, value=v) for n, v in facts.items()))
            case FindAlarms():
                named = [a for a in self.alarms if query.name in (None, a.name)]
                firing = [a for a in named if query.name or a.state == "alarm"]
                return self._result("town.alarms", alarms=tuple(firing))
        raise AssertionError(query)

    def _result(self, source: str, **found: object) -> Result:
        status = Status.ok if any(found.values()) else Status.no_data
        return Result(status=status, source=source, where=f"the {source}", **found)  # type: ignore[arg-type]  # one of the payloads

    def _series(self, resource: Resource, query: ReadMetrics) -> list[Series]:
        signals = query.signals or tuple(s for t, s in BASELINE if t is resource.type)
        return [self._one(resource, s, query) for s in signals if (resource.type, s) in BASELINE]

    def _one(self, resource: Resource, signal: Signal, query: ReadMetrics) -> Series:
        base, noise = BASELINE[resource.type, signal]
        start, end = query.window.start.timestamp(), query.window.end.timestamp()
        times = np.arange(np.ceil(start / 60) * 60, end, 60.0)
        seed = zlib.crc32(f"{self.seed}{resource.key}{signal}".encode())
        values = base + noise * np.random.default_rng(seed).standard_normal(times.size)
        effect = self.effects.get((resource.name, signal))
        if effect is not None:
            begun = times - effect.at.timestamp()
            share = np.clip(begun / effect.ramp, 0, 1) if effect.ramp else (begun >= 0).astype(float)
            if effect.until is not None:
                share[times >= effect.until.timestamp()] = 0
            values += share * (effect.level - base)
        values = np.maximum(values, 0)
        if signal in (S.errors, S.throttles):
            values = np.round(values)
            times, values = times[values > 0], values[values > 0]
        return Series(name=signal, signal=signal, resource=resource, times=tuple(times), values=tuple(values))

    def _lines(self, query: SearchLogs) -> list[LogLine]:
        lines = [e for e in self.lines.get(query.resource.name, []) if query.window.holds(e.at)]
        wanted = [w.casefold() for w in query.any_of]
        return [e for e in lines if not wanted or any(w in e.text.casefold() for w in wanted)][: query.limit]

    def log(self, resource: str, text: str, start: datetime, every: float, end: datetime = NOW) -> None:
        at = start
        while at < end:
            self.lines.setdefault(resource, []).append(LogLine(at=at, text=text))
            at += timedelta(seconds=every)


def ecs(name: str, *depends_on: str) -> Service:
    return Service(
        name=name,
        depends_on=depends_on,
        resources=(
            Resource(type=R.ecs_service, cluster="prod", name=name),
            Resource(type=R.target_group, name=f"{name}-tg"),
            Resource(type=R.log_group, name=f"/ecs/{name}"),
        ),
    )


def one(name: str, type: ResourceType, *depends_on: str) -> Service:
    return Service(name=name, depends_on=depends_on, resources=(Resource(type=type, name=name),))


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def deploy(service: str, at: datetime, kind: str = "deployment", **after: str) -> Change:
    return Change(
        at=at, kind=kind, summary=f"{service}:42 went out", actor="dana", service=service,  # type: ignore[arg-type]  # a literal
        resource=Resource(type=R.ecs_service, cluster="prod", name=service), after=after or {"image": "2.4.1"},
        before={"image": "2.4.0"},
    )  # fmt: skip


def market(seed: int = 7) -> Town:
    """storefront → cart → orders → orders-db, with a table, a queue and a function beside them."""
    services = (
        ecs("storefront", "cart", "search"),
        ecs("cart", "orders", "sessions"),
        ecs("orders", "orders-db", "invoices"),
        ecs("search"),
        one("orders-db", R.rds_instance),
        one("sessions", R.dynamodb_table),
        one("invoices", R.lambda_function),
    )
    town = Town(ServiceGraph(services=services), seed=seed)
    for service in ("storefront", "cart", "orders", "search"):
        town.log(f"/ecs/{service}", "INFO GET /items 200 in 31ms", minutes_ago(180), 20)
    town.facts["orders-db"] = {"max_connections": 200}
    town.facts["invoices"] = {"reserved_concurrency": 40}
    return town
