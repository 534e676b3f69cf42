"""RDS instances and clusters: configuration, the limit of connections, and RDS's own events."""

import re

from pydantic import JsonValue

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind, Fact, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Result, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, failed
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place, asked, plain
from runbook_bot.providers.aws.rds_limits import default_max_connections, evaluated

SOURCE = "aws.rds"
_MOST_EVENTS = 300
_MOST_PARAMETERS = 1000
_REMEMBERED_SECONDS = 60.0
_CHANGE_WORDS: tuple[tuple[re.Pattern[str], ChangeKind], ...] = (
    (re.compile(r"scaling|allocated storage|instance class|storage (?:type|size)", re.IGNORECASE), "scaling"),
    (re.compile(r"security group", re.IGNORECASE), "network"),
    (re.compile(r"password|master user|credential", re.IGNORECASE), "access"),
)


async def read_instance(place: Place, name: str) -> Answer:
    """The description of a DB instance. Raises `CallFailed`."""
    answer = await place.call("rds", "DescribeDBInstances", DBInstanceIdentifier=name)
    found: list[Answer] = answer.get("DBInstances") or []
    if not found:
        raise CallFailed("missing", f"there is no DB instance {name}", action="rds:DescribeDBInstances")
    return found[0]


async def read_cluster(place: Place, name: str) -> Answer:
    """The description of a DB cluster. Raises `CallFailed`."""
    answer = await place.call("rds", "DescribeDBClusters", DBClusterIdentifier=name)
    found: list[Answer] = answer.get("DBClusters") or []
    if not found:
        raise CallFailed("missing", f"there is no DB cluster {name}", action="rds:DescribeDBClusters")
    return found[0]


async def instance_facts(place: Place, resource: Resource) -> tuple[list[Fact], list[CallFailed]]:
    instance = await read_instance(place, resource.name)
    limit, source, failures = await max_connections(place, instance)
    groups = [each.get("DBParameterGroupName") for each in instance.get("DBParameterGroups") or []]
    return [
        Fact(name="status", value=instance.get("DBInstanceStatus")),
        Fact(name="class", value=instance.get("DBInstanceClass")),
        Fact(name="engine", value=f"{instance.get('Engine', '')} {instance.get('EngineVersion', '')}".strip()),
        Fact(name="max_connections", value=limit, unit="connections"),
        Fact(name="max_connections_from", value=source),
        Fact(name="allocated_storage", value=instance.get("AllocatedStorage"), unit="GiB"),
        Fact(name="storage_type", value=instance.get("StorageType")),
        Fact(name="iops", value=instance.get("Iops")),
        Fact(name="multi_az", value=instance.get("MultiAZ")),
        Fact(name="zone", value=instance.get("AvailabilityZone")),
        Fact(name="pending_changes", value=plain(instance.get("PendingModifiedValues") or {})),
        Fact(name="parameter_groups", value=groups),
        Fact(name="replica_of", value=instance.get("ReadReplicaSourceDBInstanceIdentifier")),
        Fact(name="replicas", value=instance.get("ReadReplicaDBInstanceIdentifiers") or None),
        Fact(name="storage_limit", value=instance.get("MaxAllocatedStorage"), unit="GiB"),
        Fact(name="storage_throughput", value=instance.get("StorageThroughput"), unit="MiB/s"),
        Fact(name="backup_window", value=instance.get("PreferredBackupWindow")),
        Fact(name="maintenance_window", value=instance.get("PreferredMaintenanceWindow")),
        Fact(name="security_groups", value=_groups(instance)),
        Fact(name="performance_insights", value=instance.get("PerformanceInsightsEnabled")),
        Fact(name="publicly_accessible", value=instance.get("PubliclyAccessible")),
        Fact(name="certificate_ends", value=plain((instance.get("CertificateDetails") or {}).get("ValidTill"))),
        Fact(name="parameters_pending", value=_pending(instance) or None),
    ], failures


def _groups(told: Answer) -> list[JsonValue]:
    return [str(each.get("VpcSecurityGroupId")) for each in told.get("VpcSecurityGroups") or []]


def _pending(instance: Answer) -> list[JsonValue]:
    """Parameter groups whose changes wait for a restart."""
    groups = instance.get("DBParameterGroups") or []
    waiting = [each for each in groups if each.get("ParameterApplyStatus") not in ("in-sync", None)]
    return [f"{each.get('DBParameterGroupName')}: {each.get('ParameterApplyStatus')}" for each in waiting]


async def cluster_facts(place: Place, resource: Resource) -> tuple[list[Fact], list[CallFailed]]:
    cluster = await read_cluster(place, resource.name)
    members = cluster.get("DBClusterMembers") or []
    writers = [each.get("DBInstanceIdentifier") for each in members if each.get("IsClusterWriter")]
    scaling = cluster.get("ServerlessV2ScalingConfiguration") or cluster.get("ScalingConfigurationInfo") or {}
    return [
        Fact(name="status", value=cluster.get("Status")),
        Fact(name="engine", value=f"{cluster.get('Engine', '')} {cluster.get('EngineVersion', '')}".strip()),
        Fact(name="writer", value=writers[0] if writers else None),
        Fact(name="members", value=[each.get("DBInstanceIdentifier") for each in members]),
        Fact(name="multi_az", value=cluster.get("MultiAZ")),
        Fact(name="pending_changes", value=plain(cluster.get("PendingModifiedValues") or {})),
        Fact(name="parameter_group", value=cluster.get("DBClusterParameterGroup")),
        Fact(name="serverless_minimum", value=scaling.get("MinCapacity"), unit="ACU"),
        Fact(name="serverless_maximum", value=scaling.get("MaxCapacity"), unit="ACU"),
        Fact(name="zones", value=cluster.get("AvailabilityZones")),
        Fact(name="security_groups", value=_groups(cluster)),
        Fact(name="backup_window", value=cluster.get("PreferredBackupWindow")),
        Fact(name="maintenance_window", value=cluster.get("PreferredMaintenanceWindow")),
    ], []


async def max_connections(place: Place, instance: Answer) -> tuple[int | None, str, list[CallFailed]]:
    """The limit of connections, where it comes from, and what could not be read on the way."""
    engine, size = str(instance.get("Engine", "")), str(instance.get("DBInstanceClass", ""))
    failures: list[CallFailed] = []
    for group in instance.get("DBParameterGroups") or []:
        name = str(group.get("DBParameterGroupName", ""))
        try:
            value = await _parameter(place, name, "max_connections")
        except CallFailed as failure:
            failures += [] if failure.kind == "missing" else [failure]
            continue
        limit = evaluated(value, size) if value else None
        if limit is not None:
            return limit, f"parameter group {name}", failures
    limit = default_max_connections(engine, size)
    return limit, f"documented default of {engine} on {size}" if limit is not None else "not known", failures


async def _parameter(place: Place, group: str, wanted: str) -> str | None:
    async def look() -> dict[str, str]:
        found = await place.gather(
            "rds", "DescribeDBParameters", "Parameters", _MOST_PARAMETERS, DBParameterGroupName=group
        )
        return {str(p.get("ParameterName")): str(p["ParameterValue"]) for p in found if p.get("ParameterValue")}

    return (await place.recall(("parameters", group), 120.0, look)).get(wanted)


def _events_query(resource: Resource, window: TimeWindow) -> Answer:
    kind = "db-cluster" if resource.type is ResourceType.rds_cluster else "db-instance"
    return {
        "SourceIdentifier": resource.name,
        "SourceType": kind,
        "StartTime": window.start,
        "EndTime": window.end,
    }


async def read_events(place: Place, resource: Resource, window: TimeWindow) -> list[Answer]:
    """RDS's own events about one resource, kept for 14 days. Raises `CallFailed`.

    A stretch of what was read a moment ago is not asked for again.
    """

    async def look() -> tuple[TimeWindow, list[Answer]]:
        return window, await _events(place, resource, window)

    key = ("rds events", resource.type, resource.name)
    known, found = await place.recall(key, _REMEMBERED_SECONDS, look)
    if not (known.start <= window.start and window.end <= known.end and len(found) < _MOST_EVENTS):
        found = await _events(place, resource, window)
    return [
        each
        for each in found
        if each.get("Date")
        and window.holds(utc(each["Date"]))
        and each.get("SourceIdentifier") in (None, resource.name)
    ]


async def _events(place: Place, resource: Resource, window: TimeWindow) -> list[Answer]:
    return await place.gather("rds", "DescribeEvents", "Events", _MOST_EVENTS, **_events_query(resource, window))


async def database_events(place: Place, query: ListEvents) -> Result:
    where = f"RDS events of {query.resource.name} in {place.name}, {between(query.window)}"
    request = asked("rds", "DescribeEvents", _events_query(query.resource, query.window))
    try:
        events = await read_events(place, query.resource, query.window)
    except CallFailed as failure:
        return failed(failure, SOURCE, where, request)
    lines = [line(each) for each in events]
    lines.sort(key=lambda each: each.at)
    return Result(
        status=Status.ok if lines else Status.no_data,
        source=SOURCE,
        asked=request,
        where=where,
        message="" if lines else "RDS tells of no event in this window (it keeps them for 14 days)",
        lines=tuple(lines),
        console=console_link(query.resource, place.region),
    )


def line(event: Answer) -> LogLine:
    """One of RDS's events, its categories as the stream."""
    categories = ", ".join(event.get("EventCategories") or [])
    return LogLine(at=event["Date"], text=one_line(str(event.get("Message", "")), 1000), stream=categories)


async def database_changes(
    place: Place, resource: Resource, window: TimeWindow
) -> tuple[list[Change], list[CallFailed]]:
    """Those of RDS's events that somebody caused: configuration, parameters, class, storage."""
    try:
        events = await read_events(place, resource, window)
    except CallFailed as failure:
        return [], [failure]
    return [_change(each, resource) for each in events if _is_change(each)], []


def _is_change(event: Answer) -> bool:
    categories = {str(each).lower() for each in event.get("EventCategories") or []}
    return bool(categories & {"configuration change", "maintenance", "security", "security patching"})


def _change(event: Answer, resource: Resource) -> Change:
    message = one_line(str(event.get("Message", "")), 500)
    kinds = [kind for words, kind in _CHANGE_WORDS if words.search(message)]
    kind: ChangeKind = kinds[0] if kinds else "configuration"
    reference = str(event.get("SourceArn") or "")
    return Change(at=event["Date"], kind=kind, summary=message, resource=resource, reference=reference)
