"""Metrics: one call for many, neutral units, and every way in which CloudWatch can be short of an answer."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadMetrics, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.metric_table import TABLE, VITAL_SIGNS, rows, signal_of
from runbook_bot.providers.aws.metrics import period_for
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, CHECKOUT_GROUP, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import StandIn

ECS = {"ClusterName": "prod", "ServiceName": "checkout-api"}


def values(result: Result, signal: Signal) -> list[float]:
    return [round(v, 6) for s in result.series if s.signal is signal for v in s.values]


async def test_many_resources_are_read_in_one_call(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.points("AWS/ECS", "CPUUtilization", ECS, [10, 20, 30])
    shop.points("AWS/RDS", "DatabaseConnections", {"DBInstanceIdentifier": "orders-db"}, [80, 81])
    result = await provider.ask(
        ReadMetrics(resources=(CHECKOUT, ORDERS_DB), signals=(Signal.cpu, Signal.connections), window=window)
    )
    assert result.status is Status.ok
    assert values(result, Signal.cpu) == [10, 20, 30]
    assert values(result, Signal.connections) == [80, 81]
    assert len(aws.asked("GetMetricData")) == 1
    assert [s.resource for s in result.series] == [CHECKOUT, ORDERS_DB]


async def test_values_are_converted_to_the_neutral_unit(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    shop.function()
    shop.points("AWS/Lambda", "Invocations", {"FunctionName": "receipts"}, [600, 600, 600, 600, 600])
    shop.points("AWS/Lambda", "Duration", {"FunctionName": "receipts"}, [250, 250, 250, 250, 250])
    result = await provider.ask(
        ReadMetrics(resources=(RECEIPTS,), signals=(Signal.requests, Signal.duration), window=window, step=60)
    )
    assert set(values(result, Signal.requests)) == {600.0}  # a minute's sum is a count per minute already
    assert set(values(result, Signal.duration)) == {0.25}  # milliseconds become seconds


def test_a_sum_over_five_minutes_becomes_a_rate_per_minute() -> None:
    row = next(iter(rows(ResourceType.lambda_function, (Signal.requests,))))
    assert row.neutral(3000, 300) == 600


async def test_target_groups_are_asked_for_by_the_values_that_cloudwatch_uses(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    _, group, balancer = shop.balanced()
    shop.points(
        "AWS/ApplicationELB", "TargetResponseTime", {"TargetGroup": group, "LoadBalancer": balancer}, [0.1, 0.9]
    )
    query = ReadMetrics(resources=(CHECKOUT_GROUP,), signals=(Signal.latency,), window=window)
    result = await provider.ask(query)
    assert values(result, Signal.latency) == [0.1, 0.9]
    await provider.ask(query)
    assert len(aws.asked("DescribeTargetGroups")) == 1  # remembered


async def test_metrics_kept_under_other_dimensions_are_found_by_listing(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto tells orders of dimensions apart; another simulator may leave the load balancer out."""
    _, group, balancer = shop.balanced()
    shop.points("AWS/ApplicationELB", "TargetResponseTime", {"LoadBalancer": balancer, "TargetGroup": group}, [0.2])
    shop.points("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", {"TargetGroup": group}, [7])
    shop.points("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", {"TargetGroup": "targetgroup/other/1"}, [99])
    result = await provider.ask(
        ReadMetrics(resources=(CHECKOUT_GROUP,), signals=(Signal.latency, Signal.errors), window=window)
    )
    assert values(result, Signal.latency) == [0.2]
    assert values(result, Signal.errors) == [7]


async def test_a_target_group_that_cannot_be_described_is_still_found(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.breaks("DescribeTargetGroups")
    shop.points("AWS/ApplicationELB", "RequestCount", {"TargetGroup": "targetgroup/checkout-api/0123"}, [5])
    result = await provider.ask(ReadMetrics(resources=(CHECKOUT_GROUP,), signals=(Signal.requests,), window=window))
    assert values(result, Signal.requests) == [5]
    assert "DescribeTargetGroups" in result.message


async def test_a_percentile_that_is_missing_does_not_hide_the_rest(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto answers GetMetricData with HTTP 500 as soon as a percentile has data to be computed from."""
    shop.function()
    shop.points("AWS/Lambda", "Duration", {"FunctionName": "receipts"}, [100, 200])
    result = await provider.ask(
        ReadMetrics(resources=(RECEIPTS,), signals=(Signal.duration, Signal.latency_p99), window=window)
    )
    assert result.status is Status.ok
    assert values(result, Signal.duration) == [0.1, 0.2]
    assert values(result, Signal.latency_p99) == []


async def test_without_get_metric_data_each_metric_is_asked_for_alone(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.breaks("GetMetricData", 501)
    shop.points("AWS/ECS", "CPUUtilization", ECS, [10, 20, 30])
    result = await provider.ask(ReadMetrics(resources=(CHECKOUT,), signals=(Signal.cpu,), window=window))
    assert values(result, Signal.cpu) == [10, 20, 30]
    assert len(aws.asked("GetMetricStatistics")) == 1


async def test_no_points_says_where_it_looked(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    result = await provider.ask(ReadMetrics(resources=(CHECKOUT,), window=window))
    assert result.status is Status.no_data
    assert "AWS/ECS CPUUtilization {ClusterName=prod, ServiceName=checkout-api}" in result.message


async def test_a_metric_of_ones_own_is_read_by_its_name(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    shop.points("Shop", "Orders", {"Country": "Österreich"}, [3, 4])
    metric = Resource(
        type=ResourceType.metric, namespace="Shop", name="Orders", dimensions={"Country": "Österreich"}, statistic="Sum"
    )
    result = await provider.ask(ReadMetrics(resources=(metric,), window=window))
    assert values(result, Signal.value) == [3, 4]


async def test_an_alarm_is_read_through_the_metric_it_watches(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.points("Shop", "Orders", {}, [3, 4])
    shop.client("cloudwatch").put_metric_alarm(
        AlarmName="few orders",
        Namespace="Shop",
        MetricName="Orders",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="LessThanThreshold",
    )
    alarm = Resource(type=ResourceType.alarm, name="few orders")
    result = await provider.ask(ReadMetrics(resources=(alarm,), window=window))
    assert values(result, Signal.value) == [3, 4]
    assert result.series[0].resource == alarm


async def test_the_minute_that_is_not_over_is_left_out(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    """Half a minute's requests would look like a collapse of traffic."""
    minute = NOW.replace(second=0)
    shop.points_at("AWS/Lambda", "Invocations", {"FunctionName": "receipts"}, {minute - timedelta(minutes=1): 600})
    shop.points_at("AWS/Lambda", "Invocations", {"FunctionName": "receipts"}, {minute: 200})
    result = await provider.ask(ReadMetrics(resources=(RECEIPTS,), signals=(Signal.requests,), window=window))
    assert values(result, Signal.requests) == [600]


async def test_one_target_group_of_several_is_not_taken_for_its_load_balancer(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    _, _, balancer = shop.balanced()
    for name in ("a", "b"):
        group = {"LoadBalancer": balancer, "TargetGroup": f"targetgroup/{name}/1"}
        shop.points("AWS/ApplicationELB", "RequestCount", group, [5])
    front = Resource(type=ResourceType.load_balancer, name="front")
    result = await provider.ask(ReadMetrics(resources=(front,), signals=(Signal.requests,), window=window))
    assert result.status is Status.no_data


@pytest.mark.parametrize(
    ("age", "length", "step", "expected"),
    [
        (timedelta(hours=3), timedelta(hours=3), 60, 60),
        (timedelta(hours=3), timedelta(hours=3), 10, 60),
        (timedelta(hours=3), timedelta(hours=3), 90, 120),
        (timedelta(days=20), timedelta(hours=3), 60, 300),
        (timedelta(days=100), timedelta(hours=3), 60, 3600),
        (timedelta(days=7), timedelta(days=7), 60, 420),
    ],
)
def test_an_old_window_is_read_as_finely_as_cloudwatch_still_has_it(
    age: timedelta, length: timedelta, step: float, expected: int
) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    window = TimeWindow(start=now - age, end=now - age + length)
    assert period_for(window, step, now) == expected


def test_every_type_that_has_vital_signs_has_metrics_for_them() -> None:
    for type, signals in VITAL_SIGNS.items():
        if type in (ResourceType.alarm, ResourceType.metric):
            continue
        assert {row.signal for row in rows(type, ())} == set(signals), type


def test_a_metric_is_told_back_as_its_signal() -> None:
    for row in TABLE:
        assert signal_of(row.namespace, row.name, row.statistic, row.type) is not None
    assert signal_of("AWS/ApplicationELB", "TargetResponseTime", "p99", None) is Signal.latency_p99
    assert signal_of("AWS/ApplicationELB", "TargetResponseTime", "Average", None) is Signal.latency
    assert signal_of("Shop", "Orders", "Sum", None) is None


async def test_a_metric_of_the_whole_account_is_read_without_dimensions(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.points("AWS/Lambda", "ClaimedAccountConcurrency", {}, [900.0] * 5)
    query = ReadMetrics(resources=(RECEIPTS,), signals=(Signal.account_concurrency,), window=window)
    (series,) = (await provider.ask(query)).series
    assert set(series.values) == {900.0}
    assert series.resource == RECEIPTS


async def test_a_bucket_s_requests_are_found_under_the_filter_they_are_kept_with(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    bucket = Resource(type=ResourceType.s3_bucket, name="uploads")
    shop.points("AWS/S3", "5xxErrors", {"BucketName": "uploads", "FilterId": "EntireBucket"}, [7.0] * 5)
    query = ReadMetrics(resources=(bucket,), signals=(Signal.errors,), window=window)
    (series,) = (await provider.ask(query)).series
    assert set(series.values) == {7.0}


def found(*points: tuple[float, float], status: str = "Complete", id: str = "m0") -> dict[str, object]:
    """Seconds before now, and the value there."""
    times = [NOW.replace(second=0) - timedelta(seconds=ago) for ago, _ in points]
    return {"Id": id, "Label": "x", "Timestamps": times, "Values": [value for _, value in points], "StatusCode": status}


DB_CPU = ReadMetrics(
    resources=(ORDERS_DB,),
    signals=(Signal.cpu,),
    window=TimeWindow(start=NOW - timedelta(hours=1), end=NOW + timedelta(minutes=1)),
)


async def test_points_out_of_order_twice_and_none_at_all_are_put_right(aws: StandIn, provider: AwsProvider) -> None:
    nan = float("nan")
    told = found((300, 3), (600, 1), (300, 3), (480, nan), (420, float("inf")), (60, 4))
    aws.tells("cloudwatch", "GetMetricData", {"MetricDataResults": [told, found((540, 2)), found((1, 9), id="m99")]})
    result = await provider.ask(DB_CPU)
    assert result.status is Status.ok
    assert values(result, Signal.cpu) == [1, 2, 3, 4]
    assert list(result.series[0].times) == sorted(result.series[0].times)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"MetricDataResults": None},
        {"MetricDataResults": [{}]},
        {"MetricDataResults": [{"Id": "m0", "Timestamps": None, "Values": None}]},
        {"MetricDataResults": [{"Id": "m0", "Timestamps": [None], "Values": [1.0]}]},
        {"MetricDataResults": [{"Id": "m0", "Timestamps": [1.0, 2.0], "Values": []}]},
        {"MetricDataResults": [{"Id": None, "Timestamps": [1.0], "Values": [1.0]}]},
    ],
)
async def test_answers_without_points_are_no_data(
    aws: StandIn, provider: AwsProvider, answer: dict[str, object]
) -> None:
    aws.says("GetMetricData", answer)
    result = await provider.ask(DB_CPU)
    assert result.status is Status.no_data
    assert "no points from" in result.message


async def test_a_metric_that_may_not_be_read_is_named_beside_one_that_may(aws: StandIn, provider: AwsProvider) -> None:
    query = DB_CPU.model_copy(update={"signals": (Signal.cpu, Signal.connections)})
    told = [found((60, 4)), {**found(id="m1", status="Forbidden"), "Messages": [{"Code": "x", "Value": "no"}]}]
    aws.tells("cloudwatch", "GetMetricData", {"MetricDataResults": told})
    result = await provider.ask(query)
    assert values(result, Signal.cpu) == [4]
    assert "Forbidden" in result.message


@pytest.mark.parametrize(("status", "expected"), [(403, Status.denied), (404, Status.error), (500, Status.error)])
async def test_pages_of_html_are_no_absence(aws: StandIn, provider: AwsProvider, status: int, expected: Status) -> None:
    body = '{"__type": "AccessDenied", "message": "no"}' if status == 403 else "<html>oh</html>"
    for operation in ("GetMetricData", "GetMetricStatistics", "ListMetrics"):
        aws.breaks(operation, status, body)
    result = await provider.ask(DB_CPU)
    assert result.status is expected
    assert not result.series


async def test_ec2_s_points_of_five_minutes_are_rates_all_the_same(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Basic monitoring: a sum of five minutes, every five minutes."""
    minute = NOW.replace(second=0)
    told = {minute - timedelta(minutes=5 * n): 600_000.0 for n in range(1, 6)}
    shop.points_at("AWS/EC2", "NetworkIn", {"InstanceId": "i-0123"}, told)
    machine = Resource(type=ResourceType.ec2_instance, name="i-0123")
    (series,) = (
        await provider.ask(ReadMetrics(resources=(machine,), signals=(Signal.network_in,), window=window))
    ).series
    assert set(series.values) == {2000.0}
    assert series.step == 300


async def test_a_count_that_is_empty_because_nothing_happened_is_not_searched_for(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.function()
    shop.points("AWS/Lambda", "Invocations", {"FunctionName": "receipts"}, [600] * 5)
    query = ReadMetrics(resources=(RECEIPTS,), signals=(Signal.requests, Signal.throttles), window=window)
    assert [series.signal for series in (await provider.ask(query)).series] == [Signal.requests]
    assert aws.asked("ListMetrics") == []


@pytest.mark.parametrize(("points", "expected"), [([5.0, 6.0], Status.ok), ([], Status.denied)])
async def test_a_cache_whose_members_may_not_be_asked_for_is_read_by_its_own_name(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow, points: list[float], expected: Status
) -> None:
    aws.refuses_xml("DescribeReplicationGroups", "AccessDenied", "not authorized", 403)
    if points:
        shop.points("AWS/ElastiCache", "Evictions", {"CacheClusterId": "sessions"}, points)
    cache = Resource(type=ResourceType.elasticache_cluster, name="sessions")
    result = await provider.ask(ReadMetrics(resources=(cache,), signals=(Signal.evictions,), window=window))
    assert (result.status, values(result, Signal.evictions)) == (expected, points)
    assert "elasticache:DescribeReplicationGroups" in result.message
