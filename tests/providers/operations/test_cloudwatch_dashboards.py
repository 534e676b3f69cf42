"""What is on a dashboard, against moto, which keeps what it is given."""

import json
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.cloudwatch_dashboards import Dashboard
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout-5xx"


def _put(shop: Shop, *widgets: Any) -> None:
    body = json.dumps({"widgets": [{"x": 0, "y": 0, "width": 6, "height": 6, **each} for each in widgets]})
    shop.client("cloudwatch").put_dashboard(DashboardName="shop", DashboardBody=body)


async def test_each_widget_in_words(shop: Shop, provider: AwsProvider) -> None:
    lines = [
        ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "orders", {"stat": "Sum"}],
        [".", "NumberOfMessagesDeleted", ".", "."],
        ["...", "payments"],
        [{"expression": "m1/m2", "label": "share"}],
    ]
    _put(
        shop,
        {"type": "metric", "properties": {"title": "Queues", "metrics": lines, "period": 300, "region": "eu-west-1"}},
        {"type": "alarm", "properties": {"alarms": [ALARM]}},
        {"type": "log", "properties": {"title": "Errors", "query": "SOURCE '/ecs/shop' | filter @message like /ERR/"}},
        {"type": "text", "properties": {"markdown": "see password=hunter2x"}},
    )
    result = await provider.ask(Dashboard(name="shop"))
    assert result.status is Status.ok, result.message
    queues, alarms, errors, text = result.rows
    assert queues.name == "Queues"
    assert queues.facts["metrics"] == [
        "AWS/SQS NumberOfMessagesSent {QueueName=orders}",
        "AWS/SQS NumberOfMessagesDeleted {QueueName=orders}",
        "AWS/SQS NumberOfMessagesDeleted {QueueName=payments}",
        "m1/m2",
    ]
    assert (queues.facts["period_s"], queues.facts["region"]) == (300, "eu-west-1")
    assert (alarms.name, alarms.facts["alarms"]) == ("widget 2", ["checkout-5xx"])
    assert "filter @message" in str(errors.facts["text"])
    assert "hunter2x" not in str(text.facts)


async def test_no_such_dashboard_and_one_that_is_none(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    gone = await provider.ask(Dashboard(name="gone"))
    assert gone.status is Status.no_data
    aws.tells("cloudwatch", "GetDashboard", {"DashboardBody": "no json"})
    odd = await provider.ask(Dashboard(name="odd"))
    assert (odd.status, odd.message) == (Status.error, "what the dashboard is made of cannot be read")
    aws.tells("cloudwatch", "GetDashboard", {"DashboardBody": '{"widgets": [1, {"properties": {"metrics": [["."]]}}]}'})
    empty = await provider.ask(Dashboard(name="other"))
    assert [row.name for row in empty.rows] == ["widget 1"]
