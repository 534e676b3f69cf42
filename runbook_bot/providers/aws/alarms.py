"""CloudWatch alarms: what they watch, in neutral words, and when they changed their minds."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from runbook_bot.domain.observation import Alarm, Change, Fact, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ListEvents, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import failed
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.dimensions import subject_of
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.metric_table import signal_of
from runbook_bot.providers.aws.place import Answer, Place, asked

SOURCE = "aws.cloudwatch.alarms"
_MOST = 200
_MOST_CHILDREN = 20
_IN_ONE_CALL = 50
"""Names in one call: no more than fit into one page of the answer."""
_MOST_LOOKED_THROUGH = 20
"""Composite alarms in alarm whose children are asked for; of the others only the name and the state are told."""
_DEEPEST = 3
"""Composite alarms of composite alarms that are looked through for a metric."""
_STATES: dict[str, Literal["ok", "alarm", "insufficient_data"]] = {
    "OK": "ok",
    "ALARM": "alarm",
    "INSUFFICIENT_DATA": "insufficient_data",
}
_COMPARISONS: dict[str, Literal["above", "below", "outside"]] = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "above",
    "GreaterThanUpperThreshold": "above",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "below",
    "LessThanLowerThreshold": "below",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside",
}
_CHILD = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"([^"]+)"|'([^']+)'|([^"')]+?))\s*\)""")
_TYPES = ["MetricAlarm", "CompositeAlarm"]
"""Without this only metric alarms are told."""


async def find_alarms(place: Place, query: FindAlarms) -> Result:
    parameters: Answer = {"AlarmNames": [query.name]} if query.name else {"StateValue": "ALARM"}
    where = f"CloudWatch alarms in {place.name}, " + (f"named {query.name}" if query.name else "in alarm now")
    request = asked("cloudwatch", "DescribeAlarms", parameters)
    try:
        alarms, more = await (_named(place, query.name) if query.name else _ringing(place))
    except CallFailed as failure:
        return failed(failure, SOURCE, where, request)
    if not alarms:
        text = f"there is no alarm named {query.name}" if query.name else "no alarm is in alarm"
        return Result(status=Status.no_data, source=SOURCE, asked=request, where=where, message=text)
    link = console_link(Resource(type=ResourceType.alarm, name=alarms[0].name), place.region)
    return Result(
        status=Status.truncated if more else Status.ok,
        source=SOURCE,
        asked=request,
        where=where,
        message=f"more than {len(alarms)} alarms are in alarm; the first are shown" if more else "",
        alarms=tuple(alarms),
        console=link,
    )


async def alarm_named(place: Place, name: str) -> Alarm | None:
    """The alarm of that exact name. Raises `CallFailed`."""
    return next(iter((await _named(place, name))[0]), None)


async def _named(place: Place, name: str) -> tuple[list[Alarm], bool]:
    """None or one; what else is asked for by name at the same moment goes into the same call."""
    answer = await place.named("cloudwatch", "DescribeAlarms", "AlarmNames", name, _IN_ONE_CALL, AlarmTypes=_TYPES)
    metric = [_metric_alarm(each) for each in answer.get("MetricAlarms") or [] if each.get("AlarmName") == name]
    composite = [each for each in answer.get("CompositeAlarms") or [] if each.get("AlarmName") == name]
    return [*metric, *[await _composite_alarm(place, each, {}) for each in composite]][:1], False


async def _ringing(place: Place) -> tuple[list[Alarm], bool]:
    """What is in alarm, and whether there is more of it."""
    metric: list[Any] = []
    composite: list[Any] = []
    more = False
    async for page in place.pages("cloudwatch", "DescribeAlarms", AlarmTypes=_TYPES, StateValue="ALARM"):
        metric += page.get("MetricAlarms") or []
        composite += page.get("CompositeAlarms") or []
        if len(metric) + len(composite) >= _MOST:
            more = bool(page.get("NextToken")) or len(metric) + len(composite) > _MOST
            break
    found = [_metric_alarm(each) for each in metric]
    known = {each.name: each for each in found}
    looked = composite[:_MOST_LOOKED_THROUGH]
    found += await asyncio.gather(*(_composite_alarm(place, each, known) for each in looked))
    found += [_metric_alarm(each) for each in composite[_MOST_LOOKED_THROUGH:]]
    return [each for each in found if each.state == "alarm"][:_MOST], more


def _metric_alarm(told: Answer) -> Alarm:
    namespace, name, statistic, dimensions, period = _watched(told)
    metric = None
    subject = None
    signal: Signal | None = None
    if name:
        metric = Resource(
            type=ResourceType.metric, namespace=namespace, name=name, dimensions=dimensions, statistic=statistic
        )
        subject = subject_of(dimensions)
        signal = signal_of(namespace, name, statistic, subject.type if subject else None)
    return Alarm(
        name=str(told.get("AlarmName", "")),
        state=_STATES.get(str(told.get("StateValue")), "insufficient_data"),
        since=told.get("StateTransitionedTimestamp") or told.get("StateUpdatedTimestamp"),
        metric=metric,
        subject=subject,
        signal=signal,
        threshold=told.get("Threshold"),
        comparison=_COMPARISONS.get(str(told.get("ComparisonOperator"))),
        period=period,
        description=one_line(str(told.get("AlarmDescription") or ""), 1000),
    )


def _watched(told: Answer) -> tuple[str, str, str, dict[str, str], float]:
    """Namespace, name, statistic, dimensions and period of the metric; of an expression, its most telling metric."""
    statistic = str(told.get("ExtendedStatistic") or told.get("Statistic") or "Average")
    if told.get("MetricName"):
        found = _dimensions(told)
        return (
            str(told.get("Namespace", "")),
            str(told["MetricName"]),
            statistic,
            found,
            float(told.get("Period") or 60),
        )
    stats = [each["MetricStat"] for each in told.get("Metrics") or [] if each.get("MetricStat")]
    telling = sorted(stats, key=lambda each: not re.search(r"5XX|Error|Fault|Throttle", str(each.get("Metric"))))
    if not telling:
        return "", "", statistic, {}, float(told.get("Period") or 60)
    metric: Answer = telling[0].get("Metric") or {}
    period, stat = float(telling[0].get("Period") or 60), str(telling[0].get("Stat") or "Average")
    return str(metric.get("Namespace", "")), str(metric.get("MetricName", "")), stat, _dimensions(metric), period


def _dimensions(told: Answer) -> dict[str, str]:
    return {str(each.get("Name")): str(each.get("Value")) for each in told.get("Dimensions") or []}


def children(rule: str) -> list[str]:
    """The alarms that a composite alarm's rule names; an ARN by its last part."""
    names = ["".join(match) for match in _CHILD.findall(rule)]
    return [*dict.fromkeys(name.rpartition(":alarm:")[2] for name in names)]


async def _composite_alarm(place: Place, told: Answer, known: Mapping[str, Alarm]) -> Alarm:
    """With what the first of its children watches, one that rings if there is one.

    known: metric alarms that need not be asked for.
    """
    alarm, below = _metric_alarm(told), [told]
    for _ in range(_DEEPEST):
        names = [name for each in below for name in children(str(each.get("AlarmRule", "")))][:_MOST_CHILDREN]
        if not names:
            break
        ringing = next((known[name] for name in names if name in known), None)
        if ringing is not None:
            return _watching(alarm, ringing)
        try:
            answer = await place.call("cloudwatch", "DescribeAlarms", AlarmNames=names, AlarmTypes=_TYPES)
        except CallFailed:
            break  # the composite alarm itself is known; only what it is about is not
        metric = [_metric_alarm(each) for each in answer.get("MetricAlarms") or []]
        if metric:
            return _watching(alarm, min(metric, key=lambda each: each.state != "alarm"))
        below = answer.get("CompositeAlarms") or []
    return alarm


def _watching(alarm: Alarm, child: Alarm) -> Alarm:
    kept = ("metric", "subject", "signal", "threshold", "comparison", "period")
    return alarm.model_copy(update={field: getattr(child, field) for field in kept})


async def alarm_facts(place: Place, name: str) -> list[Fact]:
    """Raises `CallFailed`; `missing` where there is no such alarm."""
    alarm = await alarm_named(place, name)
    if alarm is None:
        raise CallFailed("missing", f"there is no alarm named {name}", action="cloudwatch:DescribeAlarms")
    return [
        Fact(name="state", value=alarm.state),
        Fact(name="since", value=alarm.since.isoformat() if alarm.since else None),
        Fact(name="threshold", value=alarm.threshold),
        Fact(name="comparison", value=alarm.comparison),
        Fact(name="period", value=alarm.period, unit="s"),
        Fact(name="metric", value=f"{alarm.metric.namespace} {alarm.metric.name}" if alarm.metric else None),
    ]


async def alarm_events(place: Place, query: ListEvents) -> Result:
    """The history of one alarm."""
    where = f"history of alarm {query.resource.name} in {place.name}"
    parameters = {"AlarmName": query.resource.name, "StartDate": query.window.start, "EndDate": query.window.end}
    request = asked("cloudwatch", "DescribeAlarmHistory", parameters)
    try:
        items = await place.gather(
            "cloudwatch", "DescribeAlarmHistory", "AlarmHistoryItems", _MOST, AlarmTypes=_TYPES, **parameters
        )
    except CallFailed as failure:
        return failed(failure, SOURCE, where, request)
    lines = sorted((_history_line(each, query.window) for each in items), key=lambda line: line.at)
    status = Status.ok if lines else Status.no_data
    message = "" if lines else "the alarm changed nothing in this window"
    return Result(
        status=status,
        source=SOURCE,
        asked=request,
        where=where,
        message=message,
        lines=tuple(lines),
        console=console_link(query.resource, place.region),
    )


def _history_line(told: Answer, window: TimeWindow) -> LogLine:
    text = str(told.get("HistorySummary", ""))
    try:
        reason = json.loads(told.get("HistoryData") or "{}").get("newState", {}).get("stateReason", "")
    except (ValueError, AttributeError):
        reason = ""
    whole = one_line(f"{text}: {reason}" if reason else text, 1000)
    return LogLine(at=told.get("Timestamp") or window.start, text=whole, stream=str(told.get("HistoryItemType", "")))


async def alarm_changes(place: Place, resource: Resource, window: TimeWindow) -> tuple[list[Change], list[CallFailed]]:
    """Whether the alarm itself was reconfigured in the window."""
    try:
        answer = await place.call("cloudwatch", "DescribeAlarms", AlarmNames=[resource.name], AlarmTypes=_TYPES)
    except CallFailed as failure:
        return [], [failure]
    return [
        Change(
            at=told["AlarmConfigurationUpdatedTimestamp"],
            kind="configuration",
            summary=f"alarm {resource.name} was reconfigured; {said} now",
            resource=resource,
            after={what: value},
        )
        for told, what, value, said in _configured(answer)
        if told.get("AlarmConfigurationUpdatedTimestamp") and window.holds(told["AlarmConfigurationUpdatedTimestamp"])
    ], []


def _configured(answer: Answer) -> Iterator[tuple[Answer, str, str, str]]:
    """Each alarm with what decides when it rings: its threshold, or the rule over other alarms."""
    for told in answer.get("MetricAlarms") or []:
        yield told, "threshold", str(told.get("Threshold")), f"its threshold is {told.get('Threshold')}"
    for told in answer.get("CompositeAlarms") or []:
        rule = one_line(str(told.get("AlarmRule") or ""), 300)
        yield told, "rule", rule, f"its rule is {rule}"
