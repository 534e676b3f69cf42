"""Auto Scaling groups: their size, and the activities that changed it."""

import re
from collections.abc import Sequence

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, Fact, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Result, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, failed
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place, asked

SOURCE = "aws.autoscaling"
_MOST = 200
_SIZED = re.compile(r"(?:capacity|capacity of the group) from (\d+) to (\d+)")
_REACTS = re.compile(
    r"monitor alarm|target tracking|health check|taken out of service|rebalanc|difference between", re.I
)
"""Causes that are answers to the load or to lost instances, and nobody's decision."""


async def group_facts(place: Place, resource: Resource) -> list[Fact]:
    """Raises `CallFailed`."""
    answer = await place.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[resource.name])
    groups: list[Answer] = answer.get("AutoScalingGroups") or []
    if not groups:
        text = f"there is no Auto Scaling group {resource.name}"
        raise CallFailed("missing", text, action="autoscaling:DescribeAutoScalingGroups")
    group = groups[0]
    instances: list[Answer] = group.get("Instances") or []
    healthy = [e for e in instances if e.get("HealthStatus") == "Healthy" and e.get("LifecycleState") == "InService"]
    suspended = [each.get("ProcessName") for each in group.get("SuspendedProcesses") or []]
    return [
        Fact(name="desired_count", value=group.get("DesiredCapacity"), unit="instances"),
        Fact(name="minimum", value=group.get("MinSize"), unit="instances"),
        Fact(name="maximum", value=group.get("MaxSize"), unit="instances"),
        Fact(name="running_count", value=len(healthy), unit="instances"),
        Fact(name="unhealthy_count", value=len(instances) - len(healthy), unit="instances"),
        Fact(name="zones", value=list(group.get("AvailabilityZones") or [])),
        Fact(name="suspended_processes", value=suspended),
    ]


async def _activities(place: Place, resource: Resource, window: TimeWindow) -> list[Answer]:
    """Those that began in the window; AWS lists the newest first."""
    found: list[Answer] = []
    async for page in place.pages("autoscaling", "DescribeScalingActivities", AutoScalingGroupName=resource.name):
        told = [each for each in page.get("Activities") or [] if each.get("StartTime")]
        found += [each for each in told if window.holds(utc(each["StartTime"]))]
        if len(found) >= _MOST or any(utc(each["StartTime"]) < window.start for each in told):
            break
    return found[:_MOST]


async def group_events(place: Place, query: ListEvents) -> Result:
    where = f"scaling activities of {query.resource.name} in {place.name}, {between(query.window)}"
    request = asked("autoscaling", "DescribeScalingActivities", {"AutoScalingGroupName": query.resource.name})
    try:
        activities = await _activities(place, query.resource, query.window)
    except CallFailed as failure:
        return failed(failure, SOURCE, where, request)
    lines = [LogLine(at=e["StartTime"], text=_text(e), stream=str(e.get("StatusCode", ""))) for e in activities]
    return Result(
        status=Status.ok if lines else Status.no_data,
        source=SOURCE,
        asked=request,
        where=where,
        message="" if lines else "no scaling activity in this window",
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        console=console_link(query.resource, place.region),
    )


def _text(activity: Answer) -> str:
    parts = (activity.get("Description"), activity.get("Cause"), activity.get("StatusMessage"))
    return one_line("; ".join(str(part) for part in parts if part), 1000)


async def group_changes(place: Place, resource: Resource, window: TimeWindow) -> tuple[list[Change], list[CallFailed]]:
    """One change for all activities of one cause: many instances are launched for one reason."""
    try:
        activities = await _activities(place, resource, window)
    except CallFailed as failure:
        return [], [failure]
    causes: dict[str, list[Answer]] = {}
    for each in activities:
        causes.setdefault(str(each.get("Cause") or each.get("ActivityId")), []).append(each)
    return [_change(resource, sorted(each, key=lambda a: a["StartTime"])) for each in causes.values()], []


def _change(resource: Resource, activities: Sequence[Answer]) -> Change:
    first = activities[0]
    cause = str(first.get("Cause") or "")
    more = f"{len(activities)} activities, the first: " if len(activities) > 1 else ""
    sized = _SIZED.search(cause)
    return Change(
        at=first["StartTime"],
        kind="scaling",
        summary=one_line(f"{resource.name}: {more}{_text(first)}", 500),
        actor="Auto Scaling",
        resource=resource,
        before={"desired_count": sized.group(1)} if sized else {},
        after={"desired_count": sized.group(2)} if sized else {},
        reference=str(first.get("ActivityId", "")),
        automatic=bool(_REACTS.search(cause)),
    )
