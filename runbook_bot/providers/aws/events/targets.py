"""Load balancers and target groups: why targets are not healthy, which is only known of the present."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.elb import load_balancer, target_group
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place

_MOST_GROUPS = 8
_PRESENT = timedelta(minutes=15)
"""A window that ended longer ago is none that the present says anything about."""


async def target_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    """Raises `CallFailed` where the resource cannot be read."""
    if resource.type is R.target_group:
        groups = [await target_group(place, resource.name)]
        lines: list[LogLine] = []
    else:
        balancer = await load_balancer(place, resource.name)
        groups = await place.gather(
            "elbv2",
            "DescribeTargetGroups",
            "TargetGroups",
            _MOST_GROUPS,
            LoadBalancerArn=balancer.get("LoadBalancerArn"),
        )
        lines = _state(balancer, window, now)
    if window.end < now - _PRESENT:
        return lines, []
    at = min(now, window.end - timedelta(seconds=1))
    parts = await asyncio.gather(*(_health(place, each, at) for each in groups))
    lines += [line for part in parts if not isinstance(part, CallFailed) for line in part]
    return lines, [part for part in parts if isinstance(part, CallFailed)]


def _state(balancer: Answer, window: TimeWindow, now: datetime) -> list[LogLine]:
    state = balancer.get("State") or {}
    if state.get("Code") in ("active", None):
        return []
    text = f"the load balancer is {state.get('Code')}: {state.get('Reason', '')}"
    return [LogLine(at=min(now, window.end - timedelta(seconds=1)), text=one_line(text, 300), stream="state")]


async def _health(place: Place, group: Answer, at: datetime) -> list[LogLine] | CallFailed:
    try:
        answer = await place.call("elbv2", "DescribeTargetHealth", TargetGroupArn=str(group.get("TargetGroupArn")))
    except CallFailed as failure:
        return failure
    name = group.get("TargetGroupName")
    targets = answer.get("TargetHealthDescriptions") or []
    states = Counter(_why(each) for each in targets if (each.get("TargetHealth") or {}).get("State") != "healthy")
    return [
        LogLine(
            at=at, text=one_line(f"{count} of {len(targets)} targets of {name} now {why}", 500), stream="target health"
        )
        for why, count in states.most_common()
    ]


def _why(target: Answer) -> str:
    health = target.get("TargetHealth") or {}
    said = " ".join(str(health[key]) for key in ("Reason", "Description") if health.get(key))
    return f"{health.get('State')}: {said}" if said else str(health.get("State"))
