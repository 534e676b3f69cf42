"""What can be asked of CloudWatch's alarms."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import children
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.metric_points import Points
from runbook_bot.providers.aws.metric_summary import series_of, short, summary
from runbook_bot.providers.aws.metrics import aligned, period_for
from runbook_bot.providers.aws.operations.cloudwatch import evaluated, written
from runbook_bot.providers.aws.operations.listing import batches, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 2000
_IN_ONE_CALL = 100
_MOST_HISTORY = 500
_ORDER = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}
_SIGNS = {
    "GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤", "GreaterThanUpperThreshold": "above the band",
    "LessThanLowerThreshold": "below the band", "LessThanLowerOrGreaterThanUpperThreshold": "outside the band",
}  # fmt: skip


def _link(place: Place, name: str = "") -> str:
    page = f"alarmsV2:alarm/{quote(name, safe='')}" if name else "alarmsV2:"
    return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#{page}"


async def described(place: Place, **which: Answer | list[str] | str) -> list[Answer]:
    """Alarms of all kinds as CloudWatch tells them. Raises `CallFailed`."""
    found: list[Answer] = []
    kinds = ["CompositeAlarm", "MetricAlarm"]  # those of logs say no threshold of their own
    async for page in place.pages("cloudwatch", "DescribeAlarms", AlarmTypes=kinds, **which):
        found += [*(page.get("MetricAlarms") or []), *(page.get("CompositeAlarms") or [])]
        if len(found) >= _MOST:
            break
    return found


async def states(place: Place, names: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """The state of each alarm, asked for where it is not known; `gone` for one that is not there."""
    found = {name: known[name] for name in names if name in known}
    for batch in batches([name for name in names if name not in known], _IN_ONE_CALL):
        told = await described(place, AlarmNames=batch)
        found |= {str(each.get("AlarmName")): str(each.get("StateValue")) for each in told}
    return {name: found.get(name, "gone") for name in names}


class Alarms(Operation):
    """Alarms with state, condition and reason: ringing ones first; composite alarms with the state of each child."""

    kind: ClassVar[str] = "aws.cloudwatch.alarms"
    service = "cloudwatch"
    calls = ("DescribeAlarms",)
    words = ("alarms", "ringing alarms", "what is in alarm", "composite alarms", "silenced alarms")

    state: Literal["ALARM", "OK", "INSUFFICIENT_DATA"] | None = Field(default=None, description="None means any state")
    name: str | None = Field(default=None, description="Part of the alarm's name; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await described(place, **({"StateValue": self.state} if self.state else {}))
        wanted = (self.name or "").casefold()
        mine = [
            each
            for each in told
            if wanted in str(each.get("AlarmName", "")).casefold() and self.state in (None, each.get("StateValue"))
        ]
        named = [child for each in mine for child in children(str(each.get("AlarmRule") or ""))]
        failures: list[CallFailed] = []
        known = {str(each.get("AlarmName")): str(each.get("StateValue")) for each in told}
        try:
            below = await states(place, [*dict.fromkeys(named)], known)
        except CallFailed as failure:
            below, failures = known, [failure]
        mine.sort(
            key=lambda each: (
                _ORDER.get(str(each.get("StateValue")), 3),
                newest_first(each.get("StateUpdatedTimestamp")),
            )
        )
        more = f"only the first {_MOST} alarms were read; ask for a state" if len(told) >= _MOST else ""
        what = f" in state {self.state}" if self.state else ""
        return self.table(
            place,
            [_alarm(each, below) for each in mine],
            empty=f"there is no such alarm{what}",
            failures=failures,
            more=more,
            console=_link(place),
        )


def _alarm(told: Answer, below: Mapping[str, str]) -> Row:
    rule = str(told.get("AlarmRule") or "")
    beneath: Json = {name: below.get(name, "not read") for name in children(rule)}
    return Row(
        name=str(told.get("AlarmName", "?")),
        at=told.get("StateTransitionedTimestamp") or told.get("StateUpdatedTimestamp"),
        facts={
            "state": told.get("StateValue"),
            "reason": told.get("StateReason"),
            "watches": _watched(told) or None,
            "condition": condition(told) or None,
            "rule": rule or None,
            "children": beneath or None,
            "actions_enabled": False if told.get("ActionsEnabled") is False else None,
            "suppressed_by": told.get("ActionsSuppressor"),
            "suppressed_now": told.get("ActionsSuppressedReason"),
            "evaluation": told.get("EvaluationState"),
            "description": told.get("AlarmDescription"),
        },
    )


def _watched(told: Answer) -> str:
    if told.get("MetricName"):
        dimensions = {str(each.get("Name")): str(each.get("Value")) for each in told.get("Dimensions") or []}
        statistic = told.get("Statistic") or told.get("ExtendedStatistic") or ""
        return f"{told.get('Namespace')} {told['MetricName']} {statistic} {{{written(dimensions)}}}"
    parts = []
    for each in told.get("Metrics") or []:
        metric: Answer = (each.get("MetricStat") or {}).get("Metric") or {}
        text = each.get("Expression") or f"{metric.get('Namespace')} {metric.get('MetricName')}"
        parts.append(f"{each.get('Id')}: {text}")
    return one_line("; ".join(parts), 500)


def condition(told: Answer) -> str:
    """`> 80 in 3 of 5 periods of 60 s, missing data notBreaching`; empty for an alarm that has none of its own."""
    operator = str(told.get("ComparisonOperator") or "")
    if not operator:
        return ""
    sign = _SIGNS.get(operator, operator)
    level = told.get("Threshold")
    threshold = "" if told.get("ThresholdMetricId") or level is None else f" {level:g}"
    periods = int(told.get("EvaluationPeriods") or 1)
    needed = int(told.get("DatapointsToAlarm") or periods)
    period = _period(told)
    missing = told.get("TreatMissingData")
    return f"{sign}{threshold} in {needed} of {periods} periods of {period} s" + (
        f", missing data {missing}" if missing else ""
    )


class AlarmDetail(Operation):
    """One alarm with what it watches over time, its anomaly band where it has one, and its children's states."""

    kind: ClassVar[str] = "aws.cloudwatch.alarm"
    service = "cloudwatch"
    calls = ("DescribeAlarms", "GetMetricData")
    words = ("alarm details", "why does the alarm ring", "what does the alarm watch", "anomaly detection alarm")

    name: str = Field(description="Exact name of the alarm")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last three hours")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await described(place, AlarmNames=[self.name])
        alarm = next((each for each in told if each.get("AlarmName") == self.name), None)
        if alarm is None:
            return self.table(place, [], empty=f"there is no alarm named {self.name}", console=_link(place))
        window = last(3, now, self.window)
        period = period_for(window, float(_period(alarm)), now)
        failures: list[CallFailed] = []
        below: list[Answer] = []
        found: dict[str, Points] = {}
        remark = ""
        try:
            if names := children(str(alarm.get("AlarmRule") or "")):
                below = [each for batch in batches(names, 100) for each in await described(place, AlarmNames=batch)]
            if queries := _queries(alarm, period):
                found, remark = await evaluated(place, queries, aligned(window, period))
        except CallFailed as failure:
            failures.append(failure)
        rows = [_alarm(alarm, {str(each.get("AlarmName")): str(each.get("StateValue")) for each in below})]
        rows += [
            _alarm(each, {}) for each in sorted(below, key=lambda each: _ORDER.get(str(each.get("StateValue")), 3))
        ]
        shown = [(label, points) for label, points in found.items() if points]
        facts, series = await asyncio.to_thread(
            lambda: (
                [summary(points, counts=False) for _, points in shown],
                tuple(series_of(label, "", {}, "", points, period) for label, points in shown),
            )
        )
        rows += [
            Row(name=label, facts={"period_s": period, **each}) for (label, _), each in zip(shown, facts, strict=True)
        ]
        if (band := _against_band(alarm, found)) is not None:
            rows[0] = rows[0].model_copy(update={"facts": {**rows[0].facts, "against_band": band}})
        result = self.table(place, rows, empty="", failures=failures, more=remark, console=_link(place, self.name))
        return result.model_copy(update={"series": series})


def _period(alarm: Answer) -> int:
    """Seconds; of an alarm on an expression that of its metrics, or of its Metrics Insights query."""
    metrics: list[Answer] = alarm.get("Metrics") or []
    inner = [(each.get("MetricStat") or {}).get("Period") or each.get("Period") for each in metrics]
    return int(alarm.get("Period") or next((each for each in inner if each), 60))


def _queries(alarm: Answer, period: int) -> list[Answer]:
    """The alarm's own metrics with the period that the window allows; a band is returned as well, and last."""
    if alarm.get("MetricName"):
        metric = {key: alarm[key] for key in ("Namespace", "MetricName", "Dimensions") if alarm.get(key)}
        statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "Average"
        return [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}]
    found = []
    for each in alarm.get("Metrics") or []:
        query = {key: each[key] for key in ("Id", "Expression", "Label", "ReturnData", "AccountId") if key in each}
        if stat := each.get("MetricStat"):
            query["MetricStat"] = {**stat, "Period": period}
        elif each.get("Period"):
            query["Period"] = period
        if each.get("Id") == alarm.get("ThresholdMetricId"):
            query["ReturnData"] = True
        found.append(query)
    return sorted(found, key=lambda query: query.get("Id") == alarm.get("ThresholdMetricId"))


def _against_band(alarm: Answer, found: Mapping[str, Points]) -> str | None:
    """Where the metric stands now against its band of expected values; None where it has no band or no points."""
    if not alarm.get("ThresholdMetricId") or len(found) < 3:
        return None
    points = [each for each in found.values() if each]
    if len(points) < 3:
        return None
    metric, first, second = points[0], points[1], points[2]
    common = sorted(set(metric) & set(first) & set(second))
    if not common:
        return None
    at = common[-1]
    low, high = sorted((first[at], second[at]))
    where = "inside" if low <= metric[at] <= high else "above" if metric[at] > high else "below"
    return f"{short(metric[at])} is {where} the band of {short(low)} to {short(high)}"


class AlarmHistory(Operation):
    """When alarms changed state, configuration or ran actions, newest first, and which of them flap."""

    kind: ClassVar[str] = "aws.cloudwatch.alarm_history"
    service = "cloudwatch"
    calls = ("DescribeAlarmHistory",)
    words = ("alarm history", "when did the alarm ring", "flapping alarms", "alarm actions")

    name: str | None = Field(default=None, description="Exact name of the alarm; none means all alarms")
    what: Literal["StateUpdate", "ConfigurationUpdate", "Action"] | None = Field(
        default=None, description="Only entries of this type; none means all"
    )
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24, now, self.window)
        given = {"AlarmName": self.name, "HistoryItemType": self.what}
        items = await place.gather(
            "cloudwatch", "DescribeAlarmHistory", "AlarmHistoryItems", _MOST_HISTORY,
            StartDate=window.start, EndDate=window.end, ScanBy="TimestampDescending",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"], **{key: value for key, value in given.items() if value},
        )  # fmt: skip
        items.sort(key=lambda each: newest_first(each.get("Timestamp")))
        rang = Counter(str(each.get("AlarmName")) for each in items if _entered(each) == "ALARM")
        rows = [_entry(each, rang[str(each.get("AlarmName"))]) for each in items]
        more = f"only the newest {_MOST_HISTORY} entries were read" if len(items) >= _MOST_HISTORY else ""
        return self.table(
            place,
            rows,
            empty="no alarm changed in this window; CloudWatch keeps the history for thirty days",
            more=more,
            console=_link(place, self.name or ""),
        )


def _data(item: Answer) -> Answer:
    try:
        told = json.loads(item.get("HistoryData") or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _entered(item: Answer) -> str:
    state = _data(item).get("newState")
    return str(state.get("stateValue") or "") if isinstance(state, dict) else ""


def _entry(item: Answer, rang: int) -> Row:
    state = _data(item).get("newState")
    reason: JsonValue = state.get("stateReason") if isinstance(state, dict) else None
    return Row(
        name=str(item.get("AlarmName", "?")),
        at=item.get("Timestamp"),
        facts={
            "type": item.get("HistoryItemType"),
            "summary": item.get("HistorySummary"),
            "reason": reason,
            "rang_in_window": rang or None,
        },
    )


OPERATIONS = (Alarms, AlarmDetail, AlarmHistory)
