"""Turns a repair in neutral words into the change it would be here: which revision, how many more."""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.awslambda import account_limits, reserved_concurrency
from runbook_bot.providers.aws.cloudtrail import read_trail
from runbook_bot.providers.aws.differences import compared
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.ecs_changes import releases_of
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.autoscaling import RefreshInstances, SetDesiredCapacity
from runbook_bot.providers.aws.mutations.awslambda import PutFunctionConcurrency
from runbook_bot.providers.aws.mutations.dynamodb import SetCapacity
from runbook_bot.providers.aws.mutations.ec2 import RebootMachine
from runbook_bot.providers.aws.mutations.ecs import UpdateService
from runbook_bot.providers.aws.mutations.mutation import AwsMutation
from runbook_bot.providers.aws.mutations.rds import RebootInstance
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import (
    Revision,
    family_and_number,
    read_revision,
    revision_before,
)
from runbook_bot.providers.aws.timeline.matching import made_to

_LOOK_BACK = timedelta(days=14)
_KEPT_FREE = 100
"""Lambda keeps this many executions of an account unreserved."""
_TRIES = 5
_MOST_UNITS = 40_000
"""Capacity units of a table that AWS gives without being asked for more (quotas of DynamoDB)."""

Choice = Callable[[Place, Resource, datetime], Awaitable[AwsMutation | None]]


async def roll_back_service(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    """The newest older revision that ran here and differs; None where there is none or another tool deploys."""
    service = await read_service(place, resource)
    if not _deployed_by_ecs(service):
        return None
    current = await read_revision(place, str(service.get("taskDefinition", "")))
    target = await _deployed_before(place, resource, service, current, now)
    if target is None:
        target = await _different_before(place, current)
    if target is None:
        return None
    return UpdateService(cluster=resource.cluster or "default", service=resource.name, task_definition=target.name)


def _deployed_by_ecs(service: Answer) -> bool:
    """CodeDeploy and external controllers refuse another revision through UpdateService."""
    return (service.get("deploymentController") or {}).get("type") in (None, "ECS")


async def _deployed_before(
    place: Place, resource: Resource, service: Answer, current: Revision, now: datetime
) -> Revision | None:
    trail = await read_trail(place, TimeWindow(start=now - _LOOK_BACK, end=now + timedelta(minutes=1)), [resource.name])
    events = [each for each in trail.events if made_to(each, resource)]
    names = [each.revision for each in releases_of(service, events, current.family)]
    older = [name for name in names if (family_and_number(name)[1] or 0) < current.number]
    for name in list(dict.fromkeys(reversed(older)))[:_TRIES]:
        revision = await _usable(place, name, current)
        if revision is not None:
            return revision
    return None


async def _different_before(place: Place, current: Revision) -> Revision | None:
    step: Revision | None = current
    for _ in range(_TRIES):
        step = await revision_before(place, step) if step is not None else None
        if step is None:
            return None
        if _is_usable(step, current):
            return step
    return None


async def _usable(place: Place, name: str, current: Revision) -> Revision | None:
    try:
        revision = await read_revision(place, name)
    except CallFailed as failure:
        if failure.kind in ("missing", "invalid"):
            return None
        raise
    return revision if _is_usable(revision, current) else None


def _is_usable(revision: Revision, current: Revision) -> bool:
    """A deregistered revision cannot be deployed again; an identical one would change nothing."""
    before, after = compared(revision.fields, current.fields)
    return revision.told.get("status") != "INACTIVE" and bool(before or after)


async def restart_service(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    service = await read_service(place, resource)
    if not _deployed_by_ecs(service) or not service.get("desiredCount"):
        return None
    return UpdateService(cluster=resource.cluster or "default", service=resource.name, force_new_deployment=True)


async def scale_service(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    """Half as many again, rounded up, at least one more."""
    desired = int((await read_service(place, resource)).get("desiredCount") or 0)
    if desired == 0:
        return None
    wanted = max(desired + 1, math.ceil(desired * 1.5))
    return UpdateService(cluster=resource.cluster or "default", service=resource.name, desired_count=wanted)


async def raise_function_concurrency(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    """Twice what is reserved, within what the account has left; None where nothing is reserved or left."""
    reserved = await reserved_concurrency(place, resource.name)
    if reserved is None:
        return None
    wanted = max(1, reserved * 2)
    try:
        _, free = await account_limits(place)
    except CallFailed as failure:
        if failure.kind not in ("unsupported", "denied"):
            raise
        free = None  # AWS itself refuses what goes beyond the limit
    if free is not None:
        wanted = min(wanted, reserved + max(0, free - _KEPT_FREE))
    if wanted <= reserved:
        return None
    return PutFunctionConcurrency(function=resource.name, reserved_concurrent_executions=wanted)


async def restart_database(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    return RebootInstance(instance=resource.name)


async def restart_machine(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    return RebootMachine(instance=resource.name)


async def grow_group(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    """Half as many machines again, rounded up, within the group's own bounds; None where it is at its bound."""
    state = await SetDesiredCapacity(group=resource.name, desired=0).state(place)
    desired, most = int(str(state["desired"])), int(str(state["most"]))
    wanted = min(most, max(desired + 1, math.ceil(desired * 1.5)))
    return SetDesiredCapacity(group=resource.name, desired=wanted) if wanted > desired else None


async def refresh_group(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    return RefreshInstances(group=resource.name)


async def raise_table_capacity(place: Place, resource: Resource, now: datetime) -> AwsMutation | None:
    """Twice what is provisioned; None for a table that is paid per request."""
    state = await SetCapacity(table=resource.name, read_units=1, write_units=1).state(place)
    if state["mode"] == "PAY_PER_REQUEST":
        return None
    reads, writes = int(str(state["read_units"])), int(str(state["write_units"]))
    return SetCapacity(
        table=resource.name,
        read_units=min(_MOST_UNITS, max(1, reads * 2)),
        write_units=min(_MOST_UNITS, max(1, writes * 2)),
    )


CHOICES: dict[tuple[Repair, R], Choice] = {
    (Repair.roll_back, R.ecs_service): roll_back_service,
    (Repair.restart, R.ecs_service): restart_service,
    (Repair.scale_out, R.ecs_service): scale_service,
    (Repair.raise_concurrency, R.lambda_function): raise_function_concurrency,
    (Repair.restart, R.rds_instance): restart_database,
    (Repair.restart, R.ec2_instance): restart_machine,
    (Repair.restart, R.autoscaling_group): refresh_group,
    (Repair.scale_out, R.autoscaling_group): grow_group,
    (Repair.raise_capacity, R.dynamodb_table): raise_table_capacity,
}
