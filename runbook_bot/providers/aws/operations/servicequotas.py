"""What can be asked of Service Quotas."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.metric_points import Points, Wanted, read_points
from runbook_bot.providers.aws.metric_table import Metric
from runbook_bot.providers.aws.metrics import aligned
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

COMMON = ("ec2", "vpc", "lambda", "elasticloadbalancing", "rds", "dynamodb", "ecs", "fargate", "kinesis", "sqs", "logs",
          "apigateway", "autoscaling", "cloudformation", "ebs", "elasticache")  # fmt: skip
"""The services whose limits stop a system most often, by their codes in Service Quotas."""
_MOST = 500
_PERIOD = 300
_SECONDS = {"MICROSECOND": 1e-6, "MILLISECOND": 1e-3, "SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}


class QuotaUsage(Operation):
    """Quotas with what is used of them, the fullest first; those that CloudWatch has no usage for are counted only."""

    kind: ClassVar[str] = "aws.servicequotas.usage"
    service = "service-quotas"
    calls = ("ListServiceQuotas", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics")
    words = ("quotas", "service quotas", "limits", "quota usage", "are we near a limit", "service limits")

    of_service: str | None = Field(
        default=None,
        description="Code of the service in Service Quotas, e.g. ec2 or lambda; none means the common ones",
    )
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last three hours")

    async def answer(self, place: Place, now: datetime) -> Result:
        codes = (self.of_service,) if self.of_service else COMMON

        async def listed(code: str) -> list[Answer]:
            return await place.gather("service-quotas", "ListServiceQuotas", "Quotas", _MOST, ServiceCode=code)

        found, failures = await for_each(codes, listed)
        quotas = [quota for _, several in found for quota in several]
        measured = await asyncio.to_thread(_measured, quotas)
        window = aligned(last(3, now, self.window), _PERIOD)
        points, unread = await read_points(place, list(measured), window)
        rows = await asyncio.to_thread(_rows, measured, points)
        unused = len(quotas) - len(rows)
        told = f"for {unused} of {len(quotas)} quotas CloudWatch has no usage in this window" if unused and rows else ""
        return self.table(
            place,
            rows,
            empty=_nothing(codes, quotas),
            failures=[*failures, *unread],
            more=told,
            console=f"https://{console_host(place.region)}/servicequotas/home"
            + (f"/services/{quote(self.of_service, safe='')}/quotas" if self.of_service else ""),
        )


def _nothing(codes: Sequence[str], quotas: Sequence[Answer]) -> str:
    if not quotas:
        return f"Service Quotas knows no quota of {', '.join(codes)}"
    return (
        f"CloudWatch has no usage in this window for any of {len(quotas)} quotas; usage of the others is not measured"
    )


def _measured(quotas: Sequence[Answer]) -> dict[Wanted, Answer]:
    return {_wanted(each): each for each in quotas if each.get("UsageMetric") and each.get("Value")}


def _rows(measured: Mapping[Wanted, Answer], points: Mapping[Wanted, Points]) -> list[Row]:
    """The fullest first; there may be thousands of quotas, so both are done beside the loop."""
    rows = [_row(quota, wanted, points[wanted]) for wanted, quota in measured.items() if points.get(wanted)]
    return sorted(rows, key=lambda row: -float(str(row.facts["used_percent"])))


def _wanted(quota: Answer) -> Wanted:
    metric: Answer = quota["UsageMetric"]
    statistic = str(metric.get("MetricStatisticRecommendation") or "Maximum")
    name = str(metric.get("MetricName", ""))
    row = Metric(ResourceType.metric, Signal.value, str(metric.get("MetricNamespace", "")), name, statistic)
    return Wanted(
        Resource(type=ResourceType.metric, name=name), row, dict(metric.get("MetricDimensions") or {}), _PERIOD
    )


def _row(quota: Answer, wanted: Wanted, points: Points) -> Row:
    limit = float(quota["Value"])
    used = {at: _in_terms_of(quota, wanted, value) for at, value in points.items()}
    peak_at, peak = max(used.items(), key=lambda pair: pair[1])
    period: Answer = quota.get("Period") or {}
    per = f" per {period.get('PeriodValue')} {str(period.get('PeriodUnit')).lower()}" if period else ""
    return Row(
        name=f"{quota.get('ServiceCode')}: {quota.get('QuotaName')}",
        at=datetime.fromtimestamp(peak_at, UTC),
        facts={
            "used_percent": round(100 * peak / limit, 1),
            "used_at_most": round(peak, 3),
            "used_now": round(used[max(used)], 3),
            "limit": limit,
            "unit": (str(quota.get("Unit") or "").replace("None", "") + per).strip() or None,
            "adjustable": quota.get("Adjustable"),
            "code": quota.get("QuotaCode"),
            "applied_value_unknown": (quota.get("ErrorReason") or {}).get("ErrorMessage"),
        },
    )


def _in_terms_of(quota: Answer, wanted: Wanted, value: float) -> float:
    """A sum over five minutes in the quota's own stretch of time, where it has one (calls per second)."""
    period: Answer = quota.get("Period") or {}
    seconds = _SECONDS.get(str(period.get("PeriodUnit")), 0) * float(period.get("PeriodValue") or 0)
    if wanted.row.statistic not in ("Sum", "SampleCount") or not seconds:
        return value
    return value * seconds / wanted.period


OPERATIONS = (QuotaUsage,)
