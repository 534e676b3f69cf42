"""CloudFormation: stacks and change sets as moto has them; events and drift in the form of the service model."""

import json
from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.cloudformation import ChangeSets, StackDrift, StackEvents, Stacks
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

ARN = "arn:aws-us-gov:cloudformation:us-gov-west-1:1:stack/shop/1f"
TEMPLATE = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}}


def event(number: int, resource: str, status: str, reason: str = "", physical: str = "") -> dict[str, Any]:
    return {
        "StackId": ARN,
        "StackName": "shop",
        "EventId": f"e{number}",
        "LogicalResourceId": resource,
        "PhysicalResourceId": physical or resource,
        "ResourceType": "AWS::ECS::Service",
        "Timestamp": NOW - timedelta(minutes=30) + timedelta(seconds=number),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


FAILED = [
    event(0, "shop", "CREATE_COMPLETE", physical=ARN),
    event(1, "shop", "UPDATE_IN_PROGRESS", "User Initiated", ARN),
    event(2, "Api", "UPDATE_IN_PROGRESS"),
    event(3, "Api", "UPDATE_FAILED", "Resource handler returned: image not found"),
    event(4, "Worker", "UPDATE_FAILED", "Resource update cancelled"),
    event(5, "shop", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Api].", ARN),
]


async def test_stacks_in_trouble_come_first(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells(
        "cloudformation",
        "DescribeStacks",
        {
            "Stacks": [
                {"StackName": name, "StackStatus": status, "CreationTime": NOW, "StackStatusReason": "because"}
                for name, status in [
                    ("calm", "UPDATE_COMPLETE"),
                    ("busy", "UPDATE_IN_PROGRESS"),
                    ("broken", "UPDATE_ROLLBACK_FAILED"),
                ]
            ]
        },
    )
    result = await provider.ask(Stacks())
    assert [row.name for row in result.rows] == ["broken", "busy", "calm"]
    assert result.rows[0].facts["reason"] == "because"
    assert result.console is not None


async def test_stacks_are_found_by_a_part_of_their_name(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    for name in ("shop-orders", "billing"):
        shop.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {}}))
    result = await provider.ask(Stacks(name="SHOP"))
    assert [row.name for row in result.rows] == ["shop-orders"]
    assert (await provider.ask(Stacks(name="nope"))).status is Status.no_data


async def test_the_resource_that_failed_first_leads_the_events(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudformation", "DescribeStackEvents", {"StackEvents": FAILED[::-1]})
    result = await provider.ask(StackEvents(name="shop"))
    first, second = result.rows[:2]
    assert (first.name, first.facts["first_failure"]) == ("Api", True)
    assert "image not found" in str(first.facts["reason"])
    assert second.name == "Worker"
    assert "first_failure" not in second.facts
    assert not any(row.facts["status"] == "CREATE_COMPLETE" for row in result.rows)  # of the operation before
    assert "only the latest operation" in result.message


async def test_events_of_a_window(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudformation", "DescribeStackEvents", {"StackEvents": FAILED[::-1]})
    early = TimeWindow(start=NOW - timedelta(hours=2), end=NOW - timedelta(minutes=30) + timedelta(seconds=1))
    result = await provider.ask(StackEvents(name="shop", window=early))
    assert [row.facts["status"] for row in result.rows] == ["CREATE_COMPLETE"]
    later = TimeWindow(start=NOW - timedelta(minutes=5), end=NOW)
    assert (await provider.ask(StackEvents(name="shop", window=later))).status is Status.no_data


async def test_a_stack_that_is_not_there_is_no_data(aws: StandIn, provider: AwsProvider) -> None:
    """Against moto."""
    result = await provider.ask(StackEvents(name="gone"))
    assert result.status is Status.no_data
    assert "gone" in result.message


async def test_drift_shows_what_differs_without_secrets(aws: StandIn, provider: AwsProvider) -> None:
    difference = {"PropertyPath": "/Environment/DB_PASSWORD", "ExpectedValue": "alpha", "ActualValue": "bravo"}
    plain = {"PropertyPath": "/DesiredCount", "ExpectedValue": "4", "ActualValue": "1"}
    drifts = [
        {
            "StackId": ARN,
            "LogicalResourceId": "Api",
            "ResourceType": "AWS::ECS::Service",
            "StackResourceDriftStatus": "MODIFIED",
            "Timestamp": NOW,
            "PropertyDifferences": [{**each, "DifferenceType": "NOT_EQUAL"} for each in (difference, plain)],
        },
        {
            "StackId": ARN,
            "LogicalResourceId": "Queue",
            "ResourceType": "AWS::SQS::Queue",
            "StackResourceDriftStatus": "DELETED",
            "Timestamp": NOW,
        },
    ]
    aws.tells("cloudformation", "DescribeStackResourceDrifts", {"StackResourceDrifts": drifts})
    result = await provider.ask(StackDrift(name="shop"))
    assert [row.name for row in result.rows] == ["Queue", "Api"]
    shown = str(result.rows[1].facts["differences"])
    assert "4 → 1" in shown
    assert "alpha" not in shown
    assert "bravo" not in shown


async def test_drift_that_was_never_looked_for_is_not_in_sync(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudformation", "DescribeStackResourceDrifts", {"StackResourceDrifts": []})
    stack = {"StackName": "shop", "StackStatus": "CREATE_COMPLETE", "CreationTime": NOW}
    aws.tells("cloudformation", "DescribeStacks", {"Stacks": [stack]})
    result = await provider.ask(StackDrift(name="shop"))
    assert result.status is Status.no_data
    assert "never detected" in result.message


async def test_a_change_set_lists_what_it_would_do(shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    cloudformation = shop.client("cloudformation")
    cloudformation.create_change_set(
        StackName="shop", ChangeSetName="add-queue", ChangeSetType="CREATE", TemplateBody=json.dumps(TEMPLATE)
    )
    result = await provider.ask(ChangeSets(name="shop"))
    (row,) = result.rows
    assert row.name == "add-queue"
    assert row.facts["changes"] == ["Add Queue (AWS::SQS::Queue)"]


async def test_a_change_set_that_cannot_be_described_is_named(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.client("cloudformation").create_change_set(
        StackName="shop", ChangeSetName="add-queue", ChangeSetType="CREATE", TemplateBody=json.dumps(TEMPLATE)
    )
    told = "User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:DescribeChangeSet on resource: *"
    aws.refuses_xml("DescribeChangeSet", "AccessDenied", told, 403)
    result = await provider.ask(ChangeSets(name="shop"))
    assert result.status is Status.denied
    assert "cloudformation:DescribeChangeSet" in result.message
