"""The vital signs that a healthy resource of each type gives, with CloudWatch's names, units and habits."""

from dataclasses import dataclass
from typing import Literal

from runbook_bot.playground.cloud.inventory import EcsService, LambdaFunction, Metric, Owned, RdsInstance, Resource

GIB = 1024.0**3
Kind = Literal["count", "zero_count", "gauge", "level", "distribution"]
"""count: events, no point where there were none. zero_count: events, with zeros. gauge: a noisy level.
level: an exact one. distribution: many measurements around the level."""


@dataclass(frozen=True)
class Vital:
    """`baseline` is per minute for counts, else the level at mean traffic."""

    on: str
    """The resource, `type:name`."""
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    kind: Kind
    baseline: float
    unit: str
    noise: float = 0.04
    seasonal: float = 0.3
    spread: float = 0.45
    """Of a distribution: sigma of its logarithm."""
    follows: str | None = None
    """Of a distribution: the count that says how many measurements there are."""
    ceiling: float | None = None


def vitals_of(resource: Resource, target_group: str, load_balancer: str) -> list[Vital]:
    """All metrics of a resource; the two ARN suffixes are for those of its target group."""
    key = f"{resource.type}:{resource.name}"
    match resource.type:
        case "ecs_service":
            found = _ecs(resource, key)
            if resource.balanced:
                found += _balanced(resource, target_group, load_balancer)
        case "lambda_function":
            found = _function(resource, key)
        case "rds_instance":
            found = _database(resource, key)
        case "dynamodb_table":
            found = _table(resource, key)
        case "sqs_queue":
            found = _queue(resource, key)
        case "elasticache_cluster":
            found = _cache(resource, key)
    home = found[0].dimensions
    return found + [_extra(metric, key, home) for metric in resource.metrics]


def _extra(metric: Metric, key: str, home: tuple[tuple[str, str], ...]) -> Vital:
    dimensions = tuple(sorted(metric.dimensions.items())) or home
    return Vital(
        key,
        metric.namespace,
        metric.name,
        dimensions,
        metric.kind,
        metric.baseline,
        metric.unit,
        metric.noise,
        metric.seasonal,
    )


class _Sheet:
    """Writes the vital signs of one resource, with its own levels in place of the default ones."""

    def __init__(self, on: str, resource: Owned, namespace: str, *dimensions: tuple[str, str]) -> None:
        self._on, self._own, self._namespace = on, resource.vitals, namespace
        self._dimensions = tuple(sorted(dimensions))

    def level(self, name: str, default: float) -> float:
        return self._own.get(name, default)

    def __call__(self, name: str, kind: Kind, default: float, unit: str, **more: float | str | None) -> Vital:
        level = self.level(name, default)
        return Vital(self._on, self._namespace, name, self._dimensions, kind, level, unit, **more)  # type: ignore[arg-type]  # the table below is the check


def _ecs(service: EcsService, key: str) -> list[Vital]:
    where = (("ClusterName", service.cluster), ("ServiceName", service.name))
    own = _Sheet(key, service, "AWS/ECS", *where)
    insight = _Sheet(key, service, "ECS/ContainerInsights", *where)
    return [
        own("CPUUtilization", "gauge", 34, "Percent", noise=0.05, seasonal=0.7, ceiling=100.0),
        own("MemoryUtilization", "gauge", 52, "Percent", noise=0.008, seasonal=0.05, ceiling=100.0),
        insight("RunningTaskCount", "level", service.desired, "Count"),
        insight("DesiredTaskCount", "level", service.desired, "Count"),
    ]


def _balanced(service: EcsService, target_group: str, load_balancer: str) -> list[Vital]:
    sheet = _Sheet(
        f"target_group:{service.name}",
        service,
        "AWS/ApplicationELB",
        ("TargetGroup", target_group),
        ("LoadBalancer", load_balancer),
    )
    requests = sheet.level("RequestCount", 6000)
    return [
        sheet("RequestCount", "zero_count", requests, "Count", seasonal=1.0),
        sheet("HTTPCode_Target_2XX_Count", "count", requests * 0.985, "Count", seasonal=1.0),
        sheet("HTTPCode_Target_4XX_Count", "count", requests * 0.012, "Count", seasonal=1.0),
        sheet("HTTPCode_Target_5XX_Count", "count", requests * 0.003, "Count", seasonal=1.0),
        sheet("TargetResponseTime", "distribution", 0.085, "Seconds", seasonal=0.15, follows="RequestCount"),
        sheet("HealthyHostCount", "level", service.desired, "Count"),
        sheet("UnHealthyHostCount", "level", 0, "Count"),
    ]


def _function(function: LambdaFunction, key: str) -> list[Vital]:
    sheet = _Sheet(key, function, "AWS/Lambda", ("FunctionName", function.name))
    invocations = sheet.level("Invocations", 1800)
    duration = sheet.level("Duration", 220)
    running = invocations / 60 * duration / 1000
    limit = function.concurrency
    return [
        sheet("Invocations", "zero_count", invocations, "Count", seasonal=1.0),
        sheet("Errors", "zero_count", invocations * 0.001, "Count", seasonal=1.0),
        sheet("Throttles", "zero_count", 0, "Count", seasonal=0.0),
        sheet("Duration", "distribution", duration, "Milliseconds", seasonal=0.1, follows="Invocations"),
        sheet("ConcurrentExecutions", "gauge", running, "Count", noise=0.05, seasonal=1.0, ceiling=limit),
    ]


def _database(database: RdsInstance, key: str) -> list[Vital]:
    sheet = _Sheet(key, database, "AWS/RDS", ("DBInstanceIdentifier", database.name))
    limit = database.max_connections
    return [
        sheet("CPUUtilization", "gauge", 31, "Percent", noise=0.06, seasonal=0.7, ceiling=100.0),
        sheet("DatabaseConnections", "gauge", limit * 0.28, "Count", noise=0.03, seasonal=0.4, ceiling=limit),
        sheet("FreeableMemory", "gauge", 3.1 * GIB, "Bytes", noise=0.01, seasonal=0.05),
        sheet("ReadLatency", "gauge", 0.0009, "Seconds", noise=0.1, seasonal=0.2),
        sheet("WriteLatency", "gauge", 0.0021, "Seconds", noise=0.1, seasonal=0.2),
        sheet("ReadIOPS", "gauge", 420, "Count/Second", noise=0.08, seasonal=0.8),
        sheet("WriteIOPS", "gauge", 260, "Count/Second", noise=0.08, seasonal=0.8),
        sheet("FreeStorageSpace", "gauge", database.storage * 0.61 * GIB, "Bytes", noise=0.0005, seasonal=0.0),
        sheet("DiskQueueDepth", "gauge", 0.6, "Count", noise=0.2, seasonal=0.4),
    ]


def _table(table: Owned, key: str) -> list[Vital]:
    sheet = _Sheet(key, table, "AWS/DynamoDB", ("TableName", table.name))
    return [
        sheet("ConsumedReadCapacityUnits", "count", 5200, "Count", seasonal=1.0),
        sheet("ConsumedWriteCapacityUnits", "count", 1300, "Count", seasonal=1.0),
        sheet("ReadThrottleEvents", "count", 0, "Count", seasonal=0.0),
        sheet("WriteThrottleEvents", "count", 0, "Count", seasonal=0.0),
    ]


def _queue(queue: Owned, key: str) -> list[Vital]:
    sheet = _Sheet(key, queue, "AWS/SQS", ("QueueName", queue.name))
    sent = sheet.level("NumberOfMessagesSent", 900)
    return [
        sheet("NumberOfMessagesSent", "zero_count", sent, "Count", seasonal=1.0),
        sheet("NumberOfMessagesReceived", "zero_count", sent, "Count", seasonal=1.0),
        sheet("NumberOfMessagesDeleted", "zero_count", sent, "Count", seasonal=1.0),
        sheet("ApproximateNumberOfMessagesVisible", "gauge", 6, "Count", noise=0.3, seasonal=0.5),
        sheet("ApproximateAgeOfOldestMessage", "gauge", 1.2, "Seconds", noise=0.3, seasonal=0.3),
    ]


def _cache(cache: Owned, key: str) -> list[Vital]:
    sheet = _Sheet(key, cache, "AWS/ElastiCache", ("CacheClusterId", cache.name))
    hits = sheet.level("CacheHits", 9000)
    return [
        sheet("EngineCPUUtilization", "gauge", 18, "Percent", noise=0.06, seasonal=0.7, ceiling=100.0),
        sheet("DatabaseMemoryUsagePercentage", "gauge", 57, "Percent", noise=0.006, seasonal=0.05, ceiling=100.0),
        sheet("CurrConnections", "gauge", 90, "Count", noise=0.03, seasonal=0.3),
        sheet("Evictions", "zero_count", 0, "Count", seasonal=0.0),
        sheet("CacheHits", "zero_count", hits, "Count", seasonal=1.0),
        sheet("CacheMisses", "zero_count", hits * 0.04, "Count", seasonal=1.0),
    ]
