"""Alarms: found by name or by state, and what they watch in neutral words."""

import asyncio
import json
from typing import Any

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ListEvents, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.protocols import rendered
from tests.providers.shop import CHECKOUT, CHECKOUT_GROUP, ORDERS_DB, Shop
from tests.providers.stand_in import Answer, StandIn


def alarm(shop: Shop, name: str, **more: Any) -> None:
    defaults: dict[str, Any] = {
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "ClusterName", "Value": "prod"}, {"Name": "ServiceName", "Value": "checkout-api"}],
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 80,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    shop.client("cloudwatch").put_metric_alarm(AlarmName=name, **{**defaults, **more})


async def test_an_alarm_by_its_name(shop: Shop, provider: AwsProvider) -> None:
    alarm(shop, "checkout — CPU 高い", AlarmDescription="page payments")
    result = await provider.ask(FindAlarms(name="checkout — CPU 高い"))
    (found,) = result.alarms
    assert found.subject == CHECKOUT
    assert found.signal is Signal.cpu
    assert (found.threshold, found.comparison, found.period) == (80, "above", 300)
    assert found.metric is not None
    assert (found.metric.namespace, found.metric.name, found.metric.statistic) == (
        "AWS/ECS",
        "CPUUtilization",
        "Average",
    )
    assert found.description == "page payments"


async def test_a_target_group_is_told_from_its_dimension(shop: Shop, provider: AwsProvider) -> None:
    dimensions = [
        {"Name": "TargetGroup", "Value": "targetgroup/checkout-api/0123"},
        {"Name": "LoadBalancer", "Value": "app/front/4567"},
    ]
    alarm(
        shop,
        "slow",
        Namespace="AWS/ApplicationELB",
        MetricName="TargetResponseTime",
        Dimensions=dimensions,
        Statistic="Average",
        ComparisonOperator="LessThanThreshold",
    )
    (found,) = (await provider.ask(FindAlarms(name="slow"))).alarms
    assert found.subject == CHECKOUT_GROUP
    assert found.signal is Signal.latency
    assert found.comparison == "below"


async def test_only_those_in_alarm_are_found_without_a_name(shop: Shop, provider: AwsProvider) -> None:
    alarm(shop, "quiet")
    alarm(shop, "loud")
    shop.client("cloudwatch").set_alarm_state(AlarmName="loud", StateValue="ALARM", StateReason="too hot")
    result = await provider.ask(FindAlarms())
    assert [(each.name, each.state) for each in result.alarms] == [("loud", "alarm")]
    assert result.alarms[0].since is not None


async def test_an_expression_is_told_by_its_most_telling_metric(shop: Shop, provider: AwsProvider) -> None:
    def stat(name: str) -> dict[str, Any]:
        dimensions = [{"Name": "LoadBalancer", "Value": "app/front/4567"}]
        metric = {"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions}
        return {"Metric": metric, "Period": 60, "Stat": "Sum"}

    shop.client("cloudwatch").put_metric_alarm(
        AlarmName="error rate",
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "rate", "Expression": "100 * errors / requests", "ReturnData": True},
            {"Id": "requests", "MetricStat": stat("RequestCount"), "ReturnData": False},
            {"Id": "errors", "MetricStat": stat("HTTPCode_Target_5XX_Count"), "ReturnData": False},
        ],
    )
    (found,) = (await provider.ask(FindAlarms(name="error rate"))).alarms
    assert found.signal is Signal.errors
    assert found.subject == Resource(type=ResourceType.load_balancer, name="front")


async def test_an_unknown_name_is_no_data(aws: StandIn, provider: AwsProvider) -> None:
    result = await provider.ask(FindAlarms(name="nothing"))
    assert result.status is Status.no_data
    assert result.message == "there is no alarm named nothing"


async def test_the_history_that_moto_lacks_is_an_error_and_no_absence(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    resource = Resource(type=ResourceType.alarm, name="x")
    result = await provider.ask(ListEvents(resource=resource, window=window))
    assert result.status is Status.error
    assert "DescribeAlarmHistory" in result.message


async def test_a_composite_alarm_of_composite_alarms_is_told_by_a_metric_below(
    aws: StandIn, provider: AwsProvider
) -> None:
    """In the form of the service model: moto tells composite alarms only by themselves."""
    watching = {"Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Threshold": 90.0, "Period": 60}
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": "orders-db"}]
    tree: dict[str, dict[str, Any]] = {
        "shop": {"AlarmRule": 'ALARM("data (all)") OR OK(nothing)', "StateValue": "ALARM"},
        "data (all)": {"AlarmRule": "ALARM(arn:aws:cloudwatch:us-east-1:1:alarm:db)", "StateValue": "ALARM"},
        "db": {**watching, "Dimensions": dimensions, "Statistic": "Average", "StateValue": "ALARM"},
    }

    def tell(body: str) -> Answer:
        asked = json.loads(body)
        assert "CompositeAlarm" in asked["AlarmTypes"]
        told = {name: {**tree[name], "AlarmName": name} for name in asked.get("AlarmNames") or ["shop"] if name in tree}
        composite = [each for each in told.values() if "AlarmRule" in each]
        metric = [each for each in told.values() if "AlarmRule" not in each]
        return Answer(
            200, *rendered("cloudwatch", "DescribeAlarms", {"CompositeAlarms": composite, "MetricAlarms": metric})
        )

    aws.answers["DescribeAlarms"] = tell
    (found,) = (await provider.ask(FindAlarms())).alarms
    assert found.name == "shop"
    assert found.subject == ORDERS_DB
    assert found.threshold == 90


def _told(count: int, **more: Any) -> Answer:
    """That many alarms of a database in alarm, and a composite one over the first of them."""
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": "orders-db"}]
    watching = {"Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Dimensions": dimensions, "StateValue": "ALARM"}
    metric = [{"AlarmName": f"db-{n}", **watching} for n in range(count)]
    composite = [{"AlarmName": "shop", "AlarmRule": "ALARM(db-0)", "StateValue": "ALARM"}]
    told = {"MetricAlarms": metric, "CompositeAlarms": composite, **more}
    return Answer(200, *rendered("cloudwatch", "DescribeAlarms", told))


async def test_what_a_composite_alarm_watches_is_not_asked_for_where_it_rings_itself(
    aws: StandIn, provider: AwsProvider
) -> None:
    aws.answers["DescribeAlarms"] = lambda _: _told(1)
    found = {each.name: each.subject for each in (await provider.ask(FindAlarms())).alarms}
    assert found == {"db-0": ORDERS_DB, "shop": ORDERS_DB}
    assert len(aws.asked("DescribeAlarms")) == 1


async def test_more_alarms_than_are_told_are_said_to_be_there(aws: StandIn, provider: AwsProvider) -> None:
    aws.answers["DescribeAlarms"] = lambda _: _told(200, NextToken="more")
    result = await provider.ask(FindAlarms())
    assert (result.status, len(result.alarms)) == (Status.truncated, 200)
    assert result.message == "more than 200 alarms are in alarm; the first are shown"


async def test_alarms_asked_for_by_name_at_the_same_moment_are_one_call(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    alarm(shop, "busy")
    answers = await asyncio.gather(*(provider.ask(FindAlarms(name=name)) for name in ("busy", "nothing", "checkout")))
    assert [[each.name for each in answer.alarms] for answer in answers] == [["busy"], [], []]
    assert len(aws.asked("DescribeAlarms")) == 1
