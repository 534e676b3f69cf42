"""Service Quotas, in the form of the service model (moto knows no quota with usage); usage from moto's CloudWatch."""

import json
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.servicequotas import QuotaUsage
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn


def quota(name: str, limit: float, **more: Any) -> dict[str, Any]:
    metric = {
        "MetricNamespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "MetricDimensions": {"Resource": name, "Service": "EC2"},
        "MetricStatisticRecommendation": "Maximum",
    }
    return {
        "ServiceCode": "ec2",
        "QuotaName": name,
        "QuotaCode": f"L-{name}",
        "Value": limit,
        "UsageMetric": metric,
        **more,
    }


CALLS = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "CallCount",
    "MetricDimensions": {"Resource": "RunInstances"},
    "MetricStatisticRecommendation": "Sum",
}


async def test_the_fullest_quota_comes_first(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    quotas = [quota("vCPU", 100), quota("addresses", 5), quota("unused", 9), {"QuotaName": "no metric", "Value": 1.0}]
    aws.says("ListServiceQuotas", {"Quotas": quotas})
    shop.points("AWS/Usage", "ResourceCount", {"Resource": "vCPU", "Service": "EC2"}, [10, 40, 30])
    shop.points("AWS/Usage", "ResourceCount", {"Resource": "addresses", "Service": "EC2"}, [5])
    result = await provider.ask(QuotaUsage(of_service="ec2"))
    assert [(row.name, row.facts["used_percent"]) for row in result.rows] == [
        ("ec2: addresses", 100),
        ("ec2: vCPU", 40),
    ]
    assert "for 2 of 4 quotas" in result.message


async def test_calls_are_counted_in_the_time_that_the_quota_is_for(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    period = {"PeriodValue": 1, "PeriodUnit": "SECOND"}
    aws.says("ListServiceQuotas", {"Quotas": [quota("calls", 10, UsageMetric=CALLS, Period=period)]})
    shop.points("AWS/Usage", "CallCount", {"Resource": "RunInstances"}, [1500])
    (row,) = (await provider.ask(QuotaUsage(of_service="ec2"))).rows
    assert row.facts["used_at_most"] == 5  # 1500 in five minutes
    assert row.facts["unit"] == "per 1 second"


async def test_a_service_that_is_denied_is_named(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    def listed(body: str) -> Answer:
        code = json.loads(body)["ServiceCode"]
        if code == "rds":
            return Answer(400, b'{"__type": "AccessDeniedException", "message": ""}')
        return Answer(200, json.dumps({"Quotas": [quota("vCPU", 100)] if code == "ec2" else []}).encode())

    aws.answers["ListServiceQuotas"] = listed
    shop.points("AWS/Usage", "ResourceCount", {"Resource": "vCPU", "Service": "EC2"}, [10])
    result = await provider.ask(QuotaUsage())
    assert [row.name for row in result.rows] == ["ec2: vCPU"]
    assert "servicequotas:ListServiceQuotas" in result.message


async def test_no_quota_and_no_usage(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListServiceQuotas", {"Quotas": []})
    result = await provider.ask(QuotaUsage(of_service="nope"))
    assert (result.status, result.message) == (Status.no_data, "Service Quotas knows no quota of nope")
    aws.says("ListServiceQuotas", {"Quotas": [quota("vCPU", 100)]})
    other = await provider.ask(QuotaUsage(of_service="ec2"))
    assert other.status is Status.no_data
    assert "no usage in this window" in other.message
