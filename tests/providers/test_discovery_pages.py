"""Discovery reads to the last page, in few calls, and says where it stopped."""

import json
from urllib.parse import parse_qs, urlsplit

from runbook_bot.providers.aws import discover_data
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.estate import Estate
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


def in_pages(aws: StandIn, operation: str, key: str, items: list[str], size: int, after: str = "nextToken") -> None:
    """The stand-in gives that list in pages of `size`: moto gives some lists as a whole."""

    def page(request: str) -> Answer:
        body = json.loads(request) if request.startswith("{") else {}
        asked = body.get(after) or parse_qs(urlsplit(request).query).get(after, ["0"])[0]
        first = int(asked)
        told = {key: items[first : first + size]} | ({after: str(first + size)} if first + size < len(items) else {})
        return Answer(200, json.dumps(told).encode())

    aws.answers[operation] = page


async def test_every_page_is_read_and_what_can_be_asked_for_together_is(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    estate = Estate(aws.upstream, "us-east-1")
    estate.build(23, "shop")
    arns = shop.client("ecs").list_services(cluster="prod", maxResults=100)["serviceArns"]
    in_pages(aws, "ListServices", "serviceArns", arns, 7)
    graph = await provider.discover()
    runs = [service for service in graph if service.resources[0].type == "ecs_service"]
    assert (len(runs), len({r.key for s in graph for r in s.resources})) == (23, estate.made)
    owners = {service.owner for service in graph if service.resources[0].type != "kinesis_stream"}
    assert owners == {"shop"}, "of the last page as of the first"
    assert len(aws.asked("ListServices")) == 4
    assert len(aws.asked("DescribeServices")) == 3, "ten at a time"
    assert len(aws.asked("DescribeTaskDefinition")) == 23, "one a family"
    assert len(aws.asked("GetResources")) == 2, "a hundred a page: four queues and two tables each"
    assert graph.looks[0].unseen == ()


async def test_a_revision_that_many_services_run_is_read_once(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    revision = shop.revision()
    for name in ("one", "two", "three"):
        shop.service(revision, name=name)
    assert len(list(await provider.discover())) == 3
    assert len(aws.asked("DescribeTaskDefinition")) == 1


async def test_a_list_without_end_is_cut_and_that_is_said(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    most = discover_data.MOST
    in_pages(aws, "ListTables", "TableNames", [f"t{n}" for n in range(most * 3)], 100, after="LastEvaluatedTableName")
    tables = aws.answers["ListTables"]
    renamed = "ExclusiveStartTableName"
    aws.answers["ListTables"] = lambda body: tables(body.replace(renamed, "LastEvaluatedTableName"))
    graph = await provider.discover()
    assert len(graph.services) == most
    assert graph.looks[0].unseen == (f"ListTables: only the first {most:,} were read",)
    assert len(aws.asked("ListTables")) == most // 100 + 1


async def test_few_calls_for_a_small_place(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    shop.database()
    await provider.discover()
    asked = [each.operation for each in aws.calls]
    assert len(asked) == len(set(asked)), "nothing twice"
    assert len(asked) <= 30
    assert "DescribeSecurityGroups" in asked, "both are behind one"
    assert not {"ListHostedZones", "ListNamespaces", "DescribeInstances", "DescribeTargetHealth"} & set(asked)
