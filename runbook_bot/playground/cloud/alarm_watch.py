"""CloudWatch alarms, evaluated: states, reasons and history from the metrics themselves."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runbook_bot.playground.cloud.metric_api import query_points
from runbook_bot.playground.cloud.metric_store import MetricStore
from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_KEPT = [
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
    "Metrics",
    "ThresholdMetricId",
]


@dataclass
class Watched:
    """One alarm: its definition as PutMetricAlarm gave it, and where it stands."""

    definition: Parameters
    arn: str
    configured: float
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    data: str = "{}"
    since: float = 0.0
    updated: float = 0.0
    history: list[Parameters] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.definition["AlarmName"])

    def shown(self) -> Parameters:
        kept = {k: self.definition[k] for k in _KEPT if k in self.definition}
        return {
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
            **kept,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": _moment(self.configured),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateReasonData": self.data,
            "StateUpdatedTimestamp": _moment(self.updated),
            "StateTransitionedTimestamp": _moment(self.since),
        }


class AlarmWatch:
    def __init__(self, store: MetricStore, upstream: Upstream) -> None:
        self._store = store
        self._upstream = upstream
        self.alarms: dict[str, Watched] = {}

    def handlers(self) -> Handlers:
        return {
            "cloudwatch:PutMetricAlarm": self._put,
            "cloudwatch:DeleteAlarms": self._delete,
            "cloudwatch:DescribeAlarms": self._describe,
            "cloudwatch:DescribeAlarmsForMetric": self._describe_for_metric,
            "cloudwatch:DescribeAlarmHistory": self._describe_history,
        }

    def replay(self, start: float, now: float) -> None:
        """Live through the past minute by minute, so that states have their true beginnings."""
        minute = math.ceil(start / 60) * 60.0
        while minute <= now:
            self.evaluate(minute)
            minute += 60.0
        self.evaluate(now)

    def evaluate(self, now: float) -> None:
        for alarm in self.alarms.values():
            state, reason, data = _judge(self._store, alarm.definition, now)
            if not alarm.updated:  # its first evaluation lies as far back as its definition
                alarm.state, alarm.reason, alarm.data = state, reason, json.dumps(data)
                alarm.since = alarm.updated = alarm.configured + 60.0
                continue
            if state == alarm.state:
                continue
            before, alarm.state, alarm.reason, alarm.data = alarm.state, state, reason, json.dumps(data)
            alarm.since = alarm.updated = now
            alarm.history.append(
                {
                    "AlarmName": alarm.name,
                    "AlarmType": "MetricAlarm",
                    "Timestamp": _moment(now),
                    "HistoryItemType": "StateUpdate",
                    "HistorySummary": f"Alarm updated from {before} to {state}",
                    "HistoryData": json.dumps(
                        {
                            "version": "1.0",
                            "oldState": {"stateValue": before},
                            "newState": {"stateValue": state, "stateReason": reason, "stateReasonData": data},
                        }
                    ),
                }
            )

    async def _put(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        name = call.parameters["AlarmName"]
        arn = f"arn:aws:cloudwatch:{call.region}:123456789012:alarm:{name}"
        known = self.alarms.get(name)
        self.alarms[name] = known or Watched(call.parameters, arn, call.at, since=call.at)
        self.alarms[name].definition = call.parameters
        self.alarms[name].configured = call.at
        return answer

    async def _delete(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        for name in call.parameters.get("AlarmNames") or ():
            self.alarms.pop(name, None)
        return answer

    async def _describe(self, call: Call) -> Parameters:
        self.evaluate(call.at)
        asked = call.parameters
        wanted, prefix = asked.get("AlarmNames"), asked.get("AlarmNamePrefix") or ""
        state, action = asked.get("StateValue"), asked.get("ActionPrefix") or ""
        found = [
            alarm
            for _, alarm in sorted(self.alarms.items())
            if (not wanted or alarm.name in wanted)
            and alarm.name.startswith(prefix)
            and state in (None, alarm.state)
            and (not action or any(a.startswith(action) for a in alarm.definition.get("AlarmActions") or ()))
        ]
        if "MetricAlarm" not in (asked.get("AlarmTypes") or ["MetricAlarm"]):
            found = []
        first, size = int(asked.get("NextToken") or 0), int(asked.get("MaxRecords") or 50)
        answer: Parameters = {
            "MetricAlarms": [alarm.shown() for alarm in found[first : first + size]],
            "CompositeAlarms": [],
        }
        if first + size < len(found):
            answer["NextToken"] = str(first + size)
        return answer

    async def _describe_for_metric(self, call: Call) -> Parameters:
        self.evaluate(call.at)
        asked = call.parameters
        dimensions = _dimensions(asked)
        found = [
            alarm.shown()
            for _, alarm in sorted(self.alarms.items())
            if alarm.definition.get("MetricName") == asked.get("MetricName")
            and alarm.definition.get("Namespace") == asked.get("Namespace")
            and (not dimensions or _dimensions(alarm.definition) == dimensions)
        ]
        return {"MetricAlarms": found}

    async def _describe_history(self, call: Call) -> Parameters:
        asked = call.parameters
        start, end = float(asked.get("StartDate") or 0), float(asked.get("EndDate") or math.inf)
        items = [
            item
            for alarm in self.alarms.values()
            if asked.get("AlarmName") in (None, alarm.name)
            for item in alarm.history
            if start <= item["Timestamp"].timestamp() <= end
            and asked.get("HistoryItemType") in (None, item["HistoryItemType"])
        ]
        newest_first = asked.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        items.sort(key=lambda item: item["Timestamp"], reverse=newest_first)
        first, size = int(asked.get("NextToken") or 0), int(asked.get("MaxRecords") or 100)
        answer: Parameters = {"AlarmHistoryItems": items[first : first + size]}
        if first + size < len(items):
            answer["NextToken"] = str(first + size)
        return answer


def _judge(store: MetricStore, definition: Parameters, now: float) -> tuple[str, str, Parameters]:
    """State, reason and reason data by the last whole periods before `now`."""
    period = float(definition.get("Period") or 60)
    count = int(definition["EvaluationPeriods"])
    needed = int(definition.get("DatapointsToAlarm") or count)
    end = math.floor(now / period) * period
    slots = [end - (i + 1) * period for i in range(count)]
    points = _points(store, definition, slots[-1], end, period)
    values = [points.get(at) for at in slots]
    threshold, comparison = float(definition.get("Threshold") or 0), definition["ComparisonOperator"]
    missing = definition.get("TreatMissingData") or "missing"
    known = [value for value in values if value is not None]
    data: Parameters = {
        "version": "1.0",
        "queryDate": _moment(now).isoformat(),
        "statistic": definition.get("Statistic") or definition.get("ExtendedStatistic") or "",
        "period": int(period),
        "recentDatapoints": known,
        "threshold": threshold,
    }
    if not known and missing in ("missing", "ignore"):
        reason = f"Insufficient Data: {count} datapoints were unknown."
        return "INSUFFICIENT_DATA", reason, data
    breaches = sum(_breaches(v, comparison, threshold) if v is not None else missing == "breaching" for v in values)
    state = "ALARM" if breaches >= needed else "OK"
    if not known:
        treated = "Breaching" if missing == "breaching" else "NonBreaching"
        reason = f"Threshold Crossed: no datapoints were received for {count} periods and {count} missing datapoints "
        return state, f"{reason}were treated as [{treated}].", data
    dated = [
        f"{v:.10g} ({_moment(at):%d/%m/%y %H:%M:%S})" for at, v in zip(slots, values, strict=True) if v is not None
    ]
    needs = needed if state == "ALARM" else 1
    return state, _crossed(state, dated, count, comparison, threshold, needs), data


def _crossed(state: str, dated: list[str], count: int, comparison: str, threshold: float, needs: int) -> str:
    """The sentence CloudWatch gives as the reason of a state."""
    was = ("were" if len(dated) != 1 else "was") + ("" if state == "ALARM" else " not")
    plural = "s" if needs != 1 else ""
    shift = "OK -> ALARM" if state == "ALARM" else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(dated)} out of the last {count} datapoints [{', '.join(dated)}] {was} "
        f"{_WORDS[comparison]} the threshold ({threshold:.10g}) (minimum {needs} datapoint{plural} "
        f"for {shift} transition)."
    )


def _points(store: MetricStore, definition: Parameters, start: float, end: float, period: float) -> dict[float, float]:
    if queries := definition.get("Metrics"):
        shown = next((q["Id"] for q in queries if q.get("ReturnData", True)), queries[0]["Id"])
        try:
            return query_points(store, queries, start, end)[shown][1]
        except AwsError:  # an alarm whose expression cannot be worked out has no data, as on AWS
            return {}
    track = store.track(definition)
    statistic = definition.get("Statistic") or definition.get("ExtendedStatistic") or "Average"
    return track.points(statistic, start, end, period) if track else {}


def _breaches(value: float, comparison: str, threshold: float) -> bool:
    match comparison:
        case "GreaterThanThreshold":
            return value > threshold
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "LessThanThreshold":
            return value < threshold
    return value <= threshold


def _dimensions(asked: Parameters) -> list[tuple[str, str]]:
    return sorted((d["Name"], d["Value"]) for d in asked.get("Dimensions") or ())


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
