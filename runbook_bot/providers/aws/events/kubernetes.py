"""EKS clusters: updates and how they ended, and what EKS finds ill in the cluster and its node groups."""

import asyncio
from datetime import datetime, timedelta

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.kubernetes import update_text, updates_of

_MOST_GROUPS = 20
_PRESENT = timedelta(minutes=15)


async def kubernetes_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    parts = await asyncio.gather(_updates(place, resource, window), _issues(place, resource, window, now))
    lines = [line for part in parts if not isinstance(part, CallFailed) for line in part]
    return lines, [part for part in parts if isinstance(part, CallFailed)]


async def _updates(place: Place, resource: Resource, window: TimeWindow) -> list[LogLine] | CallFailed:
    try:
        updates = await updates_of(place, resource.name)
    except CallFailed as failure:
        return failure
    return [
        LogLine(at=utc(update["createdAt"]), text=one_line(update_text(group, update), 500), stream="update")
        for group, update in updates
        if update.get("createdAt") and window.holds(utc(update["createdAt"]))
    ]


async def _issues(place: Place, resource: Resource, window: TimeWindow, now: datetime) -> list[LogLine] | CallFailed:
    """What is ill now; EKS does not say since when."""
    if window.end < now - _PRESENT:
        return []
    try:
        cluster = (await place.call("eks", "DescribeCluster", name=resource.name)).get("cluster") or {}
        names = await place.gather("eks", "ListNodegroups", "nodegroups", _MOST_GROUPS, clusterName=resource.name)
        groups = await asyncio.gather(
            *(place.call("eks", "DescribeNodegroup", clusterName=resource.name, nodegroupName=each) for each in names)
        )
    except CallFailed as failure:
        return failure
    at = min(now, window.end - timedelta(seconds=1))
    lines = [_line(f"cluster {resource.name}", each, at) for each in _ill(cluster)]
    for told in groups:
        group = told.get("nodegroup") or {}
        lines += [_line(f"node group {group.get('nodegroupName')}", each, at) for each in _ill(group)]
    return lines


def _ill(told: Answer) -> list[Answer]:
    found: list[Answer] = (told.get("health") or {}).get("issues") or []
    return found


def _line(place: str, issue: Answer, at: datetime) -> LogLine:
    resources = ", ".join(str(each) for each in (issue.get("resourceIds") or [])[:4])
    text = f"{place}, now: {issue.get('code')}: {issue.get('message')}" + (f" ({resources})" if resources else "")
    return LogLine(at=at, text=one_line(text, 500), stream="health")
