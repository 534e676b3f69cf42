"""State: the facts of one resource, and the parts of it that could not be seen."""

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadState, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.rds_limits import class_memory, default_max_connections, evaluated
from runbook_bot.providers.aws.state import READERS
from tests.providers.shop import CHECKOUT, CHECKOUT_GROUP, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import StandIn

_PLAIN_NAMES = (
    ResourceType.s3_bucket,
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
