"""Performance Insights: how many sessions are active in a database, what they wait for, and in which statements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_instance
from runbook_bot.providers.aws.statements import without_values

_METRIC = "db.load.avg"
_MOST_LISTED = 200
_WAITS, _TOP, _PARTS = 10, 10, 6
Kind = Literal["cpu", "lock", "io", "other"]
By = Literal["sql", "user", "host", "application", "database"]

_GROUPS: dict[By, tuple[str, str, str]] = {
    "sql": ("db.sql_tokenized", "db.sql_tokenized.statement", "db.sql_tokenized.id"),
    "user": ("db.user", "db.user.name", "db.user.id"),
    "host": ("db.host", "db.host.name", "db.host.id"),
    "application": ("db.application", "db.application.name", "db.application.name"),
    "database": ("db", "db.name", "db.name"),
}
_LOCKS = re.compile(r"^lock\b|row.?lock|^LCK_|^enq: T|lock/table|wait/lock", re.IGNORECASE)
_READING = re.compile(r"^(?:user |system )?i/?o\b|^io/|PAGEIOLATCH|WRITELOG|db file|wait/io/", re.IGNORECASE)
_STATISTICS = {
    "postgres": {
        "calls_per_s": "calls_per_sec",
        "ms_per_call": "avg_latency_per_call",
        "rows_per_call": "rows_per_call",
    },
    "mysql": {
        "calls_per_s": "count_star_per_sec",
        "ms_per_call": "sum_timer_wait_per_call",
        "rows_examined_per_call": "sum_rows_examined_per_call",
        "lock_ms_per_call": "sum_lock_time_per_call",
    },
}


@dataclass(frozen=True)
class Wait:
    """What sessions wait for. Average active sessions at each moment, epoch seconds."""

    name: str
    kind: Kind
    sessions: dict[float, float]

    def mean(self, start: float, end: float, moments: Sequence[float]) -> float:
        """Where the wait has no point nobody waited."""
        within = [each for each in moments if start <= each < end]
        return sum(self.sessions.get(each, 0.0) for each in within) / len(within) if within else 0.0


@dataclass(frozen=True)
class Load:
    """Average active sessions over a window, and the waits they are made of, the heaviest first."""

    sessions: dict[float, float]
    waits: tuple[Wait, ...]
    statements: tuple[Wait, ...] = ()

    @property
    def mean(self) -> float:
        return sum(self.sessions.values()) / len(self.sessions) if self.sessions else 0.0

    @property
    def peak(self) -> float:
        return max(self.sessions.values(), default=0.0)


@dataclass(frozen=True)
class Top:
    """One statement, user or host, and what its sessions wait for."""

    name: str
    id: str
    sessions: float
    waits: dict[str, float]
    statistics: dict[str, float]


async def monitored(place: Place, name: str) -> Answer:
    """The instance of that name, or the writer of the cluster. Raises `CallFailed`."""
    try:
        return await read_instance(place, name)
    except CallFailed as failure:
        if failure.kind != "missing":
            raise
    return await writer(place, name)


async def writer(place: Place, cluster: str) -> Answer:
    """The instance of a cluster that is written to. Raises `CallFailed`."""
    members = (await read_cluster(place, cluster)).get("DBClusterMembers") or []
    writers = [str(each.get("DBInstanceIdentifier")) for each in members if each.get("IsClusterWriter")]
    if not writers:
        raise CallFailed("missing", f"cluster {cluster} has no writer", action="rds:DescribeDBClusters")
    return await read_instance(place, writers[0])


def resource_id(instance: Answer) -> str:
    """What Performance Insights knows the instance as. Raises `CallFailed` where it is not switched on there."""
    if not instance.get("PerformanceInsightsEnabled") or not instance.get("DbiResourceId"):
        text = f"Performance Insights is not enabled on {instance.get('DBInstanceIdentifier', 'it')}"
        raise CallFailed(
            "unsupported", f"{text}; what its sessions wait for is not known", action="pi:GetResourceMetrics"
        )
    return str(instance["DbiResourceId"])


def period_of(window: TimeWindow) -> int:
    """Seconds between points, of those that there are."""
    if window.length <= timedelta(hours=6):
        return 60
    return 300 if window.length <= timedelta(days=1) else 3600


async def read_load(place: Place, instance: Answer, window: TimeWindow, *, statements: bool = False) -> Load:
    """The load and its waits; with the statements behind it where asked for. One call. Raises `CallFailed`."""
    engine = str(instance.get("Engine", ""))
    grouped: list[Answer] = [{"Metric": _METRIC, "GroupBy": {"Group": "db.wait_event", "Limit": _WAITS}}]
    if statements:
        grouped.append({"Metric": _METRIC, "GroupBy": {"Group": "db.sql_tokenized", "Limit": 3}})
    listed = await place.gather(
        "pi", "GetResourceMetrics", "MetricList", _MOST_LISTED, MetricQueries=[{"Metric": _METRIC}, *grouped],
        PeriodInSeconds=period_of(window), **_span(instance, window),
    )  # fmt: skip
    total: dict[float, float] = {}
    waits: list[Wait] = []
    told: list[Wait] = []
    for each in listed:
        dimensions = (each.get("Key") or {}).get("Dimensions") or {}
        points = _points(each.get("DataPoints") or [])
        if not dimensions:
            total |= points
        elif "db.sql_tokenized.statement" in dimensions:
            told.append(Wait(_statement(dimensions["db.sql_tokenized.statement"], engine), "other", points))
        else:
            waits.append(Wait(*_named(dimensions), points))
    return Load(total, _heaviest(waits), _heaviest(told))


def _heaviest(waits: Sequence[Wait]) -> tuple[Wait, ...]:
    return tuple(sorted((w for w in waits if any(w.sessions.values())), key=lambda w: -sum(w.sessions.values())))


async def read_top(place: Place, instance: Answer, window: TimeWindow, by: By) -> list[Top]:
    """Who or what loads the database most, each with what it waits for. Raises `CallFailed`."""
    engine = str(instance.get("Engine", ""))
    group, name, id = _GROUPS[by]
    dialect = "postgres" if "postgres" in engine else "mysql" if re.search("mysql|mariadb", engine) else ""
    statistics = {k: f"db.sql_tokenized.stats.{v}.avg" for k, v in _STATISTICS.get(dialect, {}).items()}
    question: Answer = {
        "Metric": _METRIC,
        "PeriodInSeconds": period_of(window),
        "GroupBy": {"Group": group, "Limit": _TOP},
        "PartitionBy": {"Group": "db.wait_event", "Limit": _PARTS},
        **_span(instance, window),
    }
    more: Answer = {"AdditionalMetrics": list(statistics.values())} if by == "sql" and statistics else {}
    try:
        answer = await place.call("pi", "DescribeDimensionKeys", **question, **more)
    except CallFailed as failure:
        if not more or failure.kind != "invalid":
            raise
        answer = await place.call(
            "pi", "DescribeDimensionKeys", **question
        )  # this engine's version has no such numbers
    partitions = [_named(each.get("Dimensions") or {})[0] for each in answer.get("PartitionKeys") or []]
    return [_top(each, name, id, engine, partitions, statistics) for each in answer.get("Keys") or []]


def _top(told: Answer, name: str, id: str, engine: str, partitions: Sequence[str], statistics: dict[str, str]) -> Top:
    dimensions = told.get("Dimensions") or {}
    shown = str(dimensions.get(name) or "")
    parts = zip(partitions, told.get("Partitions") or [], strict=False)
    extra = told.get("AdditionalMetrics") or {}
    return Top(
        name=_statement(shown, engine) if name.endswith("statement") else shown,
        id=str(dimensions.get(id) or ""),
        sessions=float(told.get("Total") or 0.0),
        waits={wait: float(value) for wait, value in parts if value},
        statistics={ours: float(extra[theirs]) for ours, theirs in statistics.items() if extra.get(theirs) is not None},
    )


def _statement(text: object, engine: str) -> str:
    return without_values(str(text), names_in_double_quotes=bool(re.match("postgres|aurora-postgres|oracle", engine)))


def _named(dimensions: Answer) -> tuple[str, Kind]:
    """A wait in the words of the database's console, e.g. `Lock:transactionid`, `IO:DataFileRead`, `CPU`."""
    type, name = str(dimensions.get("db.wait_event.type") or ""), str(dimensions.get("db.wait_event.name") or "")
    plain = not type or not name or type.casefold() == name.casefold() or name.casefold().startswith(type.casefold())
    shown = (name or type or "?") if plain else f"{type}:{name}"
    if shown.casefold() == "cpu":
        return "CPU", "cpu"
    if _LOCKS.search(type) or _LOCKS.search(name):
        return shown, "lock"
    return shown, "io" if _READING.search(type) or _READING.search(name) else "other"


def _points(told: Sequence[Answer]) -> dict[float, float]:
    return {
        each["Timestamp"].timestamp(): float(each["Value"])
        for each in told
        if isinstance(each.get("Timestamp"), datetime) and each.get("Value") is not None
    }


def _span(instance: Answer, window: TimeWindow) -> Answer:
    return {
        "ServiceType": "RDS",
        "Identifier": resource_id(instance),
        "StartTime": window.start,
        "EndTime": window.end,
    }
