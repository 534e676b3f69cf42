"""What can be asked of CloudWatch Logs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from pydantic import Field, JsonValue

from runbook_bot.analysis.templates import Template, novel, templates
from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine, Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result, SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host, console_link
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.log_groups import log_groups
from runbook_bot.providers.aws.log_lines import Lines, matcher
from runbook_bot.providers.aws.logs import search_logs
from runbook_bot.providers.aws.logs_insights import MOST_GROUPS, moment_of, run_query
from runbook_bot.providers.aws.operations.listing import cut_short
from runbook_bot.providers.aws.operations.operation import Operation, Patience
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place

_MOST_GROUPS = 3000
_MOST_FILTERS = 200
_LONGEST = timedelta(days=7)
_SHOWN_LINES = 100
_LINE_PAGES = 6
_TEMPLATE_LINES = 10_000
_MIB = 1024 * 1024


def _link(place: Place, group: str = "") -> str | None:
    if group:
        return console_link(Resource(type=ResourceType.log_group, name=group), place.region)
    return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#logsV2:log-groups"


class LogGroups(Operation):
    """Log groups with what they store, for how long and what is derived from them, the largest first."""

    kind: ClassVar[str] = "aws.logs.groups"
    service = "logs"
    calls = ("DescribeLogGroups",)
    words = ("log groups", "which logs", "log retention", "largest logs", "logs that never expire")

    name: str | None = Field(default=None, description="Part of the group's name; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await place.gather("logs", "DescribeLogGroups", "logGroups", _MOST_GROUPS)
        wanted = (self.name or "").casefold()
        mine = [each for each in told if wanted in str(each.get("logGroupName", "")).casefold()]
        mine.sort(key=lambda each: -int(each.get("storedBytes") or 0))
        return self.table(
            place,
            [_group(each) for each in mine],
            empty="there is no such log group",
            more=cut_short(told, _MOST_GROUPS, "name a part of it"),
            console=_link(place),
        )


def _group(told: Answer) -> Row:
    created = told.get("creationTime")
    return Row(
        name=str(told.get("logGroupName", "?")),
        at=datetime.fromtimestamp(created / 1000, UTC) if isinstance(created, int) else None,
        facts={
            "stored_mib": round(int(told.get("storedBytes") or 0) / _MIB, 1),
            "retention_days": told.get("retentionInDays") or "never expires",
            "class": told.get("logGroupClass"),
            "metric_filters": told.get("metricFilterCount") or None,
            "encrypted_with_own_key": bool(told.get("kmsKeyId")) or None,
        },
    )


class LogGroupSetup(Operation):
    """How one log group is set up: retention, metric filters with their patterns, and where its lines are sent."""

    kind: ClassVar[str] = "aws.logs.group"
    service = "logs"
    calls = ("DescribeLogGroups", "DescribeMetricFilters", "DescribeSubscriptionFilters")
    words = ("metric filters", "subscription filters", "log group setup", "where do logs go")

    name: str = Field(description="Name of the log group")

    async def answer(self, place: Place, now: datetime) -> Result:
        parts = Parts()
        told = await place.gather("logs", "DescribeLogGroups", "logGroups", 50, logGroupNamePrefix=self.name)
        group = next((each for each in told if each.get("logGroupName") == self.name), None)
        if group is None:
            return self.table(place, [], empty=f"there is no log group {self.name}", console=_link(place))
        which = {"logGroupName": self.name}
        metrics, subscriptions = await asyncio.gather(
            parts.get(place.gather("logs", "DescribeMetricFilters", "metricFilters", _MOST_FILTERS, **which), []),
            parts.get(
                place.gather("logs", "DescribeSubscriptionFilters", "subscriptionFilters", _MOST_FILTERS, **which), []
            ),
        )
        rows = [_group(group), *(_metric_filter(each) for each in metrics), *(_subscription(s) for s in subscriptions)]
        return self.table(place, rows, empty="", failures=parts.failures, console=_link(place, self.name))


def _metric_filter(told: Answer) -> Row:
    metrics: list[JsonValue] = [
        f"{each.get('metricNamespace')} {each.get('metricName')} = {each.get('metricValue')}"
        for each in told.get("metricTransformations") or []
    ]
    return Row(
        name=str(told.get("filterName", "?")),
        facts={"what": "metric filter", "pattern": told.get("filterPattern") or "every line", "metrics": metrics},
    )


def _subscription(told: Answer) -> Row:
    return Row(
        name=str(told.get("filterName", "?")),
        facts={
            "what": "subscription",
            "pattern": told.get("filterPattern") or "every line",
            "destination": told.get("destinationArn"),
            "distribution": told.get("distribution"),
        },
    )


class LogGroupsOf(Operation):
    """The log groups that one resource writes to, as its own configuration says."""

    kind: ClassVar[str] = "aws.logs.of_resource"
    service = "logs"
    calls = (
        "DescribeLogGroups",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "lambda:GetFunctionConfiguration",
    )
    words = ("where does it log", "logs of service", "log group of", "which log group")

    type: ResourceType = Field(description="Type of the resource, e.g. ecs_service, lambda_function, rds_instance")
    name: str = Field(description="Name of the resource")
    cluster: str | None = Field(default=None, description="Cluster, of an ECS service")

    async def answer(self, place: Place, now: datetime) -> Result:
        names = await log_groups(place, Resource(type=self.type, name=self.name, cluster=self.cluster))

        async def look(name: str) -> Answer:
            told = await place.gather("logs", "DescribeLogGroups", "logGroups", 50, logGroupNamePrefix=name)
            return next((each for each in told if each.get("logGroupName") == name), {})

        parts = Parts()
        found = dict(await parts.each(names, look))
        rows = [
            _group(found[name])
            if found.get(name)
            else Row(name=name, facts={"exists": False if name in found else None})
            for name in names
        ]
        return self.table(
            place, rows, empty="its configuration names no log group", failures=parts.failures, console=_link(place)
        )


class SearchGroup(Operation):
    """Lines of one log group that fit a filter pattern of CloudWatch Logs or have one of some words, newest first."""

    kind: ClassVar[str] = "aws.logs.search"
    service = "logs"
    calls = ("FilterLogEvents", "StartQuery", "GetQueryResults", "StopQuery")
    words = ("search logs", "find in logs", "log lines", "grep logs", "tail logs")

    group: str = Field(description="Name of the log group")
    any_of: tuple[str, ...] = Field(default=(), description="Words or phrases, one of which must occur, in any case")
    pattern: str | None = Field(
        default=None, description='Filter pattern instead of words, e.g. { $.status = 500 } or "ERROR" -"healthcheck"'
    )
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(1, now, self.window)
        if self.pattern:
            lines, more = await _fitting(place, self.group, self.pattern, window)
            return self._shown(place, lines, "no line fits the pattern", more)
        resource = Resource(type=ResourceType.log_group, name=self.group)
        found = await search_logs(place, SearchLogs(resource=resource, window=window, any_of=self.any_of))
        if not found.lines:
            return found.model_copy(update={"source": self.source, "asked": self.request()})
        return self._shown(place, found.lines, found.message, found.message)

    def _shown(self, place: Place, lines: Sequence[LogLine], empty: str, more: str) -> Result:
        newest = sorted(lines, key=lambda line: line.at, reverse=True)
        rows = [
            Row(name=one_line(line.text, 600), at=line.at, facts={"stream": line.stream or None}) for line in newest
        ]
        link = _link(place, self.group)
        return self.table(place, rows, empty=empty, more=more, most=_SHOWN_LINES, console=link)


async def _fitting(place: Place, group: str, pattern: str, window: TimeWindow) -> tuple[list[LogLine], str]:
    """The newest lines are at the end: quarters of the window are read from the back until there are enough."""
    found = Lines()
    pages, more = 0, ""
    quarter = window.length / 4
    for index in range(3, -1, -1):
        start, end = window.start + index * quarter, window.start + (index + 1) * quarter
        span = {"startTime": int(start.timestamp() * 1000), "endTime": int(end.timestamp() * 1000) - 1}
        request = {"logGroupName": group, "filterPattern": pattern, **span}
        async for page in place.pages("logs", "FilterLogEvents", **request):
            await asyncio.to_thread(found.take, page.get("events") or [], matcher(()))
            pages += 1
            if page.get("nextToken") and pages >= _LINE_PAGES:
                more = f"{found.scanned} fitting lines were read, not all of the window; name a shorter one"
                break
        if more or (index and len(found.lines) >= _SHOWN_LINES):
            return found.lines, more or "earlier lines of the window were not read"
    return found.lines, more


class InsightsQuery(Operation):
    """A Logs Insights query over log groups, stopped in time; says what it scanned and about what that costs."""

    kind: ClassVar[str] = "aws.logs.query"
    service = "logs"
    calls = ("StartQuery", "GetQueryResults", "StopQuery")
    patience = Patience(25.0)
    words = ("logs insights", "log query", "count log lines", "group log lines", "statistics of logs")

    groups: tuple[str, ...] = Field(
        description="Names of the log groups, at most 50", min_length=1, max_length=MOST_GROUPS
    )
    query: str = Field(
        description="E.g. filter @message like /(?i)timeout/ | stats count() as n by bin(5m) | sort n desc"
    )
    window: TimeWindow | None = Field(
        default=None, description="From when to when, at most a week; none: the last hour"
    )
    limit: int = Field(default=200, ge=1, le=1000, description="Rows at most")

    async def answer(self, place: Place, now: datetime) -> Result:
        asked = last(1, now, self.window)
        cut = asked.length > _LONGEST
        window = TimeWindow(start=asked.end - _LONGEST, end=asked.end) if cut else asked
        seconds = self.patience.seconds
        found = await run_query(place, self.groups, self.query, window, limit=self.limit, seconds=seconds)
        told = ["only the last week of the window was asked for: data scanned is paid for"] if cut else []
        if not found.complete:
            told.append(f"the query was stopped after {seconds:g} s: these are part of the rows")
        if found.matched > len(found.rows) >= self.limit:
            told.append(f"{found.matched} lines matched")
        rows = [_answer(each) for each in found.rows]
        empty = "no line fits the query in this window"
        result = self.table(place, rows, empty=empty, more="; ".join(told), most=self.limit, console=self._page(place))
        return result.model_copy(update={"where": f"{result.where} ({found.cost})"})

    def _page(self, place: Place) -> str:
        return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#logsV2:logs-insights"


def _answer(cells: dict[str, str]) -> Row:
    """A line is named by its message, a group of lines by what it is grouped by: the first cell."""
    at = moment_of(cells.get("@timestamp", ""))
    name = cells.get("@message") or next(iter(cells.values()), "?")
    facts: dict[str, JsonValue] = {
        field: one_line(value, 500) for field, value in cells.items() if field not in ("@timestamp", "@message")
    }
    return Row(name=one_line(name, 600), at=at, facts=facts)


class LogTemplates(Operation):
    """The kinds of line in a log group, new complaints first, then the most frequent, before and after a moment."""

    kind: ClassVar[str] = "aws.logs.templates"
    service = "logs"
    calls = ("FilterLogEvents", "StartQuery", "GetQueryResults", "StopQuery")
    words = (
        "log patterns",
        "log templates",
        "new errors in logs",
        "most frequent log lines",
        "what is new in the logs",
    )

    group: str = Field(description="Name of the log group")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")
    since: datetime | None = Field(
        default=None,
        description="The moment that before and after are told by; none: the onset or middle of the window",
    )

    async def answer(self, place: Place, now: datetime) -> Result:
        window, moment = self._split(now)
        resource = Resource(type=ResourceType.log_group, name=self.group)
        query = SearchLogs(resource=resource, window=window.with_onset(moment), limit=_TEMPLATE_LINES)
        found = await search_logs(place, query)
        if found.status in (Status.denied, Status.error) or not found.lines:
            return found.model_copy(update={"source": self.source, "asked": self.request()})
        before = (moment - window.start).total_seconds() / 60
        after = (window.end - moment).total_seconds() / 60
        kinds, fresh = await asyncio.to_thread(_kinds, found.lines, moment.timestamp(), before, after)
        rows = [_kind(each, each.text in fresh) for each in kinds]
        rows.sort(key=lambda row: (not row.facts["new_complaint"], -int(str(row.facts["times"]))))
        shown = [
            row.model_copy(update={"facts": {k: v for k, v in row.facts.items() if v is not False}}) for row in rows
        ]
        more = found.message if found.status is Status.truncated else ""
        return self.table(place, shown, empty="", more=more, console=_link(place, self.group))

    def _split(self, now: datetime) -> tuple[TimeWindow, datetime]:
        """The window with as much before the moment as after it, where the moment is where the window begins."""
        window = last(1, now, self.window)
        moment = utc(self.since) if self.since else window.onset or window.start + window.length / 2
        if not moment < window.end:
            return window, window.start + window.length / 2
        if moment - window.start < window.length / 10:
            window = TimeWindow(start=moment - (window.end - moment), end=window.end)
        return window, moment


def _kinds(
    lines: Sequence[LogLine], moment: float, before: float, after: float
) -> tuple[list[Template], frozenset[str]]:
    found = templates(lines, moment)
    fresh = novel(found, before_minutes=before, after_minutes=after)
    return found, frozenset(each.text for each in fresh)


def _kind(told: Template, fresh: bool) -> Row:
    return Row(
        name=one_line(told.text, 300),
        facts={
            "new_complaint": fresh,
            "times": told.before + told.after,
            "before": told.before,
            "after": told.after,
            "complains": told.trouble,
            "example": one_line(told.exemplar, 400),
        },
    )


OPERATIONS = (LogGroups, LogGroupSetup, LogGroupsOf, SearchGroup, InsightsQuery, LogTemplates)
