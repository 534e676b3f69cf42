"""Serverless caches in the shape of the service model, for moto has none; their numbers are moto's."""

from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.elasticache_serverless import ServerlessCaches
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def cache(name: str, status: str = "available") -> dict[str, Any]:
    return {
        "ServerlessCacheName": name,
        "Status": status,
        "Engine": "valkey",
        "FullEngineVersion": "8.0",
        "CacheUsageLimits": {"DataStorage": {"Maximum": 10, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 5000}},
        "Endpoint": {"Address": f"{name}.serverless.use1.cache.amazonaws.com", "Port": 6379},
        "SecurityGroupIds": ["sg-1"],
    }


async def test_throttled_and_nearly_full_ones_first(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    aws.tells("elasticache", "DescribeServerlessCaches", {"ServerlessCaches": [cache("calm"), cache("carts")]})
    here = {"clusterId": "carts"}
    shop.points("AWS/ElastiCache", "BytesUsedForCache", here, [1e9, 9.0 * 1024**3])
    shop.points("AWS/ElastiCache", "ElastiCacheProcessingUnits", here, [60_000.0, 300_000.0])
    shop.points("AWS/ElastiCache", "ThrottledCmds", here, [0.0, 12.0])
    shop.points("AWS/ElastiCache", "CacheHits", here, [30.0])
    shop.points("AWS/ElastiCache", "CacheMisses", here, [10.0])
    result = await provider.ask(ServerlessCaches())
    assert result.status is Status.ok, result.message
    carts, calm = result.rows
    assert (carts.name, calm.name) == ("carts", "calm")
    assert carts.facts["warnings"] == [
        "12 commands were throttled",
        "its storage is at 90 % of the limit",
        "its processing is at 100 % of the limit",
    ]
    assert (carts.facts["storage_percent"], carts.facts["hit_percent"], carts.facts["throttled"]) == (90, 75, 12)
    assert (calm.facts["throttled"], calm.facts["processing_units_limit_per_s"]) == (0, 5000)


async def test_none_one_that_is_gone_and_a_denied_one(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("elasticache", "DescribeServerlessCaches", {"ServerlessCaches": []})
    assert (await provider.ask(ServerlessCaches())).message == "ElastiCache has no serverless cache here"
    aws.refuses_xml("DescribeServerlessCaches", "ServerlessCacheNotFoundFault", "there is none", 404)
    assert (await provider.ask(ServerlessCaches(name="gone"))).status is Status.no_data
    aws.refuses_xml("DescribeServerlessCaches", "AccessDenied", "no", 403)
    denied = await provider.ask(ServerlessCaches(name="carts"))
    assert (denied.status, "elasticache:DescribeServerlessCaches" in denied.message) == (Status.denied, True)
