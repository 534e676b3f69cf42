"""Events: what ECS, RDS and Auto Scaling tell of by themselves."""

from datetime import timedelta

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, ORDERS_DB, Shop
from tests.providers.stand_in import StandIn


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
