"""What can be asked of EC2 about instances: what runs, whether AWS finds it healthy, what its console said."""

import asyncio
import re
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Row
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.console import console_link, console_page
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.operations.listing import cut_short, days_since, filters, newest_first, tag_of
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 1000
_IN_ONE_CALL = 100
_WELL = ("ok", "not-applicable")
_OVER = ("[Completed]", "[Canceled]")
_TROUBLE = re.compile(
    r"kernel panic|out of memory|oom-kill|killed process|i/o error|remount.*read-only|ext4-fs error|xfs.*corrupt|"
    r"emergency mode|failed to (?:mount|start)|no space left|segfault|soft lockup|blocked for more than|call trace|"
    r"cannot allocate memory|dependency failed|bug: ",
    re.IGNORECASE,
)


class Instances(Operation):
    """EC2 instances with state and its reason, type, addresses, age and Auto Scaling group; those not running first."""

    kind: ClassVar[str] = "aws.ec2.instances"
    service = "ec2"
    calls = ("DescribeInstances",)
    words = ("ec2 instances", "instances", "machines", "servers", "which instances run", "terminated instances")

    ids: tuple[str, ...] = Field(default=(), description="Instance ids; none means all")
    name: str | None = Field(default=None, description="Value of the Name tag; * stands for anything")
    group: str | None = Field(default=None, description="Name of the Auto Scaling group they belong to")
    address: str | None = Field(default=None, description="Private IPv4 address")
    state: str | None = Field(default=None, description="pending, running, stopping, stopped or terminated")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await place.gather(
            "ec2",
            "DescribeInstances",
            "Reservations",
            _MOST,
            Filters=filters(
                {
                    "instance-id": self.ids,
                    "tag:Name": self.name,
                    "tag:aws:autoscaling:groupName": self.group,
                    "private-ip-address": self.address,
                    "instance-state-name": self.state,
                }
            ),
        )
        instances = [each for reservation in told for each in reservation.get("Instances") or []]
        instances.sort(key=lambda each: (_state(each) == "running", newest_first(each.get("LaunchTime"))))
        return self.table(
            place,
            [_instance(each, now) for each in instances],
            empty="no instance fits; EC2 forgets a terminated one after about an hour",
            more=cut_short(told, _MOST, "give a name or an Auto Scaling group"),
            console=console_page(place.region, "ec2/home#Instances:"),
        )


def _state(instance: Answer) -> str:
    return str((instance.get("State") or {}).get("Name") or "")


def _instance(told: Answer, now: datetime) -> Row:
    launched: datetime | None = told.get("LaunchTime")
    running = _state(told) == "running"
    reason = (told.get("StateReason") or {}).get("Message") or told.get("StateTransitionReason")
    return Row(
        name=tag_of(told, "Name") or str(told.get("InstanceId", "?")),
        at=launched,
        facts={
            "id": told.get("InstanceId"),
            "state": _state(told) or None,
            "reason": None if running else reason or None,
            "type": told.get("InstanceType"),
            "purchase": told.get("InstanceLifecycle") or "on-demand",
            "private_address": told.get("PrivateIpAddress"),
            "public_address": told.get("PublicIpAddress"),
            "zone": (told.get("Placement") or {}).get("AvailabilityZone"),
            "age_days": days_since(launched, now),
            "image": told.get("ImageId"),
            "autoscaling_group": tag_of(told, "aws:autoscaling:groupName"),
            "role": str((told.get("IamInstanceProfile") or {}).get("Arn") or "").rpartition("/")[2] or None,
            "security_groups": [str(each.get("GroupId")) for each in told.get("SecurityGroups") or []],
            "subnet": told.get("SubnetId"),
        },
    )


class InstanceStatus(Operation):
    """Status checks of EC2 instances and the events AWS has scheduled for them; impaired and affected ones first."""

    kind: ClassVar[str] = "aws.ec2.instance_status"
    service = "ec2"
    calls = ("DescribeInstanceStatus",)
    words = ("status checks", "impaired instances", "scheduled events", "instance retirement", "maintenance", "reboot")

    ids: tuple[str, ...] = Field(default=(), max_length=_IN_ONE_CALL, description="Instance ids; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"InstanceIds": list(self.ids)} if self.ids else {}
        told = await place.gather(
            "ec2", "DescribeInstanceStatus", "InstanceStatuses", _MOST, IncludeAllInstances=True, **which
        )
        told.sort(key=lambda each: (not _impaired(each), not _coming(each), str(each.get("InstanceId"))))
        return self.table(
            place,
            [_checked(each) for each in told],
            empty="EC2 tells of no such instance",
            more=cut_short(told, _MOST, "give the ids of the instances"),
            console=console_page(place.region, "ec2/home#Events:"),
        )


def _checks(told: Answer) -> dict[str, str]:
    parts = {"system": "SystemStatus", "instance": "InstanceStatus", "ebs": "AttachedEbsStatus"}
    return {ours: str(told[theirs].get("Status")) for ours, theirs in parts.items() if told.get(theirs)}


def _impaired(told: Answer) -> bool:
    return any(status not in _WELL for status in _checks(told).values())


def _coming(told: Answer) -> list[Answer]:
    events: list[Answer] = told.get("Events") or []
    return [each for each in events if not str(each.get("Description", "")).startswith(_OVER)]


def _checked(told: Answer) -> Row:
    details = [
        detail
        for part in ("SystemStatus", "InstanceStatus", "AttachedEbsStatus")
        for detail in (told.get(part) or {}).get("Details") or []
        if detail.get("ImpairedSince")
    ]
    checks = _checks(told)
    return Row(
        name=str(told.get("InstanceId", "?")),
        at=min((each["ImpairedSince"] for each in details), default=None),
        facts={
            "state": (told.get("InstanceState") or {}).get("Name"),
            **{f"{name}_check": status for name, status in checks.items()},
            "failing": [f"{each.get('Name')} since {iso(each['ImpairedSince'])}" for each in details] or None,
            "events": [_event(each) for each in _coming(told)] or None,
            "zone": told.get("AvailabilityZone"),
        },
    )


def _event(told: Answer) -> str:
    begins: datetime | None = told.get("NotBefore")
    ends: datetime | None = told.get("NotAfter")
    when = (f", from {iso(begins)}" if begins else "") + (f" to {iso(ends)}" if ends else "")
    return one_line(f"{told.get('Code', 'event')}: {told.get('Description', '')}{when}", 300)


class ConsoleOutput(Operation):
    """The last lines an EC2 instance wrote to its serial console, and those that tell of trouble in all of it."""

    kind: ClassVar[str] = "aws.ec2.console_output"
    service = "ec2"
    calls = ("GetConsoleOutput",)
    words = ("console output", "serial console", "system log", "boot log", "kernel panic")

    id: str = Field(description="Instance id")
    lines: int = Field(default=40, ge=1, le=200, description="How many of the last lines")

    async def answer(self, place: Place, now: datetime) -> Result:
        answer = await _console(place, self.id)
        lines, trouble = await asyncio.to_thread(_read, str(answer.get("Output") or ""))
        facts: Answer = {
            "trouble": trouble[-20:] or None,
            "tail": lines[-self.lines :],
            "lines_before": max(0, len(lines) - self.lines),
        }
        row = Row(name=self.id, at=answer.get("Timestamp"), facts=facts)
        return self.table(
            place,
            [row] if lines else [],
            empty="EC2 holds no console output of this instance; it appears some minutes after the start",
            console=console_link(Resource(type=ResourceType.ec2_instance, name=self.id), place.region),
        )


def _read(output: str) -> tuple[list[str], list[str]]:
    """The lines, and those that tell of trouble, each once; of 64 KiB, so it is done beside the loop."""
    lines = [line for line in (one_line(each, 300) for each in redact(output).splitlines()) if line]
    return lines, list(dict.fromkeys(line for line in lines if _TROUBLE.search(line)))


async def _console(place: Place, id: str) -> Answer:
    """The present output where the hypervisor gives it, else what was kept of the last start."""
    try:
        return await place.call("ec2", "GetConsoleOutput", InstanceId=id, Latest=True)
    except CallFailed as failure:
        if failure.kind not in ("unsupported", "invalid"):
            raise
    return await place.call("ec2", "GetConsoleOutput", InstanceId=id)


OPERATIONS = (Instances, InstanceStatus, ConsoleOutput)
