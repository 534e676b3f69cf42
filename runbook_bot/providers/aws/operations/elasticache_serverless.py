"""What can be asked of serverless caches: how they are set up, and how near they came to what they may use."""

from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.listing import cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 200
_CACHE = "AWS/ElastiCache"
_GIB = 1024**3
_NEAR_PERCENT = 80.0
_GAUGES = (
    Gauge("bytes_used_peak", _CACHE, "BytesUsedForCache", "Maximum", "peak"),
    Gauge("processing_units_peak_per_s", _CACHE, "ElastiCacheProcessingUnits", "Sum", "peak", "per_second"),
    Gauge("throttled", _CACHE, "ThrottledCmds", "Sum", "total", sparse=True),
    Gauge("evictions", _CACHE, "Evictions", "Sum", "total", sparse=True),
    Gauge("hits", _CACHE, "CacheHits", "Sum", "total"),
    Gauge("misses", _CACHE, "CacheMisses", "Sum", "total"),
    Gauge("connections_peak", _CACHE, "CurrConnections", "Maximum", "peak"),
    Gauge("read_latency_us", _CACHE, "SuccessfulReadRequestLatency", "Average", "mean"),
    Gauge("write_latency_us", _CACHE, "SuccessfulWriteRequestLatency", "Average", "mean"),
)
"""By the cache's name in the dimension `clusterId`; from the guide, "Metrics for serverless caches"."""


class ServerlessCaches(Operation):
    """Serverless caches: status, limits, use against them, throttled commands, evictions, hit rate; troubled first."""

    kind: ClassVar[str] = "aws.elasticache.serverless"
    service = "elasticache"
    calls = ("DescribeServerlessCaches", *MEASURING)
    words = ("serverless caches", "elasticache serverless", "throttled cache commands", "processing units of a cache")

    name: str | None = Field(default=None, description="Name of the serverless cache; none means all")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"ServerlessCacheName": self.name} if self.name else {}
        found = await place.gather("elasticache", "DescribeServerlessCaches", "ServerlessCaches", _MOST, **which)
        asked = [Asked(_name(each), {"clusterId": _name(each)}, _GAUGES) for each in found]
        levels, failures = await read_levels(place, asked, last(1, now, self.window), now)
        rows = sorted((_row(each, levels[_name(each)]) for each in found), key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="ElastiCache has no serverless cache here",
            failures=failures,
            more=cut_short(found, _MOST, "name one"),
            console=_link(place, self.name),
        )


def _name(told: Answer) -> str:
    return str(told.get("ServerlessCacheName", "?"))


def _row(told: Answer, levels: Levels) -> Row:
    limits: Answer = told.get("CacheUsageLimits") or {}
    storage, units = limits.get("DataStorage") or {}, (limits.get("ECPUPerSecond") or {}).get("Maximum")
    most = storage.get("Maximum")  # its only unit is GB
    used = levels.get("bytes_used_peak")
    shares = {
        "storage": share(used, most * _GIB if most else None),
        "processing": share(levels.get("processing_units_peak_per_s"), units),
    }
    hits, misses = levels.get("hits"), levels.get("misses")
    apart = ("hits", "misses", "bytes_used_peak")
    return Row(
        name=_name(told),
        at=told.get("CreateTime"),
        facts={
            "warnings": _warnings(told, levels, shares) or None,
            "status": told.get("Status"),
            "engine": f"{told.get('Engine', '')} {told.get('FullEngineVersion', '')}".strip(),
            "storage_percent": shares["storage"],
            "processing_percent": shares["processing"],
            "storage_limit_gb": most,
            "processing_units_limit_per_s": units,
            "used_peak_gib": None if used is None else rounded(used / _GIB),
            **{name: value for name, value in levels.items() if name not in apart},
            "hit_percent": share(hits, hits + misses) if hits is not None and misses is not None else None,
            "endpoint": (told.get("Endpoint") or {}).get("Address"),
            "security_groups": [str(each) for each in told.get("SecurityGroupIds") or []] or None,
            "snapshots_kept": told.get("SnapshotRetentionLimit"),
        },
    )


def _warnings(told: Answer, levels: Levels, shares: dict[str, float | None]) -> list[Any]:
    found: list[Any] = []
    if str(told.get("Status", "available")).lower() != "available":
        found.append(f"it is {str(told['Status']).lower()}")
    if levels.get("throttled"):
        found.append(f"{levels['throttled']:g} commands were throttled")
    if levels.get("evictions"):
        found.append(f"{levels['evictions']:g} keys were evicted")
    for what, percent in shares.items():
        if percent is not None and percent >= _NEAR_PERCENT:
            found.append(f"its {what} is at {percent:g} % of the limit")
    return found


def _link(place: Place, name: str | None) -> str:
    page = f"/serverless-caches/{quote(name, safe='')}" if name else "/serverless-caches"
    return f"https://{console_host(place.region)}/elasticache/home?region={place.region}#{page}"


OPERATIONS = (ServerlessCaches,)
