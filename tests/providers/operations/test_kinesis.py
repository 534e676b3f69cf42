"""Kinesis: load against the shards, hot shards, and readers that fall behind."""

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.kinesis import Consumers, Shards, Streams
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"


def stream(shop: Shop, name: str = "clicks", shards: int = 2) -> None:
    shop.client("kinesis").create_stream(StreamName=name, ShardCount=shards)


async def test_load_against_the_shards_the_throttled_first(shop: Shop, provider: AwsProvider) -> None:
    stream(shop)
    stream(shop, "late")
    stream(shop, "calm")
    shop.points("AWS/Kinesis", "IncomingRecords", {"StreamName": "clicks"}, [6000.0, 108_000.0])
    shop.points("AWS/Kinesis", "IncomingBytes", {"StreamName": "clicks"}, [1024.0, 60 * 1024.0**2])
    shop.points("AWS/Kinesis", "WriteProvisionedThroughputExceeded", {"StreamName": "clicks"}, [0.0, 70.0])
    shop.points("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "late"}, [1000.0, 43_200_000.0])
    result = await provider.ask(Streams())
    assert [row.name for row in result.rows] == ["clicks", "late", "calm"]
    clicks, late, _ = (row.facts for row in result.rows)
    assert (clicks["shards"], clicks["records_in_peak_per_s"], clicks["write_percent"]) == (2, 1800, 90)
    assert clicks["writes_throttled"] == 70
    assert (late["iterator_age_s"], late["age_percent_of_retention"]) == (43200, 50)


async def test_no_stream_and_one_that_is_gone(shop: Shop, provider: AwsProvider) -> None:
    empty = await provider.ask(Streams())
    assert (empty.status, empty.message) == (Status.no_data, "Kinesis has no stream here")
    assert (await provider.ask(Streams(name="gone"))).status is Status.no_data
    assert (await provider.ask(Shards(name="gone"))).status is Status.no_data


async def test_a_denied_part_is_named(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    stream(shop)
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    result = await provider.ask(Streams(name="clicks"))
    assert result.status is Status.truncated
    assert "writes_throttled" not in result.rows[0].facts, "unknown, and not: none"


async def test_which_shard_is_hot(shop: Shop, provider: AwsProvider) -> None:
    stream(shop)
    cold = await provider.ask(Shards(name="clicks"))
    assert cold.status is Status.truncated
    assert "shard-level metrics are not enabled" in cold.message
    assert [row.facts["key_space_percent"] for row in cold.rows] == [50, 50]


async def test_load_of_each_shard(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    stream(shop)
    monitored = [{"ShardLevelMetrics": ["ALL"]}]
    summary = {"StreamName": "clicks", "StreamARN": ARN, "StreamStatus": "ACTIVE", "EnhancedMonitoring": monitored}
    aws.tells("kinesis", "DescribeStreamSummary", {"StreamDescriptionSummary": summary})
    hot = {"StreamName": "clicks", "ShardId": "shardId-000000000001"}
    shop.points("AWS/Kinesis", "IncomingRecords", hot, [60_000.0])
    result = await provider.ask(Shards(name="clicks"))
    assert result.status is Status.ok, result.message
    assert [(row.name, row.facts.get("write_percent")) for row in result.rows] == [
        ("shardId-000000000001", 100),
        ("shardId-000000000000", None),
    ]


async def test_who_is_behind(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The functions are canned: they need more of moto than this is about."""
    stream(shop)
    for name in ("billing", "search"):
        shop.client("kinesis").register_stream_consumer(StreamARN=ARN, ConsumerName=name)
    behind = {"StreamName": "clicks", "ConsumerName": "search"}
    shop.points("AWS/Kinesis", "SubscribeToShardEvent.MillisBehindLatest", behind, [100.0, 90_000.0])
    mapping = {
        "FunctionArn": "arn:aws:lambda:us-east-1:1:function:count:live",
        "State": "Enabled",
        "LastProcessingResult": "PROBLEM: Function call failed",
        "BatchSize": 100,
    }
    aws.tells("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping]})
    result = await provider.ask(Consumers(name="clicks"))
    assert result.status is Status.ok, result.message
    assert [row.name for row in result.rows] == ["count:live", "search", "billing"]
    assert result.rows[0].facts["last_result"] == "PROBLEM: Function call failed"
    assert result.rows[1].facts["behind_s"] == 90


async def test_nobody_reads_and_functions_that_may_not_be_listed(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    stream(shop)
    nobody = await provider.ask(Consumers(name="clicks"))
    assert nobody.status is Status.no_data
    assert "nobody is registered" in nobody.message


async def test_functions_that_may_not_be_listed(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    stream(shop)
    shop.client("kinesis").register_stream_consumer(StreamARN=ARN, ConsumerName="billing")
    aws.refuses("ListEventSourceMappings", "AccessDeniedException", "no", 403)
    result = await provider.ask(Consumers(name="clicks"))
    assert result.status is Status.truncated
    assert "lambda:ListEventSourceMappings" in result.message
    assert [row.name for row in result.rows] == ["billing"]


async def test_shards_beyond_the_first_page_are_told_and_not_asked_for(aws: StandIn, provider: AwsProvider) -> None:
    """Kinesis refuses a token beside the stream's name; canned, for moto takes both."""
    monitored = [{"ShardLevelMetrics": ["ALL"]}]
    summary = {"StreamName": "clicks", "StreamARN": ARN, "StreamStatus": "ACTIVE", "EnhancedMonitoring": monitored}
    aws.tells("kinesis", "DescribeStreamSummary", {"StreamDescriptionSummary": summary})
    aws.tells("kinesis", "ListShards", {"Shards": [{"ShardId": str(n)} for n in range(201)], "NextToken": "more"})
    result = await provider.ask(Shards(name="clicks"))
    assert len(aws.asked("ListShards")) == 1
    assert "only the first 1000 shards were read" in result.message
    assert "of 201 open shards 200 were measured" in result.message
