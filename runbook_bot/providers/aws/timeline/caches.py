"""ElastiCache: its own events about clusters and replication groups, and which of them are changes."""

import re

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.dimensions import cache_nodes
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300
_CHANGED = re.compile(
    r"modif|updat|scal|added|removed|parameter group|maintenance|upgrad|patch|rebalanc", re.IGNORECASE
)
_SCALED = re.compile(r"scal|node type|added \d|removed \d|shard|number of (?:cache )?nodes", re.IGNORECASE)


async def read_events(place: Place, name: str, window: TimeWindow) -> list[Answer]:
    """What ElastiCache tells of a cluster and its nodes; it keeps it for 14 days. Raises `CallFailed`."""

    async def look() -> list[Answer]:
        return await place.gather(
            "elasticache", "DescribeEvents", "Events", _MOST, StartTime=window.start, EndTime=window.end
        )

    told = await place.recall(("cache events", window.start.isoformat(), window.end.isoformat()), 30.0, look)
    try:
        names = {name, *await cache_nodes(place, name)}
    except CallFailed:
        names = {name}
    named = re.compile(rf"{re.escape(name)}(?:-\d{{3,4}}){{1,2}}")  # as ElastiCache names the members of a group
    mine = [
        each
        for each in told
        if each.get("Date")
        and (each.get("SourceIdentifier") in names or named.fullmatch(str(each.get("SourceIdentifier"))))
    ]
    return [each for each in mine if window.holds(utc(each["Date"]))]


async def cache_changes(place: Place, resource: Resource, window: TimeWindow) -> tuple[list[Change], list[CallFailed]]:
    try:
        events = await read_events(place, resource.name, window)
    except CallFailed as failure:
        return [], [failure]
    return [_change(resource, each) for each in events if _CHANGED.search(str(each.get("Message")))], []


def _change(resource: Resource, event: Answer) -> Change:
    message = str(event.get("Message") or "")
    kind: ChangeKind = "scaling" if _SCALED.search(message) else "configuration"
    if re.search(r"maintenance|patch", message, re.IGNORECASE):
        kind = "vendor"
    source = str(event.get("SourceIdentifier") or resource.name)
    return Change(
        at=utc(event["Date"]), kind=kind, summary=one_line(f"{source}: {message}", 400), resource=resource,
        actor="AWS" if kind == "vendor" else "",
    )  # fmt: skip
