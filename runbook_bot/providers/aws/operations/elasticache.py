"""What can be asked of ElastiCache: nodes, groups with each node's role, events, and use against limits."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.cache_limits import most_connections
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place, plain

_MOST_CLUSTERS = 500
_MOST_EVENTS = 500
_GRAVE = ("failover", "failed", "failure", "removed", "error", "unable", "recover", "replac", "restart", "reboot")
_CACHE = "AWS/ElastiCache"
_GAUGES = (
    Gauge("engine_cpu_peak_percent", _CACHE, "EngineCPUUtilization", "Maximum", "peak"),
    Gauge("cpu_peak_percent", _CACHE, "CPUUtilization", "Maximum", "peak"),
    Gauge("memory_peak_percent", _CACHE, "DatabaseMemoryUsagePercentage", "Maximum", "peak"),
    Gauge("evictions", _CACHE, "Evictions", "Sum", "total"),
    Gauge("connections_peak", _CACHE, "CurrConnections", "Maximum", "peak"),
    Gauge("new_connections_peak_per_s", _CACHE, "NewConnections", "Sum", "peak", "per_second"),
    Gauge("hits", _CACHE, "CacheHits", "Sum", "total"),
    Gauge("misses", _CACHE, "CacheMisses", "Sum", "total"),
    Gauge("get_hits", _CACHE, "GetHits", "Sum", "total"),
    Gauge("get_misses", _CACHE, "GetMisses", "Sum", "total"),
    Gauge("swap_peak", _CACHE, "SwapUsage", "Maximum", "peak"),
    Gauge("replication_lag_peak_s", _CACHE, "ReplicationLag", "Maximum", "peak"),
    Gauge("out_of_bandwidth_packets", _CACHE, "NetworkBandwidthOutAllowanceExceeded", "Sum", "total"),
    Gauge("in_of_bandwidth_packets", _CACHE, "NetworkBandwidthInAllowanceExceeded", "Sum", "total"),
)


def caches_link(place: Place) -> str:
    return f"https://{console_host(place.region)}/elasticache/home?region={place.region}#/redis"


async def nodes(place: Place, name: str | None) -> list[Answer]:
    """The cache cluster of that name, else the members of the replication group; all where no name is given.

    Raises `CallFailed`.
    """
    if name is not None:
        try:
            answer = await place.call(
                "elasticache", "DescribeCacheClusters", CacheClusterId=name, ShowCacheNodeInfo=True
            )
            if answer.get("CacheClusters"):
                return list(answer["CacheClusters"])
        except CallFailed as failure:
            if failure.kind not in ("missing", "invalid"):
                raise
        members = {m for group in await groups(place, name) for m in group.get("MemberClusters") or []}
    every = await place.gather(
        "elasticache", "DescribeCacheClusters", "CacheClusters", _MOST_CLUSTERS, ShowCacheNodeInfo=True
    )
    return [each for each in every if name is None or each.get("CacheClusterId") in members]


async def groups(place: Place, name: str | None) -> list[Answer]:
    """Raises `CallFailed`."""
    if name is None:
        return await place.gather("elasticache", "DescribeReplicationGroups", "ReplicationGroups", _MOST_CLUSTERS)
    try:
        answer = await place.call("elasticache", "DescribeReplicationGroups", ReplicationGroupId=name)
    except CallFailed as failure:
        if failure.kind != "missing":
            raise
        text = f"there is neither a cache cluster nor a replication group {name}"
        raise CallFailed("missing", text, action=failure.action) from None
    return list(answer.get("ReplicationGroups") or [])


def _cut(found: Sequence[Answer]) -> str:
    return f"only the first {_MOST_CLUSTERS} were read; name one" if len(found) >= _MOST_CLUSTERS else ""


class Clusters(Operation):
    """Cache clusters and their nodes with status, class, engine, zone, group, and changes that are pending."""

    kind: ClassVar[str] = "aws.elasticache.clusters"
    service = "elasticache"
    calls = ("DescribeCacheClusters", "DescribeReplicationGroups")
    words = ("caches", "cache clusters", "redis nodes", "memcached", "elasticache")

    name: str | None = Field(default=None, description="Id of a cache cluster or replication group; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await nodes(place, self.name)
        rows = [_cluster(each) for each in found]
        rows.sort(key=lambda row: (row.facts["status"] == "available", not row.facts["pending_changes"], row.name))
        return self.table(
            place, rows, empty="ElastiCache has no cluster here", more=_cut(found), console=caches_link(place)
        )


def pending(told: Answer) -> Json:
    """What will change; of a new password only that there is one."""
    known: Json = plain({k: v for k, v in (told.get("PendingModifiedValues") or {}).items() if v not in (None, [], {})})
    return known


def _cluster(told: Answer) -> Row:
    listed = told.get("CacheNodes") or []
    states = [str(each.get("CacheNodeStatus", "")) for each in listed]
    group = told.get("CacheParameterGroup") or {}
    return Row(
        name=str(told.get("CacheClusterId", "")),
        at=told.get("CacheClusterCreateTime"),
        facts={
            "status": told.get("CacheClusterStatus"),
            "class": told.get("CacheNodeType"),
            "engine": f"{told.get('Engine', '')} {told.get('EngineVersion', '')}".strip(),
            "zone": told.get("PreferredAvailabilityZone"),
            "group": told.get("ReplicationGroupId"),
            "nodes": told.get("NumCacheNodes"),
            "node_states": {state: states.count(state) for state in sorted(set(states))} or None,
            "parameters": group.get("CacheParameterGroupName"),
            "parameters_state": group.get("ParameterApplyStatus"),
            "nodes_to_reboot": ", ".join(map(str, group.get("CacheNodeIdsToReboot") or [])) or None,
            "pending_changes": pending(told),
            "maintenance_window": told.get("PreferredMaintenanceWindow"),
        },
    )


class Groups(Operation):
    """Replication groups with status, each node's role and zone, failover and encryption, and pending changes."""

    kind: ClassVar[str] = "aws.elasticache.replication_groups"
    service = "elasticache"
    calls = ("DescribeReplicationGroups",)
    words = ("replication groups", "redis primary", "which node is primary", "redis replicas", "cache failover")

    name: str | None = Field(default=None, description="Id of the replication group; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await groups(place, self.name)
        rows = [_group(each) for each in found]
        rows.sort(
            key=lambda row: (row.facts["status"] == "available", row.facts["shards_not_available"] == 0, row.name)
        )
        return self.table(
            place, rows, empty="ElastiCache has no replication group here", more=_cut(found), console=caches_link(place)
        )


def _group(told: Answer) -> Row:
    shards = told.get("NodeGroups") or []
    return Row(
        name=str(told.get("ReplicationGroupId", "")),
        at=told.get("ReplicationGroupCreateTime"),
        facts={
            "status": told.get("Status"),
            "class": told.get("CacheNodeType"),
            "shards": len(shards),
            "shards_not_available": sum(each.get("Status") != "available" for each in shards),
            "members": [_member(shard, each) for shard in shards for each in shard.get("NodeGroupMembers") or []],
            "automatic_failover": told.get("AutomaticFailover"),
            "multi_az": told.get("MultiAZ"),
            "cluster_mode": told.get("ClusterMode") or told.get("ClusterEnabled"),
            "encrypted_in_transit": told.get("TransitEncryptionEnabled"),
            "pending_changes": pending(told),
        },
    )


def _member(shard: Answer, told: Answer) -> Json:
    facts: Json = {
        "name": told.get("CacheClusterId"),
        "role": told.get("CurrentRole"),
        "zone": told.get("PreferredAvailabilityZone"),
        "shard": shard.get("NodeGroupId"),
        "shard_status": shard.get("Status"),
        "slots": shard.get("Slots"),
    }
    return {key: value for key, value in facts.items() if value is not None}


class Events(Operation):
    """ElastiCache's own events (failovers, replaced nodes, changes) of the last 14 days, the gravest first."""

    kind: ClassVar[str] = "aws.elasticache.events"
    service = "elasticache"
    calls = ("DescribeEvents",)
    words = ("cache events", "elasticache events", "did redis fail over")

    name: str | None = Field(default=None, description="Id of a cache cluster or replication group; none means all")
    window: TimeWindow | None = Field(default=None, description="When; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24, now, self.window)
        found = await place.gather(
            "elasticache", "DescribeEvents", "Events", _MOST_EVENTS, StartTime=window.start, EndTime=window.end
        )
        rows = [
            Row(
                name=str(each.get("SourceIdentifier") or "?"),
                at=each["Date"],
                facts={"message": one_line(str(each.get("Message", "")), 500), "source_type": each.get("SourceType")},
            )
            for each in found
            if each.get("Date") and window.holds(utc(each["Date"])) and self._about(str(each.get("SourceIdentifier")))
        ]
        rows.sort(key=lambda row: (not _grave(row), -(row.at.timestamp() if row.at else 0.0)))
        more = f"only the first {_MOST_EVENTS} events of the window were read" if len(found) >= _MOST_EVENTS else ""
        empty = "ElastiCache tells of no event in this window (it keeps them for 14 days)"
        return self.table(place, rows, empty=empty, more=more)

    def _about(self, source: str) -> bool:
        """Members of a replication group are called after it: `sessions-001`, `sessions-0001-001`."""
        return self.name in (None, source) or source.startswith(f"{self.name}-0")


def _grave(row: Row) -> bool:
    said = str(row.facts["message"]).lower()
    return any(word in said for word in _GRAVE)


class Usage(Operation):
    """How near each cache node came to its limits: processor, memory, connections, with evictions, hit rate and lag."""

    kind: ClassVar[str] = "aws.elasticache.usage"
    service = "elasticache"
    calls = ("DescribeCacheClusters", "DescribeReplicationGroups", *MEASURING)
    words = ("cache memory", "evictions", "cache hit rate", "redis memory", "cache usage")

    name: str | None = Field(default=None, description="Id of a cache cluster or replication group; none means all")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await nodes(place, self.name)
        names = [str(each.get("CacheClusterId", "")) for each in found]
        asked = [Asked(name, {"CacheClusterId": name}, _GAUGES) for name in names]
        levels, failures = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_used(each, levels[name]) for each, name in zip(found, names, strict=True)]
        rows.sort(
            key=lambda row: (-_number(row.facts["evictions"]), -_number(row.facts["nearest_limit_percent"]), row.name)
        )
        return self.table(
            place,
            rows,
            empty="ElastiCache has no cluster here",
            failures=failures,
            more=_cut(found),
            console=caches_link(place),
        )


def _used(told: Answer, levels: Levels) -> Row:
    hits, misses = (levels.get(name, levels.get(f"get_{name}")) for name in ("hits", "misses"))
    swap = levels.get("swap_peak")
    limit = most_connections(str(told.get("Engine", "")), str(told.get("CacheNodeType", "")))
    shares = {
        "engine_cpu": levels.get("engine_cpu_peak_percent"),
        "cpu": levels.get("cpu_peak_percent"),
        "memory": levels.get("memory_peak_percent"),
        "connections": share(levels.get("connections_peak"), limit),
    }
    known = {name: value for name, value in shares.items() if value is not None}
    nearest, most = max(known.items(), key=lambda each: each[1], default=("", None))
    apart = ("hits", "misses", "get_hits", "get_misses", "swap_peak", "evictions")
    dropped = [levels[n] for n in ("in_of_bandwidth_packets", "out_of_bandwidth_packets") if n in levels]
    return Row(
        name=str(told.get("CacheClusterId", "")),
        facts={
            "nearest_limit": nearest or None,
            "nearest_limit_percent": most,
            "evictions": levels.get("evictions"),
            **{name: value for name, value in levels.items() if name not in apart and "bandwidth" not in name},
            "connections_limit": limit,
            "hit_percent": share(hits, hits + misses) if hits is not None and misses is not None else None,
            "swap_peak_mib": None if swap is None else rounded(swap / 1024**2),
            "packets_over_bandwidth": sum(dropped) if dropped else None,
            "class": told.get("CacheNodeType"),
            "group": told.get("ReplicationGroupId"),
        },
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else -1.0


OPERATIONS = (Clusters, Groups, Events, Usage)
