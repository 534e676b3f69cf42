"""What can be asked of the configuration of RDS: parameters, what is pending, and what could be restored."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import iso, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.engine_defaults import engine_defaults
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.rds import changing, databases_link
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds_limits import evaluated
from runbook_bot.providers.aws.rds_reading import clusters, instances

_MOST_PARAMETERS = 1000
_MOST_GROUPS = 12
_MOST_SNAPSHOTS = 1000


class Parameters(Operation):
    """Parameters of a database that differ from the engine's default, with those that wait for a reboot first."""

    kind: ClassVar[str] = "aws.rds.parameters"
    service = "rds"
    calls = (
        "DescribeDBInstances",
        "DescribeDBClusters",
        "DescribeDBParameters",
        "DescribeDBClusterParameters",
        "DescribeDBParameterGroups",
        "DescribeEngineDefaultParameters",
        "DescribeDBClusterParameterGroups",
        "DescribeEngineDefaultClusterParameters",
    )
    words = ("parameter group", "database parameters", "parameters that differ from default", "max_connections")

    name: str = Field(description="Identifier of an instance or a cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        members = await instances(place, self.name)
        groups = _instance_groups(members)
        failures: list[CallFailed] = []
        try:
            for cluster in await clusters(place, self.name):
                group = str(cluster.get("DBClusterParameterGroup") or "")
                states = {
                    str(each.get("DBClusterParameterGroupStatus")) for each in cluster.get("DBClusterMembers") or []
                }
                groups.append((True, group, ", ".join(sorted(states))))
        except CallFailed as failure:
            failures.append(failure)
        size = str(members[0].get("DBInstanceClass", "")) if members else ""
        read, failed = await for_each(groups[:_MOST_GROUPS], lambda each: _differences(place, each[0], each[1]))
        rows: list[Row] = []
        for (_, group, state), (parameters, defaults, unread) in read:
            failures += unread
            rows += [_parameter(each, group, state, defaults, size) for each in parameters]
        rows.sort(key=lambda row: (not row.facts["waits_for_reboot"], row.facts["value"] is None, row.name))
        empty = f"every parameter of {', '.join(group for _, group, _ in groups) or self.name} has its default"
        left = len(groups) - _MOST_GROUPS
        return self.table(
            place,
            rows,
            empty=empty,
            failures=few([*failures, *failed]),
            more=f"{left} parameter groups were not read; name an instance" if left > 0 else "",
            console=databases_link(place),
        )


def _instance_groups(members: Sequence[Answer]) -> list[tuple[bool, str, str]]:
    """Whether it is a cluster's, its name, and its state, of each group once."""
    found: dict[str, str] = {}
    for member in members:
        for group in member.get("DBParameterGroups") or []:
            name, state = str(group.get("DBParameterGroupName", "")), str(group.get("ParameterApplyStatus", ""))
            found[name] = state if found.get(name) != "pending-reboot" else "pending-reboot"
    return [(False, name, state) for name, state in found.items()]


_Differing = tuple[list[Answer], dict[str, str], list[CallFailed]]


async def _differences(place: Place, of_cluster: bool, group: str) -> _Differing:
    """What somebody set in a group, the engine's defaults, and what could not be read of these."""
    if group.startswith("default."):
        return [], {}, []
    scope = "Cluster" if of_cluster else ""
    found = await place.gather(
        "rds",
        f"DescribeDB{scope}Parameters",
        "Parameters",
        _MOST_PARAMETERS,
        Source="user",
        **{f"DB{scope}ParameterGroupName": group},
    )
    own = [each for each in found if each.get("Source", "user") == "user" and each.get("ParameterValue") is not None]
    if not own:
        return [], {}, []
    try:
        defaults = await _defaults(place, scope, group)
    except CallFailed as failure:
        return own, {}, [failure]
    return [e for e in own if str(e["ParameterValue"]) != defaults.get(str(e.get("ParameterName")))], defaults, []


async def _defaults(place: Place, scope: str, group: str) -> dict[str, str]:
    named = {f"DB{scope}ParameterGroupName": group}
    described = await place.call("rds", f"DescribeDB{scope}ParameterGroups", **named)
    family = next((str(g.get("DBParameterGroupFamily")) for g in described.get(f"DB{scope}ParameterGroups") or []), "")
    return await engine_defaults(place, "rds", f"DescribeEngineDefault{scope}Parameters", DBParameterGroupFamily=family)


def _parameter(told: Answer, group: str, state: str, defaults: dict[str, str], size: str) -> Row:
    name, value = str(told.get("ParameterName", "?")), str(told["ParameterValue"])
    waits = "pending-reboot" in state and (
        told.get("ApplyMethod") == "pending-reboot" or told.get("ApplyType") == "static"
    )
    number = evaluated(value, size) if "{" in value else None
    return Row(
        name=name,
        facts={
            "value": value,
            "amounts_to": number,
            "default": defaults.get(name) if defaults.get(name) else None,
            "waits_for_reboot": waits,
            "applies": told.get("ApplyType"),
            "group": group,
            "group_state": state,
        },
    )


class Pending(Operation):
    """What will be changed in databases by itself or with the next reboot: maintenance, modifications, parameters."""

    kind: ClassVar[str] = "aws.rds.pending"
    service = "rds"
    calls = ("DescribePendingMaintenanceActions", "DescribeDBInstances", "DescribeDBClusters")
    words = ("pending maintenance", "pending changes", "database maintenance", "pending reboot")

    name: str | None = Field(default=None, description="Identifier of an instance or a cluster; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await instances(place, self.name)
        rows = [row for each in found for row in _pending(each)]
        failures: list[CallFailed] = []
        names = {str(each.get("DBInstanceIdentifier")) for each in found} | {self.name}
        try:
            for each in await clusters(place, self.name):
                names.add(str(each.get("DBClusterIdentifier")))
                rows += _modifications(str(each.get("DBClusterIdentifier")), each)
        except CallFailed as failure:
            failures.append(failure)
        try:
            listed = await place.gather("rds", "DescribePendingMaintenanceActions", "PendingMaintenanceActions", 500)
            for each in listed:
                of = str(each.get("ResourceIdentifier", "")).rpartition(":")[2]
                if self.name is None or of in names:
                    rows += [_maintenance(of, one) for one in each.get("PendingMaintenanceActionDetails") or []]
        except CallFailed as failure:
            failures.append(failure)
        never = now + timedelta(days=36500)
        rows.sort(key=lambda row: (row.at or never, row.name))
        return self.table(place, rows, empty="nothing is pending", failures=failures, console=databases_link(place))


def _pending(told: Answer) -> list[Row]:
    name = str(told.get("DBInstanceIdentifier"))
    waiting = [
        Row(
            name=name,
            facts={
                "what": "parameters wait for a reboot",
                "group": group.get("DBParameterGroupName"),
                "state": group.get("ParameterApplyStatus"),
            },
        )
        for group in told.get("DBParameterGroups") or []
        if str(group.get("ParameterApplyStatus", "")).startswith("pending")
    ]
    return [*waiting, *_modifications(name, told)]


def _modifications(name: str, told: Answer) -> list[Row]:
    pending = changing(told)
    when = told.get("PreferredMaintenanceWindow")
    return [Row(name=name, facts={"what": "modification", "to": pending, "window": when})] if pending else []


def _maintenance(name: str, told: Answer) -> Row:
    dates = {
        "current": told.get("CurrentApplyDate"),
        "by_itself_after": told.get("AutoAppliedAfterDate"),
        "forced_after": told.get("ForcedApplyDate"),
    }
    return Row(
        name=name,
        at=dates["current"] or dates["by_itself_after"] or dates["forced_after"],
        facts={
            "what": "maintenance",
            "action": told.get("Action"),
            "description": one_line(str(told.get("Description") or "")),
            "opted_in": told.get("OptInStatus"),
            **{name: iso(value) for name, value in dates.items() if value},
        },
    )


class Snapshots(Operation):
    """How far back each database could be restored: backups switched on, latest restorable time, latest snapshot."""

    kind: ClassVar[str] = "aws.rds.snapshots"
    service = "rds"
    calls = ("DescribeDBInstances", "DescribeDBClusters", "DescribeDBSnapshots", "DescribeDBClusterSnapshots")
    words = ("database backups", "snapshots", "restorable time", "latest snapshot")

    name: str | None = Field(default=None, description="Identifier of an instance or a cluster; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        alone = [each for each in await instances(place, self.name) if not each.get("DBClusterIdentifier")]
        failures: list[CallFailed] = []
        together: list[Answer] = []
        try:
            together = await clusters(place, self.name)
        except CallFailed as failure:
            failures.append(failure)
        rows: list[Row] = []
        more = ""
        for prefix, databases in (("DB", alone), ("DBCluster", together)):
            key = "DBInstanceIdentifier" if prefix == "DB" else "DBClusterIdentifier"
            only = {key: str(databases[0].get(key))} if self.name is not None and databases else {}
            made: list[Answer] = []
            if databases:
                try:
                    made = await place.gather(
                        "rds", f"Describe{prefix}Snapshots", f"{prefix}Snapshots", _MOST_SNAPSHOTS, **only
                    )
                except CallFailed as failure:
                    failures.append(failure)
            if len(made) >= _MOST_SNAPSHOTS:
                more = f"only {_MOST_SNAPSHOTS} snapshots were read: there may be later ones; name a database"
            rows += await asyncio.to_thread(_restorables, databases, made, prefix, key, now)
        rows.sort(key=lambda row: (row.facts["backups_kept_days"] != 0, -_hours(row), row.name))
        return self.table(
            place, rows, empty="RDS has no database here", failures=failures, more=more, console=databases_link(place)
        )


def _restorables(
    databases: Sequence[Answer], made: Sequence[Answer], prefix: str, key: str, now: datetime
) -> list[Row]:
    """Each database with its own snapshots."""
    own: dict[object, list[Answer]] = {}
    for each in made:
        own.setdefault(each.get(key), []).append(each)
    return [
        _restorable(str(each.get(key)), each, own.get(each.get(key), []), f"{prefix}SnapshotIdentifier", now)
        for each in databases
    ]


def _restorable(name: str, told: Answer, snapshots: Sequence[Answer], id: str, now: datetime) -> Row:
    finished = [each for each in snapshots if each.get("SnapshotCreateTime")]
    newest = max(finished, key=lambda each: utc(each["SnapshotCreateTime"]), default=None)
    until = told.get("LatestRestorableTime")
    under_way = [str(each.get(id)) for each in snapshots if each.get("Status") not in ("available", None)]
    return Row(
        name=name,
        at=until,
        facts={
            "backups_kept_days": told.get("BackupRetentionPeriod"),
            "restorable_until_minutes_ago": round(max(0.0, (now - utc(until)).total_seconds()) / 60) if until else None,
            "latest_snapshot": str(newest.get(id)) if newest else None,
            "latest_snapshot_kind": newest.get("SnapshotType") if newest else None,
            "latest_snapshot_age_hours": _age(newest["SnapshotCreateTime"], now) if newest else None,
            "snapshots": len(snapshots),
            "not_finished": ", ".join(under_way[:5]) or None,
            "backup_window": told.get("PreferredBackupWindow"),
        },
    )


def _age(made: datetime, now: datetime) -> float:
    return round(max(0.0, (now - utc(made)).total_seconds()) / 3600, 1)


def _hours(row: Row) -> float:
    value = row.facts["latest_snapshot_age_hours"]
    return float(value) if isinstance(value, int | float) else 1e9


OPERATIONS = (Parameters, Pending, Snapshots)
