"""EC2 instances: failed status checks, what AWS has planned for them, and what the console says of trouble."""

import asyncio
import base64
import binascii
import re
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place

_TROUBLE = re.compile(
    r"out of memory|oom-kill|killed process|kernel panic|call trace|i/o error|ext4-fs error|xfs.*(?:error|corrupt)|"
    r"no space left|read-only file system|segfault|failed to start|hung_task|soft lockup|nvme.*timeout",
    re.IGNORECASE,
)
_MOST_LINES = 30
_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


async def machine_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    parts = await asyncio.gather(
        _status(place, resource, window, now), _console(place, resource), _stop(place, resource)
    )
    lines = [line for part in parts if not isinstance(part, CallFailed) for line in part]
    failures = [part for part in parts if isinstance(part, CallFailed)]
    planned = [line for line in lines if line.stream == "scheduled event"]
    return [*planned, *(line for line in lines if line not in planned and window.holds(line.at))], failures


async def _status(place: Place, resource: Resource, window: TimeWindow, now: datetime) -> list[LogLine] | CallFailed:
    try:
        answer = await place.call(
            "ec2", "DescribeInstanceStatus", InstanceIds=[resource.name], IncludeAllInstances=True
        )
    except CallFailed as failure:
        return failure
    lines = []
    for each in answer.get("InstanceStatuses") or []:
        for what in ("SystemStatus", "InstanceStatus", "AttachedEbsStatus"):
            lines += [_check(what, each.get(what) or {}, detail, now) for detail in _failed(each.get(what) or {})]
        lines += [line for event in each.get("Events") or [] if (line := _planned(event, window))]
    return lines


def _failed(check: Answer) -> list[Answer]:
    return [each for each in check.get("Details") or [] if each.get("Status") not in ("passed", "initializing", None)]


def _check(what: str, check: Answer, detail: Answer, now: datetime) -> LogLine:
    since = detail.get("ImpairedSince")
    name = {"SystemStatus": "system", "InstanceStatus": "instance", "AttachedEbsStatus": "attached EBS"}[what]
    text = f"{name} status check {detail.get('Name')} {detail.get('Status')} ({check.get('Status')})"
    return LogLine(at=utc(since) if since else now, text=text, stream="status check")


def _planned(event: Answer, window: TimeWindow) -> LogLine | None:
    """What AWS has announced: a reboot, a retirement of the hardware. It may lie ahead."""
    start, end = event.get("NotBefore"), event.get("NotAfter") or event.get("NotBeforeDeadline")
    if start is None or (end is not None and utc(end) < window.start and "[Completed]" not in str(event)):
        return None
    text = f"scheduled: {event.get('Code')} not before {utc(start):%Y-%m-%d %H:%M} UTC: {event.get('Description', '')}"
    return LogLine(at=max(utc(start), window.start), text=one_line(text, 500), stream="scheduled event")


async def _console(place: Place, resource: Resource) -> list[LogLine] | CallFailed:
    """Lines of the console's tail that speak of trouble; EC2 keeps the last 64 kB and tells one time for all."""
    try:
        answer = await place.call("ec2", "GetConsoleOutput", InstanceId=resource.name)
    except CallFailed as failure:
        return [] if failure.kind in ("unsupported", "missing", "invalid") else failure
    at, output = answer.get("Timestamp"), str(answer.get("Output") or "")
    if at is None or not output:
        return []
    try:
        text = base64.b64decode(output, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        text = output  # boto3 has decoded it already
    told = [line for line in text.splitlines() if _TROUBLE.search(line)][-_MOST_LINES:]
    return [LogLine(at=utc(at), text=one_line(line, 500), stream="console") for line in told]


async def _stop(place: Place, resource: Resource) -> list[LogLine] | CallFailed:
    """When and why it was last stopped, as EC2 keeps it."""
    try:
        answer = await place.call("ec2", "DescribeInstances", InstanceIds=[resource.name])
    except CallFailed as failure:
        return failure
    lines = []
    for machine in [each for group in answer.get("Reservations") or [] for each in group.get("Instances") or []]:
        reason = str(machine.get("StateTransitionReason") or "")
        why = str((machine.get("StateReason") or {}).get("Message") or "")
        moment = _STOPPED_AT.search(reason)
        state = (machine.get("State") or {}).get("Name")
        if moment:
            text = f"{state}: {why or reason}"
            lines.append(
                LogLine(at=utc(datetime.fromisoformat(moment.group(1))), text=one_line(text, 500), stream="state")
            )
        if machine.get("LaunchTime"):
            lines.append(LogLine(at=utc(machine["LaunchTime"]), text="instance launched", stream="state"))
    return lines
