"""What can be asked of RDS and Aurora: instances, clusters, events, and use against limits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place, plain
from runbook_bot.providers.aws.rds import max_connections
from runbook_bot.providers.aws.rds_limits import class_memory, class_vcpus, volume_limits
from runbook_bot.providers.aws.rds_reading import MOST_DATABASES, clusters, engine_of, instances

_MOST_EVENTS = 500
_GROUPS_READ = 8
_MEMORY_TELLS = 95
_GIB, _MIB = 1024**3, 1024**2
_UNUSUAL = (
    ("failover", "failure", "low storage", "recovery", "restoration"),
    ("availability", "read replica", "deletion", "maintenance", "configuration change", "security"),
)
"""Categories of RDS's events that say most, and those that say something."""
_RDS = "AWS/RDS"
GAUGES = (
    Gauge("cpu_peak_percent", _RDS, "CPUUtilization", "Maximum", "peak"),
    Gauge("connections_peak", _RDS, "DatabaseConnections", "Maximum", "peak"),
    Gauge("memory_free_least", _RDS, "FreeableMemory", "Minimum", "least"),
    Gauge("storage_free_least", _RDS, "FreeStorageSpace", "Minimum", "least"),
    Gauge("read_iops_peak", _RDS, "ReadIOPS", "Maximum", "peak"),
    Gauge("write_iops_peak", _RDS, "WriteIOPS", "Maximum", "peak"),
    Gauge("disk_queue_peak", _RDS, "DiskQueueDepth", "Maximum", "peak"),
    Gauge("burst_balance_least_percent", _RDS, "BurstBalance", "Minimum", "least"),
    Gauge("cpu_credits_least", _RDS, "CPUCreditBalance", "Minimum", "least"),
    Gauge("replica_lag_peak_s", _RDS, "ReplicaLag", "Maximum", "peak"),
    Gauge("aurora_replica_lag_peak_s", _RDS, "AuroraReplicaLag", "Maximum", "peak", "milliseconds"),
    Gauge("acu_peak_percent", _RDS, "ACUUtilization", "Maximum", "peak"),
)


def databases_link(place: Place) -> str:
    return f"https://{console_host(place.region)}/rds/home?region={place.region}#databases:"


class Instances(Operation):
    """DB instances with status, class, engine, zone, role, pending changes and what is switched on."""

    kind: ClassVar[str] = "aws.rds.instances"
    service = "rds"
    calls = ("DescribeDBInstances", "DescribeDBClusters")
    words = ("databases", "db instances", "rds instances", "database status")

    name: str | None = Field(default=None, description="Identifier of an instance or a cluster; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await instances(place, self.name)
        rows = await asyncio.to_thread(lambda: [_instance(each, now) for each in found])
        rows.sort(key=lambda row: (_calm(row), not row.facts["pending_changes"], row.name))
        more = _cut(found)
        return self.table(place, rows, empty="RDS has no DB instance here", more=more, console=databases_link(place))


def _calm(row: Row) -> bool:
    return row.facts["status"] == "available"


def _cut(found: Sequence[Answer]) -> str:
    return f"only the first {MOST_DATABASES} were read; name one" if len(found) >= MOST_DATABASES else ""


def _instance(told: Answer, now: datetime) -> Row:
    endpoint, ca = told.get("Endpoint") or {}, told.get("CertificateDetails") or {}
    until = ca.get("ValidTill")
    groups = told.get("DBParameterGroups") or []
    return Row(
        name=str(told.get("DBInstanceIdentifier", "")),
        at=told.get("InstanceCreateTime"),
        facts={
            "status": told.get("DBInstanceStatus"),
            "class": told.get("DBInstanceClass"),
            "engine": engine_of(told),
            "zone": told.get("AvailabilityZone"),
            "multi_az": told.get("MultiAZ"),
            "cluster": told.get("DBClusterIdentifier"),
            "replica_of": told.get("ReadReplicaSourceDBInstanceIdentifier"),
            "replicas": told.get("ReadReplicaDBInstanceIdentifiers") or None,
            "replication": [
                f"{each.get('Status')}: {each.get('Message') or ''}".rstrip(": ")
                for each in told.get("StatusInfos") or []
            ]
            or None,
            "storage_gib": told.get("AllocatedStorage"),
            "storage_type": told.get("StorageType"),
            "endpoint": endpoint.get("Address"),
            "public": told.get("PubliclyAccessible"),
            "deletion_protection": told.get("DeletionProtection"),
            "performance_insights": told.get("PerformanceInsightsEnabled"),
            "parameters": {str(g.get("DBParameterGroupName")): g.get("ParameterApplyStatus") for g in groups},
            "pending_changes": changing(told),
            "certificate_days_left": (utc(until) - now).days if until else None,
        },
    )


def changing(told: Answer) -> Json:
    """What is to be modified; that there is a new password, and never which."""
    pending = told.get("PendingModifiedValues") or {}
    known = {key: value for key, value in pending.items() if value not in (None, {}, [])}
    return {key: "changed" if "Password" in key else plain(value) for key, value in known.items()}


class Clusters(Operation):
    """Aurora and Multi-AZ clusters with each member's role and state, the writer, and recent failovers."""

    kind: ClassVar[str] = "aws.rds.clusters"
    service = "rds"
    calls = ("DescribeDBClusters", "DescribeDBInstances", "DescribeEvents")
    words = ("db clusters", "aurora clusters", "who is the writer", "failover state", "aurora")

    name: str | None = Field(default=None, description="Identifier of a cluster, or of one of its instances")
    window: TimeWindow | None = Field(default=None, description="When to look for failovers; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await clusters(place, self.name)
        failures: list[CallFailed] = []
        members: dict[str, Answer] = {}
        failovers: list[Answer] = []
        if found:
            try:
                every = await place.gather("rds", "DescribeDBInstances", "DBInstances", MOST_DATABASES)
                members = {str(each.get("DBInstanceIdentifier")): each for each in every}
            except CallFailed as failure:
                failures.append(failure)
            try:
                failovers = await _events(place, last(24, now, self.window), {"EventCategories": ["failover"]})
            except CallFailed as failure:
                failures.append(failure)
        rows = await asyncio.to_thread(lambda: [_cluster(each, members, failovers) for each in found])
        rows.sort(key=lambda row: (_calm(row), row.at is None, row.name))
        return self.table(
            place,
            rows,
            empty="RDS has no DB cluster here",
            failures=failures,
            more=_cut(found),
            console=databases_link(place),
        )


def _cluster(told: Answer, members: dict[str, Answer], failovers: Sequence[Answer]) -> Row:
    listed = told.get("DBClusterMembers") or []
    name = str(told.get("DBClusterIdentifier", ""))
    own = {name, *(str(each.get("DBInstanceIdentifier")) for each in listed)}
    switched = [each for each in failovers if each.get("SourceIdentifier") in own and each.get("Date")]
    switched.sort(key=lambda each: utc(each["Date"]))
    scaling = told.get("ServerlessV2ScalingConfiguration") or {}
    return Row(
        name=name,
        at=switched[-1]["Date"] if switched else None,
        facts={
            "status": told.get("Status"),
            "engine": engine_of(told),
            "writer": next((str(m.get("DBInstanceIdentifier")) for m in listed if m.get("IsClusterWriter")), None),
            "members": [_member(each, members.get(str(each.get("DBInstanceIdentifier"))) or {}) for each in listed],
            "failovers": [f"{utc(e['Date']):%H:%M:%S} {one_line(str(e.get('Message', '')))}" for e in switched[-6:]],
            "multi_az": told.get("MultiAZ"),
            "endpoint": told.get("Endpoint"),
            "reader_endpoint": told.get("ReaderEndpoint"),
            "parameters": told.get("DBClusterParameterGroup"),
            "capacity_units": [scaling.get("MinCapacity"), scaling.get("MaxCapacity")] if scaling else None,
            "pending_changes": changing(told) or None,
            "deletion_protection": told.get("DeletionProtection"),
        },
    )


def _member(told: Answer, instance: Answer) -> Json:
    facts: Json = {
        "name": told.get("DBInstanceIdentifier"),
        "role": "writer" if told.get("IsClusterWriter") else "reader",
        "status": instance.get("DBInstanceStatus"),
        "class": instance.get("DBInstanceClass"),
        "zone": instance.get("AvailabilityZone"),
        "failover_tier": told.get("PromotionTier"),
        "parameters": told.get("DBClusterParameterGroupStatus"),
    }
    return {key: value for key, value in facts.items() if value is not None}


class Events(Operation):
    """RDS's own events (failovers, restarts, low storage, changes) of the last 14 days, the gravest first."""

    kind: ClassVar[str] = "aws.rds.events"
    service = "rds"
    calls = ("DescribeEvents",)
    words = ("database events", "rds events", "did the database fail over", "database restarts")

    name: str | None = Field(default=None, description="Identifier of an instance or a cluster; none means all")
    window: TimeWindow | None = Field(default=None, description="When; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24, now, self.window)
        found = await _events(place, window, {})
        own = [each for each in found if self.name in (None, each.get("SourceIdentifier")) and each.get("Date")]
        rows = [
            Row(
                name=str(each.get("SourceIdentifier") or "?"),
                at=each["Date"],
                facts={
                    "message": one_line(str(each.get("Message", "")), 500),
                    "categories": each.get("EventCategories") or [],
                    "source_type": each.get("SourceType"),
                },
            )
            for each in own
        ]
        rows.sort(key=lambda row: (_gravity(row), -(row.at.timestamp() if row.at else 0.0)))
        more = f"only the first {_MOST_EVENTS} events of the window were read" if len(found) >= _MOST_EVENTS else ""
        empty = "RDS tells of no event in this window (it keeps them for 14 days)"
        return self.table(place, rows, empty=empty, more=more)


def _gravity(row: Row) -> int:
    told = row.facts["categories"]
    categories = {str(each).lower() for each in told} if isinstance(told, list) else set()
    return next((rank for rank, words in enumerate(_UNUSUAL) if categories & set(words)), len(_UNUSUAL))


async def _events(place: Place, window: TimeWindow, which: Answer) -> list[Answer]:
    found = await place.gather(
        "rds", "DescribeEvents", "Events", _MOST_EVENTS, StartTime=window.start, EndTime=window.end, **which
    )
    return [each for each in found if not each.get("Date") or window.holds(utc(each["Date"]))]


class Usage(Operation):
    """How near each database came to its limits: processor, connections, memory, storage, IOPS, burst credits, lag."""

    kind: ClassVar[str] = "aws.rds.usage"
    service = "rds"
    calls = ("DescribeDBInstances", "DescribeDBClusters", "DescribeDBParameters", *MEASURING)
    words = ("database limits", "database usage", "connections against the limit", "free storage", "database iops")

    name: str | None = Field(default=None, description="Identifier of an instance or a cluster; none means all")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await instances(place, self.name)
        window = last(1, now, self.window)
        names = [str(each.get("DBInstanceIdentifier", "")) for each in found]
        asked = [Asked(name, {"DBInstanceIdentifier": name}, GAUGES) for name in names]
        levels, failures = await read_levels(place, asked, window, now)
        limits, more = await _connection_limits(place, found)
        rows = [_used(each, levels[name], limits.get(name)) for each, name in zip(found, names, strict=True)]
        rows.sort(key=lambda row: (-_number(row.facts["nearest_limit_percent"]), row.name))
        return self.table(
            place,
            rows,
            empty="RDS has no DB instance here",
            failures=[*failures, *more],
            more=_cut(found),
            console=databases_link(place),
        )


async def _connection_limits(
    place: Place, found: Sequence[Answer]
) -> tuple[dict[str, tuple[int, str]], list[CallFailed]]:
    """The most connections of each and who says so; of the parameter groups the first eight are read."""
    limits: dict[str, tuple[int, str]] = {}
    failures: dict[str, CallFailed] = {}
    read: set[str] = set()
    for each in found:
        groups = {str(group.get("DBParameterGroupName")) for group in each.get("DBParameterGroups") or []}
        known = each if len(read | groups) <= _GROUPS_READ else {**each, "DBParameterGroups": []}
        read |= groups if known is each else set()
        limit, source, failed = await max_connections(place, known)
        failures |= {str(failure): failure for failure in failed}
        if limit is not None:
            limits[str(each.get("DBInstanceIdentifier", ""))] = (limit, source)
    return limits, list(failures.values())


@dataclass(frozen=True)
class _Limits:
    """What the instance can do at most; None where that is not known or there is no such limit. Bytes."""

    connections: int | None
    memory: float | None
    storage: float | None
    iops: int | None
    throughput: int | None


def _limits(told: Answer, connections: int | None) -> _Limits:
    size, engine = str(told.get("DBInstanceClass", "")), str(told.get("Engine", ""))
    gib = int(told.get("AllocatedStorage") or 0)
    memory = class_memory(size)
    if engine.startswith("aurora"):  # its volume grows by itself
        return _Limits(connections, memory, None, None, None)
    iops, throughput = volume_limits(str(told.get("StorageType", "")), gib, engine)
    return _Limits(
        connections, memory, gib * _GIB or None, told.get("Iops") or iops, told.get("StorageThroughput") or throughput
    )


def _shares(levels: Levels, limits: _Limits) -> Levels:
    """Percent of each limit, where both are known."""
    free, left = levels.get("memory_free_least"), levels.get("storage_free_least")
    reads, writes = levels.get("read_iops_peak"), levels.get("write_iops_peak")
    burst = levels.get("burst_balance_least_percent")
    found = {
        "cpu": levels.get("cpu_peak_percent"),
        "connections": share(levels.get("connections_peak"), limits.connections),
        "memory": None if free is None else share(max((limits.memory or 0) - free, 0.0), limits.memory),
        "storage": None if left is None else share(max((limits.storage or 0) - left, 0.0), limits.storage),
        "iops": None if reads is None and writes is None else share((reads or 0) + (writes or 0), limits.iops),
        "burst": None if burst is None else 100 - burst,
        "capacity_units": levels.get("acu_peak_percent"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _used(told: Answer, levels: Levels, connections: tuple[int, str] | None) -> Row:
    limits = _limits(told, connections[0] if connections else None)
    shares = _shares(levels, limits)
    # an engine's cache fills the memory by design: only the very last of it is a limit
    telling = {name: value for name, value in shares.items() if name != "memory" or value >= _MEMORY_TELLS}
    nearest, most = max(telling.items(), key=lambda each: each[1], default=("", None))
    free, left = levels.get("memory_free_least"), levels.get("storage_free_least")
    return Row(
        name=str(told.get("DBInstanceIdentifier", "")),
        facts={
            "nearest_limit": nearest or None,
            "nearest_limit_percent": most,
            "percent_of_limit": dict(shares),
            **{name: value for name, value in levels.items() if "free" not in name},
            "vcpus": class_vcpus(str(told.get("DBInstanceClass", ""))),
            "max_connections": limits.connections,
            "max_connections_from": connections[1] if connections else None,
            "memory_gib": None if limits.memory is None else rounded(limits.memory / _GIB),
            "memory_free_least_mib": None if free is None else rounded(free / _MIB),
            "storage_gib": None if limits.storage is None else rounded(limits.storage / _GIB),
            "storage_free_least_gib": None if left is None else rounded(left / _GIB),
            "storage_may_grow_to_gib": told.get("MaxAllocatedStorage"),
            "iops_limit": limits.iops,
            "throughput_limit_mib_s": limits.throughput,
            "class": told.get("DBInstanceClass"),
        },
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else -1.0


OPERATIONS = (Instances, Clusters, Events, Usage)
