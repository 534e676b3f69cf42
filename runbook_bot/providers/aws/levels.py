"""What metrics came to over a window (total, peak, mean, least, latest), of many things in one call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.metric_points import Points, Wanted, read_points
from runbook_bot.providers.aws.metric_table import Convert, Metric
from runbook_bot.providers.aws.metrics import aligned, period_for
from runbook_bot.providers.aws.place import Place

_POINTS = 60
_MOST = 2500

MEASURING = ("cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics")
"""The calls that levels are read with: the second where the first is not answered."""

Over = Literal["total", "peak", "mean", "least", "first", "latest"]
Levels = dict[str, float]
"""The fact's name to its value; a fact that CloudWatch has no point for is absent."""


@dataclass(frozen=True)
class Gauge:
    """One number of one metric, under the name of the fact that it becomes."""

    fact: str
    namespace: str
    metric: str
    statistic: str
    over: Over
    convert: Convert = "same"
    sparse: bool = False
    """CloudWatch writes no point where nothing happened: no point means 0, if it could be read."""

    def level(self, points: Points, period: int) -> float | None:
        if not points:
            return 0.0 if self.sparse else None
        row = self._row()
        values = [row.neutral(points[at], period) for at in sorted(points)]
        match self.over:
            case "total":
                return sum(values)
            case "peak":
                return max(values)
            case "least":
                return min(values)
            case "mean":
                return sum(values) / len(values)
            case "first":
                return values[0]
            case "latest":
                return values[-1]

    def wanted(self, subject: str, dimensions: Mapping[str, str], period: int) -> Wanted:
        resource = Resource(type=ResourceType.metric, name=self.metric, namespace=self.namespace, kind=subject)
        return Wanted(resource, self._row(), dict(dimensions), period)

    def _row(self) -> Metric:
        return Metric(
            ResourceType.metric,
            Signal.value,
            self.namespace,
            self.metric,
            self.statistic,
            self.convert,
            "",
            self.sparse,
        )


@dataclass(frozen=True)
class Asked:
    """Gauges of one subject under one set of dimensions."""

    subject: str
    dimensions: Mapping[str, str]
    gauges: Sequence[Gauge]


def last(hours: float, now: datetime, window: TimeWindow | None = None) -> TimeWindow:
    """The window that was asked for, up to the present; the last hours where none was."""
    if window is None:
        return TimeWindow(start=now - timedelta(hours=hours), end=now)
    return window.model_copy(update={"end": now}) if window.start < now < window.end else window


async def read_levels(
    place: Place, asked: Iterable[Asked], window: TimeWindow, now: datetime
) -> tuple[dict[str, Levels], list[CallFailed]]:
    """The levels of each subject, and what could not be read. A subject without any point has an empty dict."""
    period = period_for(window, max(60.0, window.length.total_seconds() / _POINTS), now)
    listed = [(each.subject, gauge, each.dimensions) for each in asked for gauge in each.gauges]
    wanted = [(subject, gauge, gauge.wanted(subject, dims, period)) for subject, gauge, dims in listed[:_MOST]]
    found: dict[str, Levels] = {subject: {} for subject, _, _ in listed}
    if not wanted:
        return found, []
    points, failures = await read_points(place, [each for _, _, each in wanted], aligned(window, period))
    for subject, gauge, each in wanted:
        level = gauge.level(points.get(each, {}), period)
        if level is not None and not (failures and each not in points):
            found[subject][gauge.fact] = rounded(level)
    if len(listed) > len(wanted):
        text = f"{len(listed) - len(wanted)} metrics were not read: too many things at once"
        failures = [*failures, CallFailed("failed", text, action="cloudwatch:GetMetricData")]
    return found, failures


def rounded(value: float) -> float:
    """As people would write it down: whole numbers whole, others to three digits that count."""
    if value == int(value) or abs(value) >= 1000:
        return int(value) if abs(value) < 1e15 else value
    return float(f"{value:.3g}")


def share(value: float | None, limit: float | None) -> float | None:
    """Percent of the limit; None where either is not known."""
    return None if value is None or not limit else rounded(100.0 * value / limit)
