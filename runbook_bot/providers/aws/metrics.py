"""Reads CloudWatch metrics: many resources and signals in one call, in neutral units."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadMetrics, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import alarm_named
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.dimensions import dimensions_of
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.metric_listing import other_dimensions
from runbook_bot.providers.aws.metric_points import Points, Wanted, read_points
from runbook_bot.providers.aws.metric_table import Metric, rows
from runbook_bot.providers.aws.place import Place, asked

SOURCE = "aws.cloudwatch.metrics"
_NAMED_IN_MESSAGES = 6


@dataclass
class Plan:
    """What will be asked for, and what could not be planned."""

    wanted: list[Wanted] = field(default_factory=list)
    failures: list[CallFailed] = field(default_factory=list)


async def read_metrics(place: Place, query: ReadMetrics, now: datetime) -> Result:
    period = period_for(query.window, query.step, now)
    parts = await asyncio.gather(*(_plan(place, each, query.signals, period) for each in query.resources))
    wanted = [each for part in parts for each in part.wanted]
    failures = [each for part in parts for each in part.failures]
    window = aligned(query.window, period)
    points, failed = await read_points(place, wanted, window)
    failures += failed
    if not failed:
        listed = await _listed(place, query, wanted, points, period)
        if listed:
            more, failed = await read_points(place, listed, window)
            points, wanted = {**points, **more}, [*wanted, *listed]
            failures += failed
    return await asyncio.to_thread(_result, place, query, window, wanted, points, failures, now)


def period_for(window: TimeWindow, step: float, now: datetime) -> int:
    """Seconds between points: what CloudWatch still keeps for a window of that age, at most 1440 points."""
    age = now - window.start
    kept = 60 if age < timedelta(days=15) else 300 if age < timedelta(days=63) else 3600
    needed = max(step, window.length.total_seconds() / 1440)
    return kept * max(1, -(-int(needed) // kept))


def aligned(window: TimeWindow, period: int) -> TimeWindow:
    """From the beginning of a period on, as CloudWatch itself rounds: points then stand at full minutes."""
    start = datetime.fromtimestamp(window.start.timestamp() // period * period, UTC)
    return TimeWindow(start=start, end=window.end, onset=window.onset)


async def _plan(place: Place, resource: Resource, signals: tuple[Signal, ...], period: int) -> Plan:
    """The metrics of one resource, with the dimensions CloudWatch has them under."""
    try:
        if resource.type is ResourceType.alarm:
            return await _plan_alarm(place, resource, signals, period)
        if resource.type is ResourceType.metric:
            return Plan([_named(resource, resource, period)] if not signals or Signal.value in signals else [])
        metrics = rows(resource.type, signals)
        if not metrics:
            return Plan()
        sets = await dimensions_of(place, resource)
    except CallFailed as failure:
        guess = {"CacheClusterId": resource.name} if resource.type is ResourceType.elasticache_cluster else None
        return Plan([Wanted(resource, row, guess, period) for row in rows(resource.type, signals)], [failure])
    wanted = [Wanted(resource, row, each, period) for each in sets for row in metrics if _fits(row, each)]
    shared = [Wanted(resource, row, {}, period) for row in metrics if row.account_wide]
    return Plan([*(each for each in wanted if not each.row.account_wide), *shared])


def _fits(row: Metric, dimensions: dict[str, str]) -> bool:
    """Application and network load balancers keep their metrics in different namespaces."""
    balancer = dimensions.get("LoadBalancer", "")
    if row.namespace == "AWS/NetworkELB":
        return balancer.startswith("net/")
    return row.namespace != "AWS/ApplicationELB" or not balancer.startswith("net/")


async def _plan_alarm(place: Place, resource: Resource, signals: tuple[Signal, ...], period: int) -> Plan:
    if signals and Signal.value not in signals:
        return Plan()
    alarm = await alarm_named(place, resource.name)
    return Plan([_named(resource, alarm.metric, period)] if alarm is not None and alarm.metric is not None else [])


def _named(resource: Resource, metric: Resource, period: int) -> Wanted:
    row = Metric(resource.type, Signal.value, metric.namespace or "", metric.name, metric.statistic or "Average")
    return Wanted(resource, row, dict(metric.dimensions), period)


async def _listed(
    place: Place, query: ReadMetrics, wanted: Sequence[Wanted], points: dict[Wanted, Points], period: int
) -> list[Wanted]:
    """What came back empty, under the dimensions that CloudWatch lists for it, where those are others."""
    filled = {(each.resource.key, each.row.signal) for each, found in points.items() if found}
    right = {_under(each) for each, found in points.items() if found}
    empty = [
        each
        for each in wanted
        if (each.resource.key, each.row.signal) not in filled and not (_by_nature(each) and _under(each) in right)
    ]
    return await other_dimensions(place, empty, period)


def _under(wanted: Wanted) -> tuple[str, str, str]:
    return wanted.resource.key, wanted.row.namespace, str(wanted.dimensions)


def _by_nature(wanted: Wanted) -> bool:
    """Whether it may be empty because nothing happened, and is never kept under more dimensions than its like."""
    return wanted.row.sparse and not wanted.row.finer


def _result(  # one line of the story above: what was asked, what came, what did not
    place: Place,
    query: ReadMetrics,
    window: TimeWindow,
    wanted: Sequence[Wanted],
    points: dict[Wanted, Points],
    failures: Sequence[CallFailed],
    now: datetime,
) -> Result:
    whole = [(each, _complete(points.get(each, {}), each.period, now)) for each in wanted]
    series = tuple(_series(each, found) for each, found in whole if found)
    where = f"CloudWatch metrics of {_names(query.resources)} in {place.name}, {between(query.window)}"
    status, message = Status.ok, gaps(failures)
    if not series:
        status = worst(failures) if any(each.kind != "missing" for each in failures) else Status.no_data
        message = "; ".join(part for part in (message, _searched(wanted, query.window)) if part)
    return Result(
        status=status,
        source=SOURCE,
        asked=_asked(wanted, window),
        where=where,
        message=message,
        series=series,
        console=console_link(query.resources[0], place.region) if query.resources else None,
    )


def _complete(points: Points, period: int, now: datetime) -> Points:
    """Without the period that is not over yet: its count would look like a collapse."""
    return {at: value for at, value in points.items() if at + period <= now.timestamp()}


def _series(wanted: Wanted, found: Points) -> Series:
    row = wanted.row
    ordered = sorted(found.items())
    step = _spacing(wanted, [at for at, _ in ordered])
    return Series(
        name=row.name,
        signal=row.signal,
        resource=wanted.resource,
        unit=f"{row.unit} (no point where none)" if row.sparse else row.unit,
        step=step,
        times=tuple(at for at, _ in ordered),
        values=tuple(row.neutral(value, step) for _, value in ordered),
    )


def _spacing(wanted: Wanted, times: Sequence[float]) -> float:
    """Seconds that one point tells of: with basic monitoring EC2 writes one every five minutes."""
    if wanted.row.namespace != "AWS/EC2" or len(times) < 3:
        return float(wanted.period)
    return max(float(wanted.period), min(later - earlier for earlier, later in pairwise(times)))


def _names(resources: Sequence[Resource]) -> str:
    shown = [f"{each.type} {each.name}" for each in resources[:_NAMED_IN_MESSAGES]]
    rest = len(resources) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _searched(wanted: Sequence[Wanted], window: TimeWindow) -> str:
    if not wanted:
        return "CloudWatch has no metric for what was asked of these resources"
    shown = list(dict.fromkeys(each.described for each in wanted))
    rest = len(shown) - _NAMED_IN_MESSAGES
    more = f" and {rest} more" if rest > 0 else ""
    return f"no points from {between(window)} for {', '.join(shown[:_NAMED_IN_MESSAGES])}{more}"


def _asked(wanted: Sequence[Wanted], window: TimeWindow) -> Json:
    resolved = [each for each in wanted if each.dimensions is not None]
    return asked(
        "cloudwatch",
        "GetMetricData",
        {
            "StartTime": utc(window.start),
            "EndTime": utc(window.end),
            "MetricDataQueries": [each.query(f"m{index}") for index, each in enumerate(resolved)],
        },
    )
