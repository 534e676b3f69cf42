"""Discovery: what runs, what it calls, who owns it, and what happens while somebody deletes things."""

import json

import pytest

from runbook_bot.domain.service import ServiceGraph
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.pointing import Directory
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
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


async def test_what_is_denied_is_said_part_by_part_and_the_rest_is_there(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.database()
    shop.service(shop.revision(environment={"DB": "orders-db"}))
    aws.refuses("ListTables", "AccessDeniedException", "not authorized to perform: dynamodb:ListTables", 400)
    aws.refuses("GetResources", "AccessDeniedException", "no", 400)
    aws.refuses("GetServiceGraph", "AccessDeniedException", "no", 403)
    aws.refuses_xml("DescribeLoadBalancers", "AccessDenied", "no", 403)
    aws.refuses_xml("DescribeDBProxies", "AccessDenied", "no", 403)
    aws.breaks("GetApis", 501)
    graph = await provider.discover()
    assert [each.name for each in graph] == ["checkout-api", "orders-db"]
    assert [edge.found for edge in graph.reasons("checkout-api", "orders-db")] == ["environment DB"]
    [look] = graph.looks
    assert (look.place, look.at, look.services) == ("aws us-east-1", NOW, ("checkout-api", "orders-db"))
    parts = {part: why for part, _, why in (each.partition(": ") for each in look.unseen)}
    assert set(parts) == {"DynamoDB tables", "database proxies", "load balancers", "tags", "traces"}, (
        "what AWS does not offer here is no gap"
    )
    assert "dynamodb:ListTables" in parts["DynamoDB tables"]


async def test_a_region_that_is_not_enabled_is_said_and_the_others_go_on(aws: StandIn, shop: Shop) -> None:
    """The stand-in refuses the credentials in eu-south-1, as AWS does in a region that an account has not enabled."""
    shop.service(shop.revision())
    told = "The security token included in the request is invalid"
    xml = f"<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>{told}</Message></Error></ErrorResponse>"
    aws.regional["eu-south-1"] = Answer(403, xml.encode(), "text/xml")
    graph = await AwsProvider(AwsSettings(regions=("us-east-1", "eu-south-1")), FixedClock()).discover()
    assert [each.name for each in graph] == ["checkout-api"]
    here, there = graph.looks
    assert (here.place, here.services, here.unseen) == ("aws us-east-1", ("checkout-api",), ())
    assert (there.place, there.services, len(there.unseen)) == ("aws eu-south-1", (), 1)


@pytest.mark.parametrize(("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")])
async def test_other_partitions(aws: StandIn, shop: Shop, region: str, partition: str) -> None:
    """The stand-in says in which partition the caller is, and what there is in it."""
    function = f"arn:{partition}:lambda:{region}:123456789012:function:receipts"
    queue = f"arn:{partition}:sqs:{region}:123456789012:jobs"
    caller = {"Account": "123456789012", "Arn": f"arn:{partition}:iam::123456789012:user/u", "UserId": "u"}
    aws.tells("sts", "GetCallerIdentity", caller)
    aws.tells("sqs", "ListQueues", {"QueueUrls": [f"https://sqs.{region}.amazonaws.com/123456789012/jobs"]})
    aws.tells("lambda", "ListFunctions", {"Functions": [{"FunctionName": "receipts", "FunctionArn": function}]})
    mapping = {"FunctionArn": function, "EventSourceArn": queue}
    aws.tells("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping]})
    graph = await AwsProvider(AwsSettings(regions=(region,)), FixedClock()).discover()
    assert [edge.found for edge in graph.reasons("receipts", "jobs")] == ["event source"]


async def test_names_with_anything_in_them_and_services_that_call_each_other(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    """The stand-in names them so: moto is as strict as AWS about what is made through it."""
    shop.service(shop.revision(environment={"OTHER": "b<|>`é"}))
    shop.service(shop.revision(family="b", environment={"OTHER": "bücher/日本"}), name="b")
    told = shop.client("ecs").describe_services(cluster="prod", services=["checkout-api", "b"])["services"]
    told[0]["serviceName"], told[1]["serviceName"] = "Bücher/日本", "b<|>`é"
    aws.tells("ecs", "DescribeServices", {"services": told})
    graph = await provider.discover()
    assert [each.name for each in graph] == ["Bücher/日本", "b<|>`é"]
    assert graph.dependencies("Bücher/日本") == {"b<|>`é": 1}
    assert graph.dependents("Bücher/日本") == {"b<|>`é": 1}
    assert ServiceGraph.model_validate_json(graph.model_dump_json()) == graph


async def test_a_ring_of_services(shop: Shop, provider: AwsProvider) -> None:
    ring = ("ring-a", "ring-b", "ring-c")
    for name, other in zip(ring, ("ring-b", "ring-c", "ring-a"), strict=True):
        shop.service(shop.revision(family=name, environment={"NEXT": f"http://{other}.internal"}), name=name)
    graph = await provider.discover()
    assert graph.dependencies("ring-a") == {"ring-b": 1, "ring-c": 2}
    assert graph.dependents("ring-a") == {"ring-c": 1, "ring-b": 2}


async def test_nothing_to_be_seen_because_of_the_credentials_is_an_error(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runbook_bot.domain.ports import SystemClock

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


@pytest.mark.parametrize("half", [0, 1])
async def test_a_role_that_is_denied_half_of_the_calls(aws: StandIn, shop: Shop, half: int) -> None:
    """The stand-in denies every other call, in the form of each service's protocol."""
    shop.service(shop.revision(environment={"DB": "orders-db"}))
    shop.database()
    shop.function()
    shop.client("sqs").create_queue(QueueName="jobs")
    await AwsProvider(AwsSettings(), FixedClock()).discover()
    asked = sorted({each.operation for each in aws.calls} - {"GetCallerIdentity"})
    speaks_xml = {each.operation for each in aws.calls if "Action=" in each.body} | {"ListBuckets"}
    denied = asked[half::2]
    assert len(denied) > 8
    for operation in denied:
        refuse = aws.refuses_xml if operation in speaks_xml else aws.refuses
        refuse(operation, "AccessDenied" if operation in speaks_xml else "AccessDeniedException", "no", 403)
    graph = await AwsProvider(AwsSettings(), FixedClock()).discover()
    listing = {"orders-db": "DescribeDBInstances", "receipts": "ListFunctions", "jobs": "ListQueues"}
    there = {name for name, operation in listing.items() if operation not in denied}
    if not {"ListClusters", "ListServices", "DescribeServices"} & set(denied):
        there.add("checkout-api")
    assert {each.name for each in graph} == there
    [look] = graph.looks
    assert look.unseen
    assert all("access denied" in each for each in look.unseen)
