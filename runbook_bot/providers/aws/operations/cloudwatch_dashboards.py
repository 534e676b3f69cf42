"""What is on a CloudWatch dashboard: what each of its widgets shows, in words."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Place

_MOST_METRICS = 12
_TEXT = 400


class Dashboard(Operation):
    """What one dashboard shows, widget by widget: metrics with dimensions, expressions, alarms and log queries."""

    kind: ClassVar[str] = "aws.cloudwatch.dashboard"
    service = "cloudwatch"
    calls = ("GetDashboard",)
    words = ("what is on the dashboard", "dashboard widgets", "what does the dashboard show", "metrics of a dashboard")
    scope = "account"

    name: str = Field(description="Exact name of the dashboard")

    async def answer(self, place: Place, now: datetime) -> Result:
        answer = await place.call("cloudwatch", "GetDashboard", DashboardName=self.name)
        rows = await asyncio.to_thread(_widgets, str(answer.get("DashboardBody") or ""))
        if rows is None:
            raise CallFailed("failed", "what the dashboard is made of cannot be read", action="cloudwatch:GetDashboard")
        page = f"cloudwatch/home#dashboards/dashboard/{quote(self.name, safe='')}"
        return self.table(place, rows, empty="the dashboard has no widget", console=console_page(place.region, page))


def _widgets(body: str) -> list[Row] | None:
    """None for what is no dashboard."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    widgets = [each for each in _listed(told.get("widgets")) if isinstance(each, dict)]
    return [_widget(each, number) for number, each in enumerate(widgets, 1)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _widget(told: Mapping[str, Any], number: int) -> Row:
    shown = told.get("properties")
    properties: Mapping[str, Any] = shown if isinstance(shown, dict) else {}
    metrics = list(dict.fromkeys(_metrics(_listed(properties.get("metrics")))))
    alarms = [str(each).rpartition(":")[2] for each in _listed(properties.get("alarms"))]
    notes = properties.get("annotations")
    watched = _listed(notes.get("alarms")) if isinstance(notes, dict) else []
    text = str(properties.get("markdown") or properties.get("query") or "")
    facts: dict[str, Any] = {
        "type": str(told.get("type", "?")),
        "metrics": metrics[:_MOST_METRICS] or None,
        "metrics_left_out": len(metrics) - _MOST_METRICS if len(metrics) > _MOST_METRICS else None,
        "alarms": [*alarms, *(str(each).rpartition(":")[2] for each in watched)][:_MOST_METRICS] or None,
        "text": one_line(text, _TEXT) or None,
        "statistic": str(properties["stat"]) if properties.get("stat") else None,
        "period_s": properties["period"] if isinstance(properties.get("period"), int) else None,
        "region": str(properties["region"]) if properties.get("region") else None,
    }
    return Row(name=one_line(str(properties.get("title") or f"widget {number}"), 120), facts=facts)


def _metrics(told: Sequence[Any]) -> Iterator[str]:
    """Each as `namespace name {dimension=value}`, or as its expression.

    In a list `.` stands for what the metric before has there, and `...` for all that it has up to its end.
    """
    before: list[str] = []
    for each in told:
        if not isinstance(each, list) or not each:
            continue
        options = each[-1] if isinstance(each[-1], dict) else {}
        if options.get("expression"):
            yield one_line(str(options["expression"]), _TEXT)
            continue
        parts = _filled([str(part) for part in each if not isinstance(part, dict)], before)
        if len(parts) < 2:
            continue
        before = parts
        pairs = ", ".join(f"{name}={value}" for name, value in zip(parts[2::2], parts[3::2], strict=False))
        yield one_line(f"{parts[0]} {parts[1]}" + (f" {{{pairs}}}" if pairs else ""), _TEXT)


def _filled(parts: list[str], before: Sequence[str]) -> list[str]:
    if "..." in parts:
        own = len(parts) - 1
        parts = [*before[: max(0, len(before) - own)], *(each for each in parts if each != "...")]
    return [before[at] if each == "." and at < len(before) else each for at, each in enumerate(parts)]


OPERATIONS = (Dashboard,)
