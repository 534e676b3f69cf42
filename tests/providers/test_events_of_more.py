"""Events of caches, clusters, functions, machines, targets and Kubernetes, and what AWS Health adds to them."""

from datetime import timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Result, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.events.listing import EVENTFUL, LINES
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.shop import CHECKOUT_GROUP, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import StandIn

AT = NOW - timedelta(minutes=9)
CACHE = Resource(type=ResourceType.elasticache_cluster, name="sessions")
AURORA = Resource(type=ResourceType.rds_cluster, name="orders")
MACHINE = Resource(type=ResourceType.ec2_instance, name="i-0123456789abcdef0")
EKS = Resource(type=ResourceType.eks_cluster, name="prod")


def texts(result: Result) -> list[str]:
    return [line.text for line in result.lines]


async def test_a_cache_that_failed_over(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    """Moto has no events of ElastiCache; the answers are in the shape of its query protocol."""
    members = "<MemberClusters><ClusterId>sessions-001</ClusterId></MemberClusters>"
    group = f"<ReplicationGroups><ReplicationGroup>{members}</ReplicationGroup></ReplicationGroups>"
    inner = f"<DescribeReplicationGroupsResult>{group}</DescribeReplicationGroupsResult>"
    aws.breaks(
        "DescribeReplicationGroups",
        200,
        f"<DescribeReplicationGroupsResponse>{inner}</DescribeReplicationGroupsResponse>",
    )
    event = "<Event><SourceIdentifier>{}</SourceIdentifier><Message>{}</Message><Date>{}</Date></Event>"
    told = event.format("sessions-001", "Failover from sessions-001 to sessions-002 completed", AT.isoformat())
    told += event.format("others-001", "Failover", AT.isoformat())
    inner = f"<DescribeEventsResult><Events>{told}</Events></DescribeEventsResult>"
    aws.breaks("DescribeEvents", 200, f"<DescribeEventsResponse>{inner}</DescribeEventsResponse>")
    result = await provider.ask(ListEvents(resource=CACHE, window=window))
    assert texts(result) == ["sessions-001: Failover from sessions-001 to sessions-002 completed"]


async def test_a_cluster_s_failover_and_its_instance_s_restart(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto tells of snapshots only; the answers are in the shape of RDS's."""
    event = "<Event><SourceIdentifier>{}</SourceIdentifier><Message>{}</Message><Date>{}</Date></Event>"
    told = event.format("orders", "Started cross AZ failover to DB instance: orders-2", AT.isoformat())
    told += event.format("orders-1", "DB instance restarted", (AT + timedelta(minutes=1)).isoformat())
    inner = f"<DescribeEventsResult><Events>{told}</Events></DescribeEventsResult>"
    aws.breaks("DescribeEvents", 200, f"<DescribeEventsResponse>{inner}</DescribeEventsResponse>")
    member = "<DBClusterMember><DBInstanceIdentifier>orders-1</DBInstanceIdentifier></DBClusterMember>"
    cluster = f"<DBCluster><DBClusterMembers>{member}</DBClusterMembers></DBCluster>"
    inner = f"<DescribeDBClustersResult><DBClusters>{cluster}</DBClusters></DescribeDBClustersResult>"
    aws.breaks("DescribeDBClusters", 200, f"<DescribeDBClustersResponse>{inner}</DescribeDBClustersResponse>")
    result = await provider.ask(ListEvents(resource=AURORA, window=window))
    assert texts(result) == [
        "Started cross AZ failover to DB instance: orders-2",
        "orders-1: DB instance restarted",
    ]


async def test_a_machine_whose_host_fails_and_is_to_be_retired(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto's machines are always well; the answers are in the shape of EC2's."""
    status = (
        "<item><instanceId>i-0123456789abcdef0</instanceId><systemStatus><status>impaired</status><details><item>"
        f"<name>reachability</name><status>failed</status><impairedSince>{AT.isoformat()}</impairedSince>"
        "</item></details></systemStatus><eventsSet><item><code>instance-retirement</code>"
        "<description>The instance is running on degraded hardware</description>"
        f"<notBefore>{(NOW + timedelta(days=2)).isoformat()}</notBefore></item></eventsSet></item>"
    )
    aws.breaks(
        "DescribeInstanceStatus",
        200,
        f"<DescribeInstanceStatusResponse><instanceStatusSet>{status}</instanceStatusSet></DescribeInstanceStatusResponse>",
    )
    aws.breaks("DescribeInstances", 200, "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>")
    output = "W2FdIG9rClsxMC4wXSBPdXQgb2YgbWVtb3J5OiBLaWxsZWQgcHJvY2VzcyA0MiAoamF2YSkK"
    console = f"<timestamp>{AT.isoformat()}</timestamp><output>{output}</output>"
    aws.breaks("GetConsoleOutput", 200, f"<GetConsoleOutputResponse>{console}</GetConsoleOutputResponse>")
    result = await provider.ask(ListEvents(resource=MACHINE, window=window))
    assert set(texts(result)) == {
        "system status check reachability failed (impaired)",
        "[10.0] Out of memory: Killed process 42 (java)",
        f"scheduled: instance-retirement not before {NOW + timedelta(days=2):%Y-%m-%d %H:%M} UTC: "
        "The instance is running on degraded hardware",
    }


async def test_one_part_that_is_denied_is_named_beside_the_others(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    image = shop.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    machine = shop.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    aws.refuses_xml("GetConsoleOutput", "UnauthorizedOperation", "You are not authorized")
    resource = Resource(type=ResourceType.ec2_instance, name=machine)
    result = await provider.ask(ListEvents(resource=resource, window=window))
    assert "instance launched" in texts(result)
    assert result.status is Status.truncated
    assert "ec2:GetConsoleOutput" in result.message


async def test_a_function_whose_event_source_cannot_be_read(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.function()
    told = {
        "EventSourceArn": "arn:aws-cn:kinesis:cn-north-1:1:stream/clicks",
        "State": "Enabled",
        "StateTransitionReason": "User action",
        "LastProcessingResult": "PROBLEM: Function call failed",
        "LastModified": AT.timestamp(),
    }
    aws.says("ListEventSourceMappings", {"EventSourceMappings": [told]})
    result = await provider.ask(ListEvents(resource=RECEIPTS, window=window))
    assert texts(result) == ["event source clicks is Enabled (User action); last result: PROBLEM: Function call failed"]


async def test_targets_that_are_not_healthy_now(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Moto has no unhealthy targets."""
    shop.balanced()
    ill = "<member><TargetHealth><State>unhealthy</State><Reason>Target.Timeout</Reason></TargetHealth></member>"
    well = "<member><TargetHealth><State>healthy</State></TargetHealth></member>"
    inner = f"<TargetHealthDescriptions>{ill}{ill}{well}</TargetHealthDescriptions>"
    inner = f"<DescribeTargetHealthResult>{inner}</DescribeTargetHealthResult>"
    aws.breaks("DescribeTargetHealth", 200, f"<DescribeTargetHealthResponse>{inner}</DescribeTargetHealthResponse>")
    present = TimeWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=1))
    past = TimeWindow(start=NOW - timedelta(days=2), end=NOW - timedelta(days=1))
    result = await provider.ask(ListEvents(resource=CHECKOUT_GROUP, window=present))
    assert texts(result) == ["2 of 3 targets of checkout-api now unhealthy: Target.Timeout"]
    result = await provider.ask(ListEvents(resource=CHECKOUT_GROUP, window=past))
    assert result.status is Status.no_data


async def test_kubernetes_updates_and_ill_node_groups(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    """Moto has no updates of clusters; the answers are in the shape of EKS's."""
    issue = {"code": "AsgInstanceLaunchFailures", "message": "no capacity", "resourceIds": ["eks-blue"]}
    aws.says("ListNodegroups", {"nodegroups": ["blue"]})
    aws.says("ListUpdates", {"updateIds": ["u-1"]})
    error = {"errorCode": "PodEvictionFailure", "errorMessage": "reached max retries"}
    update = {"id": "u-1", "type": "VersionUpdate", "status": "Failed", "errors": [error], "createdAt": AT.timestamp()}
    aws.says("DescribeUpdate", {"update": update})
    aws.says("DescribeCluster", {"cluster": {"name": "prod", "health": {"issues": []}}})
    aws.says("DescribeNodegroup", {"nodegroup": {"nodegroupName": "blue", "health": {"issues": [issue]}}})
    result = await provider.ask(ListEvents(resource=EKS, window=window))
    assert "VersionUpdate of node group blue: Failed (PodEvictionFailure: reached max retries)" in texts(result)
    assert "node group blue, now: AsgInstanceLaunchFailures: no capacity (eks-blue)" in texts(result)


async def test_health_s_issue_stands_beside_the_database_s_own_events(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto has no AWS Health; the answers are in the shape of its service model."""
    aws.breaks("DescribeEvents", 200, "<DescribeEventsResponse><DescribeEventsResult/></DescribeEventsResponse>")
    plain = aws.answers["DescribeEvents"]
    issue = {
        "arn": "arn:aws:health:us-east-1::event/RDS/1",
        "service": "RDS",
        "eventTypeCode": "AWS_RDS_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "region": "us-east-1",
        "startTime": AT.timestamp(),
        "statusCode": "open",
    }
    aws.says("DescribeEvents", {"events": [issue]})
    of_health = aws.answers["DescribeEvents"]
    aws.answers["DescribeEvents"] = lambda body: of_health(body) if body.startswith("{") else plain(body)
    aws.says("DescribeAffectedEntities", {"entities": []})
    result = await provider.ask(ListEvents(resource=ORDERS_DB, window=window))
    assert result.status is Status.ok
    assert texts(result) == [f"AWS Health: RDS operational issue in us-east-1 (open) since {AT:%Y-%m-%d %H:%M} UTC"]


@pytest.mark.parametrize("type", sorted(LINES))
async def test_nothing_is_there_or_nobody_answers_is_told_apart(
    aws: StandIn, window: TimeWindow, type: ResourceType
) -> None:
    name = "i-0123456789abcdef0" if type is ResourceType.ec2_instance else "gone"
    provider = AwsProvider(AwsSettings(), FixedClock())
    result = await provider.ask(ListEvents(resource=Resource(type=type, name=name), window=window))
    assert result.status in (Status.no_data, Status.error), result.message
    assert result.message


def test_what_has_events_is_asked_for_them() -> None:
    assert {ResourceType.ecs_service, ResourceType.ec2_instance, ResourceType.alarm} <= EVENTFUL
    assert ResourceType.sqs_queue not in EVENTFUL
