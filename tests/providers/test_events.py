"""Events: what ECS, RDS and Auto Scaling tell of by themselves."""

import json
from datetime import timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, ORDERS_DB, Shop
from tests.providers.stand_in import Answer, StandIn


async def test_service_events_and_stopped_tasks_with_reason_and_exit_code(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto never has events and never tasks of Fargate services, so these are in the shape of AWS's own answers."""
    at = NOW - timedelta(minutes=10)
    events = [
        {"id": "2", "createdAt": at.timestamp(), "message": "(service checkout-api) has started 1 tasks: (task 7)."},
        {"id": "1", "createdAt": (at - timedelta(days=1)).timestamp(), "message": "long ago"},
    ]
    aws.says("DescribeServices", {"services": [{"serviceName": "checkout-api", "status": "ACTIVE", "events": events}]})
    aws.says("ListTasks", {"taskArns": ["arn:aws:ecs:us-east-1:1:task/prod/abc"]})
    task = {
        "taskArn": "arn:aws:ecs:us-east-1:1:task/prod/abc",
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/checkout-api:42",
        "stoppedAt": (at + timedelta(minutes=1)).timestamp(),
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [
            {"name": "app", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}
        ],
    }
    aws.says("DescribeTasks", {"tasks": [task]})
    result = await provider.ask(ListEvents(resource=CHECKOUT, window=window))
    assert [line.text for line in result.lines] == [
        "(service checkout-api) has started 1 tasks: (task 7).",
        "task abc (checkout-api:42) stopped: EssentialContainerExited; Essential container in task exited; "
        "container app exit code 137 (OutOfMemoryError: Container killed due to memory usage)",
    ]


def _stopped(name: str, **more: object) -> dict[str, object]:
    return {
        "taskArn": f"arn:aws:ecs:us-east-1:1:task/prod/{name}-1",
        "group": f"service:{name}",
        "stoppedAt": NOW.timestamp() - 60,
        "stoppedReason": f"{name} has ended",
        **more,
    }


async def test_the_stopped_tasks_of_a_cluster_are_listed_once_for_all_its_services(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListTasks", {"taskArns": ["a", "b"]})
    aws.says("DescribeTasks", {"tasks": [_stopped("checkout-api"), _stopped("pricing-api")]})
    pricing = CHECKOUT.model_copy(update={"name": "pricing-api"})
    results = [await provider.ask(ListEvents(resource=each, window=window)) for each in (CHECKOUT, pricing)]
    assert [[line.text.partition(": ")[2] for line in each.lines] for each in results] == [
        ["checkout-api has ended"],
        ["pricing-api has ended"],
    ]
    assert len(aws.asked("ListTasks")) == len(aws.asked("DescribeTasks")) == 1


@pytest.mark.parametrize("reason", ["many", "unnamed", "refused"])
async def test_where_a_cluster_cannot_be_told_at_once_the_service_is_asked_for(
    reason: str, aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """It has more stopped tasks than one call lists; they do not say whose they were; or a name has to be given."""

    def listed(body: str) -> Answer:
        if "serviceName" in body:
            return Answer(200, b'{"taskArns": ["mine"]}')
        if reason == "refused":
            return Answer(400, b'{"__type": "InvalidParameterException", "message": "serviceName is missing"}')
        more = {"nextToken": "more"} if reason == "many" else {}
        return Answer(200, json.dumps({"taskArns": ["theirs", "mine"], **more}).encode())

    def described(body: str) -> Answer:
        named = [_stopped(each, group=None if reason == "unnamed" else each) for each in json.loads(body)["tasks"]]
        return Answer(200, json.dumps({"tasks": named}).encode())

    aws.answers["ListTasks"], aws.answers["DescribeTasks"] = listed, described
    result = await provider.ask(ListEvents(resource=CHECKOUT, window=window))
    assert [line.text.partition(": ")[2] for line in result.lines] == ["mine has ended"]


async def test_one_half_that_cannot_be_read_is_named_beside_the_other(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    at = NOW.timestamp() - 60
    told = {"serviceName": "checkout-api", "status": "ACTIVE", "events": [{"createdAt": at, "message": "steady state"}]}
    aws.says("DescribeServices", {"services": [told]})
    aws.breaks("ListTasks")
    result = await provider.ask(ListEvents(resource=CHECKOUT, window=window))
    assert [line.text for line in result.lines] == ["steady state"]
    assert "ListTasks" in result.message


async def test_a_service_deleted_meanwhile_is_no_data(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    aws.says("DescribeServices", {"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]})
    aws.refuses("ListTasks", "ServiceNotFoundException", "Service not found.")
    result = await provider.ask(ListEvents(resource=CHECKOUT, window=window))
    assert result.status is Status.no_data
    assert "there is no ECS service checkout-api in cluster prod" in result.message


async def test_a_reboot_is_an_event_of_the_database(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    """Moto tells of snapshots only; and stand-ins may ignore whose events were asked for."""
    event = (
        "<Event><SourceIdentifier>{}</SourceIdentifier><Message>DB instance restarted</Message>"
        "<EventCategories><EventCategory>availability</EventCategory></EventCategories><Date>{}</Date></Event>"
    )
    at = NOW - timedelta(minutes=4)
    told = "".join(event.format(name, at.isoformat()) for name in ("orders-db", "other-db"))
    told += event.format("orders-db", (at - timedelta(days=2)).isoformat())
    inner = f"<DescribeEventsResult><Events>{told}</Events></DescribeEventsResult>"
    aws.breaks("DescribeEvents", 200, f"<DescribeEventsResponse>{inner}</DescribeEventsResponse>")
    result = await provider.ask(ListEvents(resource=ORDERS_DB, window=window))
    assert [(line.at, line.text, line.stream) for line in result.lines] == [
        (at, "DB instance restarted", "availability")
    ]


async def test_a_stretch_of_what_was_just_read_is_not_asked_for_again(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.database()
    inner = window.model_copy(update={"start": window.start + timedelta(minutes=20)})
    outer = window.model_copy(update={"start": window.start - timedelta(minutes=20)})
    for each, asked in ((window, 1), (inner, 1), (outer, 2)):
        await provider.ask(ListEvents(resource=ORDERS_DB, window=each))
        assert len([call for call in aws.asked("DescribeEvents") if "/rds/" in call.signed]) == asked


async def test_scaling_activities_are_empty_in_moto(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    group = Resource(type=ResourceType.autoscaling_group, name="workers")
    result = await provider.ask(ListEvents(resource=group, window=window))
    assert result.status is Status.no_data


async def test_scaling_activities_are_told_with_their_cause(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    at = (NOW - timedelta(minutes=3)).isoformat()
    activity = (
        "<member><ActivityId>a</ActivityId><AutoScalingGroupName>workers</AutoScalingGroupName>"
        f"<Cause>an alarm</Cause><Description>Launching i-1</Description><StartTime>{at}</StartTime>"
        "<StatusCode>Failed</StatusCode><StatusMessage>no capacity</StatusMessage></member>"
    )
    inner = f"<DescribeScalingActivitiesResult><Activities>{activity}</Activities></DescribeScalingActivitiesResult>"
    xml = f"<DescribeScalingActivitiesResponse>{inner}</DescribeScalingActivitiesResponse>"
    aws.breaks("DescribeScalingActivities", 200, xml)
    group = Resource(type=ResourceType.autoscaling_group, name="workers")
    result = await provider.ask(ListEvents(resource=group, window=window))
    assert [(line.text, line.stream) for line in result.lines] == [("Launching i-1; an alarm; no capacity", "Failed")]
