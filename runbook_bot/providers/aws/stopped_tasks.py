"""Tasks of ECS that have stopped: those of a whole cluster at once, or of one service where a cluster has many.

ECS keeps a stopped task for about an hour.
"""

from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place

_IN_ONE_CALL = 100
"""Tasks that one call lists, and one describes."""
_REMEMBERED_SECONDS = 15.0
_ASK_OTHERWISE = ("invalid", "unsupported", "failed")


async def stopped_tasks(place: Place, cluster: str, service: str) -> list[Answer]:
    """Raises `CallFailed`."""

    async def look() -> list[Answer] | None:
        return await _of_cluster(place, cluster)

    every = await place.recall(("stopped tasks", cluster), _REMEMBERED_SECONDS, look)
    if every is not None:
        return [task for task in every if task["group"] == f"service:{service}"]
    which = {"cluster": cluster, "serviceName": service, "desiredStatus": "STOPPED"}
    return await _described(place, cluster, await place.gather("ecs", "ListTasks", "taskArns", _IN_ONE_CALL, **which))


async def _of_cluster(place: Place, cluster: str) -> list[Answer] | None:
    """None where they are more than one call tells of, or where one does not say which service it was of."""
    try:
        listed = await place.call("ecs", "ListTasks", cluster=cluster, desiredStatus="STOPPED")
        if listed.get("nextToken"):
            return None
        tasks = await _described(place, cluster, listed.get("taskArns") or [])
    except CallFailed as failure:
        if failure.kind in _ASK_OTHERWISE:
            return None
        raise
    return tasks if all(task.get("group") for task in tasks) else None


async def _described(place: Place, cluster: str, arns: list[str]) -> list[Answer]:
    if not arns:
        return []
    found: list[Answer] = (await place.call("ecs", "DescribeTasks", cluster=cluster, tasks=arns)).get("tasks") or []
    return found
