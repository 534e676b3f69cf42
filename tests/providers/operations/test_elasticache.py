"""ElastiCache: nodes and their roles, what happened, what was set, and what comes near to its limit."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.elasticache import Clusters, Events, Groups, Usage
from runbook_bot.providers.aws.operations.elasticache_settings import Parameters
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def cluster(name: str, status: str = "available", **more: Any) -> dict[str, Any]:
    return {"CacheClusterId": name, "CacheClusterStatus": status, "CacheNodeType": "cache.m6g.large",
            "Engine": "redis", "EngineVersion": "7.1", "NumCacheNodes": 1, **more}  # fmt: skip


async def test_the_ill_node_first_and_what_is_pending(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto's clusters are always well."""
    told = [
        cluster("a-001"),
        cluster("b-001", PendingModifiedValues={"EngineVersion": "7.2"}),
        cluster("c-001", "modifying", CacheNodes=[{"CacheNodeId": "0001", "CacheNodeStatus": "rebooting"}]),
    ]
    aws.tells("elasticache", "DescribeCacheClusters", {"CacheClusters": told})
    result = await provider.ask(Clusters())
    assert [row.name for row in result.rows] == ["c-001", "b-001", "a-001"]
    assert result.rows[0].facts["node_states"] == {"rebooting": 1}
    assert result.rows[1].facts["pending_changes"] == {"EngineVersion": "7.2"}


async def test_a_cluster_by_name_and_what_is_not_there(shop: Shop, provider: AwsProvider) -> None:
    assert (await provider.ask(Clusters())).status is Status.no_data
    cache = shop.client("elasticache")
    for name in ("sessions", "other"):
        cache.create_cache_cluster(
            CacheClusterId=name, Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=2
        )
    result = await provider.ask(Clusters(name="sessions"))
    assert [row.name for row in result.rows] == ["sessions"]
    gone = await provider.ask(Clusters(name="gone"))
    assert gone.status is Status.no_data
    assert gone.message == "there is neither a cache cluster nor a replication group gone"


GROUP = {
    "ReplicationGroupId": "sessions",
    "Status": "modifying",
    "MemberClusters": ["sessions-001", "sessions-002"],
    "AutomaticFailover": "enabled",
    "NodeGroups": [
        {
            "NodeGroupId": "0001",
            "Status": "modifying",
            "NodeGroupMembers": [
                {"CacheClusterId": "sessions-001", "CurrentRole": "replica", "PreferredAvailabilityZone": "us-east-1a"},
                {"CacheClusterId": "sessions-002", "CurrentRole": "primary", "PreferredAvailabilityZone": "us-east-1b"},
            ],
        }
    ],
}


async def test_which_node_is_primary(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto has no roles to speak of."""
    aws.tells("elasticache", "DescribeReplicationGroups", {"ReplicationGroups": [GROUP]})
    (row,) = (await provider.ask(Groups())).rows
    assert row.facts["shards_not_available"] == 1
    members = row.facts["members"]
    assert isinstance(members, list)
    assert [(each["name"], each["role"]) for each in members if isinstance(each, dict)] == [
        ("sessions-001", "replica"),
        ("sessions-002", "primary"),
    ]


async def test_no_group_and_denied(aws: StandIn, provider: AwsProvider) -> None:
    assert (await provider.ask(Groups())).status is Status.no_data
    aws.refuses_xml("DescribeReplicationGroups", "AccessDenied", "no", 403)
    denied = await provider.ask(Groups(name="sessions"))
    assert denied.status is Status.denied
    assert "elasticache:DescribeReplicationGroups" in denied.message


async def test_a_failover_comes_before_what_is_usual(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto does not know DescribeEvents of ElastiCache."""
    minutes = timedelta(minutes=1)
    told = [
        {"SourceIdentifier": "sessions-001", "Message": "Snapshot succeeded", "Date": NOW - minutes},
        {"SourceIdentifier": "sessions", "Message": "Failover from master node sessions-001 to replica node "
         "sessions-002 completed", "Date": NOW - 20 * minutes},
        {"SourceIdentifier": "sessions-web", "Message": "Cache node 0001 restarted", "Date": NOW - 2 * minutes},
    ]  # fmt: skip
    aws.tells("elasticache", "DescribeEvents", {"Events": told})
    all_rows = (await provider.ask(Events())).rows
    assert [row.name for row in all_rows] == ["sessions-web", "sessions", "sessions-001"]
    one = await provider.ask(Events(name="sessions"))
    assert [row.name for row in one.rows] == ["sessions", "sessions-001"], "its nodes too, another group not"
    none = await provider.ask(Events(name="quiet"))
    assert none.status is Status.no_data


async def test_memory_evictions_and_hit_rate(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    told = [cluster("sessions-001", ReplicationGroupId="sessions"), cluster("other-001")]
    aws.tells("elasticache", "DescribeCacheClusters", {"CacheClusters": told})
    here = {"CacheClusterId": "sessions-001"}
    shop.points("AWS/ElastiCache", "Evictions", here, [0.0, 500.0])
    shop.points("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", here, [97.0, 99.5])
    shop.points("AWS/ElastiCache", "CacheHits", here, [50.0, 10.0])
    shop.points("AWS/ElastiCache", "CacheMisses", here, [0.0, 20.0])
    shop.points("AWS/ElastiCache", "CurrConnections", {"CacheClusterId": "other-001"}, [65.0])
    result = await provider.ask(Usage())
    first, second = result.rows
    assert first.name == "sessions-001"
    assert (first.facts["evictions"], first.facts["nearest_limit"]) == (500, "memory")
    assert (first.facts["nearest_limit_percent"], first.facts["hit_percent"]) == (99.5, 75)
    assert second.facts["connections_limit"] == 65000


async def test_nodes_without_metrics_are_told_all_the_same(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("elasticache", "DescribeCacheClusters", {"CacheClusters": [cluster("sessions-001")]})
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(Usage())
    assert result.status is Status.truncated
    assert "cloudwatch:GetMetricData" in result.message
    assert [row.name for row in result.rows] == ["sessions-001"]


def _parameters(aws: StandIn, group: str = "tuned") -> None:
    """Canned: moto has no cache parameters."""
    state = {"CacheParameterGroupName": group, "ParameterApplyStatus": "in-sync", "CacheNodeIdsToReboot": ["0001"]}
    aws.tells("elasticache", "DescribeCacheClusters", {"CacheClusters": [cluster("s", CacheParameterGroup=state)]})
    user = {"Source": "user", "ChangeType": "immediate"}
    own = [
        {**user, "ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"},
        {**user, "ParameterName": "databases", "ParameterValue": "64", "ChangeType": "requires-reboot"},
        {**user, "ParameterName": "timeout", "ParameterValue": "0"},
        {"ParameterName": "slowlog-max-len", "ParameterValue": "128", "Source": "system"},
    ]
    aws.tells("elasticache", "DescribeCacheParameters", {"Parameters": own})
    families = [{"CacheParameterGroupName": group, "CacheParameterGroupFamily": "redis7"}]
    aws.tells("elasticache", "DescribeCacheParameterGroups", {"CacheParameterGroups": families})
    defaults = [
        {"ParameterName": "maxmemory-policy", "ParameterValue": "volatile-lru"},
        {"ParameterName": "databases", "ParameterValue": "16"},
        {"ParameterName": "timeout", "ParameterValue": "0"},
    ]
    aws.tells("elasticache", "DescribeEngineDefaultParameters", {"EngineDefaults": {"Parameters": defaults}})


async def test_what_was_set_to_something_else(aws: StandIn, provider: AwsProvider) -> None:
    _parameters(aws)
    result = await provider.ask(Parameters(name="s"))
    assert [(row.name, row.facts["value"], row.facts["default"]) for row in result.rows] == [
        ("databases", "64", "16"),
        ("maxmemory-policy", "noeviction", "volatile-lru"),
    ]
    assert [row.facts["waits_for_reboot"] for row in result.rows] == [True, False]


async def test_nothing_was_set(aws: StandIn, provider: AwsProvider) -> None:
    _parameters(aws, "default.redis7")
    calm = await provider.ask(Parameters(name="s"))
    assert (calm.status, calm.message) == (Status.no_data, "every parameter of default.redis7 has its default")


async def test_without_the_defaults_what_was_set_is_told_all_the_same(aws: StandIn, provider: AwsProvider) -> None:
    _parameters(aws)
    aws.refuses_xml("DescribeCacheParameterGroups", "AccessDenied", "no", 403)
    result = await provider.ask(Parameters(name="s"))
    assert result.status is Status.truncated
    assert "elasticache:DescribeCacheParameterGroups" in result.message
    assert len(result.rows) == 3


async def test_a_small_node_takes_fewer_connections(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """`maxclients` by node type, of the guide's table of parameters."""
    told = [cluster("small-001", CacheNodeType="cache.t3.micro"), cluster("large-001")]
    aws.tells("elasticache", "DescribeCacheClusters", {"CacheClusters": told})
    shop.points("AWS/ElastiCache", "CurrConnections", {"CacheClusterId": "small-001"}, [18_000.0])
    small, large = (await provider.ask(Usage())).rows
    assert (small.facts["nearest_limit"], small.facts["nearest_limit_percent"]) == ("connections", 90)
    assert (small.facts["connections_limit"], large.facts["connections_limit"]) == (20_000, 65_000)
