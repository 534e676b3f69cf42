"""Why a load balancer does not send to a target, in words, and how its health check goes."""

from collections import Counter
from collections.abc import Sequence

from runbook_bot.providers.aws.place import Answer

HEALTHY = "healthy"
_REASONS = {
    "Elb.RegistrationInProgress": "it is just being registered",
    "Elb.InitialHealthChecking": "its first health checks are still going on",
    "Elb.InternalError": "the load balancer itself failed to check it",
    "Target.ResponseCodeMismatch": "the health check got another status code than it wants",
    "Target.Timeout": "the health check got no answer in time",
    "Target.FailedHealthChecks": "the connection for the health check failed, or the answer was no HTTP",
    "Target.NotRegistered": "it is not registered with the target group",
    "Target.NotInUse": "nothing forwards to the target group, or the load balancer is not in its zone",
    "Target.DeregistrationInProgress": "it is being taken out and finishes its open requests",
    "Target.InvalidState": "the machine is stopped or terminated",
    "Target.IpUnusable": "its address cannot be used: a load balancer has it",
    "Target.HealthCheckDisabled": "the target group checks no health",
}
_ORDER = ("unhealthy", "unhealthy.draining", "unavailable", "initial", "unused", "draining", HEALTHY)


def state_of(told: Answer) -> str:
    """The state of one target, from an item of DescribeTargetHealth."""
    return str((told.get("TargetHealth") or {}).get("State", "?"))


def reason_of(told: Answer) -> str | None:
    """Why a target is not healthy, in words; with what the load balancer adds of its own."""
    health: Answer = told.get("TargetHealth") or {}
    code, said = str(health.get("Reason") or ""), str(health.get("Description") or "")
    if not code:
        return said or None
    return _REASONS.get(code, code) + (f" ({said})" if said else "")


def rank(told: Answer) -> int:
    """The sickest first."""
    state = state_of(told)
    return _ORDER.index(state) if state in _ORDER else 0


def counts(targets: Sequence[Answer]) -> dict[str, int]:
    """How many targets are in which state."""
    return dict(Counter(state_of(each) for each in sorted(targets, key=rank)))


def reasons(targets: Sequence[Answer]) -> list[str]:
    """Each reason and how many targets it holds for, the commonest first."""
    found = Counter(reason_of(each) or state_of(each) for each in targets if state_of(each) != HEALTHY)
    return [f"{times} × {reason}" for reason, times in found.most_common(5)]


def check_in_words(group: Answer) -> str:
    """E.g. `HTTP GET /health, every 30 s, 5 s time-out, wants 200, 3 failures make it unhealthy`."""
    if group.get("HealthCheckEnabled") is False:
        return "none"
    protocol = str(group.get("HealthCheckProtocol", "?"))
    path = f" GET {group['HealthCheckPath']}" if group.get("HealthCheckPath") else ""
    port = group.get("HealthCheckPort")
    matcher: Answer = group.get("Matcher") or {}
    wanted = matcher.get("HttpCode") or matcher.get("GrpcCode")
    told = [
        f"{protocol}{path}" + (f" on port {port}" if port and port != "traffic-port" else ""),
        f"every {group.get('HealthCheckIntervalSeconds', '?')} s",
        f"{group.get('HealthCheckTimeoutSeconds', '?')} s time-out",
        f"wants {wanted}" if wanted else "",
        f"{group.get('UnhealthyThresholdCount', '?')} failures make it unhealthy",
        f"{group.get('HealthyThresholdCount', '?')} successes healthy",
    ]
    return ", ".join(part for part in told if part)
