"""Which databases there are: one by name, or all, instances and clusters."""

from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_instance

MOST_DATABASES = 500


async def instances(place: Place, name: str | None) -> list[Answer]:
    """The instance of that name, else the members of the cluster of that name; all where no name is given.

    Raises `CallFailed`.
    """
    if name is None:
        return await place.gather("rds", "DescribeDBInstances", "DBInstances", MOST_DATABASES)
    try:
        return [await read_instance(place, name)]
    except CallFailed as failure:
        if failure.kind != "missing":
            raise
    members = (await _cluster(place, name)).get("DBClusterMembers") or []
    names = {str(each.get("DBInstanceIdentifier")) for each in members}
    every = await place.gather("rds", "DescribeDBInstances", "DBInstances", MOST_DATABASES)
    return [each for each in every if each.get("DBInstanceIdentifier") in names]


async def clusters(place: Place, name: str | None) -> list[Answer]:
    """The cluster of that name, else the cluster that the instance of that name is in; all where no name is given.

    Raises `CallFailed`.
    """
    if name is None:
        return await place.gather("rds", "DescribeDBClusters", "DBClusters", MOST_DATABASES)
    try:
        return [await read_cluster(place, name)]
    except CallFailed as failure:
        if failure.kind != "missing":
            raise
    try:
        cluster = (await read_instance(place, name)).get("DBClusterIdentifier")
    except CallFailed as failure:
        raise (_neither(name) if failure.kind == "missing" else failure) from None
    return [await read_cluster(place, str(cluster))] if cluster else []


async def _cluster(place: Place, name: str) -> Answer:
    try:
        return await read_cluster(place, name)
    except CallFailed as failure:
        raise (_neither(name) if failure.kind == "missing" else failure) from None


def _neither(name: str) -> CallFailed:
    text = f"there is neither a DB instance nor a DB cluster {name}"
    return CallFailed("missing", text, action="rds:DescribeDBInstances")


def engine_of(database: Answer) -> str:
    return f"{database.get('Engine', '')} {database.get('EngineVersion', '')}".strip()
