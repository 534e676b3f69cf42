"""Cost Explorer, in the form of the service model: moto returns only what it is told beforehand."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.costexplorer import CostAnomalies, CostByService, jumped, month_before
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.stand_in import Answer, StandIn


class OnThe20th:
    """The 20th of March 2026."""

    def now(self) -> datetime:
        return datetime(2026, 3, 20, 12, tzinfo=UTC)


def bill(costs: dict[str, dict[date, float]], token: str = "") -> bytes:
    days: dict[date, list[Any]] = {}
    for name, spent in costs.items():
        for day, amount in spent.items():
            group = {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": str(amount), "Unit": "USD"}}}
            days.setdefault(day, []).append(group)
    results = [
        {"TimePeriod": {"Start": str(day), "End": str(day + timedelta(days=1))}, "Groups": groups, "Estimated": True}
        for day, groups in sorted(days.items())
    ]
    return json.dumps({"ResultsByTime": results} | ({"NextPageToken": token} if token else {})).encode()


def steady(amount: float, start: date = date(2026, 2, 1), end: date = date(2026, 3, 20)) -> dict[date, float]:
    return {start + timedelta(days=i): amount for i in range((end - start).days)}


SURGED = steady(10) | steady(50, date(2026, 3, 10))


async def ask(settings: AwsSettings = AwsSettings()) -> Result:  # noqa: B008  # frozen
    return await AwsProvider(settings, OnThe20th()).ask(CostByService())


async def test_the_biggest_mover_comes_first_with_the_usage_that_moved(aws: StandIn) -> None:
    def answer(body: str) -> Answer:
        if "USAGE_TYPE" in body:
            assert json.loads(body)["Filter"]["Dimensions"]["Values"] == ["AmazonEC2"]
            return Answer(
                200, bill({"NatGateway-Bytes": steady(1) | steady(41, date(2026, 3, 10)), "BoxUsage": steady(9)})
            )
        if "NextPageToken" not in body:
            return Answer(200, bill({"AmazonRDS": steady(20)}, "more"))
        return Answer(200, bill({"AmazonEC2": SURGED, "Free": steady(0)}))

    aws.answers["GetCostAndUsage"] = answer
    result = await ask(AwsSettings(regions=("eu-west-1", "eu-central-1")))
    assert result.status is Status.ok
    assert [row.name for row in result.rows] == ["AmazonEC2", "AmazonRDS"]
    facts = result.rows[0].facts
    assert facts["this_month_usd"] == 9 * 10 + 10 * 50  # until the 19th: of the 20th nothing is known yet
    assert facts["same_days_last_month_usd"] == 190
    assert facts["jumped"] == "2026-03-10: 50.00 USD a day, 10.00 before"
    assert facts["moved_most"] == {"NatGateway-Bytes": 400.0}
    assert "asking cost 0.03 USD" in result.where


async def test_no_cost_at_all(aws: StandIn) -> None:
    aws.says("GetCostAndUsage", {"ResultsByTime": []})
    result = await ask()
    assert (result.status, result.message) == (Status.no_data, "Cost Explorer knows of no cost")


async def test_the_reason_may_be_denied(aws: StandIn) -> None:
    def answer(body: str) -> Answer:
        if "USAGE_TYPE" in body:
            return Answer(400, b'{"__type": "AccessDeniedException", "message": ""}')
        return Answer(200, bill({"AmazonEC2": SURGED}))

    aws.answers["GetCostAndUsage"] = answer
    result = await ask()
    assert result.rows[0].name == "AmazonEC2"
    assert result.status is Status.truncated
    assert "ce:GetCostAndUsage" in result.message


async def test_anomalies_by_what_they_cost(aws: StandIn, provider: AwsProvider) -> None:
    def anomaly(name: str, impact: float) -> dict[str, Any]:
        return {
            "AnomalyId": name,
            "AnomalyStartDate": "2026-03-10T00:00:00Z",
            "DimensionValue": name,
            "RootCauses": [{"Service": name, "UsageType": "Bytes", "Region": "cn-north-1"}],
            "AnomalyScore": {"MaxScore": 0.9, "CurrentScore": 0.5},
            "Impact": {"MaxImpact": impact, "TotalImpact": impact},
            "MonitorArn": "arn:aws-cn:ce::1:anomalymonitor/x",
        }

    aws.says("GetAnomalies", {"Anomalies": [anomaly("small", 3), anomaly("large", 300)]})
    result = await provider.ask(CostAnomalies())
    assert [row.name for row in result.rows] == ["large", "small"]
    assert result.rows[0].facts["cause_usage"] == "Bytes"
    assert "0.01 USD" in result.where
    aws.says("GetAnomalies", {"Anomalies": []})
    assert (await provider.ask(CostAnomalies(days=7))).status is Status.no_data


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2026, 1, 15), date(2025, 12, 15)),
        (date(2024, 3, 30), date(2024, 2, 29)),
    ],
)
def test_the_same_day_of_the_month_before(day: date, expected: date) -> None:
    assert month_before(day) == expected


def test_what_is_steady_did_not_jump() -> None:
    assert jumped(steady(10)) == ""
    assert jumped({}) == ""
