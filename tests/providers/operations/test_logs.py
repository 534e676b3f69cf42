"""CloudWatch Logs: against moto; Logs Insights, of which moto knows only a little, in the form of the service model."""

import json
from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.logs import (
    InsightsQuery,
    LogGroups,
    LogGroupSetup,
    LogGroupsOf,
    LogTemplates,
    SearchGroup,
)
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

GROUP = "/ecs/checkout-api"


async def test_groups_with_retention_the_largest_first(shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["x"], group="/shop/grün")
    shop.logs(["x" * 1000] * 5, group="/shop/large")
    shop.client("logs").put_retention_policy(logGroupName="/shop/large", retentionInDays=14)
    result = await provider.ask(LogGroups(name="SHOP"))
    facts = {row.name: row.facts for row in result.rows}
    assert facts["/shop/large"]["retention_days"] == 14
    assert facts["/shop/grün"]["retention_days"] == "never expires"
    assert (await provider.ask(LogGroups(name="nope"))).status is Status.no_data


async def test_what_is_made_of_a_group(shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["x"])
    shop.client("logs").put_metric_filter(
        logGroupName=GROUP,
        filterName="errors",
        filterPattern='"ERROR"',
        metricTransformations=[{"metricName": "Errors", "metricNamespace": "Shop", "metricValue": "1"}],
    )
    result = await provider.ask(LogGroupSetup(name=GROUP))
    assert [row.name for row in result.rows] == [GROUP, "errors"]
    assert result.rows[1].facts["metrics"] == ["Shop Errors = 1"]
    assert (await provider.ask(LogGroupSetup(name="/ecs/checkout"))).message == "there is no log group /ecs/checkout"


async def test_a_part_of_the_setup_may_be_denied(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["x"])
    aws.refuses("DescribeSubscriptionFilters", "AccessDeniedException")
    result = await provider.ask(LogGroupSetup(name=GROUP))
    assert [row.name for row in result.rows] == [GROUP]
    assert "logs:DescribeSubscriptionFilters" in result.message


async def test_where_a_resource_logs_and_a_group_that_was_never_made(shop: Shop, provider: AwsProvider) -> None:
    shop.function()
    asked = LogGroupsOf(type=ResourceType.lambda_function, name="receipts")
    missing = await provider.ask(asked)
    assert [(row.name, row.facts) for row in missing.rows] == [("/aws/lambda/receipts", {"exists": False})]
    shop.logs(["x"], group="/aws/rds/instance/orders-db/postgresql")
    found = await provider.ask(LogGroupsOf(type=ResourceType.rds_instance, name="orders-db"))
    assert found.rows[0].name == "/aws/rds/instance/orders-db/postgresql"
    none = await provider.ask(LogGroupsOf(type=ResourceType.sqs_queue, name="orders"))
    assert none.message == "its configuration names no log group"


async def test_lines_with_words_newest_first(shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["ERROR one", "fine", "error two"])
    result = await provider.ask(SearchGroup(group=GROUP, any_of=("error",)))
    assert [row.name for row in result.rows] == ["error two", "ERROR one"]
    assert result.status is Status.ok
    nothing = await provider.ask(SearchGroup(group=GROUP, any_of=("boom",)))
    assert nothing.message == "no line has “boom” (3 lines read)"


async def test_lines_that_fit_a_pattern(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["ERROR one", "fine"])
    result = await provider.ask(SearchGroup(group=GROUP, pattern='"ERROR"'))
    assert [row.name for row in result.rows] == ["ERROR one"]
    patterns = [json.loads(call.body)["filterPattern"] for call in aws.asked("FilterLogEvents")]
    assert set(patterns) == {'"ERROR"'}
    missing = await provider.ask(SearchGroup(group="/none", pattern='"ERROR"'))
    assert missing.status is Status.no_data


def insight(*rows: dict[str, str], status: str = "Complete") -> dict[str, Any]:
    cells = [[{"field": field, "value": value} for field, value in row.items()] for row in rows]
    statistics = {"recordsMatched": 9, "recordsScanned": 500, "bytesScanned": 3_000_000_000}
    return {"status": status, "results": cells, "statistics": statistics}


async def test_a_query_says_what_it_scanned(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("StartQuery", {"queryId": "q"})
    line = {"@timestamp": "2026-03-01 10:00:00.000", "@message": "ERROR boom", "@ptr": "x", "n": "9"}
    aws.says("GetQueryResults", insight(line, {"bin(5m)": "2026-03-01 10:00:00.000", "n": "4"}))
    result = await provider.ask(InsightsQuery(groups=(GROUP, "/b"), query="stats count() as n by bin(5m)"))
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["ERROR boom", "2026-03-01 10:00:00.000"]
    assert result.rows[0].facts == {"n": "9"}
    assert result.rows[0].at is not None
    assert "500 events scanned, 3.00 GB, about 0.0150 USD" in result.where
    assert not aws.asked("StopQuery")


async def test_a_window_of_a_month_is_cut_to_its_last_week(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("StartQuery", {"queryId": "q"})
    aws.says("GetQueryResults", insight())
    month = TimeWindow(start=NOW - timedelta(days=30), end=NOW)
    result = await provider.ask(
        InsightsQuery(groups=("arn:aws-cn:logs:cn-north-1:1:log-group:x",), query="x", window=month)
    )
    assert result.status is Status.no_data
    asked = json.loads(aws.asked("StartQuery")[0].body)
    assert asked["endTime"] - asked["startTime"] == 7 * 86400 - 1
    assert "logGroupIdentifiers" in asked


async def test_a_query_that_cannot_be_read_or_fails_is_an_error(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("StartQuery", "MalformedQueryException", "unexpected symbol found ( at line 1")
    result = await provider.ask(InsightsQuery(groups=(GROUP,), query="stats ("))
    assert result.status is Status.error
    assert "unexpected symbol" in result.message
    aws.says("StartQuery", {"queryId": "q"})
    aws.says("GetQueryResults", insight(status="Failed"))
    failed = await provider.ask(InsightsQuery(groups=(GROUP,), query="x"))
    assert failed.status is Status.error
    assert "ended as failed" in failed.message


async def test_new_complaints_come_before_frequent_lines(shop: Shop, provider: AwsProvider) -> None:
    old = [f"GET /cart {index} ok" for index in range(40)] + ["ERROR retry 1", "ERROR retry 2", "ERROR retry 3"]
    new = [f"ERROR no connection to orders-db after {index} ms" for index in range(5)] + ["ERROR retry 4"]
    shop.logs(old, ago=timedelta(minutes=20))
    start = int((NOW - timedelta(minutes=8)).timestamp() * 1000)
    events = [{"timestamp": start + index, "message": line} for index, line in enumerate(new)]
    shop.client("logs").put_log_events(logGroupName=GROUP, logStreamName="app/1", logEvents=events)
    result = await provider.ask(LogTemplates(group=GROUP, since=NOW - timedelta(minutes=10)))
    first, second = result.rows[:2]
    assert "no connection to" in first.name
    assert (first.facts["new_complaint"], first.facts["before"], first.facts["after"]) == (True, 0, 5)
    assert second.name == "GET /cart <number> ok"
    assert "new_complaint" not in second.facts
    moment = NOW - timedelta(minutes=10)
    again = await provider.ask(LogTemplates(group=GROUP, since=moment, window=TimeWindow(start=moment, end=NOW)))
    assert again.rows[0].facts == first.facts  # what came before was read for comparison


async def test_templates_of_an_empty_group_and_of_a_denied_one(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.logs(["x"], ago=timedelta(hours=5))
    assert (await provider.ask(LogTemplates(group=GROUP))).status is Status.no_data
    aws.refuses("FilterLogEvents", "AccessDeniedException")
    denied = await provider.ask(LogTemplates(group="/other"))
    assert denied.status is Status.denied
    assert "logs:FilterLogEvents" in denied.message
