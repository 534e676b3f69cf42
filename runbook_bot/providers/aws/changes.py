"""The change timeline: what each service tells of its own changes, joined with CloudTrail's who."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pydantic import JsonValue

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Result, Status
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import alarm_changes
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.autoscaling import group_changes
from runbook_bot.providers.aws.awslambda import function_changes
from runbook_bot.providers.aws.cloudtrail import TrailEvent, as_change, is_about, read_trail
from runbook_bot.providers.aws.console import changes_link
from runbook_bot.providers.aws.ecs_changes import service_changes
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place, asked
from runbook_bot.providers.aws.rds import database_changes
from runbook_bot.providers.aws.related import related_names

SOURCE = "aws.changes"
_SAME_THING = timedelta(minutes=2)
_JOINABLE = frozenset({"deployment", "configuration", "other"})
_Told = tuple[list[Change], list[CallFailed]]


async def list_changes(place: Place, query: ListChanges) -> Result:
    resources = query.resources
    names = [each.name for each in resources]
    trail, related = await asyncio.gather(
        read_trail(place, query.window, names), asyncio.gather(*(related_names(place, each) for each in resources))
    )
    about = [
        [event for event in trail.events if is_about(event, resource, known)]
        for resource, known in zip(resources, related, strict=True)
    ]
    own = await asyncio.gather(
        *(_own_changes(place, r, query.window, events) for r, events in zip(resources, about, strict=True))
    )
    told = [part for part in own if part is not None]
    failures = [*trail.failures, *(failure for _, failed in told for failure in failed)]
    changes: list[Change] = []
    for resource, events, part in zip(resources, about, own, strict=True):
        changes += joined(part[0] if part else [], events, resource)
    answered = sum(1 for found, failed in told if found or not failed)
    answered += 0 if trail.failures and not trail.events else 1
    return _result(place, query, _once(changes), failures, answered)


async def _own_changes(
    place: Place, resource: Resource, window: TimeWindow, events: Sequence[TrailEvent]
) -> _Told | None:
    """What the resource's own service tells; None where only CloudTrail knows."""
    match resource.type:
        case R.ecs_service:
            return await service_changes(place, resource, window, events)
        case R.lambda_function:
            return await function_changes(place, resource, window)
        case R.rds_instance | R.rds_cluster:
            return await database_changes(place, resource, window)
        case R.alarm:
            return await alarm_changes(place, resource, window)
        case R.autoscaling_group:
            return await group_changes(place, resource, window)
        case _:
            return None


def joined(own: Sequence[Change], events: Sequence[TrailEvent], resource: Resource) -> list[Change]:
    """The service's own account, with CloudTrail's actor where both tell of the same thing within two minutes."""
    extras = [as_change(event, resource) for event in events]
    changes = [_cleared(each, [extra for extra in extras if _same(each, extra)]) for each in own]
    for extra in extras:
        index = next((i for i, each in enumerate(changes) if _same(each, extra)), None)
        if index is None:
            changes.append(extra)
            continue
        mine = changes[index]
        named = {name: value for name, value in extra.after.items() if name not in mine.after}
        changes[index] = mine.model_copy(
            update={"actor": extra.actor or mine.actor, "at": extra.at, "after": {**mine.after, **named}}
        )
    return changes


def _cleared(mine: Change, told: Sequence[Change]) -> Change:
    """Where there was nothing to compare with, CloudTrail says whether it was the code or the configuration."""
    kinds = {each.kind for each in told} - {"other"}
    if mine.before or mine.after or not kinds:
        return mine
    return mine.model_copy(update={"kind": "deployment" if "deployment" in kinds else kinds.pop()})


def _same(mine: Change, extra: Change) -> bool:
    return (
        mine.resource is not None
        and extra.resource is not None
        and mine.resource.key == extra.resource.key
        and {mine.kind, extra.kind} <= _JOINABLE
        and abs(mine.at - extra.at) <= _SAME_THING
    )


def _once(changes: Sequence[Change]) -> list[Change]:
    """One event may be about several resources asked for; it is told once."""
    kept: dict[tuple[str, str], Change] = {}
    for index, each in enumerate(changes):
        kept.setdefault((each.reference or str(index), each.at.isoformat()), each)
    return sorted(kept.values(), key=lambda each: each.at)


def _result(
    place: Place, query: ListChanges, changes: Sequence[Change], failures: Sequence[CallFailed], answered: int
) -> Result:
    names = ", ".join(f"{each.type} {each.name}" for each in query.resources[:8])
    if changes or answered:
        status = Status.truncated if failures else Status.ok if changes else Status.no_data
    else:
        status = worst(failures)
    unseen = f"not seen: {gaps(failures)}" if failures else ""
    nothing = "" if changes else "no change was found in this window"
    return Result(
        status=status,
        source=SOURCE,
        asked=_asked(query),
        where=f"changes of {names} in {place.name}, {between(query.window)}",
        message="; ".join(part for part in (nothing, unseen) if part),
        changes=tuple(changes),
        console=changes_link(place.region),
    )


def _asked(query: ListChanges) -> Json:
    trail = asked(
        "cloudtrail",
        "LookupEvents",
        {
            "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            "StartTime": query.window.start,
            "EndTime": query.window.end,
        },
    )
    calls: dict[R, list[str]] = {
        R.ecs_service: ["ecs.DescribeServices", "ecs.ListTaskDefinitions", "ecs.DescribeTaskDefinition"],
        R.lambda_function: ["lambda.ListVersionsByFunction"],
        R.rds_instance: ["rds.DescribeEvents"],
        R.rds_cluster: ["rds.DescribeEvents"],
        R.alarm: ["cloudwatch.DescribeAlarms"],
        R.autoscaling_group: ["autoscaling.DescribeScalingActivities"],
    }
    own = list(dict.fromkeys(call for each in query.resources for call in calls.get(each.type, [])))
    calls_made: list[JsonValue] = [trail, *own]
    return {"calls": calls_made, "resources": [each.key for each in query.resources]}
