"""Changes: what differs between revisions, who did it, and what could not be seen."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import Answer, StandIn
from tests.providers.timeline.trail import tell

QUEUE = Resource(type=ResourceType.sqs_queue, name="orders")


def deployed(aws: StandIn, revision: str, at: datetime, **more: Any) -> None:
    """What ECS itself answers after a deployment; moto goes on telling of the first one."""
    told = {
        "serviceName": "checkout-api",
        "serviceArn": "arn:aws:ecs:us-east-1:123456789012:service/prod/checkout-api",
        "status": "ACTIVE",
        "desiredCount": 4,
        "runningCount": 4,
        "taskDefinition": f"arn:aws:ecs:us-east-1:123456789012:task-definition/{revision}",
        "deployments": [
            {
                "id": "ecs-svc/2",
                "status": "PRIMARY",
                "taskDefinition": f"arn:aws:ecs:us-east-1:123456789012:task-definition/{revision}",
                "createdAt": at.timestamp(),
                "rolloutState": "COMPLETED",
            }
        ],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-shop"]}},
        **more,
    }
    aws.says("DescribeServices", {"services": [told], "failures": []})


def trail(aws: StandIn, *events: dict[str, Any]) -> None:
    """CloudTrail, which moto lacks."""
    told = [
        {
            "EventId": event.get("id", f"event-{index}"),
            "EventName": event["name"],
            "EventSource": event.get("source", "ecs.amazonaws.com"),
            "EventTime": event["at"].timestamp(),
            "ReadOnly": "false",
            "CloudTrailEvent": json.dumps(
                {
                    "eventName": event["name"],
                    "userIdentity": {"arn": "arn:aws:sts::123456789012:assumed-role/deployer/ada"},
                    "requestParameters": event.get("parameters", {}),
                    **event.get("more", {}),
                }
            ),
        }
        for index, event in enumerate(events)
    ]
    aws.says("LookupEvents", {"Events": told})


async def test_another_image_is_a_deployment(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.revision("shop/checkout:2.4.0")
    new = shop.revision("shop/checkout:2.4.1")
    at = NOW - timedelta(minutes=20)
    deployed(aws, new, at)
    trail(aws)
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert result.status is Status.ok
    assert change.kind == "deployment"
    assert change.at == at
    assert change.before["image"] == "shop/checkout:2.4.0"
    assert change.after["image"] == "shop/checkout:2.4.1"
    assert change.summary == ("checkout-api checkout-api:1 → checkout-api:2: image checkout:2.4.0 → checkout:2.4.1")


async def test_other_parameters_alone_are_a_configuration_change_and_secrets_stay_secret(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    old = {
        "POOL_SIZE": "20",
        "DB_PASSWORD": "correct-horse",
        "DATABASE_URL": "postgres://shop:battery@orders-db:5432/shop",
        "GONE": "1",
    }
    shop.revision(environment=old)
    new = {
        "POOL_SIZE": "200",
        "DB_PASSWORD": "staple-horse",
        "DATABASE_URL": "postgres://shop:staples@orders-db:5432/shop",
    }
    deployed(aws, shop.revision(environment=new, memory="1024"), NOW - timedelta(minutes=20))
    trail(aws)
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert change.kind == "configuration"
    assert (change.before["environment.POOL_SIZE"], change.after["environment.POOL_SIZE"]) == ("20", "200")
    assert (change.before["memory"], change.after["memory"]) == ("512", "1024")
    assert change.before["environment.GONE"] == "1"
    assert "environment.GONE" not in change.after
    assert change.before["environment.DB_PASSWORD"] != change.after["environment.DB_PASSWORD"]
    text = result.model_dump_json()
    assert not any(secret in text for secret in ("correct-horse", "staple-horse", "battery", "staples"))
    assert "orders-db:5432/shop" in text


async def test_cloudtrail_adds_who_it_was_and_tells_nothing_twice(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.revision("shop/checkout:2.4.0")
    new = shop.revision("shop/checkout:2.4.1")
    at = NOW - timedelta(minutes=20)
    deployed(aws, new, at)
    parameters = {"cluster": "prod", "service": "checkout-api", "taskDefinition": new}
    trail(aws, {"name": "UpdateService", "at": at - timedelta(seconds=30), "parameters": parameters})
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    (change,) = result.changes
    assert change.actor == "deployer/ada"
    assert change.kind == "deployment"
    assert change.before["image"] == "shop/checkout:2.4.0"


async def test_going_back_is_compared_with_what_ran_before_it(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    old, bad = shop.revision("shop/checkout:2.4.0"), shop.revision("shop/checkout:2.4.1")
    base = {"cluster": "prod", "service": "checkout-api"}
    first, second = NOW - timedelta(minutes=40), NOW - timedelta(minutes=10)
    deployed(aws, old, second)
    trail(
        aws,
        {"name": "UpdateService", "at": first, "parameters": {**base, "taskDefinition": bad}},
        {"name": "UpdateService", "at": second, "parameters": {**base, "taskDefinition": old}},
    )
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    assert [(c.before.get("image"), c.after["image"]) for c in result.changes] == [
        ("shop/checkout:2.4.0", "shop/checkout:2.4.1"),
        ("shop/checkout:2.4.1", "shop/checkout:2.4.0"),
    ]


async def test_each_kind_of_event_is_told_in_neutral_words(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    revision = shop.revision()
    deployed(aws, revision, NOW - timedelta(days=3))
    at = NOW - timedelta(minutes=10)
    service = {"cluster": "prod", "service": "checkout-api"}
    ec2 = {"source": "ec2.amazonaws.com", "at": at}
    trail(
        aws,
        {"name": "UpdateService", "at": at, "parameters": {**service, "desiredCount": 9}},
        {"name": "RevokeSecurityGroupIngress", **ec2, "parameters": {"groupId": "sg-shop"}},
        {
            "name": "RevokeSecurityGroupIngress",
            "source": "ec2.amazonaws.com",
            "at": at,
            "parameters": {"groupId": "sg-x"},
        },
        {"name": "UpdateService", "at": at, "parameters": {"cluster": "test", "service": "checkout-api"}},
        {"name": "DescribeServices", "at": at, "parameters": service},
        {"name": "UpdateService", "at": at, "parameters": service, "more": {"errorCode": "AccessDenied"}},
        {
            "name": "UpdateFunctionConfiguration20150331v2",
            "source": "lambda.amazonaws.com",
            "at": at,
            "parameters": {"functionName": "receipts", "memorySize": 128},
        },
    )
    result = await provider.ask(ListChanges(resources=(CHECKOUT, RECEIPTS), window=window))
    told = [(c.kind, c.resource.name if c.resource else "", c.through, c.after) for c in result.changes]
    assert told == [
        ("scaling", "checkout-api", "", {"desired_count": "9"}),
        ("network", "checkout-api", "security group sg-shop", {}),
        ("configuration", "receipts", "", {"memory_size": "128"}),
    ]


@pytest.mark.parametrize(
    ("calls", "kind"),
    [
        (["UpdateFunctionConfiguration20150331v2"], "configuration"),
        (["UpdateFunctionCode20150331v2"], "deployment"),
        (["UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2"], "deployment"),
        ([], "other"),
    ],
)
async def test_cloudtrail_says_what_was_changed_of_a_function_without_versions(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, calls: list[str], kind: str
) -> None:
    at = NOW - timedelta(minutes=20)
    modified = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
    latest = {"FunctionName": "receipts", "Version": "$LATEST", "LastModified": modified, "CodeSha256": "one"}
    aws.says("ListVersionsByFunction", {"Versions": [latest]})
    parameters = {"functionName": "receipts"}
    trail(aws, *({"name": n, "source": "lambda.amazonaws.com", "at": at, "parameters": parameters} for n in calls))
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    (change,) = result.changes
    assert change.kind == kind


async def test_the_newest_of_many_versions_of_a_function_are_compared(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Lambda lists fifty at a time, the oldest first."""

    def version(number: int) -> dict[str, object]:
        at = NOW - timedelta(days=200 - number) if number < 120 else NOW - timedelta(minutes=20)
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
        return {"FunctionName": "receipts", "Version": str(number), "LastModified": stamp, "MemorySize": 100 + number}

    def listed(path: str) -> Answer:
        first = int(parse_qs(urlsplit(path).query).get("Marker", ["1"])[0])
        more = {"NextMarker": str(first + 50)} if first + 50 <= 120 else {}
        versions = [version(number) for number in range(first, min(first + 50, 121))]
        return Answer(200, json.dumps({"Versions": versions, **more}).encode())

    aws.answers["ListVersionsByFunction"] = listed
    tell(aws)
    (change,) = (await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))).changes
    assert change.summary == "receipts version 119 → 120: memory_size 219 → 220"


async def test_without_cloudtrail_the_deployments_are_seen_and_the_gap_is_named(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto answers LookupEvents with HTTP 500 and a page of HTML."""
    shop.revision("shop/checkout:2.4.0")
    deployed(aws, shop.revision("shop/checkout:2.4.1"), NOW - timedelta(minutes=20))
    result = await provider.ask(ListChanges(resources=(CHECKOUT,), window=window))
    assert result.status is Status.truncated
    assert len(result.changes) == 1
    assert "AWS does not answer LookupEvents here" in result.message


async def test_where_only_cloudtrail_could_tell_and_does_not_nothing_is_known(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window))
    assert result.status is Status.error


async def test_denied_cloudtrail_names_the_permission(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    aws.refuses("LookupEvents", "AccessDeniedException", "no")
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window))
    assert result.status is Status.denied
    assert "cloudtrail:LookupEvents" in result.message


async def test_a_busy_account_is_asked_by_resource_name(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.breaks("DescribeServices")
    pages = iter(range(100))

    def endless(body: str) -> Any:

        wanted = json.loads(body)["LookupAttributes"][0]
        told: dict[str, Any] = {"Events": []}
        if wanted["AttributeKey"] == "ReadOnly":
            told["NextToken"] = f"page {next(pages)}"
        else:
            parameters = {"functionName": "receipts"}
            told["Events"] = [
                {
                    "EventId": "e",
                    "EventName": "UpdateFunctionCode20150331v2",
                    "EventSource": "lambda.amazonaws.com",
                    "EventTime": NOW.timestamp() - 60,
                    "CloudTrailEvent": json.dumps({"requestParameters": parameters}),
                }
            ]
        return Answer(200, json.dumps(told).encode())

    aws.answers["LookupEvents"] = endless
    result = await provider.ask(ListChanges(resources=(RECEIPTS,), window=window))
    assert [c.kind for c in result.changes] == ["deployment"]
    assert len(aws.asked("LookupEvents")) <= 6


async def test_database_changes_come_from_its_events(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    at = (NOW - timedelta(minutes=5)).isoformat()
    event = (
        "<member><SourceIdentifier>orders-db</SourceIdentifier><SourceType>db-instance</SourceType>"
        "<Message>{}</Message><EventCategories><EventCategory>{}</EventCategory></EventCategories>"
        f"<Date>{at}</Date></member>"
    )
    told = event.format("Updated to use DBParameterGroup small", "configuration change").replace("member", "Event")
    told += event.format("DB instance restarted", "availability").replace("member", "Event")
    inner = f"<DescribeEventsResult><Events>{told}</Events></DescribeEventsResult>"
    xml = f"<DescribeEventsResponse>{inner}</DescribeEventsResponse>"
    aws.breaks("DescribeEvents", 200, xml)
    result = await provider.ask(ListChanges(resources=(ORDERS_DB,), window=window))
    assert [(c.kind, c.summary) for c in result.changes] == [("configuration", "Updated to use DBParameterGroup small")]
