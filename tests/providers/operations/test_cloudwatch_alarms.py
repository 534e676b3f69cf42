"""CloudWatch's alarms: against moto; history and anomaly bands, which moto lacks, in the form of the service model."""

import json
from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.alarms import children
from runbook_bot.providers.aws.operations.cloudwatch_alarms import (
    AlarmDetail,
    AlarmHistory,
    Alarms,
    condition,
)
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn
from tests.providers.test_alarms import alarm

ECS = {"ClusterName": "prod", "ServiceName": "checkout-api"}


def ring(shop: Shop, name: str, state: str = "ALARM") -> None:
    shop.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"{name} because")


async def test_ringing_alarms_come_first_with_condition_and_reason(shop: Shop, provider: AwsProvider) -> None:
    alarm(shop, "calm")
    alarm(shop, "töne/laut", EvaluationPeriods=5, DatapointsToAlarm=3, Period=60, ActionsEnabled=False)
    ring(shop, "töne/laut")
    ring(shop, "calm", "OK")
    result = await provider.ask(Alarms())
    assert [(row.name, row.facts["state"]) for row in result.rows] == [("töne/laut", "ALARM"), ("calm", "OK")]
    facts = result.rows[0].facts
    assert facts["reason"] == "töne/laut because"
    assert str(facts["condition"]).startswith("> 80 in 3 of 5 periods of 60 s")
    assert facts["actions_enabled"] is False
    assert "CPUUtilization" in str(facts["watches"])
    only = await provider.ask(Alarms(state="OK", name="CAL"))
    assert [row.name for row in only.rows] == ["calm"]
    assert (await provider.ask(Alarms(name="nope"))).status is Status.no_data


def composite(name: str, rule: str, state: str = "ALARM") -> dict[str, Any]:
    return {"AlarmName": name, "AlarmRule": rule, "StateValue": state, "StateUpdatedTimestamp": NOW}


def plain(name: str, state: str) -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "StateUpdatedTimestamp": NOW}


async def test_a_composite_alarm_shows_the_state_of_each_child(aws: StandIn, provider: AwsProvider) -> None:
    def tell(body: str) -> Answer:
        named = json.loads(body).get("AlarmNames")
        if named:
            told: dict[str, Any] = {"MetricAlarms": [plain("quiet", "OK")] if "quiet" in named else []}
        else:
            rule = "(ALARM(loud) AND NOT OK('quiet')) OR ALARM(arn:aws-cn:cloudwatch:cn-north-1:1:alarm:gone)"
            told = {"CompositeAlarms": [composite("checkout", rule)], "MetricAlarms": [plain("loud", "ALARM")]}
        return Answer(200, *rendered("cloudwatch", "DescribeAlarms", told))

    aws.answers["DescribeAlarms"] = tell
    result = await provider.ask(Alarms(state="ALARM"))
    facts = {row.name: row.facts for row in result.rows}
    assert facts["checkout"]["children"] == {"loud": "ALARM", "quiet": "OK", "gone": "gone"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a b") AND OK("c")', ["a b", "c"]),
        ("ALARM('x (y)') OR INSUFFICIENT_DATA(z)", ["x (y)", "z"]),
        ("TRUE", []),
    ],
)
def test_the_children_of_a_rule(rule: str, expected: list[str]) -> None:
    assert children(rule) == expected


def test_a_condition_in_words() -> None:
    assert condition({}) == ""
    band = {"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "ad", "EvaluationPeriods": 2}
    assert condition(band) == "above the band in 2 of 2 periods of 60 s"


async def test_an_alarm_in_detail_shows_what_it_watches_over_time(shop: Shop, provider: AwsProvider) -> None:
    alarm(shop, "cpu", Period=60)
    shop.points("AWS/ECS", "CPUUtilization", ECS, [20, 30, 90])
    result = await provider.ask(AlarmDetail(name="cpu"))
    assert result.rows[0].name == "cpu"
    assert result.rows[1].facts["max"] == 90
    assert result.series[0].values == (20, 30, 90)
    assert (await provider.ask(AlarmDetail(name="nope"))).message == "there is no alarm named nope"


async def test_an_anomaly_alarm_says_where_it_stands_against_its_band(aws: StandIn, provider: AwsProvider) -> None:
    metrics = [
        {
            "Id": "m1",
            "MetricStat": {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 300, "Stat": "Sum"},
            "ReturnData": True,
        },
        {"Id": "ad", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True},
    ]
    told = {
        "AlarmName": "orders",
        "StateValue": "ALARM",
        "Metrics": metrics,
        "ThresholdMetricId": "ad",
        "ComparisonOperator": "LessThanLowerThreshold",
        "EvaluationPeriods": 1,
    }
    aws.tells("cloudwatch", "DescribeAlarms", {"MetricAlarms": [told]})
    at = [NOW - timedelta(minutes=10)]
    points = [("m1", "Orders", 2.0), ("ad", "Orders (expected)", 90.0), ("ad", "Orders (expected)", 40.0)]
    found = [{"Id": id, "Label": label, "Timestamps": at, "Values": [value]} for id, label, value in points]
    aws.tells("cloudwatch", "GetMetricData", {"MetricDataResults": found})
    result = await provider.ask(AlarmDetail(name="orders"))
    assert result.rows[0].facts["against_band"] == "2.0 is below the band of 40.0 to 90.0"
    assert result.rows[0].facts["condition"] == "below the band in 1 of 1 periods of 300 s"


async def test_the_metric_may_be_denied_and_the_alarm_is_still_told(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    alarm(shop, "cpu")
    aws.refuses("GetMetricData", "AccessDeniedException", status=403)
    result = await provider.ask(AlarmDetail(name="cpu"))
    assert [row.name for row in result.rows] == ["cpu"]
    assert result.status is Status.truncated
    assert "cloudwatch:GetMetricData" in result.message


async def test_the_history_names_who_flaps(aws: StandIn, provider: AwsProvider) -> None:
    def entry(name: str, minutes: int, state: str) -> dict[str, Any]:
        data = {"newState": {"stateValue": state, "stateReason": f"now {state}"}}
        return {
            "AlarmName": name,
            "Timestamp": NOW - timedelta(minutes=minutes),
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated to {state}",
            "HistoryData": json.dumps(data),
        }

    items = [
        entry("a", 9, "ALARM"),
        entry("a", 5, "OK"),
        entry("a", 1, "ALARM"),
        {**entry("b", 3, "OK"), "HistoryData": "{"},
    ]
    aws.tells("cloudwatch", "DescribeAlarmHistory", {"AlarmHistoryItems": items})
    result = await provider.ask(AlarmHistory())
    assert [row.name for row in result.rows] == ["a", "b", "a", "a"]
    assert result.rows[0].facts["rang_in_window"] == 2
    assert result.rows[0].facts["reason"] == "now ALARM"
    aws.tells("cloudwatch", "DescribeAlarmHistory", {"AlarmHistoryItems": []})
    assert (await provider.ask(AlarmHistory(name="a", what="Action"))).status is Status.no_data
