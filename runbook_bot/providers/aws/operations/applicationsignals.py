"""What can be asked of CloudWatch Application Signals."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.metric_points import Points, Wanted, read_points
from runbook_bot.providers.aws.metric_table import Metric
from runbook_bot.providers.aws.metrics import aligned, period_for
from runbook_bot.providers.aws.operations.listing import batches, cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300
_MEASURED = 100
_MOST_SLOS = 300
_IN_ONE_CALL = 50
_LONGEST = timedelta(hours=24)
_STATISTICS = {"LATENCY": "Average", "FAULT": "Sum", "ERROR": "Sum"}
_STATUSES = {"BREACHED": 0, "WARNING": 1, "INSUFFICIENT_DATA": 2, "OK": 3}


def _link(place: Place, page: str) -> str:
    return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#application-signals:{page}"


class Services(Operation):
    """Services that Application Signals watches, with faults, errors and latency: the most failing first."""

    kind: ClassVar[str] = "aws.applicationsignals.services"
    service = "application-signals"
    calls = ("ListServices", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics")
    words = ("application signals", "watched services", "which services fail", "apm services")

    name: str | None = Field(default=None, description="Part of the service's name; none means all")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(1, now, self.window)
        if window.length > _LONGEST:
            window = TimeWindow(start=window.end - _LONGEST, end=window.end)
        span = {"StartTime": window.start, "EndTime": window.end}
        found = await place.gather("application-signals", "ListServices", "ServiceSummaries", _MOST, **span)
        wanted = (self.name or "").casefold()
        mine = [each for each in found if wanted in _name(each).casefold()]
        period = period_for(window, 300, now)
        metrics = [(each, _metrics(each, period)) for each in mine[:_MEASURED]]
        points, failures = await read_points(
            place, [one for _, several in metrics for one in several.values()], aligned(window, period)
        )
        rows = [_service(each, several, points) for each, several in metrics]
        rows.sort(
            key=lambda row: (-float(str(row.facts.get("faults") or 0)), -float(str(row.facts.get("errors") or 0)))
        )
        told = [cut_short(found, _MOST, "name a service")]
        if last(1, now, self.window).length > _LONGEST:
            told.append("only the last day of the window was looked at")
        if len(mine) > _MEASURED:
            told.append(f"{len(mine) - _MEASURED} services were not measured; name one")
        return self.table(
            place,
            rows,
            empty="Application Signals watches no such service here in this window",
            failures=failures,
            more="; ".join(each for each in told if each),
            console=_link(place, "services"),
        )


def _name(told: Answer) -> str:
    return str((told.get("KeyAttributes") or {}).get("Name") or "?")


def _metrics(told: Answer, period: int) -> dict[str, Wanted]:
    """One metric of each kind: the reference with the fewest dimensions is that of the service as a whole."""
    found: dict[str, Answer] = {}
    for each in told.get("MetricReferences") or []:
        kind = str(each.get("MetricType", "")).upper()
        if kind in _STATISTICS and (
            kind not in found or len(each.get("Dimensions") or []) < len(found[kind].get("Dimensions") or [])
        ):
            found[kind] = each
    return {kind: _wanted(each, _STATISTICS[kind], period) for kind, each in found.items()}


def _wanted(reference: Answer, statistic: str, period: int) -> Wanted:
    name = str(reference.get("MetricName", ""))
    row = Metric(ResourceType.metric, Signal.value, str(reference.get("Namespace", "")), name, statistic)
    dimensions = {str(each["Name"]): str(each["Value"]) for each in reference.get("Dimensions") or []}
    return Wanted(Resource(type=ResourceType.metric, name=name), row, dimensions, period)


def _service(told: Answer, metrics: dict[str, Wanted], points: dict[Wanted, Points]) -> Row:
    values = {kind: list(points.get(wanted, {}).values()) for kind, wanted in metrics.items()}
    latency = values.get("LATENCY") or []
    key: Answer = told.get("KeyAttributes") or {}
    return Row(
        name=_name(told),
        facts={
            "faults": _total(values.get("FAULT")),
            "errors": _total(values.get("ERROR")),
            "latency_ms": round(sum(latency) / len(latency), 1) if latency else None,
            "worst_latency_ms": round(max(latency), 1) if latency else None,
            "environment": key.get("Environment"),
            "type": key.get("Type"),
        },
    )


def _total(values: Iterable[float] | None) -> float | None:
    found = list(values or ())
    return round(sum(found), 2) if found else None


class Objectives(Operation):
    """Service level objectives with attainment and what is left of the budget: breached ones first."""

    kind: ClassVar[str] = "aws.applicationsignals.objectives"
    service = "application-signals"
    calls = ("ListServiceLevelObjectives", "BatchGetServiceLevelObjectiveBudgetReport")
    words = ("slo", "slos", "service level objectives", "error budget", "breached objectives")

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await place.gather("application-signals", "ListServiceLevelObjectives", "SloSummaries", _MOST_SLOS)
        reports: dict[str, Answer] = {}
        errors: dict[str, str] = {}
        failures: list[CallFailed] = []
        for batch in batches([str(each["Arn"]) for each in listed if each.get("Arn")], _IN_ONE_CALL):
            try:
                told = await place.call(
                    "application-signals", "BatchGetServiceLevelObjectiveBudgetReport", Timestamp=now, SloIds=batch
                )
            except CallFailed as failure:
                failures.append(failure)
                break
            reports |= {str(each.get("Arn")): each for each in told.get("Reports") or []}
            errors |= {str(each.get("Arn")): str(each.get("ErrorMessage")) for each in told.get("Errors") or []}
        rows = [_objective(each, reports.get(str(each.get("Arn")), {}), errors) for each in listed]
        rows.sort(key=lambda row: (_STATUSES.get(str(row.facts.get("status")), 4), _left(row)))
        return self.table(
            place,
            rows,
            empty="Application Signals has no service level objective here",
            failures=failures,
            more=cut_short(listed, _MOST_SLOS, "there may be more"),
            console=_link(place, "slos"),
        )


def _objective(told: Answer, report: Answer, errors: dict[str, str]) -> Row:
    goal: Answer = report.get("Goal") or {}
    for total, remaining in (
        (report.get("TotalBudgetSeconds"), report.get("BudgetSecondsRemaining")),
        (report.get("TotalBudgetRequests"), report.get("BudgetRequestsRemaining")),
    ):
        if total and remaining is not None:
            left: float | None = round(100 * remaining / total, 1)
            break
    else:
        left = None
    return Row(
        name=str(told.get("Name", "?")),
        facts={
            "status": report.get("BudgetStatus"),
            "attainment_percent": report.get("Attainment"),
            "goal_percent": goal.get("AttainmentGoal"),
            "budget_left_percent": left,
            "service": (told.get("KeyAttributes") or {}).get("Name"),
            "operation": told.get("OperationName"),
            "kind": report.get("EvaluationType") or told.get("EvaluationType"),
            "not_reported": errors.get(str(told.get("Arn"))),
        },
    )


def _left(row: Row) -> float:
    left = row.facts.get("budget_left_percent")
    return float(left) if isinstance(left, int | float) else 100.0


OPERATIONS = (Services, Objectives)
