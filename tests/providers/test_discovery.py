"""Discovery: what runs, what it calls, who owns it, and what happens while somebody deletes things."""

import json

import pytest

from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.pointing import Directory
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


async def test_services_dependencies_resources_and_owners(shop: Shop, provider: AwsProvider) -> None:
    host = shop.database(Tags=[{"Key": "team", "Value": "storage"}])
    shop.client("sqs").create_queue(QueueName="receipts-jobs")
    queue = shop.client("sqs").get_queue_url(QueueName="receipts-jobs")["QueueUrl"]
    target, _, _ = shop.balanced()
    environment = {
        "DATABASE_URL": f"postgres://shop:secret@{host}:5432/shop",
        "PRICING_URL": "http://pricing-api.internal:8080/v1",
        "QUEUE": queue,
        "LOG_LEVEL": "info",
        "SELF": "checkout-api",
    }
    shop.service(
        shop.revision(environment=environment),
        tags=[{"key": "owner", "value": "payments"}],
        loadBalancers=[{"targetGroupArn": target, "containerName": "app", "containerPort": 80}],
    )
    shop.service(shop.revision(family="pricing-api"), name="pricing-api")
    shop.function(Environment={"Variables": {"UPSTREAM": "https://pricing-api.internal"}})
    graph = await provider.discover()
    checkout = graph.service("checkout-api")
    assert checkout is not None
    assert checkout.owner == "payments"
    assert set(checkout.depends_on) == {"orders-db", "pricing-api", "receipts-jobs"}
    assert {each.key for each in checkout.resources} == {
        "ecs_service:prod/checkout-api",
        "target_group:checkout-api",
        "load_balancer:front",
        "log_group:/ecs/checkout-api",
    }
    database, function = graph.service("orders-db"), graph.service("receipts")
    assert database is not None
    assert database.owner == "storage"
    assert function is not None
    assert function.depends_on == ("pricing-api",)
    assert "secret" not in graph.model_dump_json()


async def test_a_load_balancer_of_several_services_is_a_service_that_calls_them(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    one, _, _ = shop.balanced()
    listed = {"containerName": "app", "containerPort": 80}
    shop.service(shop.revision(), loadBalancers=[{"targetGroupArn": one, **listed}])
    shop.service(shop.revision(), name="pricing-api", loadBalancers=[{"targetGroupArn": one, **listed}])
    front = (await provider.discover()).service("front")
    assert front is not None
    assert set(front.depends_on) == {"checkout-api", "pricing-api"}


async def test_a_service_deleted_between_listing_and_describing_is_simply_not_there(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    shop.database()
    aws.says("DescribeServices", {"services": [], "failures": [{"arn": "a", "reason": "MISSING"}]})
    graph = await provider.discover()
    assert [each.name for each in graph] == ["orders-db"]


async def test_a_cluster_deleted_meanwhile_takes_nothing_else_with_it(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    shop.client("ecs").create_cluster(clusterName="old")

    def gone(body: str) -> Answer | None:
        told = {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
        return Answer(400, json.dumps(told).encode()) if json.loads(body).get("cluster") == "old" else None

    aws.answers["ListServices"] = gone
    graph = await provider.discover()
    assert [each.name for each in graph] == ["checkout-api"]


async def test_a_kind_that_cannot_be_listed_leaves_the_others(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    aws.refuses_xml("DescribeDBInstances", "AccessDenied", "no", 403)
    aws.breaks("ListQueues")
    aws.breaks("GetResources", 501)
    aws.breaks("DescribeTargetGroups")
    assert [each.name for each in await provider.discover()] == ["checkout-api"]


async def test_nothing_to_be_seen_because_of_the_credentials_is_an_error(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runbook_bot.domain.ports import SystemClock
    from runbook_bot.providers.aws.config import AwsSettings

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ProviderError, match="no AWS credentials were found"):
        await AwsProvider(AwsSettings(), SystemClock()).discover()


async def test_equal_names_in_two_clusters_are_two_services(shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    ecs = shop.client("ecs")
    ecs.create_cluster(clusterName="staging")
    subnets, group = shop.network()
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}
    ecs.create_service(
        cluster="staging",
        serviceName="checkout-api",
        taskDefinition="checkout-api:1",
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=network,
    )
    assert sorted(each.name for each in await provider.discover()) == ["checkout-api", "staging/checkout-api"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("orders-db", ["orders-db"]),
        ("orders-db.abc.us-east-1.rds.amazonaws.com", ["orders-db"]),
        ("postgres://u:p@orders-db.abc.us-east-1.rds.amazonaws.com:5432/x", ["orders-db"]),
        ("http://api.internal", ["api"]),
        ("api", []),
        ("the orders-database", []),
        ("", []),
    ],
)
def test_what_a_variable_points_to(value: str, expected: list[str]) -> None:
    handles = {"orders-db.abc.us-east-1.rds.amazonaws.com": ["orders-db"]}
    known = Directory(handles, {"orders-db": "orders-db", "api": "api"}, {})
    assert [name for name, _ in known.called(value)] == expected
