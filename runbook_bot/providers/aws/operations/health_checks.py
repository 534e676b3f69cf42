"""Whether Route 53's health checks pass: from their metric, which all kinds have, else from the checkers themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import Asked, Gauge, last, read_levels
from runbook_bot.providers.aws.place import Answer, Place

_NAMESPACE = "AWS/Route53"
_MOST_ASKED = 20
_HOURS = 0.25
_HOMES = {"cn": "cn-northwest-1", "us-gov": "us-gov-west-1"}
_GAUGES = (
    Gauge("healthy", _NAMESPACE, "HealthCheckStatus", "Minimum", "latest"),
    Gauge("percent", _NAMESPACE, "HealthCheckPercentageHealthy", "Average", "latest"),
)


@dataclass(frozen=True)
class Health:
    """How a health check stands."""

    healthy: bool
    percent: float | None = None
    """Of the checkers around the world."""
    reason: str = ""
    since: datetime | None = None
    """When a checker last failed."""


async def read_health(place: Place, ids: Sequence[str], now: datetime) -> tuple[dict[str, Health], list[CallFailed]]:
    """By id; those of which nothing is known are left out. Reasons are read of the first that fail."""
    if not ids:
        return {}, []
    asked = [Asked(id, {"HealthCheckId": id}, _GAUGES) for id in ids]
    levels, failures = await read_levels(place.at(_home(place.region)), asked, last(_HOURS, now), now)
    known = {id: each for id, each in levels.items() if "healthy" in each}
    silent = [id for id in ids if id not in known][:_MOST_ASKED]
    told, unread = await for_each(
        silent, lambda id: place.call("route53", "GetHealthCheckStatus", HealthCheckId=id)
    )  # fmt: skip
    failing = [id for id, each in known.items() if each["healthy"] < 1][:_MOST_ASKED]
    reasons, unexplained = await for_each(
        failing, lambda id: place.call("route53", "GetHealthCheckLastFailureReason", HealthCheckId=id)
    )
    why = {id: _worst(answer) for id, answer in reasons}
    found = {
        id: Health(each["healthy"] >= 1, each.get("percent"), *why.get(id, ("", None))) for id, each in known.items()
    }
    found |= {id: health for id, answer in told if (health := _observed(answer)) is not None}
    unseen = [each for each in (*unread, *unexplained) if each.kind != "invalid"]  # not every kind has checkers
    return found, [*failures, *unseen]


def _observed(answer: Answer) -> Health | None:
    """Healthy where more than 18 % of the checkers say so: that is how Route 53 decides."""
    seen = _observations(answer)
    if not seen:
        return None
    good = [text for text, _ in seen if text.startswith("Success")]
    percent = 100.0 * len(good) / len(seen)
    healthy = percent > 18.0
    return Health(healthy, round(percent, 1), *(("", None) if healthy else _worst(answer)))


def _worst(answer: Answer) -> tuple[str, datetime | None]:
    """The latest failure that a checker tells of."""
    failed = [each for each in _observations(answer) if not each[0].startswith("Success")]
    return max(failed, key=lambda each: each[1].timestamp() if each[1] else 0.0, default=("", None))


def _observations(answer: Answer) -> list[tuple[str, datetime | None]]:
    reports = [each.get("StatusReport") or {} for each in answer.get("HealthCheckObservations") or []]
    return [(str(each["Status"]), each.get("CheckedTime")) for each in reports if each.get("Status")]


def _home(region: str) -> str:
    """Where the metrics of Route 53 are kept, by partition."""
    return next((home for start, home in _HOMES.items() if region.startswith(start + "-")), "us-east-1")
