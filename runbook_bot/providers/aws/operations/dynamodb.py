"""What can be asked of DynamoDB: tables with their capacity, who is throttled and why, and which keys are hot."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_TABLES = 100
_MOST_INSIGHTS = 6
_DAY = timedelta(days=1)
_DYNAMO = "AWS/DynamoDB"


def _consumed(way: str) -> tuple[Gauge, ...]:
    return (
        Gauge(f"{way.lower()}_peak_per_s", _DYNAMO, f"Consumed{way}CapacityUnits", "Sum", "peak", "per_second", True),
        Gauge(f"{way.lower()}s_throttled", _DYNAMO, f"{way}ThrottleEvents", "Sum", "total", "same", True),
    )


def _causes(way: str) -> tuple[Gauge, ...]:
    names = {
        "hot_partition": "KeyRangeThroughput",
        "provisioned_capacity": "ProvisionedThroughput",
        "on_demand_maximum": "MaxOnDemandThroughput",
        "account_limit": "AccountLimit",
    }
    return tuple(
        Gauge(f"{cause}:{way}", _DYNAMO, f"{way}{metric}ThrottleEvents", "Sum", "total", "same", True)
        for cause, metric in names.items()
    )


USE = (*_consumed("Read"), *_consumed("Write"))
_THROTTLES = (*USE, *_causes("Read"), *_causes("Write"))


def tables_link(place: Place, name: str | None) -> str:
    page = f"table?name={name}" if name else "tables"
    return f"https://{console_host(place.region)}/dynamodbv2/home?region={place.region}#{page}"


async def tables(place: Place, name: str | None) -> tuple[list[Answer], list[CallFailed], str]:
    """The descriptions of the table of that name, or of all; what failed; and what was left out."""
    if name is not None:
        return [await _table(place, name)], [], ""
    names = await place.gather("dynamodb", "ListTables", "TableNames", _MOST_TABLES + 1)
    read, failures = await for_each(names[:_MOST_TABLES], lambda each: _table(place, str(each)))
    more = f"only the first {_MOST_TABLES} tables were read; name one" if len(names) > _MOST_TABLES else ""
    return [table for _, table in read], failures, more


async def _table(place: Place, name: str) -> Answer:
    table: Answer = (await place.call("dynamodb", "DescribeTable", TableName=name)).get("Table") or {}
    if not table:
        raise CallFailed("missing", f"there is no table {name}", action="dynamodb:DescribeTable")
    return table


def on_demand(table: Answer) -> bool:
    return (table.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"


def capacity(table: Answer, told: Answer) -> tuple[float | None, float | None]:
    """Units a second for reads and writes of the table or of one of its indexes; None where there is no limit."""
    if on_demand(table):
        limits = told.get("OnDemandThroughput") or {}
        most = (limits.get("MaxReadRequestUnits"), limits.get("MaxWriteRequestUnits"))
    else:
        limits = told.get("ProvisionedThroughput") or {}
        most = (limits.get("ReadCapacityUnits"), limits.get("WriteCapacityUnits"))
    reads, writes = (float(each) if each is not None and each > 0 else None for each in most)
    return reads, writes


class Tables(Operation):
    """Tables with status, capacity mode, peak use against capacity, throttles, size, indexes and replicas."""

    kind: ClassVar[str] = "aws.dynamodb.tables"
    service = "dynamodb"
    calls = ("ListTables", "DescribeTable", *MEASURING)
    words = ("dynamodb tables", "tables", "table capacity", "dynamodb capacity")

    name: str | None = Field(default=None, description="Name of the table; none means all")
    window: TimeWindow | None = Field(default=None, description="When its use is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found, failures, more = await tables(place, self.name)
        asked = [Asked(_name(each), {"TableName": _name(each)}, USE) for each in found]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_row(each, levels[_name(each)], now) for each in found]
        rows.sort(key=lambda r: (r.facts["status"] == "ACTIVE", -_throttled(r), -_most_used(r), r.name))
        return self.table(
            place, rows, empty="DynamoDB has no table here", failures=[*failures, *unread], more=more,
            console=tables_link(place, self.name),
        )  # fmt: skip


def _name(table: Answer) -> str:
    return str(table.get("TableName", ""))


def _throttled(row: Row) -> float:
    parts = (row.facts.get("reads_throttled"), row.facts.get("writes_throttled"))
    return sum(float(each) for each in parts if isinstance(each, int | float))


def _most_used(row: Row) -> float:
    parts = (row.facts.get("read_percent"), row.facts.get("write_percent"))
    return max((float(each) for each in parts if isinstance(each, int | float)), default=-1.0)


def _used(table: Answer, told: Answer, levels: Levels) -> Json:
    reads, writes = capacity(table, told)
    return {
        "reads_throttled": levels.get("reads_throttled"),
        "writes_throttled": levels.get("writes_throttled"),
        "read_percent": share(levels.get("read_peak_per_s"), reads),
        "write_percent": share(levels.get("write_peak_per_s"), writes),
        "mode": "on demand" if on_demand(table) else "provisioned",
        "read_peak_per_s": levels.get("read_peak_per_s"),
        "read_capacity_per_s": reads,
        "write_peak_per_s": levels.get("write_peak_per_s"),
        "write_capacity_per_s": writes,
    }


def _row(table: Answer, levels: Levels, now: datetime) -> Row:
    indexes = table.get("GlobalSecondaryIndexes") or []
    return Row(
        name=_name(table),
        at=table.get("CreationDateTime"),
        facts={
            "status": table.get("TableStatus"),
            **_used(table, table, levels),
            "items": table.get("ItemCount"),
            "size_mib": rounded((table.get("TableSizeBytes") or 0) / 1024**2),
            "indexes": {str(each.get("IndexName")): each.get("IndexStatus") for each in indexes} or None,
            "replicas": {str(each.get("RegionName")): each.get("ReplicaStatus") for each in table.get("Replicas") or []}
            or None,
            "stream": (table.get("StreamSpecification") or {}).get("StreamViewType"),
            "deletion_protection": table.get("DeletionProtectionEnabled"),
        },
    )


class Throttles(Operation):
    """Throttled reads and writes of each table and index, why (hot partition, capacity, limit), and use of capacity."""

    kind: ClassVar[str] = "aws.dynamodb.throttles"
    service = "dynamodb"
    calls = ("ListTables", "DescribeTable", *MEASURING)
    words = ("dynamodb throttles", "throttled tables", "throttled writes", "throttled reads")

    name: str | None = Field(default=None, description="Name of the table; none means all, and only those throttled")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found, failures, more = await tables(place, self.name)
        parts = [
            (table, told, _name(table), str(told.get("IndexName", "")))
            for table in found
            for told in (table, *(table.get("GlobalSecondaryIndexes") or []))
        ]
        asked = [Asked(_subject(name, index), _dimensions(name, index), _THROTTLES) for _, _, name, index in parts]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [
            Row(
                name=_subject(name, index),
                facts={"by_cause": _by_cause(levels, name, index), **_used(table, told, levels[_subject(name, index)])},
            )
            for table, told, name, index in parts
        ]
        if self.name is None:
            rows = [row for row in rows if _throttled(row) > 0]
        rows.sort(key=lambda row: (-_throttled(row), -_most_used(row), row.name))
        empty = f"no request was throttled in this window, in {len(parts)} tables and indexes"
        return self.table(
            place, rows, empty=empty, failures=[*failures, *unread], more=more, console=tables_link(place, self.name)
        )


def _subject(name: str, index: str) -> str:
    return f"{name}/index/{index}" if index else name


def _dimensions(name: str, index: str) -> dict[str, str]:
    return {"TableName": name} | ({"GlobalSecondaryIndexName": index} if index else {})


def _by_cause(levels: dict[str, Levels], name: str, index: str) -> Json | None:
    causes: dict[str, float] = {}
    for fact, value in levels[_subject(name, index)].items():
        cause, _, way = fact.partition(":")
        if way and value:
            causes[cause] = causes.get(cause, 0.0) + value
    ordered: Json = {cause: rounded(causes[cause]) for cause in sorted(causes, key=lambda each: -causes[each])}
    return ordered or None


class HotKeys(Operation):
    """The most throttled and most accessed keys of a table and its indexes, where Contributor Insights is enabled."""

    kind: ClassVar[str] = "aws.dynamodb.hot_keys"
    service = "dynamodb"
    calls = ("ListContributorInsights", "DescribeContributorInsights", "cloudwatch:GetInsightRuleReport")
    words = ("hot partitions", "hot keys", "contributor insights", "most throttled keys")

    name: str = Field(description="Name of the table")
    window: TimeWindow | None = Field(default=None, description="When, at most a day; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        answer = await place.call("dynamodb", "ListContributorInsights", TableName=self.name)
        listed = answer.get("ContributorInsightsSummaries") or []
        enabled = [each for each in listed if each.get("ContributorInsightsStatus") == "ENABLED"]
        if not enabled:
            text = f"Contributor Insights is not enabled on table {self.name}; which of its keys are hot is not known"
            raise CallFailed("unsupported", text, action="dynamodb:ListContributorInsights")
        window = last(1, now, self.window)
        start = max(window.start, window.end - _DAY)
        rules, failures = await for_each(enabled[:_MOST_INSIGHTS], lambda each: _rules(place, self.name, each))
        named = [(index, rule) for _, found in rules for index, rule in found]
        reports, failed = await for_each(named, lambda each: _report(place, each[1], start, window.end))
        rows = [row for (index, rule), report in reports for row in _contributors(index, rule, report)]
        rows.sort(key=lambda row: (row.facts["what"] != "throttled", -_count(row)))
        told = ["only the last day of the window was read"] if start > window.start else []
        if answer.get("NextToken") or len(enabled) > _MOST_INSIGHTS:
            told.append(f"only {_MOST_INSIGHTS} of the table and its indexes were read")
        return self.table(
            place, rows, empty="no key was counted in this window", failures=few([*failures, *failed]),
            more="; ".join(told), console=tables_link(place, self.name),
        )  # fmt: skip


async def _rules(place: Place, name: str, told: Answer) -> list[tuple[str, str]]:
    index = str(told.get("IndexName") or "")
    named = {"TableName": name} | ({"IndexName": index} if index else {})
    answer = await place.call("dynamodb", "DescribeContributorInsights", **named)
    return [(index, str(rule)) for rule in answer.get("ContributorInsightsRuleList") or []]


async def _report(place: Place, rule: str, start: datetime, end: datetime) -> Answer:
    seconds = max(60, -(-int((end - start).total_seconds()) // 60) * 60)
    return await place.call(
        "cloudwatch", "GetInsightRuleReport", RuleName=rule, StartTime=start, EndTime=end, Period=min(seconds, 86400),
        MaxContributorCount=10, OrderBy="Sum",
    )  # fmt: skip


def _contributors(index: str, rule: str, report: Answer) -> Sequence[Row]:
    """A rule's name tells what it counts: PKC and SKC accesses by partition and sort key, PKT and SKT throttles."""
    letters = next((part for part in rule.split("-") if part in ("PKC", "PKT", "SKC", "SKT")), "")
    whole = report.get("AggregateValue")
    return [
        Row(
            name=one_line(" / ".join(str(key) for key in each.get("Keys") or []), 120) or "?",
            facts={
                "what": "throttled" if letters.endswith("T") else "accessed",
                "key": "partition and sort key" if letters.startswith("S") else "partition key",
                "count": rounded(float(each.get("ApproximateAggregateValue") or 0)),
                "percent_of_all": share(float(each.get("ApproximateAggregateValue") or 0), whole),
                "different_keys": report.get("ApproximateUniqueCount"),
                "index": index or None,
            },
        )
        for each in report.get("Contributors") or []
    ]


def _count(row: Row) -> float:
    value = row.facts["count"]
    return float(value) if isinstance(value, int | float) else 0.0


OPERATIONS = (Tables, Throttles, HotKeys)
