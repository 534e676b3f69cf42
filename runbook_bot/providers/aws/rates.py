"""How much of each service may be asked at once, how fast, and how long one answer is waited for.

AWS counts calls per account and region, and what else runs there counts too: where it publishes a rate we stay at or
below it, so that a busy investigation is slowed down here instead of being refused there.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from runbook_bot.providers.aws.patience import patience


@dataclass(frozen=True)
class Limit:
    """The bounds of one service, or of one call of it, in one account and region."""

    at_once: int = 6
    per_second: float | None = None
    """Calls that AWS takes in a second; None where it publishes no rate that an investigation could reach."""
    seconds: float = 5.0
    """For one answer, attempts of boto3's own included."""


LIMITS: Mapping[str, Limit] = {
    # "The rate of lookup requests is limited to two per second, per account, per Region": LookupEvents, API reference.
    "cloudtrail:LookupEvents": Limit(at_once=2, per_second=2),
    # 5 requests per second per account and Region (10 in some): quotas of CloudWatch Logs, FilterLogEvents.
    "logs:FilterLogEvents": Limit(at_once=4, per_second=5, seconds=8),
    # 5 requests per second each: quotas of CloudWatch Logs, StartQuery and GetQueryResults.
    "logs:StartQuery": Limit(at_once=2, per_second=5),
    "logs:GetQueryResults": Limit(at_once=4, per_second=5),
    # 10 requests per second, GetLogEvents 25: quotas of CloudWatch Logs.
    "logs": Limit(at_once=4, per_second=10),
    # 9 requests per second: quotas of CloudWatch, DescribeAlarms.
    "cloudwatch:DescribeAlarms": Limit(per_second=9),
    # 25 requests per second: quotas of CloudWatch, ListMetrics.
    "cloudwatch:ListMetrics": Limit(per_second=25),
    # 50 requests and 180,000 to 396,000 data points per second: quotas of CloudWatch, GetMetricData.
    "cloudwatch:GetMetricData": Limit(at_once=4, per_second=50, seconds=8),
    # 20 requests per second sustained (bursts of 50): ECS API throttling, cluster and service read actions.
    "ecs": Limit(per_second=20),
    # Five requests per second per account: developer guide of Route 53, throttling of API requests.
    "route53": Limit(at_once=3, per_second=5),
    # One call costs a cent and may take seconds: pricing of Cost Explorer.
    "ce": Limit(at_once=1, seconds=8),
    # No published rate; large answers made on the spot.
    "xray": Limit(at_once=2, seconds=8),
    "pi": Limit(at_once=2, seconds=8),
}
"""By `service:Call`, else by service, in boto3's words; whatever is in neither has the defaults of `Limit`."""


def limit_of(service: str, action: str) -> tuple[str, Limit]:
    """The bounds of a call, and the name they are counted under."""
    key = next((each for each in (f"{service}:{action}", service) if each in LIMITS), service)
    limit = LIMITS.get(key, Limit())
    return key, replace(limit, seconds=limit.seconds * patience())


class Pace:
    """Lets through as many a second as a limit says, and at once as many as fit into one second."""

    def __init__(self, per_second: float, now: Callable[[], float] = time.monotonic) -> None:
        self._apart = 1.0 / per_second
        self._burst = max(0.0, 1.0 - self._apart)
        """How far the schedule may lie behind the clock: a second's worth of calls, one of them now."""
        self._now = now
        self._next = 0.0

    def wait(self) -> float:
        """Takes the next place in the schedule; the seconds until it has come."""
        now = self._now()
        self._next = max(self._next, now - self._burst)
        due = self._next
        self._next += self._apart
        return max(0.0, due - now)


class Turnstile:
    """One service's or call's entrance in one place: so many at once, so many a second."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.room = asyncio.Semaphore(limit.at_once)
        self._pace = Pace(limit.per_second) if limit.per_second else None

    async def turn(self) -> None:
        """Returns when it is this caller's turn."""
        if self._pace is not None and (seconds := self._pace.wait()) > 0:
            await asyncio.sleep(seconds)
