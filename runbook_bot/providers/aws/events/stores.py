"""Caches and database clusters: what ElastiCache tells, and what RDS tells of the instances of a cluster."""

import asyncio
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws import rds
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.timeline.caches import read_events

_MOST_MEMBERS = 6


async def cache_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    """Raises `CallFailed`."""
    return [
        LogLine(
            at=utc(each["Date"]),
            text=one_line(f"{each.get('SourceIdentifier')}: {each.get('Message')}", 1000),
            stream=str(each.get("SourceType") or ""),
        )
        for each in await read_events(place, resource.name, window)
    ], []


async def cluster_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    """The cluster's own events (failovers) and those of its instances (restarts). Raises `CallFailed`."""
    own = await rds.read_events(place, resource, window)
    try:
        members = (await rds.read_cluster(place, resource.name)).get("DBClusterMembers") or []
    except CallFailed as failure:
        return [rds.line(each) for each in own], [failure]
    names = [str(each.get("DBInstanceIdentifier")) for each in members][:_MOST_MEMBERS]
    parts = await asyncio.gather(*(_of_member(place, name, window) for name in names))
    lines = [line for part in parts if not isinstance(part, CallFailed) for line in part]
    return [*(rds.line(each) for each in own), *lines], [part for part in parts if isinstance(part, CallFailed)]


async def _of_member(place: Place, name: str, window: TimeWindow) -> list[LogLine] | CallFailed:
    try:
        events = await rds.read_events(place, Resource(type=R.rds_instance, name=name), window)
    except CallFailed as failure:
        return failure
    told = [rds.line(each) for each in events]
    return [each.model_copy(update={"text": f"{name}: {each.text}"}) for each in told]
