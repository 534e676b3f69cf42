"""Application Signals, in the form of the service model (moto does not have it); metrics from moto's CloudWatch."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.applicationsignals import Objectives, Services
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn


def watched(name: str) -> dict[str, Any]:
    def reference(kind: str, *more: str) -> dict[str, Any]:
        dimensions = [{"Name": "Service", "Value": name}, *({"Name": each, "Value": "x"} for each in more)]
        metric = kind.title()
        return {"Namespace": "ApplicationSignals", "MetricType": kind, "MetricName": metric, "Dimensions": dimensions}

    references = [reference("FAULT", "Operation"), reference("FAULT"), reference("LATENCY")]
    return {"KeyAttributes": {"Name": name, "Environment": "ecs:prod"}, "MetricReferences": references}


async def test_the_service_that_fails_most_comes_first(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    span = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW}
    aws.tells("application-signals", "ListServices", {**span, "ServiceSummaries": [watched("calm"), watched("broken")]})
    shop.points("ApplicationSignals", "Fault", {"Service": "broken"}, [3, 4])
    shop.points("ApplicationSignals", "Latency", {"Service": "broken"}, [100, 300])
    result = await provider.ask(Services())
    assert [row.name for row in result.rows] == ["broken", "calm"]
    assert result.rows[0].facts["faults"] == 7
    assert "latency_ms" in result.rows[0].facts
    assert "faults" not in result.rows[1].facts


async def test_no_service_is_watched(aws: StandIn, provider: AwsProvider) -> None:
    span = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW}
    aws.tells("application-signals", "ListServices", {**span, "ServiceSummaries": []})
    assert (await provider.ask(Services(name="x"))).status is Status.no_data


def objective(name: str) -> dict[str, Any]:
    return {"Arn": f"arn:aws:application-signals:::slo/{name}", "Name": name, "KeyAttributes": {"Name": "checkout"}}


async def test_breached_objectives_come_first(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells(
        "application-signals",
        "ListServiceLevelObjectives",
        {"SloSummaries": [objective("fast"), objective("up"), objective("odd")]},
    )
    reports = [
        {"Arn": objective("fast")["Arn"], "Name": "fast", "BudgetStatus": "OK", "Attainment": 99.9},
        {
            "Arn": objective("up")["Arn"],
            "Name": "up",
            "BudgetStatus": "BREACHED",
            "Attainment": 98.0,
            "TotalBudgetSeconds": 1000,
            "BudgetSecondsRemaining": -250,
            "Goal": {"AttainmentGoal": 99.5},
        },
    ]
    errors = [{"Arn": objective("odd")["Arn"], "Name": "odd", "ErrorCode": "X", "ErrorMessage": "no such metric"}]
    told = {"Timestamp": NOW, "Reports": reports, "Errors": errors}
    aws.tells("application-signals", "BatchGetServiceLevelObjectiveBudgetReport", told)
    result = await provider.ask(Objectives())
    assert [row.name for row in result.rows] == ["up", "fast", "odd"]
    assert result.rows[0].facts["budget_left_percent"] == -25
    assert result.rows[2].facts["not_reported"] == "no such metric"


async def test_objectives_without_their_report_are_still_named(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("application-signals", "ListServiceLevelObjectives", {"SloSummaries": [objective("fast")]})
    aws.refuses("BatchGetServiceLevelObjectiveBudgetReport", "AccessDeniedException", status=403)
    result = await provider.ask(Objectives())
    assert result.rows[0].name == "fast"
    assert "application-signals:BatchGetServiceLevelObjectiveBudgetReport" in result.message
