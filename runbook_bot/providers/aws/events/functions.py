"""Lambda functions: updates that failed, and event sources that Lambda cannot read from."""

import asyncio
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.awslambda import modified_at, read_function
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.arn_names import arn_names

_MOST = 50
_WELL = ("OK", "No records processed", "")


async def function_lines(
    place: Place, resource: Resource, window: TimeWindow, now: datetime
) -> tuple[list[LogLine], list[CallFailed]]:
    parts = await asyncio.gather(_state(place, resource), _sources(place, resource, now))
    lines = [line for part in parts if not isinstance(part, CallFailed) for line in part]
    return [line for line in lines if window.holds(line.at)], [part for part in parts if isinstance(part, CallFailed)]


async def _state(place: Place, resource: Resource) -> list[LogLine] | CallFailed:
    try:
        function = await read_function(place, resource.name)
    except CallFailed as failure:
        return failure
    at = modified_at(function)
    said = [
        f"{what}: {function.get(key)} ({function.get(f'{key}Reason') or function.get(f'{key}ReasonCode')})"
        for what, key, well in (("state", "State", "Active"), ("last update", "LastUpdateStatus", "Successful"))
        if function.get(key) not in (well, None)
    ]
    return [LogLine(at=at, text=one_line(each, 500), stream="function") for each in said] if at else []


async def _sources(place: Place, resource: Resource, now: datetime) -> list[LogLine] | CallFailed:
    try:
        listed = await place.gather(
            "lambda", "ListEventSourceMappings", "EventSourceMappings", _MOST, FunctionName=resource.name
        )
    except CallFailed as failure:
        return failure
    return [line for each in listed if (line := _source(each, now)) is not None]


def _source(told: Answer, now: datetime) -> LogLine | None:
    result, state = str(told.get("LastProcessingResult") or ""), str(told.get("State") or "")
    troubled = result not in _WELL
    if not troubled and state in ("Enabled", "Creating", "Updating", "Enabling"):
        return None
    source = next(iter(arn_names(str(told.get("EventSourceArn") or ""))), "its event source")
    text = f"event source {source} is {state} ({told.get('StateTransitionReason', '')})"
    text += f"; last result: {result}" if troubled else ""
    at = told.get("LastModified")
    return LogLine(at=now if troubled or at is None else utc(at), text=one_line(text, 500), stream="event source")
