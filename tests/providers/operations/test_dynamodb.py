"""DynamoDB: capacity and its use, throttles with their cause, hot keys, and what auto scaling does."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.dynamodb import HotKeys, Tables, Throttles
from runbook_bot.providers.aws.operations.dynamodb_scaling import Activities, Targets
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW, FixedClock
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


def table(shop: Shop, name: str = "carts", **more: Any) -> None:
    provisioned = {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 5},
    }
    keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
    names = [{"AttributeName": each, "AttributeType": "S"} for each in ("id", *(["user"] if more else []))]
    shop.client("dynamodb").create_table(TableName=name, AttributeDefinitions=names, **keys, **provisioned, **more)


BY_USER = {
    "IndexName": "by-user",
    "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
}


async def test_use_against_capacity_the_throttled_first(shop: Shop, provider: AwsProvider) -> None:
    table(shop)
    table(shop, "orders")
    shop.points("AWS/DynamoDB", "ConsumedWriteCapacityUnits", {"TableName": "orders"}, [60.0, 285.0, 120.0])
    shop.points("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"}, [0.0, 40.0, 2.0])
    result = await provider.ask(Tables())
    assert [row.name for row in result.rows] == ["orders", "carts"]
    first = result.rows[0].facts
    assert (first["mode"], first["write_capacity_per_s"]) == ("provisioned", 5)
    assert (first["write_peak_per_s"], first["write_percent"], first["writes_throttled"]) == (4.75, 95, 42)
    assert result.rows[1].facts["writes_throttled"] == 0


async def test_one_table_none_and_one_that_is_gone(shop: Shop, provider: AwsProvider) -> None:
    assert (await provider.ask(Tables())).status is Status.no_data
    gone = await provider.ask(Tables(name="gone"))
    assert gone.status is Status.no_data
    assert gone.message


async def test_on_demand_has_no_limit_of_its_own(shop: Shop, provider: AwsProvider) -> None:
    shop.client("dynamodb").create_table(
        TableName="carts",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (row,) = (await provider.ask(Tables(name="carts"))).rows
    assert row.facts["mode"] == "on demand"
    assert "read_capacity_per_s" not in row.facts


async def test_a_table_deleted_since_it_was_listed_is_left_out(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    table(shop)
    aws.says("ListTables", {"TableNames": ["carts", "gone"]})
    result = await provider.ask(Tables())
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["carts"]


async def test_of_many_denials_two_are_told(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    aws.says("ListTables", {"TableNames": [f"t{i}" for i in range(30)]})

    def refuse(body: str) -> Answer:
        told = f"not authorized to perform: dynamodb:DescribeTable on resource: {body[-6:-2]}"
        return Answer(400, b'{"__type": "AccessDeniedException", "message": "%s"}' % told.encode().replace(b'"', b""))

    aws.answers["DescribeTable"] = refuse
    result = await provider.ask(Tables())
    assert result.status is Status.denied
    assert result.message.count("is not allowed") == 2
    assert "28 more calls needing dynamodb:DescribeTable ended so" in result.message


async def test_throttles_by_cause_of_table_and_index(shop: Shop, provider: AwsProvider) -> None:
    table(shop, GlobalSecondaryIndexes=[BY_USER])
    index = {"TableName": "carts", "GlobalSecondaryIndexName": "by-user"}
    shop.points("AWS/DynamoDB", "WriteThrottleEvents", index, [30.0, 20.0])
    shop.points("AWS/DynamoDB", "WriteKeyRangeThroughputThrottleEvents", index, [30.0, 10.0])
    shop.points("AWS/DynamoDB", "WriteProvisionedThroughputThrottleEvents", index, [0.0, 10.0])
    result = await provider.ask(Throttles())
    (row,) = result.rows
    assert row.name == "carts/index/by-user"
    assert row.facts["writes_throttled"] == 50
    assert row.facts["by_cause"] == {"hot_partition": 40, "provisioned_capacity": 10}
    assert row.facts["write_capacity_per_s"] == 2
    named = await provider.ask(Throttles(name="carts"))
    assert [each.name for each in named.rows] == ["carts/index/by-user", "carts"]


async def test_no_throttle_and_metrics_that_may_not_be_read(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    table(shop)
    calm = await provider.ask(Throttles())
    assert calm.status is Status.no_data
    assert calm.message == "no request was throttled in this window, in 1 tables and indexes"
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    denied = await AwsProvider(AwsSettings(), FixedClock()).ask(Throttles())
    assert denied.status is Status.denied, "unknown, and not: none"


async def test_hot_keys_the_throttled_first(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto has no Contributor Insights for tables."""
    listed = [
        {"TableName": "carts", "ContributorInsightsStatus": "ENABLED"},
        {"TableName": "carts", "IndexName": "by-user", "ContributorInsightsStatus": "DISABLED"},
    ]
    aws.says("ListContributorInsights", {"ContributorInsightsSummaries": listed})
    rules = ["DynamoDBContributorInsights-PKC-carts-1", "DynamoDBContributorInsights-PKT-carts-1"]
    aws.says("DescribeContributorInsights", {"ContributorInsightsRuleList": rules})
    contributors = [{"Keys": ["user#7"], "ApproximateAggregateValue": 900.0, "Datapoints": []}]
    aws.tells(
        "cloudwatch",
        "GetInsightRuleReport",
        {"AggregateValue": 1000.0, "ApproximateUniqueCount": 50, "Contributors": contributors},
    )
    result = await provider.ask(HotKeys(name="carts"))
    assert result.status is Status.ok, result.message
    assert [row.facts["what"] for row in result.rows] == ["throttled", "accessed"]
    assert result.rows[0].name == "user#7"
    assert (result.rows[0].facts["percent_of_all"], result.rows[0].facts["different_keys"]) == (90, 50)


async def test_insights_that_are_not_enabled(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListContributorInsights", {"ContributorInsightsSummaries": []})
    result = await provider.ask(HotKeys(name="carts"))
    assert result.status is Status.error
    assert "Contributor Insights is not enabled on table carts" in result.message


async def test_targets_that_are_at_their_most(shop: Shop, provider: AwsProvider) -> None:
    table(shop)
    table(shop, "orders")
    scaling = shop.client("application-autoscaling")
    for name, most in (("carts", 50), ("orders", 10)):
        which = {
            "ServiceNamespace": "dynamodb", "ResourceId": f"table/{name}",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
        }  # fmt: skip
        scaling.register_scalable_target(**which, MinCapacity=1, MaxCapacity=most)
        scaling.put_scaling_policy(
            PolicyName="p", PolicyType="TargetTrackingScaling", **which,
            TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0},
        )  # fmt: skip
    result = await provider.ask(Targets())
    assert [(row.name, row.facts["at_most"]) for row in result.rows] == [("orders", True), ("carts", False)]
    assert result.rows[0].facts["aims_at_percent"] == 70
    assert result.rows[0].facts["present_per_s"] == 10
    none = await provider.ask(Targets(name="gone"))
    assert none.status is Status.no_data


async def test_what_scaling_could_not_do_comes_first(aws: StandIn, provider: AwsProvider) -> None:
    """Canned: moto does not know DescribeScalingActivities."""
    minutes = timedelta(minutes=1)
    at_most = {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 10, "MinCapacity": 1, "CurrentCapacity": 10}
    base = {"ResourceId": "table/carts", "ScalableDimension": "dynamodb:table:WriteCapacityUnits"}
    told = [
        {**base, "StartTime": NOW - minutes, "StatusCode": "Successful", "Description": "Setting write capacity"},
        {**base, "StartTime": NOW - 9 * minutes, "StatusCode": "Failed", "StatusMessage": "Failed to set: limit"},
        {**base, "StartTime": NOW - 5 * minutes, "StatusCode": "Successful", "NotScaledReasons": [at_most]},
        {**base, "StartTime": NOW - timedelta(days=3), "StatusCode": "Failed"},
    ]
    aws.tells("application-autoscaling", "DescribeScalingActivities", {"ScalingActivities": told})
    result = await provider.ask(Activities(name="carts"))
    assert [row.facts["status"] for row in result.rows] == ["Failed", "Successful", "Successful"]
    assert result.rows[1].facts["held_back"] == "AlreadyAtMaxCapacity (10 now, 1 to 10)"
    other = await provider.ask(Activities(name="orders"))
    assert other.status is Status.no_data
