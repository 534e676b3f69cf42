"""What can be asked of CloudWatch's metrics."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Value
from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.metric_points import Points, Wanted, read_points
from runbook_bot.providers.aws.metric_summary import series_of, summary, usual_statistic
from runbook_bot.providers.aws.metric_table import Metric
from runbook_bot.providers.aws.metrics import aligned, period_for
from runbook_bot.providers.aws.operations.listing import cut_short, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_HOURS = 3
_MOST_SETS = 30
_MOST_LISTED = 5000
_MOST_DASHBOARDS = 500
_MOST_PAGES = 10
_COUNTED = ("Sum", "SampleCount")


def _link(place: Place, what: str = "metricsV2") -> str:
    return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#{what}"


def _dimensions(told: Answer) -> dict[str, str]:
    return {str(each["Name"]): str(each.get("Value", "")) for each in told.get("Dimensions") or [] if each.get("Name")}


def written(dimensions: Mapping[str, str]) -> str:
    """As people read them; the first are the most telling."""
    return one_line(", ".join(f"{name}={value}" for name, value in dimensions.items()), 300)


def _moved_first(row: Row) -> float:
    effect = row.facts.get("effect")
    return -abs(float(effect)) if isinstance(effect, int | float) and math.isfinite(effect) else 0.0


class ReadMetric(Operation):
    """Any metric over a window, each set of dimensions a row with min, max, mean, now and when it moved."""

    kind: ClassVar[str] = "aws.cloudwatch.metric"
    service = "cloudwatch"
    calls = ("ListMetrics", "GetMetricData", "GetMetricStatistics")
    words = ("metric", "cloudwatch metric", "graph of", "how did the metric develop")

    namespace: str = Field(description="Namespace, e.g. AWS/SQS or one of your own")
    name: str = Field(description="Name of the metric")
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="Dimensions that it must have; others are found. None means any"
    )
    statistic: str | None = Field(
        default=None, description="Average, Sum, Minimum, Maximum, SampleCount, p99, tm90 …; none means the usual one"
    )
    period: int = Field(default=60, ge=1, description="Seconds between points; more where CloudWatch keeps only that")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last three hours")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(_HOURS, now, self.window)
        period = period_for(window, self.period, now)
        statistic = self.statistic or usual_statistic(self.namespace, self.name)
        sets, listed, more = await self._sets(place)
        row = Metric(ResourceType.metric, Signal.value, self.namespace, self.name, statistic)
        resource = Resource(type=ResourceType.metric, name=self.name)
        wanted = [Wanted(resource, row, each, period) for each in sets]
        points, failures = await read_points(place, wanted, aligned(window, period))
        filled = [each for each in wanted if points.get(each)]
        facts, series = await asyncio.to_thread(
            lambda: (
                [summary(points[each], statistic in _COUNTED) for each in filled],
                [
                    series_of(self.name, self.namespace, each.dimensions or {}, statistic, points[each], period)
                    for each in filled
                ],
            )
        )
        rows = [
            Row(
                name=written(each.dimensions or {}) or f"{self.name} (no dimensions)",
                facts={"statistic": statistic, "period_s": period, **told},
            )
            for each, told in zip(filled, facts, strict=True)
        ]
        order = sorted(range(len(rows)), key=lambda index: _moved_first(rows[index]))
        empty = "the metric has no points in this window" if listed else (
            "CloudWatch lists no such metric with these dimensions; it lists those of the last two weeks only"
        )  # fmt: skip
        result = self.table(
            place,
            [rows[index] for index in order],
            empty=empty,
            failures=failures,
            more=more,
            console=self._page(place),
        )
        return result.model_copy(update={"series": tuple(series[index] for index in order)})

    async def _sets(self, place: Place) -> tuple[list[dict[str, str]], bool, str]:
        """The sets of dimensions to ask for, whether CloudWatch lists the metric, and what was left out.

        What is asked for exactly is asked for even where it is not listed: the listing lags and forgets.
        """
        filters = [{"Name": name, "Value": value} for name, value in self.dimensions.items()]
        request: Answer = {"Namespace": self.namespace, "MetricName": self.name}
        request |= {"Dimensions": filters} if filters else {}
        try:
            told = await place.gather("cloudwatch", "ListMetrics", "Metrics", _MOST_LISTED, **request)
        except CallFailed:
            if not self.dimensions:
                raise
            return [self.dimensions], True, "which other dimensions the metric has could not be listed"
        found = {tuple(sorted(each.items())): each for each in map(_dimensions, told)}
        sets = sorted(found.values(), key=len)
        exact = [each for each in sets if each == self.dimensions]
        if self.dimensions:
            sets = exact or sets or [self.dimensions]
        left = len(sets) - _MOST_SETS
        more = f"{left} more sets of dimensions were not read; name some of them" if left > 0 else ""
        return sets[:_MOST_SETS], bool(found), more

    def _page(self, place: Place) -> str:
        return _link(place, f"metricsV2?query={quote(f'{{{self.namespace}}} {self.name}', safe='')}")


class MathInput(Value):
    """One metric that an expression refers to by its id."""

    id: str = Field(pattern=r"^[a-z]\w*$", description="A small letter first, e.g. m1 or errors")
    namespace: str
    name: str
    dimensions: dict[str, str] = Field(default_factory=dict)
    statistic: str | None = Field(default=None, description="None means the usual one")


class MetricMath(Operation):
    """Metric math over a window: arithmetic of metrics, SEARCH, anomaly bands, or a Metrics Insights query."""

    kind: ClassVar[str] = "aws.cloudwatch.expression"
    service = "cloudwatch"
    calls = ("GetMetricData",)
    words = ("metric math", "expression", "metrics insights", "error rate", "ratio of metrics", "anomaly band")

    expression: str = Field(
        description="E.g. 100*errors/requests, ANOMALY_DETECTION_BAND(m1), SEARCH('{AWS/SQS,QueueName}', 'Sum', 60), "
        'or SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId) GROUP BY InstanceId'
    )
    metrics: tuple[MathInput, ...] = Field(default=(), description="The metrics that the expression names by their id")
    period: int = Field(default=60, ge=1, description="Seconds between points")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last three hours")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(_HOURS, now, self.window)
        period = period_for(window, self.period, now)
        span = aligned(window, period)
        found, told = await evaluated(place, self._queries(period), span)
        labels = [label for label, points in found.items() if points]
        facts, series = await asyncio.to_thread(
            lambda: (
                [summary(found[label], counts=False) for label in labels],
                tuple(series_of(label, "", {}, "", found[label], period) for label in labels),
            )
        )
        rows = [Row(name=label, facts={"period_s": period, **each}) for label, each in zip(labels, facts, strict=True)]
        rows.sort(key=_moved_first)
        empty = "the expression has no points in this window" + (f": {told}" if told else "")
        result = self.table(place, rows, empty=empty, more=told, console=_link(place))
        return result.model_copy(update={"series": series})

    def _queries(self, period: int) -> list[Answer]:
        inputs = [
            {
                "Id": each.id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": each.namespace,
                        "MetricName": each.name,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in each.dimensions.items()],
                    },
                    "Period": period,
                    "Stat": each.statistic or usual_statistic(each.namespace, each.name),
                },
                "ReturnData": False,
            }
            for each in self.metrics
        ]
        return [*inputs, {"Id": "expression", "Expression": self.expression, "Period": period, "ReturnData": True}]


async def evaluated(place: Place, queries: Sequence[Answer], window: TimeWindow) -> tuple[dict[str, Points], str]:
    """The points by label of everything that the queries return, and what CloudWatch remarks. Raises `CallFailed`."""
    found: dict[str, Points] = {}
    told: dict[str, None] = {}
    span = {"StartTime": window.start, "EndTime": window.end, "ScanBy": "TimestampAscending"}
    pages = 0
    async for page in place.pages("cloudwatch", "GetMetricData", MetricDataQueries=list(queries), **span):
        await asyncio.to_thread(_take, page, found, told)
        pages += 1
        if pages >= _MOST_PAGES and page.get("NextToken"):
            told[f"only the first {pages} pages of points were read; name a shorter window"] = None
            break
    return found, one_line("; ".join(told), 400)


def _take(page: Answer, found: dict[str, Points], told: dict[str, None]) -> None:
    """One page into what was found and remarked: up to a hundred thousand points, so it is done beside the loop."""
    times: Counter[str] = Counter()
    for each in page.get("MetricDataResults") or []:
        label = str(each.get("Label") or each.get("Id") or "?")
        times[label] += 1
        if times[label] > 1:  # both edges of a band may go by one label
            label = f"{label} ({times[label]})"
        pairs = zip(each.get("Timestamps") or [], each.get("Values") or [], strict=False)
        points = {at.timestamp(): float(value) for at, value in pairs if math.isfinite(float(value))}
        found.setdefault(label, {}).update(points)
        told |= dict.fromkeys(str(note.get("Value")) for note in each.get("Messages") or [])
    told |= dict.fromkeys(str(note.get("Value")) for note in page.get("Messages") or [])


class ListedMetrics(Operation):
    """Which metrics there are: names with how many sets of dimensions, and an example of one."""

    kind: ClassVar[str] = "aws.cloudwatch.metrics"
    service = "cloudwatch"
    calls = ("ListMetrics",)
    words = ("list metrics", "which metrics", "available metrics", "metrics of namespace", "custom metrics")

    namespace: str | None = Field(default=None, description="Namespace; none means all")
    name: str | None = Field(default=None, description="Exact name of a metric; none means all")
    about: str | None = Field(default=None, description="Part of a metric's name or of a dimension's value")

    async def answer(self, place: Place, now: datetime) -> Result:
        request = {"Namespace": self.namespace, "MetricName": self.name}
        given = {key: value for key, value in request.items() if value}
        told = await place.gather("cloudwatch", "ListMetrics", "Metrics", _MOST_LISTED, **given)
        groups: dict[tuple[str, str], list[dict[str, str]]] = {}
        wanted = (self.about or "").casefold()
        for each in told:
            dimensions = _dimensions(each)
            name, namespace = str(each.get("MetricName", "?")), str(each.get("Namespace", "?"))
            if any(wanted in text.casefold() for text in (name, *dimensions.values())):
                groups.setdefault((namespace, name), []).append(dimensions)
        rows = [_group(namespace, name, sets) for (namespace, name), sets in groups.items()]
        rows.sort(key=lambda row: (str(row.facts["namespace"]).startswith("AWS/"), row.name))
        return self.table(
            place,
            rows,
            empty="CloudWatch lists no such metric; it lists those that had points in the last two weeks",
            more=cut_short(told, _MOST_LISTED, "name a namespace"),
            most=200,
            console=_link(place),
        )


def _group(namespace: str, name: str, sets: list[dict[str, str]]) -> Row:
    names: list[JsonValue] = [*dict.fromkeys(each for dimensions in sets for each in dimensions)]
    return Row(
        name=name,
        facts={
            "namespace": namespace,
            "sets": len(sets),
            "dimensions": names or None,
            "example": written(max(sets, key=len)) or None,
            "usual_statistic": usual_statistic(namespace, name),
        },
    )


class Dashboards(Operation):
    """The dashboards of the account by name, lately changed ones first, with links."""

    kind: ClassVar[str] = "aws.cloudwatch.dashboards"
    service = "cloudwatch"
    calls = ("ListDashboards",)
    words = ("dashboards", "cloudwatch dashboards")
    scope = "account"

    name: str | None = Field(default=None, description="Part of the dashboard's name; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await place.gather("cloudwatch", "ListDashboards", "DashboardEntries", _MOST_DASHBOARDS)
        wanted = (self.name or "").casefold()
        mine = [each for each in told if wanted in str(each.get("DashboardName", "")).casefold()]
        mine.sort(key=lambda each: newest_first(each.get("LastModified")))
        rows = [
            Row(
                name=str(each.get("DashboardName", "?")),
                at=each.get("LastModified"),
                facts={"link": _link(place, f"dashboards/dashboard/{quote(str(each.get('DashboardName')), safe='')}")},
            )
            for each in mine
        ]
        more = cut_short(told, _MOST_DASHBOARDS, "name a part of it")
        return self.table(
            place, rows, empty="there is no such dashboard", more=more, console=_link(place, "dashboards")
        )


OPERATIONS = (ReadMetric, MetricMath, ListedMetrics, Dashboards)
