"""CloudWatch's metrics: against moto, but for metric math and dashboards' order, in the form of the service model."""

import json
from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.metric_summary import summary, usual_statistic
from runbook_bot.providers.aws.operations.cloudwatch import (
    Dashboards,
    ListedMetrics,
    MathInput,
    MetricMath,
    ReadMetric,
)
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

NAMESPACE = "Shop/Zahlung"
STEP = [10.0] * 20 + [50.0] * 20


async def test_the_dimensions_of_a_metric_are_found_and_what_moved_comes_first(
    shop: Shop, provider: AwsProvider
) -> None:
    shop.points(NAMESPACE, "QueueLength", {"Region": "eu", "Tier": "gold"}, [10.0] * 40)
    shop.points(NAMESPACE, "QueueLength", {"Region": "ü/s", "Tier": "gold"}, STEP)
    shop.points(NAMESPACE, "QueueLength", {"Region": "us", "Tier": "iron"}, [1.0])
    result = await provider.ask(ReadMetric(namespace=NAMESPACE, name="QueueLength", dimensions={"Tier": "gold"}))
    assert [row.name for row in result.rows] == ["Region=ü/s, Tier=gold", "Region=eu, Tier=gold"]
    facts = result.rows[0].facts
    assert (facts["min"], facts["max"], facts["now"], facts["points"]) == (10, 50, 50, 40)
    assert str(facts["shift"]).startswith("rises at ")
    assert "from 10.0 to 50.0" in str(facts["shift"])
    assert result.rows[1].facts["shift"] == "steady"
    assert [len(series.values) for series in result.series] == [40, 40]
    assert result.series[0].resource.dimensions == {"Region": "ü/s", "Tier": "gold"}


async def test_a_metric_with_thirty_dimensions(shop: Shop, provider: AwsProvider) -> None:
    dimensions = {f"Dimension{index:02}": "x" * 200 for index in range(30)}
    shop.points(NAMESPACE, "Wide", dimensions, [1, 2, 3])
    result = await provider.ask(ReadMetric(namespace=NAMESPACE, name="Wide"))
    (row,) = result.rows
    assert len(row.name) <= 300
    assert row.facts["max"] == 3
    assert result.series[0].resource.dimensions == dimensions


async def test_more_sets_than_are_read_are_counted(shop: Shop, provider: AwsProvider) -> None:
    for index in range(33):
        shop.points(NAMESPACE, "Many", {"Pod": str(index)}, [1])
    result = await provider.ask(ReadMetric(namespace=NAMESPACE, name="Many"))
    assert len(result.rows) == 30
    assert result.status is Status.truncated
    assert "3 more sets of dimensions" in result.message


async def test_a_metric_that_is_not_listed_is_asked_for_all_the_same(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.points(NAMESPACE, "Fresh", {"Pod": "a"}, [7])
    aws.refuses("ListMetrics", "AccessDeniedException")
    result = await provider.ask(ReadMetric(namespace=NAMESPACE, name="Fresh", dimensions={"Pod": "a"}))
    assert result.rows[0].facts["now"] == 7
    assert result.status is Status.truncated
    unknown = await provider.ask(ReadMetric(namespace=NAMESPACE, name="Fresh"))
    assert unknown.status is Status.denied
    assert "cloudwatch:ListMetrics" in unknown.message


async def test_an_old_window_is_read_at_the_period_that_is_kept(aws: StandIn, provider: AwsProvider) -> None:
    old = TimeWindow(start=NOW - timedelta(days=100), end=NOW - timedelta(days=99))
    query = ReadMetric(namespace=NAMESPACE, name="Old", dimensions={"Pod": "a"}, window=old)
    result = await provider.ask(query)
    assert result.status is Status.no_data
    assert "lists no such metric" in result.message
    assert '"Period": 3600' in aws.asked("GetMetricData")[0].body


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("AWS/Lambda", "Errors", "Sum"),
        ("AWS/RDS", "DatabaseConnections", "Average"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
        ("AWS/ApplicationELB", "HTTPCode_ELB_502_Count", "Sum"),
        ("Shop", "PaymentLatency", "Average"),
        ("Shop", "FailedLogins", "Sum"),
        ("Shop", "Temperature", "Average"),
        ("AWS/Events", "FailedInvocations", "Sum"),
        ("AWS/Kafka", "MaxOffsetLag", "Maximum"),
        ("Shop", "FreeSeats", "Average"),
    ],
)
def test_the_usual_statistic(namespace: str, name: str, expected: str) -> None:
    assert usual_statistic(namespace, name) == expected


def test_few_points_tell_nothing_of_a_shift() -> None:
    assert summary({0.0: 1.0}, counts=False)["shift"] == "too few points to tell"


def results(*found: dict[str, Any], messages: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"MetricDataResults": list(found), "Messages": [{"Code": "x", "Value": each} for each in messages]}


def values(label: str, *numbers: float) -> dict[str, Any]:
    times = [NOW - timedelta(minutes=len(numbers) - index) for index in range(len(numbers))]
    return {"Id": "expression", "Label": label, "Timestamps": times, "Values": list(numbers), "StatusCode": "Complete"}


async def test_an_expression_is_computed_by_cloudwatch(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudwatch", "GetMetricData", results(values("error rate", 1, 2, float("nan"), 4)))
    inputs = (
        MathInput(id="errors", namespace="AWS/Lambda", name="Errors", dimensions={"FunctionName": "receipts"}),
        MathInput(id="latency", namespace="AWS/Lambda", name="Duration", statistic="p99"),
    )
    result = await provider.ask(MetricMath(expression="errors/latency", metrics=inputs))
    assert result.rows[0].facts["max"] == 4
    assert result.rows[0].facts["points"] == 3
    asked = json.loads(aws.asked("GetMetricData")[0].body)["MetricDataQueries"]
    assert [each["MetricStat"]["Stat"] for each in asked[:2]] == ["Sum", "p99"]
    assert [each["ReturnData"] for each in asked] == [False, False, True]
    assert asked[2]["Expression"] == "errors/latency"


async def test_both_edges_of_a_band_are_kept_apart(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudwatch", "GetMetricData", results(values("band", 5, 5), values("band", 1, 1)))
    result = await provider.ask(MetricMath(expression="ANOMALY_DETECTION_BAND(m1)"))
    assert {row.name: row.facts["now"] for row in result.rows} == {"band": 5, "band (2)": 1}


async def test_a_search_that_was_cut_says_so_and_an_empty_one_is_no_data(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("cloudwatch", "GetMetricData", results(values("a", 1), messages=("Maximum number of metrics reached",)))
    result = await provider.ask(MetricMath(expression="SEARCH('x', 'Sum', 60)"))
    assert result.status is Status.truncated
    assert "Maximum number of metrics" in result.message
    aws.tells("cloudwatch", "GetMetricData", results())
    assert (await provider.ask(MetricMath(expression="SEARCH('y', 'Sum', 60)"))).status is Status.no_data


async def test_a_wrong_expression_is_an_error_that_quotes_cloudwatch(aws: StandIn, provider: AwsProvider) -> None:
    aws.refuses("GetMetricData", "ValidationError", "Error in expression 'expression': syntax")
    result = await provider.ask(MetricMath(expression="1 +"))
    assert result.status is Status.error
    assert "syntax" in result.message


async def test_metrics_are_listed_by_name_with_an_example(shop: Shop, provider: AwsProvider) -> None:
    shop.points(NAMESPACE, "Orders", {"Shop": "eu"}, [1])
    shop.points(NAMESPACE, "Orders", {"Shop": "us", "Tier": "gold"}, [1])
    shop.points("AWS/ECS", "CPUUtilization", {"ServiceName": "eu-checkout"}, [1])
    result = await provider.ask(ListedMetrics(about="EU"))
    assert [row.name for row in result.rows] == ["Orders", "CPUUtilization"]  # one's own first
    everything = await provider.ask(ListedMetrics(namespace=NAMESPACE))
    assert everything.rows[0].facts["sets"] == 2
    assert everything.rows[0].facts["example"] == "Shop=us, Tier=gold"
    assert (await provider.ask(ListedMetrics(about="nothing"))).status is Status.no_data


async def test_dashboards_by_name(shop: Shop, provider: AwsProvider) -> None:
    for name in ("checkout — üb", "billing"):
        shop.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    result = await provider.ask(Dashboards(name="CHECKOUT"))
    (row,) = result.rows
    assert row.name == "checkout — üb"
    assert "checkout%20%E2%80%94%20%C3%BCb" in str(row.facts["link"])
    assert (await provider.ask(Dashboards(name="nope"))).status is Status.no_data
