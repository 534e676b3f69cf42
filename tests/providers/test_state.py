"""State: the facts of one resource, and the parts of it that could not be seen."""

import json

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadState, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.rds_limits import class_memory, default_max_connections, evaluated
from runbook_bot.providers.aws.state import READERS
from tests.providers.shop import CHECKOUT, CHECKOUT_GROUP, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import Answer, StandIn

_PLAIN_NAMES = (
    ResourceType.rds_instance,
    ResourceType.rds_cluster,
    ResourceType.eks_cluster,
)
"""Types whose names are plain ASCII; botocore or moto does not take others."""


async def test_an_ecs_service(shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision("shop/checkout:2.4.0"))
    result = await provider.ask(ReadState(resource=CHECKOUT))
    assert result.status is Status.ok
    assert result.source == "aws.ecs"
    assert result.fact("desired_count") == 4
    assert result.fact("task_definition") == "checkout-api:1"
    assert result.fact("image") == "shop/checkout:2.4.0"
    assert result.fact("memory_limit") == 512
    assert result.fact("last_deployment_at")
    assert result.console is not None
    assert "/clusters/prod/services/checkout-api/" in result.console


async def test_a_service_whose_revision_cannot_be_read_is_told_as_far_as_it_goes(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    aws.refuses("DescribeTaskDefinition", "AccessDeniedException", "no")
    result = await provider.ask(ReadState(resource=CHECKOUT))
    assert result.status is Status.truncated
    assert result.fact("desired_count") == 4
    assert "ecs:DescribeTaskDefinition" in result.message


async def test_a_database_and_its_limit_of_connections(shop: Shop, provider: AwsProvider) -> None:
    rds = shop.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="small", DBParameterGroupFamily="postgres15", Description="x")
    rds.modify_db_parameter_group(
        DBParameterGroupName="small",
        Parameters=[{"ParameterName": "max_connections", "ParameterValue": "120", "ApplyMethod": "pending-reboot"}],
    )
    shop.database(DBParameterGroupName="small")
    shop.database("other-db", size="db.r5.large")
    result = await provider.ask(ReadState(resource=ORDERS_DB))
    assert result.fact("max_connections") == 120
    assert result.fact("max_connections_from") == "parameter group small"
    other = await provider.ask(ReadState(resource=Resource(type=ResourceType.rds_instance, name="other-db")))
    assert other.fact("max_connections") == 1802


async def test_a_function_without_the_account_s_limit(shop: Shop, provider: AwsProvider) -> None:
    """Moto does not know GetAccountSettings."""
    shop.function(MemorySize=256, Timeout=7)
    shop.client("lambda").put_function_concurrency(FunctionName="receipts", ReservedConcurrentExecutions=5)
    result = await provider.ask(ReadState(resource=RECEIPTS))
    assert result.status is Status.truncated
    assert (result.fact("memory_size"), result.fact("timeout"), result.fact("reserved_concurrency")) == (256, 7, 5)
    assert "AWS does not answer GetAccountSettings here" in result.message


async def test_a_target_group_and_why_its_targets_are_ill(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Moto has no unhealthy targets."""
    shop.balanced()
    ill = (
        "<member><Target><Id>10.0.0.{}</Id></Target><TargetHealth><State>unhealthy</State>"
        "<Reason>Target.ResponseCodeMismatch</Reason><Description>Health checks failed with these codes: [503]"
        "</Description></TargetHealth></member>"
    )
    well = "<member><Target><Id>10.0.0.9</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member>"
    listed = ill.format(1) + ill.format(2) + well
    aws.breaks(
        "DescribeTargetHealth",
        200,
        "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>"
        f"{listed}</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>",
    )
    result = await provider.ask(ReadState(resource=CHECKOUT_GROUP))
    assert (result.fact("healthy_hosts"), result.fact("unhealthy_hosts")) == (1, 2)
    assert result.fact("unhealthy_reasons") == [
        "2 × Target.ResponseCodeMismatch Health checks failed with these codes: [503]"
    ]


@pytest.mark.parametrize("type", sorted(READERS))
async def test_what_is_not_there_is_no_data_whatever_its_type(
    aws: StandIn, provider: AwsProvider, type: ResourceType
) -> None:
    name = "i-00000000000000000" if type is ResourceType.ec2_instance else "weg-ünïcode"
    if type in _PLAIN_NAMES:
        name = "gone"
    aws.refuses("GetApp", "NotFoundException", "App not found", 404)  # moto has no Amplify
    result = await provider.ask(ReadState(resource=Resource(type=type, name=name, cluster="nirgends")))
    assert result.status is Status.no_data, result.message
    assert result.message


async def test_smaller_resources(shop: Shop, provider: AwsProvider) -> None:
    shop.client("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "45"})
    shop.client("dynamodb").create_table(
        TableName="carts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    queue = await provider.ask(ReadState(resource=Resource(type=ResourceType.sqs_queue, name="orders")))
    table = await provider.ask(ReadState(resource=Resource(type=ResourceType.dynamodb_table, name="carts")))
    assert (queue.fact("messages"), queue.fact("visibility_timeout")) == (0, 45)
    assert table.fact("billing_mode") == "PAY_PER_REQUEST"


async def test_a_queue_and_what_waits_in_its_dead_letter_queue(shop: Shop, provider: AwsProvider) -> None:
    sqs = shop.client("sqs")
    dead = sqs.create_queue(QueueName="orders-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": policy})
    for _ in range(2):
        sqs.send_message(QueueUrl=dead, MessageBody="{}")
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.sqs_queue, name="orders")))
    assert (state.fact("dead_letter_queue"), state.fact("receives_before_that")) == ("orders-dead", 3)
    assert (state.fact("dead_letters"), state.fact("in_flight_limit")) == (2, 120_000)


async def test_a_queue_whose_dead_letter_queue_is_gone(aws: StandIn, provider: AwsProvider) -> None:
    """Moto does not take a policy with another partition's ARN; the answers are in the shape of SQS's."""
    arn = "arn:aws-us-gov:sqs:us-gov-west-1:1:gone"
    told = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn}), "VisibilityTimeout": "30"}
    aws.says("GetQueueAttributes", {"Attributes": told})
    missing = Answer(400, b'{"__type": "QueueDoesNotExist", "message": "no such queue"}')
    found = Answer(200, b'{"QueueUrl": "https://sqs/1/orders"}')
    aws.answers["GetQueueUrl"] = lambda body: missing if "gone" in body else found
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.sqs_queue, name="orders")))
    assert state.status is Status.truncated
    assert state.fact("dead_letter_queue") == "gone"


async def test_an_api_and_how_far_it_lets_requests_through(aws: StandIn, provider: AwsProvider) -> None:
    """Moto keeps no throttling of stages; the answers are in the shape of API Gateway's."""
    api = {"id": "a1", "name": "küche/api", "createdDate": 1_700_000_000}
    aws.says("GetRestApis", {"item": [{"id": "a0", "name": "other"}, api]})
    settings = {"*/*": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100}}
    stage = {"stageName": "live", "deploymentId": "d2", "lastUpdatedDate": 1_700_000_500, "methodSettings": settings}
    aws.says("GetStages", {"item": [{**stage, "canarySettings": {"percentTraffic": 10.0, "deploymentId": "d3"}}]})
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.api_gateway, name="küche/api")))
    assert state.fact("stages") == ["live: deployment d2, 10 % to deployment d3"]
    assert (state.fact("rate_limit"), state.fact("burst_limit")) == (50.0, 100)


async def test_an_app_of_amplify(aws: StandIn, provider: AwsProvider) -> None:
    """Moto has no Amplify."""
    branch = {"branchName": "main", "status": "FAILED", "lastDeployTime": 1_700_000_000}
    aws.says("GetApp", {"app": {"appId": "d1", "name": "site", "productionBranch": branch}})
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.amplify_app, name="d1")))
    assert (state.fact("production_branch"), state.fact("production_status")) == ("main", "FAILED")


async def test_kubernetes_with_the_part_that_is_denied(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("DescribeCluster", {"cluster": {"name": "prod", "status": "ACTIVE", "version": "1.31"}})
    aws.refuses("ListNodegroups", "AccessDeniedException", "no", 403)
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.eks_cluster, name="prod")))
    assert state.status is Status.truncated
    assert state.fact("version") == "1.31"
    assert "eks:ListNodegroups" in state.message


async def test_a_cache_has_a_limit_of_connections(aws: StandIn, provider: AwsProvider) -> None:
    """Moto's cache clusters are always single; the answers are in the shape of ElastiCache's."""
    node = (
        "<CacheCluster><CacheClusterId>sessions-001</CacheClusterId><CacheClusterStatus>available</CacheClusterStatus>"
        "<ReplicationGroupId>sessions</ReplicationGroupId><Engine>valkey</Engine></CacheCluster>"
    )
    inner = f"<DescribeCacheClustersResult><CacheClusters>{node}</CacheClusters></DescribeCacheClustersResult>"
    aws.breaks("DescribeCacheClusters", 200, f"<DescribeCacheClustersResponse>{inner}</DescribeCacheClustersResponse>")
    group = (
        "<ReplicationGroup><AutomaticFailover>enabled</AutomaticFailover><MemberClusters>"
        "<ClusterId>sessions-001</ClusterId></MemberClusters><NodeGroups><NodeGroup><NodeGroupMembers><NodeGroupMember>"
        "<CacheClusterId>sessions-001</CacheClusterId><CurrentRole>primary</CurrentRole></NodeGroupMember>"
        "</NodeGroupMembers></NodeGroup></NodeGroups></ReplicationGroup>"
    )
    inner = f"<ReplicationGroups>{group}</ReplicationGroups>"
    inner = f"<DescribeReplicationGroupsResult>{inner}</DescribeReplicationGroupsResult>"
    told = f"<DescribeReplicationGroupsResponse>{inner}</DescribeReplicationGroupsResponse>"
    aws.breaks("DescribeReplicationGroups", 200, told)
    state = await provider.ask(ReadState(resource=Resource(type=ResourceType.elasticache_cluster, name="sessions")))
    assert state.fact("max_connections") == 65_000
    assert (state.fact("automatic_failover"), state.fact("primary")) == ("enabled", ["sessions-001"])


@pytest.mark.parametrize(
    ("instance_class", "gib"),
    [
        ("db.t3.micro", 1),
        ("db.t4g.2xlarge", 32),
        ("db.m5.large", 8),
        ("db.r6g.4xlarge", 128),
        ("db.x2g.xlarge", 64),
        ("db.m6gd.16xlarge", 256),
        ("db.serverless", None),
        ("nonsense", None),
    ],
)
def test_the_memory_of_a_class(instance_class: str, gib: int | None) -> None:
    memory = class_memory(instance_class)
    assert memory == (None if gib is None else gib * 1024**3)


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("100", 100),
        ("LEAST({DBInstanceClassMemory/9531392},5000)", 450),
        ("{DBInstanceClassMemory/12582880}", 341),
        ("GREATEST({DBInstanceClassMemory/9531392},1000)", 1000),
        ("{something else}", None),
    ],
)
def test_a_parameter_may_be_a_formula(value: str, limit: int | None) -> None:
    assert evaluated(value, "db.t3.medium") == limit


def test_the_documented_default_depends_on_the_engine() -> None:
    assert default_max_connections("postgres", "db.r5.24xlarge") == 5000
    assert default_max_connections("mysql", "db.t3.medium") == 341
    assert default_max_connections("aurora-postgresql", "db.r5.large") is None
