"""EKS: updates of a cluster and of its node groups."""

import asyncio

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place

_MOST_UPDATES = 10
_MOST_GROUPS = 10


async def updates_of(place: Place, name: str) -> list[tuple[str, Answer]]:
    """The updates that EKS keeps of a cluster and its node groups, each with the group's name. Raises `CallFailed`."""

    async def look() -> list[tuple[str, Answer]]:
        groups = await place.gather("eks", "ListNodegroups", "nodegroups", _MOST_GROUPS, clusterName=name)
        parts = await asyncio.gather(*(_of_part(place, name, each) for each in (None, *groups)))
        return [pair for part in parts for pair in part]

    return await place.recall(("eks updates", name), 60.0, look)


async def _of_part(place: Place, name: str, group: str | None) -> list[tuple[str, Answer]]:
    which = {"name": name} | ({"nodegroupName": group} if group else {})
    ids = await place.gather("eks", "ListUpdates", "updateIds", _MOST_UPDATES, **which)
    told = await asyncio.gather(*(place.call("eks", "DescribeUpdate", updateId=id, **which) for id in ids))
    return [(group or "", each.get("update") or {}) for each in told]


async def cluster_changes(
    place: Place, resource: Resource, window: TimeWindow
) -> tuple[list[Change], list[CallFailed]]:
    try:
        updates = await updates_of(place, resource.name)
    except CallFailed as failure:
        return [], [failure]
    return [
        _change(resource, group, update)
        for group, update in updates
        if update.get("createdAt") and window.holds(utc(update["createdAt"]))
    ], []


def _change(resource: Resource, group: str, update: Answer) -> Change:
    after = {str(each.get("type")): str(each.get("value")) for each in update.get("params") or []}
    return Change(
        at=utc(update["createdAt"]),
        kind="deployment" if "Version" in str(update.get("type")) else "configuration",
        summary=one_line(f"{resource.name}: {update_text(group, update)}", 400),
        resource=resource,
        after={name: value[:300] for name, value in after.items()},
        reference=str(update.get("id") or ""),
    )


def update_text(group: str, update: Answer) -> str:
    """`VersionUpdate of node group blue: Failed (PodEvictionFailure: …)`."""
    place = f" of node group {group}" if group else ""
    errors = [f"{each.get('errorCode')}: {each.get('errorMessage')}" for each in update.get("errors") or []]
    return f"{update.get('type')}{place}: {update.get('status')}" + (f" ({'; '.join(errors)})" if errors else "")
