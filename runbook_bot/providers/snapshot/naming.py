"""What a metric's name says that it measures: OpenTelemetry's and Prometheus's habits, and CloudWatch's names."""

import re
from dataclasses import dataclass

from runbook_bot.domain.vocabulary import Signal


@dataclass(frozen=True)
class Measured:
    """A neutral signal, and the factor that turns the vendor's unit into ours."""

    signal: Signal
    factor: float = 1.0


_KINDS: tuple[tuple[str, Signal], ...] = (
    (r"error|fail|5xx|exception", Signal.errors),
    (r"(duration|latency|response_time).*(p99|quantile_99|0_99)|(p99).*(duration|latency)", Signal.latency_p99),
    (r"pool_wait|acquire", Signal.latency_p99),
    (r"duration|latency|response_time", Signal.latency),
    (r"queue_(depth|length|size)|backlog", Signal.queue_depth),
    (r"(request|rps|qps|throughput|hits)(s|_|$)", Signal.requests),
    (r"throttl|rate_limited|429", Signal.throttles),
    (r"cpu", Signal.cpu),
    (r"memory_(free|available)|free_memory", Signal.memory_free),
    (r"memory|heap|rss", Signal.memory),
    (r"disk_free|free_(disk|storage)", Signal.disk_free),
    (r"replica(tion)?_lag", Signal.replica_lag),
    (r"deadlock", Signal.deadlocks),
    (r"evict", Signal.evictions),
    (r"cache_miss", Signal.cache_misses),
    (r"(pool_in_use|connections|sessions)(_|$)", Signal.connections),
    (r"(replicas|pods|tasks)_(ready|available|running)", Signal.running_tasks),
)
_OTHER = re.compile(r"(^|_)(max|limit|capacity|configured|desired)(_|$)|_per_request")
"""A setting, or what one request costs, is no vital sign: it is kept under its own name."""

CLOUDWATCH: dict[str, Measured] = {
    "CPUUtilization": Measured(Signal.cpu),
    "DatabaseConnections": Measured(Signal.connections),
    "FreeableMemory": Measured(Signal.memory_free),
    "FreeStorageSpace": Measured(Signal.disk_free),
    "SwapUsage": Measured(Signal.swap),
    "DiskQueueDepth": Measured(Signal.disk_queue),
    "ReadLatency": Measured(Signal.read_latency),
    "WriteLatency": Measured(Signal.write_latency),
    "ReplicaLag": Measured(Signal.replica_lag),
    "AuroraReplicaLag": Measured(Signal.replica_lag, 1e-3),
    "Deadlocks": Measured(Signal.deadlocks),
    "BurstBalance": Measured(Signal.burst_balance),
    "NetworkReceiveThroughput": Measured(Signal.network_in),
    "NetworkTransmitThroughput": Measured(Signal.network_out),
}
"""RDS, from its list of metrics in the User Guide."""


def measured(name: str) -> Measured | None:
    """None for what has no neutral signal; then the metric is kept under its own name.

    Milliseconds become seconds, rates by the second rates by the minute, and ratios (0 to 1) percent.
    """
    lowered = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).casefold().replace(".", "_")
    if _OTHER.search(lowered):
        return None
    for pattern, signal in _KINDS:
        if re.search(pattern, lowered):
            return Measured(signal, _factor(lowered, signal))
    return None


def _factor(name: str, signal: Signal) -> float:
    if signal in (Signal.latency, Signal.latency_p99):
        return 1e-3 if re.search(r"(^|_)(ms|millis(econds)?)(_|$)", name) else 1.0
    if signal in (Signal.errors, Signal.requests, Signal.throttles) and re.search(r"per_sec(ond)?(_|$)", name):
        return 60.0
    if re.search(r"utili[sz]ation|ratio|fraction", name) and "percent" not in name:
        return 100.0
    return 1.0
