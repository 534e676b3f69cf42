"""How large a bucket is, what is asked of it, and how far its replication lags: from CloudWatch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from runbook_bot.domain.observation import Row
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import Asked, Gauge, last, read_levels, share
from runbook_bot.providers.aws.place import Answer, Place

_NAMESPACE = "AWS/S3"
_DAYS = 60
"""S3 measures sizes once a day: over so long a window CloudWatch is asked for one point a day."""
_MOST_KINDS = 12
_SIZE = Gauge("bytes", _NAMESPACE, "BucketSizeBytes", "Average", "latest")
_OBJECTS = Gauge("objects", _NAMESPACE, "NumberOfObjects", "Average", "latest")
_REQUESTS = (
    Gauge("requests", _NAMESPACE, "AllRequests", "Sum", "total"),
    Gauge("client_errors", _NAMESPACE, "4xxErrors", "Sum", "total", sparse=True),
    Gauge("server_errors", _NAMESPACE, "5xxErrors", "Sum", "total", sparse=True),
    Gauge("first_byte_ms", _NAMESPACE, "FirstByteLatency", "Average", "mean"),
    Gauge("slowest_ms", _NAMESPACE, "TotalRequestLatency", "Maximum", "peak"),
)
_REPLICATION = (
    Gauge("lag_s", _NAMESPACE, "ReplicationLatency", "Maximum", "peak"),
    Gauge("waiting_operations", _NAMESPACE, "OperationsPendingReplication", "Average", "latest"),
    Gauge("failed_operations", _NAMESPACE, "OperationsFailedReplication", "Sum", "total", sparse=True),
)
_MANY_PERCENT = 5.0


async def size_rows(place: Place, bucket: str, now: datetime) -> tuple[list[Row], list[CallFailed]]:
    """One row a storage class, the largest first."""
    named = [{"Name": "BucketName", "Value": bucket}]
    try:
        metrics = await place.gather(
            "cloudwatch", "ListMetrics", "Metrics", 100, Namespace=_NAMESPACE, MetricName=_SIZE.metric, Dimensions=named
        )
    except CallFailed as failure:
        return [], [failure]
    classes = sorted({kind for each in metrics if (kind := _dimension(each, "StorageType"))})[:_MOST_KINDS]
    asked = [Asked(kind, {"BucketName": bucket, "StorageType": kind}, [_SIZE]) for kind in classes]
    asked.append(Asked("all", {"BucketName": bucket, "StorageType": "AllStorageTypes"}, [_OBJECTS]))
    levels, failures = await read_levels(place, asked, last(_DAYS * 24.0, now), now)
    objects = levels.pop("all", {}).get("objects")
    sizes = sorted(((kind, each["bytes"]) for kind, each in levels.items() if "bytes" in each), key=lambda e: -e[1])
    rows = [Row(name=f"size, {kind}", facts={"gib": _gib(size), "bytes": size}) for kind, size in sizes]
    if objects is not None:
        rows.insert(0, Row(name="size, all", facts={"objects": objects, "gib": _gib(sum(s for _, s in sizes))}))
    return rows, failures


def _gib(size: float) -> float:
    return round(size / 1024**3, 3)


async def request_rows(
    place: Place, bucket: str, filters: Sequence[str], window: TimeWindow | None, now: datetime
) -> tuple[list[Row], list[CallFailed]]:
    """One row a metrics configuration: requests are counted only where somebody has switched that on."""
    asked = [Asked(id, {"BucketName": bucket, "FilterId": id}, _REQUESTS) for id in filters[:_MOST_KINDS]]
    levels, failures = await read_levels(place, asked, last(1.0, now, window), now)
    return [_requests(id, levels.get(id, {})) for id in filters[:_MOST_KINDS]], failures


def _requests(id: str, told: dict[str, float]) -> Row:
    warnings: list[Any] = []
    for name, word in (("server_errors", "server errors"), ("client_errors", "client errors")):
        percent = share(told.get(name), told.get("requests"))
        if percent is not None and percent >= _MANY_PERCENT:
            warnings.append(f"{percent:g} % of the requests end in {word}")
    return Row(name=f"requests, {id}", facts={"warnings": warnings or None, **told})


async def replication_levels(
    place: Place, bucket: str, rules: Sequence[Answer], now: datetime
) -> tuple[dict[str, dict[str, float]], list[CallFailed]]:
    """By the rule's id; only rules that measure themselves have numbers."""
    asked = [
        Asked(str(rule.get("ID")), {"SourceBucket": bucket, "DestinationBucket": to, "RuleId": str(rule.get("ID"))},
              _REPLICATION)
        for rule in rules[:_MOST_KINDS]
        if (to := str((rule.get("Destination") or {}).get("Bucket", "")).rpartition(":")[2])
    ]  # fmt: skip
    return await read_levels(place, asked, last(1.0, now), now)


def _dimension(metric: Answer, name: str) -> str | None:
    return next((str(each["Value"]) for each in metric.get("Dimensions") or [] if each.get("Name") == name), None)
