"""Fetches the points of metrics: all in one call, or one by one where that call is not answered."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import isfinite
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.metric_table import Metric
from runbook_bot.providers.aws.place import Answer, Place

Points = dict[float, float]
"""Epoch seconds to the vendor's own value."""

_IN_ONE_CALL = 500
_ONE_BY_ONE = 60
_MOST_POINTS = 1440
"""That GetMetricStatistics answers with; a window of a day that begins within a minute has one more."""
_PLAIN = {"Average", "Sum", "Minimum", "Maximum", "SampleCount"}
_WORTH_ANOTHER_WAY = ("unsupported", "failed", "invalid")


@dataclass(frozen=True, eq=False)
class Wanted:
    """One metric of one resource. Compared by identity: two rows may ask for the same numbers."""

    resource: Resource
    row: Metric
    dimensions: dict[str, str] | None
    """None: could not be resolved, so it cannot be asked for."""
    period: int = field(default=60)

    @property
    def percentile(self) -> bool:
        return self.row.statistic not in _PLAIN

    @property
    def described(self) -> str:
        inside = ", ".join(f"{k}={v}" for k, v in (self.dimensions or {}).items()) or self.resource.name
        return f"{self.row.namespace} {self.row.name} {{{inside}}}"

    @property
    def metric(self) -> Answer:
        listed = [{"Name": name, "Value": value} for name, value in (self.dimensions or {}).items()]
        return {"Namespace": self.row.namespace, "MetricName": self.row.name, "Dimensions": listed}

    def query(self, id: str) -> Answer:
        stat = {"Metric": self.metric, "Period": self.period, "Stat": self.row.statistic}
        return {"Id": id, "MetricStat": stat, "ReturnData": True}


async def read_points(
    place: Place, wanted: Sequence[Wanted], window: TimeWindow
) -> tuple[dict[Wanted, Points], list[CallFailed]]:
    """The points of each metric that has some, and what could not be read."""
    askable = [each for each in wanted if each.dimensions is not None]
    points: dict[Wanted, Points] = {}
    failures: list[CallFailed] = []
    for start in range(0, len(askable), _IN_ONE_CALL):
        batch = askable[start : start + _IN_ONE_CALL]
        found, failed = await _batch(place, batch, window)
        points.update(found)
        failures += failed
    return points, failures


async def _batch(
    place: Place, batch: Sequence[Wanted], window: TimeWindow
) -> tuple[dict[Wanted, Points], list[CallFailed]]:
    """One call for all; without the percentiles if that fails; one call each if that fails too."""
    try:
        return await _together(place, batch, window)
    except CallFailed as failure:
        if failure.kind not in _WORTH_ANOTHER_WAY:
            return {}, [failure]
    plain = [each for each in batch if not each.percentile]
    special = [each for each in batch if each.percentile]
    if plain and special:
        try:
            found, failures = await _together(place, plain, window)
            singly, failed = await _singly(place, special, window)
            return {**found, **singly}, failures + failed
        except CallFailed as failure:
            if failure.kind not in _WORTH_ANOTHER_WAY:
                return {}, [failure]
    return await _singly(place, [*plain, *special], window)


async def _together(
    place: Place, batch: Sequence[Wanted], window: TimeWindow
) -> tuple[dict[Wanted, Points], list[CallFailed]]:
    found: dict[Wanted, Points] = {}
    failures: list[CallFailed] = []
    if not batch:
        return found, failures
    queries = [each.query(f"m{index}") for index, each in enumerate(batch)]
    span = {"StartTime": window.start, "EndTime": window.end, "ScanBy": "TimestampAscending"}
    async for page in place.pages("cloudwatch", "GetMetricData", MetricDataQueries=queries, **span):
        await asyncio.to_thread(_take, batch, page, found, failures)
    return {each: points for each, points in found.items() if points}, failures


def _take(batch: Sequence[Wanted], page: Answer, found: dict[Wanted, Points], failures: list[CallFailed]) -> None:
    """One page into `found`: up to a hundred thousand points, which is why it is done beside the loop."""
    for result in page.get("MetricDataResults") or []:
        wanted = _by_id(batch, str(result.get("Id", "")))
        if wanted is None:
            continue
        pairs = zip(result.get("Timestamps") or [], result.get("Values") or [], strict=False)
        found.setdefault(wanted, {}).update(
            {at.timestamp(): float(value) for at, value in pairs if at is not None and isfinite(value)}
        )
        if result.get("StatusCode") in ("Forbidden", "InternalError"):
            failures.append(_partial(wanted, result))


def _by_id(batch: Sequence[Wanted], id: str) -> Wanted | None:
    index = id.removeprefix("m")
    return batch[int(index)] if index.isdecimal() and int(index) < len(batch) else None


def _partial(wanted: Wanted, result: Answer) -> CallFailed:
    told = " ".join(str(each.get("Value", "")) for each in result.get("Messages") or [])
    kind = "denied" if result["StatusCode"] == "Forbidden" else "failed"
    text = one_line(f"CloudWatch could not read {wanted.described}: {result['StatusCode']} {told}")
    return CallFailed("denied" if kind == "denied" else "failed", text, action="cloudwatch:GetMetricData")


async def _singly(
    place: Place, wanted: Sequence[Wanted], window: TimeWindow
) -> tuple[dict[Wanted, Points], list[CallFailed]]:
    """A call a metric, bounded; a percentile that is not there to be had is no failure."""
    chosen = wanted[:_ONE_BY_ONE]
    answers = await asyncio.gather(*(_single(place, each, window) for each in chosen))
    points = {each: found for each, found in zip(chosen, answers, strict=True) if isinstance(found, dict) and found}
    failures = [
        answer
        for each, answer in zip(chosen, answers, strict=True)
        if isinstance(answer, CallFailed) and not (each.percentile and answer.kind in _WORTH_ANOTHER_WAY)
    ]
    if len(wanted) > len(chosen):
        text = f"{len(wanted) - len(chosen)} metrics were not read: CloudWatch answers only one at a time here"
        failures.append(CallFailed("failed", text, action="cloudwatch:GetMetricData"))
    return points, failures


async def _single(place: Place, wanted: Wanted, window: TimeWindow) -> Points | CallFailed:
    statistic = wanted.row.statistic
    which: dict[str, Any] = {"ExtendedStatistics": [statistic]} if wanted.percentile else {"Statistics": [statistic]}
    start = max(window.start, window.end - timedelta(seconds=_MOST_POINTS * wanted.period))
    span = {"StartTime": start, "EndTime": window.end, "Period": wanted.period}
    try:
        answer = await place.call("cloudwatch", "GetMetricStatistics", **wanted.metric, **span, **which)
    except CallFailed as failure:
        return failure
    return dict(_values(answer.get("Datapoints") or [], statistic))


def _values(points: Iterable[Answer], statistic: str) -> Iterable[tuple[float, float]]:
    for each in points:
        value = each.get(statistic, (each.get("ExtendedStatistics") or {}).get(statistic))
        if value is not None and each.get("Timestamp") is not None and isfinite(value):
            yield each["Timestamp"].timestamp(), float(value)
