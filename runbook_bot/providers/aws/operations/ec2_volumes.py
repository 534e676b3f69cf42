"""What can be asked of EC2 about volumes: state, health, speed and how much burst is left."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.levels import Asked, Gauge, Levels, last, read_levels
from runbook_bot.providers.aws.operations.listing import batches, cut_short, days_since, filters, tag_of
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 500
_LOW_PERCENT = 20.0
_BURSTING = ("gp2", "st1", "sc1")
_GP2_PER_GIB, _GP2_LEAST, _GP2_MOST, _GP2_BURST = 3, 100, 16000, 3000
_BURST = Gauge("burst_balance_percent", "AWS/EBS", "BurstBalance", "Minimum", "least")
_GAUGES = (
    Gauge("queue_length", "AWS/EBS", "VolumeQueueLength", "Average", "peak"),
    Gauge("read_operations", "AWS/EBS", "VolumeReadOps", "Sum", "peak", "per_second"),
    Gauge("write_operations", "AWS/EBS", "VolumeWriteOps", "Sum", "peak", "per_second"),
)
_MOST_MEASURED = 50
_IN_ONE_CALL = 200


class Volumes(Operation):
    """EBS volumes with state, health, speed, and least burst balance and busiest minutes of the last three hours."""

    kind: ClassVar[str] = "aws.ec2.volumes"
    service = "ec2"
    calls = (
        "DescribeVolumes",
        "DescribeVolumeStatus",
        "DescribeVolumesModifications",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
    )
    words = (
        "volumes",
        "ebs volumes",
        "disks",
        "burst balance",
        "iops of volumes",
        "impaired volumes",
        "detached volumes",
    )

    ids: tuple[str, ...] = Field(default=(), description="Volume ids; none means all")
    instance: str | None = Field(default=None, description="Id of the instance they are attached to")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = filters({"volume-id": self.ids, "attachment.instance-id": self.instance})
        volumes = await place.gather("ec2", "DescribeVolumes", "Volumes", _MOST, Filters=which)
        ids = [str(each.get("VolumeId")) for each in volumes]
        parts = Parts()
        health, changes, levels = await asyncio.gather(
            parts.get(_health(place, ids), {}), parts.get(_changes(place, ids), {}), _levels(place, volumes, now, parts)
        )
        rows = [
            _volume(each, health.get(id, {}), changes.get(id, {}), levels.get(id, {}), now)
            for id, each in zip(ids, volumes, strict=True)
        ]
        rows.sort(key=_notable)
        return self.table(
            place,
            rows,
            empty="no volume fits",
            failures=parts.failures,
            more="; ".join(_left_out(volumes)),
            console=console_page(place.region, "ec2/home#Volumes:"),
        )


def _left_out(volumes: list[Answer]) -> list[str]:
    attached = sum(1 for each in volumes if each.get("Attachments"))
    told = [cut] if (cut := cut_short(volumes, _MOST, "name an instance")) else []
    if attached > _MOST_MEASURED:
        told.append(f"of {attached} attached volumes {_MOST_MEASURED} were measured; name an instance")
    return told


async def _health(place: Place, ids: list[str]) -> Mapping[str, Answer]:
    """By id: the call takes no filter for the volume."""
    answers = await asyncio.gather(
        *(place.call("ec2", "DescribeVolumeStatus", VolumeIds=batch) for batch in batches(ids, _IN_ONE_CALL))
    )
    return {str(each.get("VolumeId")): each for answer in answers for each in answer.get("VolumeStatuses") or []}


async def _changes(place: Place, ids: list[str]) -> Mapping[str, Answer]:
    """Modifications that are still going on or have failed."""
    if not ids:
        return {}
    states = ["modifying", "optimizing", "failed"]
    which = [*_only(ids), *filters({"modification-state": states})]
    found = await place.gather("ec2", "DescribeVolumesModifications", "VolumesModifications", _MOST, Filters=which)
    return {str(each.get("VolumeId")): each for each in found if each.get("ModificationState") in states}


def _only(ids: list[str]) -> list[Answer]:
    """EC2 takes two hundred values in a filter; for more all are read and picked from."""
    return filters({"volume-id": ids}) if len(ids) <= _IN_ONE_CALL else []


async def _levels(place: Place, volumes: list[Answer], now: datetime, parts: Parts) -> Mapping[str, Levels]:
    attached = [each for each in volumes if each.get("Attachments")][:_MOST_MEASURED]
    asked = [
        Asked(
            str(each.get("VolumeId")),
            {"VolumeId": str(each.get("VolumeId"))},
            (*_GAUGES, _BURST) if each.get("VolumeType") in _BURSTING else _GAUGES,
        )
        for each in attached
    ]
    levels, failures = await read_levels(place, asked, last(3, now), now)
    parts.failures = [*parts.failures, *failures]
    return levels


def _volume(told: Answer, health: Answer, change: Answer, levels: Levels, now: datetime) -> Row:
    id, type = str(told.get("VolumeId", "?")), told.get("VolumeType")
    attachments = told.get("Attachments") or []
    facts: Answer = {
        "id": id,
        "state": told.get("State"),
        "health": (health.get("VolumeStatus") or {}).get("Status"),
        "failing": [
            f"{each.get('Name')}: {each.get('Status')}"
            for each in (health.get("VolumeStatus") or {}).get("Details") or []
            if each.get("Status") not in ("passed", "normal", "not-applicable", "completed")
        ]
        or None,
        "events": [str(each.get("Description") or each.get("EventType")) for each in health.get("Events") or []]
        or None,
        "attached_to": [f"{each.get('InstanceId')} as {each.get('Device')}" for each in attachments] or "nothing",
        "type": type,
        "size_gib": told.get("Size"),
        "iops": told.get("Iops"),
        "throughput_mib_per_second": told.get("Throughput"),
        "burst_up_to_iops": _burst_to(type, told.get("Size")),
        "change": _change(change) if change else None,
        "zone": told.get("AvailabilityZone"),
        "age_days": days_since(told.get("CreateTime"), now),
        **{f"{name}_per_second" if name.endswith("operations") else name: value for name, value in levels.items()},
    }
    return Row(name=tag_of(told, "Name") or id, at=told.get("CreateTime"), facts=facts)


def _burst_to(type: str | None, size: int | None) -> int | None:
    """What a gp2 volume reaches while it has credits, from Amazon EBS's page on gp2; None where it has no burst."""
    if type != "gp2" or size is None:
        return None
    return _GP2_BURST if min(max(size * _GP2_PER_GIB, _GP2_LEAST), _GP2_MOST) < _GP2_BURST else None


def _change(told: Answer) -> str:
    pairs = (("Size", "GiB"), ("Iops", "IOPS"), ("VolumeType", ""), ("Throughput", "MiB/s"))
    moved = [
        f"{told.get(f'Original{name}')} → {told.get(f'Target{name}')} {unit}".strip()
        for name, unit in pairs
        if told.get(f"Original{name}") != told.get(f"Target{name}")
    ]
    done = f" {told.get('Progress')} %" if told.get("Progress") is not None else ""
    reason = f": {told['StatusMessage']}" if told.get("StatusMessage") else ""
    return f"{told.get('ModificationState')}{done} ({', '.join(moved)}){reason}"


def _notable(row: Row) -> tuple[bool, bool, bool, float]:
    """Broken, out of burst, in the making or unused before well."""
    facts = row.facts
    burst, queue = facts.get("burst_balance_percent"), facts.get("queue_length")
    return (
        facts.get("state") != "error" and facts.get("health") in (None, "ok", "insufficient-data"),
        not (isinstance(burst, int | float) and burst < _LOW_PERCENT),
        facts.get("state") == "in-use" and not facts.get("change"),
        -queue if isinstance(queue, int | float) else 0.0,
    )


OPERATIONS = (Volumes,)
