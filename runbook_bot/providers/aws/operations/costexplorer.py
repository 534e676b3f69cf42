"""What can be asked of Cost Explorer, where every question costs money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

PRICE_USD = 0.01
"""Of one request to the Cost Explorer API, each page being one."""
_MOST_REQUESTS = 5
"""For one question, so that what its sentence promises holds."""
_JUMP = 1.5
_WORTH_USD = 1.0
_REASONS = 3
_MOST = 100


@dataclass(frozen=True)
class Span:
    """Days from `start` to before `end`."""

    start: date
    end: date

    def of(self, days: Mapping[date, float]) -> float:
        return sum(amount for day, amount in days.items() if self.start <= day < self.end)


@dataclass
class _Spent:
    """Cost in USD by group and day, and how many requests that took."""

    days: dict[str, dict[date, float]] = field(default_factory=dict)
    requests: int = 0
    cut: bool = False


def _link() -> str:
    return "https://us-east-1.console.aws.amazon.com/costmanagement/home#/cost-explorer"


async def _daily(place: Place, start: date, end: date, group: str, most: int, only: str | None = None) -> _Spent:
    """Cost of each day by service, or by usage type of one service, with at most so many requests.

    Raises `CallFailed`.
    """
    request: Answer = {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": group}],
    }
    if only:
        request["Filter"] = {"Dimensions": {"Key": "SERVICE", "Values": [only]}}
    found = _Spent()
    token: Answer = {}
    while found.requests < most:
        page = await place.call("ce", "GetCostAndUsage", **request, **token)
        found.requests += 1
        for result in page.get("ResultsByTime") or []:
            day = _day((result.get("TimePeriod") or {}).get("Start"))
            if day is None:
                continue
            for each in result.get("Groups") or []:
                amount = float(((each.get("Metrics") or {}).get("UnblendedCost") or {}).get("Amount") or 0)
                days = found.days.setdefault(str((each.get("Keys") or ["?"])[0]), {})
                days[day] = days.get(day, 0.0) + amount
        if not page.get("NextPageToken"):
            return found
        token = {"NextPageToken": page["NextPageToken"]}
    found.cut = True
    return found


def month_before(day: date) -> date:
    """The same day of the month before, or its last."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def priced(result: Result, requests: int) -> Result:
    """The answer, saying what it cost to ask."""
    told = f"{result.where}; asking cost {requests * PRICE_USD:.2f} USD ({requests} requests)"
    return result.model_copy(update={"where": told})


class CostByService(Operation):
    """This month's cost by service against the same days of last month, biggest movers first; costs up to 0.05 USD."""

    kind: ClassVar[str] = "aws.ce.by_service"
    service = "ce"
    calls = ("GetCostAndUsage",)
    words = ("cost", "costs", "spend", "bill", "what do we pay", "cost by service", "why did the bill go up")
    scope = "account"
    home = "us-east-1"

    async def answer(self, place: Place, now: datetime) -> Result:
        today = utc(now).date()  # of which nothing is known yet
        month = (today - timedelta(days=1)).replace(day=1)
        before = month_before(month)
        spent = await _daily(place, before, today, "SERVICE", _MOST_REQUESTS)
        known = max((day for days in spent.days.values() for day in days), default=today - timedelta(days=1))
        spans = (
            Span(month, known + timedelta(days=1)),
            Span(before, min(month_before(known) + timedelta(days=1), month)),
        )
        rows = [_compared(name, days, *spans) for name, days in spent.days.items()]
        rows = [row for row in rows if row.facts["this_month_usd"] or row.facts["same_days_last_month_usd"]]
        rows.sort(key=lambda row: -abs(float(str(row.facts["change_usd"]))))
        movers = [row.name for row in rows[:_REASONS] if abs(float(str(row.facts["change_usd"]))) >= _WORTH_USD]
        reasons, requests, failures = await _reasons(place, movers, _MOST_REQUESTS - spent.requests, *spans)
        rows = [row.model_copy(update={"facts": {**row.facts, **reasons.get(row.name, {})}}) for row in rows]
        more = f"only the first {_MOST_REQUESTS} pages were read" if spent.cut else ""
        result = self.table(
            place, rows, empty="Cost Explorer knows of no cost", failures=failures, more=more, console=_link()
        )
        return priced(result, spent.requests + requests)


async def _reasons(
    place: Place, movers: Sequence[str], most: int, now: Span, before: Span
) -> tuple[dict[str, dict[str, Any]], int, list[CallFailed]]:
    """Which kind of usage moved most, for the services that moved most; and how many requests that took.

    Of a service that is not read to its end nothing is said: what moved most may be in what was not read.
    """
    found: dict[str, dict[str, Any]] = {}
    requests = 0
    for name in movers:
        if requests >= most:
            break
        try:
            spent = await _daily(place, before.start, now.end, "USAGE_TYPE", most - requests, name)
        except CallFailed as failure:
            return found, requests + 1, [failure]
        requests += spent.requests
        if spent.cut:
            break
        moved = {usage: now.of(days) - before.of(days) for usage, days in spent.days.items()}
        top = sorted(moved.items(), key=lambda pair: -abs(pair[1]))[:3]
        found[name] = {"moved_most": {usage: round(amount, 2) for usage, amount in top if abs(amount) >= 0.01}}
    return found, requests, []


def _compared(name: str, days: Mapping[date, float], now: Span, before: Span) -> Row:
    this, last = now.of(days), before.of(days)
    jump = jumped(days)
    return Row(
        name=name,
        facts={
            "this_month_usd": round(this, 2),
            "same_days_last_month_usd": round(last, 2),
            "change_usd": round(this - last, 2),
            "change_percent": round(100 * (this - last) / last) if last >= 0.01 else None,
            "jumped": jump or None,
        },
    )


def jumped(days: Mapping[date, float]) -> str:
    """The last day from which on a day costs half as much again as the week before it; empty where none does."""
    ordered = sorted(days)
    for index in range(len(ordered) - 1, 6, -1):
        usual = median(days[day] for day in ordered[index - 7 : index])
        if days[ordered[index]] > _JUMP * usual + _WORTH_USD and days[ordered[index - 1]] <= _JUMP * usual + _WORTH_USD:
            return f"{ordered[index].isoformat()}: {days[ordered[index]]:.2f} USD a day, {usual:.2f} before"
    return ""


class CostAnomalies(Operation):
    """Services that cost far more than usual, as Cost Anomaly Detection found, dearest first; asking costs 0.01 USD."""

    kind: ClassVar[str] = "aws.ce.anomalies"
    service = "ce"
    calls = ("GetAnomalies",)
    words = ("cost anomalies", "unusual spend", "cost spike", "why is it so expensive")
    scope = "account"
    home = "us-east-1"

    days: int = Field(default=30, ge=1, le=90, description="How many days to look back")

    async def answer(self, place: Place, now: datetime) -> Result:
        today = utc(now).date()
        span = {"StartDate": (today - timedelta(days=self.days)).isoformat(), "EndDate": today.isoformat()}
        answer = await place.call("ce", "GetAnomalies", DateInterval=span, MaxResults=_MOST)
        rows = [_anomaly(each) for each in answer.get("Anomalies") or []]
        rows.sort(key=lambda row: -float(str(row.facts["impact_usd"])))
        empty = f"no anomaly was found in {self.days} days, or Cost Anomaly Detection has no monitor"
        more = "there are more than one request tells of; look back fewer days" if answer.get("NextPageToken") else ""
        return priced(self.table(place, rows, empty=empty, more=more, console=_link()), 1)


def _day(told: object) -> date | None:
    """Of a date or a moment as text; None where it is neither."""
    try:
        return date.fromisoformat(str(told)[:10])
    except ValueError:
        return None


def _anomaly(told: Answer) -> Row:
    impact: Answer = told.get("Impact") or {}
    causes: list[Answer] = told.get("RootCauses") or []
    cause = causes[0] if causes else {}
    start = _day(told.get("AnomalyStartDate"))
    return Row(
        name=str(told.get("DimensionValue") or cause.get("Service") or told.get("AnomalyId") or "?"),
        at=datetime(start.year, start.month, start.day, tzinfo=UTC) if start else None,
        facts={
            "impact_usd": round(float(impact.get("TotalImpact") or impact.get("MaxImpact") or 0), 2),
            "spent_usd": impact.get("TotalActualSpend"),
            "expected_usd": impact.get("TotalExpectedSpend"),
            "ended": str(told.get("AnomalyEndDate") or "")[:10] or None,
            "cause_service": cause.get("Service"),
            "cause_region": cause.get("Region"),
            "cause_account": cause.get("LinkedAccount"),
            "cause_usage": cause.get("UsageType"),
            "score": (told.get("AnomalyScore") or {}).get("MaxScore"),
        },
    )


OPERATIONS = (CostByService, CostAnomalies)
