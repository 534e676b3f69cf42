"""Several sources of one change: told once, with the best what and the best who."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, RECEIPTS, Shop
from tests.providers.stand_in import StandIn
from tests.providers.timeline.trail import event, tell

AT = NOW - timedelta(minutes=20)
DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/"
SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/prod/checkout-api"
CARTS = Resource(type=ResourceType.dynamodb_table, name="carts")


def service(aws: StandIn, revision: str, at: datetime, **more: Any) -> None:
    told = {
        "serviceName": "checkout-api",
        "serviceArn": SERVICE,
        "status": "ACTIVE",
        "taskDefinition": DEFINITION + revision,
    }
    deployment = {
        "id": "ecs-svc/2",
        "status": "PRIMARY",
        "taskDefinition": DEFINITION + revision,
        "createdAt": at.timestamp(),
    }
    aws.says("DescribeServices", {"services": [{**told, "deployments": [deployment], **more}], "failures": []})


async def test_codedeploy_ecs_and_cloudtrail_tell_of_one_deployment(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto has no deployments of CodeDeploy; the answers are in the shape of its service model."""
    shop.revision("shop/checkout:2.4.0")
    new = shop.revision("shop/checkout:2.4.1")
    task_set = {"id": "ecs-svc/7", "status": "PRIMARY", "taskDefinition": DEFINITION + new}
    service(aws, new, AT, deployments=[], taskSets=[{**task_set, "createdAt": (AT + timedelta(minutes=1)).timestamp()}])
    answer = {"deploymentId": "d-1"}
    by_service = {"type": "AWSService", "invokedBy": "codedeploy.amazonaws.com"}
    request = {"cluster": "prod", "service": "checkout-api"}
    tell(
        aws,
        event("CreateDeployment", "codedeploy", AT, {"applicationName": "shop"}, id="t-1", responseElements=answer),
        event("CreateTaskSet", "ecs", AT + timedelta(minutes=1), request, id="t-2", who=by_service),
    )
    aws.says("ListDeployments", {"deployments": ["d-1"]})
    told = {
        "deploymentId": "d-1",
        "applicationName": "shop",
        "deploymentGroupName": "checkout",
        "status": "Stopped",
        "creator": "user",
        "createTime": AT.timestamp(),
        "completeTime": (AT + timedelta(minutes=9)).timestamp(),
        "rollbackInfo": {"rollbackDeploymentId": "d-2", "rollbackMessage": "an alarm was in alarm"},
    }
    aws.says("BatchGetDeployments", {"deploymentsInfo": [told]})
    aws.says("ListDeploymentTargets", {"targetIds": ["prod:checkout-api"]})
    target = {"deploymentTargetType": "ECSTarget", "ecsTarget": {"targetId": "prod:checkout-api", "targetArn": SERVICE}}
    aws.says("BatchGetDeploymentTargets", {"deploymentTargets": [target]})
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert change.before["image"] == "shop/checkout:2.4.0"
    assert change.actor == "rosa (via SSO role Admin)"
    assert "rolled back by d-2 (an alarm was in alarm)" in change.summary
    assert {"ecs-svc/7", "d-1", "t-1", "t-2"} <= set(change.reference.split(", "))


async def test_a_stack_that_was_rolled_back_says_why_and_whose_it_was(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto's stacks do not fail; the events are in the shape of CloudFormation's."""
    shop.revision("shop/checkout:2.4.0")
    service(aws, shop.revision("shop/checkout:2.4.1"), AT)
    by_stack = {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::1:assumed-role/deployer/ada",
        "invokedBy": "cloudformation.amazonaws.com",
    }
    request = {"cluster": "prod", "service": "checkout-api", "taskDefinition": "checkout-api:2"}
    tell(
        aws,
        event("UpdateStack", "cloudformation", AT - timedelta(minutes=1), {"stackName": "shop"}),
        event("UpdateService", "ecs", AT, request, who=by_stack),
    )

    def line(status: str, minutes: int, why: str = "") -> str:
        at = (AT + timedelta(minutes=minutes)).isoformat()
        return (
            f"<member><EventId>e{minutes}</EventId><StackName>shop</StackName><LogicalResourceId>Service</LogicalResourceId>"
            f"<PhysicalResourceId>{SERVICE}</PhysicalResourceId><ResourceType>AWS::ECS::Service</ResourceType>"
            f"<Timestamp>{at}</Timestamp><ResourceStatus>{status}</ResourceStatus>"
            f"<ResourceStatusReason>{why}</ResourceStatusReason></member>"
        )

    events = line("UPDATE_FAILED", 5, "did not stabilize") + line("UPDATE_IN_PROGRESS", 0)
    inner = f"<DescribeStackEventsResult><StackEvents>{events}</StackEvents></DescribeStackEventsResult>"
    aws.breaks("DescribeStackEvents", 200, f"<DescribeStackEventsResponse>{inner}</DescribeStackEventsResponse>")
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert change.kind == "deployment"
    assert change.actor == "deployer/ada, by CloudFormation"
    assert "stack shop: AWS::ECS::Service Service UPDATE_FAILED (did not stabilize)" in change.summary
    assert change.after["image"] == "shop/checkout:2.4.1"


async def test_autoscaling_is_told_as_an_answer_and_only_once(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    service(aws, "checkout-api:1", NOW - timedelta(days=9))
    role = "arn:aws:sts::1:assumed-role/AWSServiceRoleForApplicationAutoScaling_ECSService/AutoScaling-UpdateService"
    request = {"cluster": "prod", "service": "checkout-api", "desiredCount": 6}
    tell(aws, event("UpdateService", "ecs", AT, request, who={"type": "AssumedRole", "arn": role}))
    activity = {
        "ActivityId": "a-1",
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/checkout-api",
        "ScalableDimension": "ecs:service:DesiredCount",
        "Description": "Setting desired count to 6.",
        "Cause": "monitor alarm busy in state ALARM triggered policy cpu",
        "StartTime": AT.timestamp(),
        "StatusCode": "Successful",
    }
    aws.says(
        "DescribeScalingActivities",
        {"ScalingActivities": [activity, {**activity, "ResourceId": "service/test/checkout-api"}]},
    )
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert (change.actor, change.after, change.automatic) == ("Application Auto Scaling", {"desired_count": "6"}, True)
    assert "monitor alarm busy" in change.summary


@pytest.mark.parametrize(
    ("parameters", "after"),
    [
        (
            {"provisionedThroughput": {"readCapacityUnits": 5, "writeCapacityUnits": 5}},
            {"read_capacity": "5", "write_capacity": "5"},
        ),
        ({"billingMode": "PAY_PER_REQUEST"}, {"billing_mode": "PAY_PER_REQUEST"}),
    ],
)
async def test_a_table_s_new_capacity(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, parameters: dict[str, Any], after: dict[str, str]
) -> None:
    tell(aws, event("UpdateTable", "dynamodb", AT, {"tableName": "carts", **parameters}))
    aws.says("DescribeTable", {"Table": {"TableName": "carts", "TableStatus": "ACTIVE"}})
    result = await provider.ask(ListChanges(resources=(CARTS,), window=window))
    (change,) = result.changes
    assert (change.kind, change.before, change.after) == ("scaling", {}, after)


async def test_without_cloudtrail_the_table_says_when_it_was_lowered(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.refuses("LookupEvents", "AccessDeniedException", "no")
    throughput = {"LastDecreaseDateTime": AT.timestamp(), "ReadCapacityUnits": 5, "WriteCapacityUnits": 1}
    aws.says("DescribeTable", {"Table": {"TableName": "carts", "ProvisionedThroughput": throughput}})
    result = await provider.ask(ListChanges(resources=(CARTS,), window=window))
    assert result.status is Status.truncated
    assert [c.summary for c in result.changes] == ["the capacity of carts was lowered; now 5 read and 1 write units"]
    assert "cloudtrail:LookupEvents" in result.message


async def test_an_alias_that_shifts_its_weights(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    request = {
        "functionName": "receipts",
        "name": "live",
        "functionVersion": "7",
        "routingConfig": {"additionalVersionWeights": {"8": 0.1}},
    }
    tell(aws, event("UpdateAlias20150331", "lambda", AT, request))
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    (change,) = result.changes
    assert (change.kind, change.after) == ("deployment", {"alias live": "7", "alias live weight of 8": "0.1"})
