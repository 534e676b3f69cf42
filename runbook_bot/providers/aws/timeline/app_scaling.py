"""Application Auto Scaling: what it set of services, tables, functions and clusters, and which alarm made it."""

import asyncio
import re

from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_MOST = 200
_NAMESPACES = {
    R.ecs_service: "ecs",
    R.dynamodb_table: "dynamodb",
    R.lambda_function: "lambda",
    R.rds_cluster: "rds",
    R.elasticache_cluster: "elasticache",
}
_ITS_OWN = ("", "application-autoscaling")
"""Sources of events that do not say whose capacity was set."""
_SETS = re.compile(r"[Ss]et(?:ting)? ([a-z ]+?) to (\d+)")
_FIELDS = {
    "desired count": "desired_count",
    "read capacity units": "read_capacity",
    "write capacity units": "write_capacity",
}


def _fits(scene: Scene) -> bool:
    return bool(_namespaces(scene))


def _namespaces(scene: Scene) -> list[str]:
    """Those in which CloudTrail tells of automatic scaling; all of the resources' where it was not read."""
    mine = dict.fromkeys(_NAMESPACES[each.type] for each in scene.of(*_NAMESPACES))
    if not scene.trail.whole:
        return list(mine)
    seen = {e.source.partition(".")[0] for e in scene.trail.events if e.actor == "Application Auto Scaling"}
    return [each for each in mine if each in seen or not seen.isdisjoint(_ITS_OWN)]


async def _tell(scene: Scene) -> Told:
    told = Told()
    for part in await asyncio.gather(*(_activities(scene, each) for each in _namespaces(scene))):
        if isinstance(part, CallFailed):
            told.failures += absent(part, scene)
            continue
        told.claims += [
            Claim(_change(activity, resource), depth=2, until=activity.get("EndTime"))
            for activity in part
            for resource in scene.of(*_NAMESPACES)
            if activity.get("StartTime") and scene.window.holds(activity["StartTime"]) and _of(activity, resource)
        ]
    return told


async def _activities(scene: Scene, namespace: str) -> list[Answer] | CallFailed:
    try:
        return await scene.place.gather(
            "application-autoscaling",
            "DescribeScalingActivities",
            "ScalingActivities",
            _MOST,
            ServiceNamespace=namespace,
        )
    except CallFailed as failure:
        return failure


def _of(activity: Answer, resource: Resource) -> bool:
    """`service/prod/checkout-api`, `table/carts/index/by-day`, `function:receipts:live`, `cluster:orders`."""
    if activity.get("ServiceNamespace") != _NAMESPACES[resource.type]:
        return False
    steps = str(activity.get("ResourceId", "")).replace(":", "/").split("/")
    if resource.type is R.ecs_service:
        return steps[-2:] == [resource.cluster or "default", resource.name]
    return len(steps) > 1 and steps[1] == resource.name


def _change(activity: Answer, resource: Resource) -> Change:
    text = str(activity.get("Description") or "")
    sets = _SETS.search(text)
    after = {_FIELDS.get(sets.group(1), sets.group(1).replace(" ", "_")): sets.group(2)} if sets else {}
    failed = activity.get("StatusCode") not in ("Successful", "InProgress", "Pending", None)
    end = f"; {activity.get('StatusCode')}: {activity.get('StatusMessage', '')}" if failed else ""
    return Change(
        at=activity["StartTime"],
        kind="scaling",
        summary=one_line(f"{resource.name}: {text} {activity.get('Cause') or ''}".strip() + end, 400),
        actor="Application Auto Scaling",
        resource=resource,
        after={} if failed else after,
        reference=str(activity.get("ActivityId") or ""),
        automatic=True,
    )


SOURCE = Source(("application-autoscaling.DescribeScalingActivities",), _fits, _tell)
