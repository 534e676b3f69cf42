"""AWS Health, in the form of the service model: moto does not have it."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.health import HealthEvents
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.stand_in import StandIn


def event(code: str, category: str, status: str = "open") -> dict[str, Any]:
    return {
        "arn": f"arn:aws:health:eu-west-1::event/{code}",
        "service": "RDS",
        "eventTypeCode": code,
        "eventTypeCategory": category,
        "region": "eu-west-1",
        "startTime": NOW - timedelta(hours=1),
        "lastUpdatedTime": NOW,
        "statusCode": status,
    }


async def test_open_issues_come_first_with_text_and_resources(aws: StandIn) -> None:
    issue, planned = event("RDS_ISSUE", "issue"), event("RDS_MAINTENANCE", "scheduledChange", "upcoming")
    aws.tells("health", "DescribeEvents", {"events": [planned, issue]})
    text = {"latestDescription": "We are  investigating\nincreased latencies."}
    aws.tells("health", "DescribeEventDetails", {"successfulSet": [{"event": issue, "eventDescription": text}]})
    entity = {"eventArn": issue["arn"], "entityValue": "orders-db"}
    aws.tells("health", "DescribeAffectedEntities", {"entities": [entity]})
    several = AwsProvider(AwsSettings(regions=("eu-west-1", "eu-central-1")), FixedClock())
    result = await several.ask(HealthEvents())
    assert [row.name for row in result.rows] == ["RDS_ISSUE", "RDS_MAINTENANCE"]
    assert result.rows[0].facts["description"] == "We are investigating increased latencies."
    assert result.rows[0].facts["affected"] == ["orders-db"]
    assert len(aws.asked("DescribeEvents")) == 1  # one place answers for all regions


async def test_without_the_support_plan_nobody_can_tell(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("DescribeEvents", "SubscriptionRequiredException", "subscription required")
    result = await provider.ask(HealthEvents())
    assert result.status is Status.error
    assert "support plan" in result.message


async def test_nothing_open_is_no_data_and_parts_may_be_denied(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("health", "DescribeEvents", {"events": [event("RDS_ISSUE", "issue")]})
    aws.refuses("DescribeEventDetails", "AccessDeniedException")
    aws.tells("health", "DescribeAffectedEntities", {"entities": []})
    result = await provider.ask(HealthEvents(region="eu-west-1", of_service="rds"))
    assert result.status is Status.truncated
    assert "health:DescribeEventDetails" in result.message
    assert '"RDS"' in aws.asked("DescribeEvents")[0].body
    aws.tells("health", "DescribeEvents", {"events": []})
    assert (await provider.ask(HealthEvents(closed=True))).status is Status.no_data


async def test_another_partition_is_asked_in_its_own_region(aws: StandIn) -> None:
    aws.tells("health", "DescribeEvents", {"events": []})
    china = AwsProvider(AwsSettings(regions=("cn-north-1",)), FixedClock())
    result = await china.ask(HealthEvents())
    assert result.status is Status.no_data
    assert "in cn-northwest-1" in result.where
    assert result.console is None


async def test_what_ended_lately_comes_besides_what_goes_on_however_old(aws: StandIn, provider: AwsProvider) -> None:
    answers = {}
    for status in ("open", "closed"):
        aws.tells("health", "DescribeEvents", {"events": [event(f"RDS_{status.upper()}", "issue", status)]})
        answers[status] = aws.answers["DescribeEvents"]
    aws.answers["DescribeEvents"] = lambda body: answers["closed" if '"closed"' in body else "open"](body)
    aws.tells("health", "DescribeEventDetails", {"successfulSet": []})
    aws.tells("health", "DescribeAffectedEntities", {"entities": []})
    result = await provider.ask(HealthEvents(closed=True))
    assert [row.name for row in result.rows] == ["RDS_OPEN", "RDS_CLOSED"]
    of_open, of_closed = (call.body for call in aws.asked("DescribeEvents"))
    assert "endTimes" in of_closed
    assert "lastUpdatedTimes" not in of_open
