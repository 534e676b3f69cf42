"""How APIs of either generation fare, against moto."""

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.apigateway_traffic import Traffic
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

API = "AWS/ApiGateway"


def http_api(shop: Shop, name: str = "shop") -> str:
    made = shop.client("apigatewayv2").create_api(Name=name, ProtocolType="HTTP")
    return str(made["ApiId"])


async def test_the_failing_one_first_each_by_its_own_metrics(shop: Shop, provider: AwsProvider) -> None:
    id = http_api(shop)
    shop.client("apigateway").create_rest_api(name="legacy")
    shop.points(API, "Count", {"ApiId": id}, [50.0, 50.0])
    shop.points(API, "5xx", {"ApiId": id}, [0.0, 20.0])
    shop.points(API, "Latency", {"ApiId": id}, [100.0, 300.0])
    shop.points(API, "Count", {"ApiName": "legacy"}, [400.0])
    shop.points(API, "4XXError", {"ApiName": "legacy"}, [4.0])
    result = await provider.ask(Traffic())
    assert result.status is Status.ok, result.message
    shop_api, legacy = (row.facts for row in result.rows)
    assert result.rows[0].name == f"shop ({id})"
    assert shop_api["warnings"] == ["20 % of the requests fail"]
    assert (shop_api["kind"], shop_api["requests"], shop_api["server_errors"]) == ("HTTP", 100, 20)
    assert (shop_api["latency_ms"], shop_api["latency_peak_ms"]) == (200, 300)
    assert (legacy["kind"], legacy["requests"], legacy["client_errors"]) == ("REST", 400, 4)
    assert "warnings" not in legacy


async def test_the_stages_of_a_named_one(shop: Shop, provider: AwsProvider) -> None:
    id = http_api(shop)
    shop.client("apigatewayv2").create_stage(ApiId=id, StageName="live")
    shop.points(API, "Count", {"ApiId": id, "Stage": "live"}, [7.0])
    result = await provider.ask(Traffic(api="shop"))
    assert [(row.name, row.facts["requests"]) for row in result.rows] == [
        (f"shop ({id})/live", 7),
        (f"shop ({id})", 0),
    ]
    gone = await provider.ask(Traffic(api="gone"))
    assert (gone.status, gone.message) == (Status.no_data, "there is no API with the name or id gone")


async def test_numbers_that_may_not_be_read(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    http_api(shop)
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(Traffic())
    assert result.status is Status.truncated
    assert "requests" not in result.rows[0].facts, "unknown, and not: none"
