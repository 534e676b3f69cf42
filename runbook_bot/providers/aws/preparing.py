"""What a change would be, read from the world before anybody is asked: state, impact, risk, way back."""

import math
from typing import Any

from runbook_bot.domain.approval import Preparation, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.providers.aws.awslambda import read_function, reserved_concurrency
from runbook_bot.providers.aws.differences import compared, told
from runbook_bot.providers.aws.ecs import primary, read_service
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations import AwsMutation, PutFunctionConcurrency, RebootInstance, UpdateService
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_instance
from runbook_bot.providers.aws.task_definitions import read_revision, short_name

_TINY = 2
"""Up to this many tasks a change of a service is a small one."""


async def prepared(place: Place, mutation: AwsMutation) -> Preparation:
    """Raises `CallFailed` where the target cannot be read."""
    if isinstance(mutation, UpdateService):
        return await _service(place, mutation)
    if isinstance(mutation, PutFunctionConcurrency):
        return await _concurrency(place, mutation)
    assert isinstance(mutation, RebootInstance)
    return await _reboot(place, mutation)


async def present_state(place: Place, mutation: AwsMutation) -> Json:
    """The target as it is now, in the same form as a proposal's pre-state. Raises `CallFailed`."""
    if isinstance(mutation, UpdateService):
        return service_state(await read_service(place, mutation.target))
    if isinstance(mutation, PutFunctionConcurrency):
        return {"reserved_concurrency": await reserved_concurrency(place, mutation.function)}
    assert isinstance(mutation, RebootInstance)
    return _instance_state(await read_instance(place, mutation.instance))


def service_state(service: Answer) -> Json:
    deployments: list[Any] = [
        {
            "id": str(each.get("id", "")),
            "status": str(each.get("status", "")),
            "task_definition": short_name(str(each.get("taskDefinition", ""))),
        }
        for each in service.get("deployments") or []
    ]
    return {
        "task_definition": short_name(str(service.get("taskDefinition", ""))),
        "desired_count": int(service.get("desiredCount") or 0),
        "running_count": int(service.get("runningCount") or 0),
        "deployment": str(primary(service).get("id", "")),
        "rollout_state": str(primary(service).get("rolloutState") or ""),
        "deployments": deployments,
    }


def _instance_state(instance: Answer) -> Json:
    return {
        "status": str(instance.get("DBInstanceStatus", "")),
        "class": str(instance.get("DBInstanceClass", "")),
        "multi_az": bool(instance.get("MultiAZ")),
    }


def drift_between(mutation: AwsMutation, before: Json, now: Json) -> str:
    """What matters to this change and is not as it was; "" where nothing is."""
    match mutation:
        case UpdateService(desired_count=int()):
            fields = ["task_definition", "desired_count"]
        case UpdateService():
            fields = ["task_definition", "deployment"]
        case PutFunctionConcurrency():
            fields = ["reserved_concurrency"]
        case _:
            fields = ["status", "class"]
    changed = [name for name in fields if before.get(name) != now.get(name)]
    moved = ", ".join(f"{name} was {before.get(name)} and is {now.get(name)}" for name in changed)
    return f"{mutation.target.name}: {moved}" if moved else ""


async def _service(place: Place, mutation: UpdateService) -> Preparation:
    service = await read_service(place, mutation.target)
    state = service_state(service)
    current, desired = str(state["task_definition"]), int(service.get("desiredCount") or 0)
    same = {"cluster": mutation.cluster, "service": mutation.service_name}
    replaced = _replaced(service, desired)
    name = mutation.service_name
    back: AwsMutation | None = None
    if mutation.task_definition is not None:
        title = f"Go back to {mutation.task_definition} in {name}"
        summary = await _revision_summary(place, current, mutation.task_definition)
        impact, risk = replaced, Risk.high if desired > _TINY else Risk.medium
        back = UpdateService.model_validate({**same, "task_definition": current})
    elif mutation.desired_count is not None:
        title = f"Run {mutation.desired_count} tasks of {name} instead of {desired}"
        summary = f"desired count {desired} → {mutation.desired_count}"
        impact = _scaled(desired, mutation.desired_count)
        risk = Risk.medium if abs(mutation.desired_count - desired) <= _TINY else Risk.high
        back = UpdateService.model_validate({**same, "desired_count": desired})
    else:
        title = f"Replace every task of {name}"
        summary = f"same revision {current}, {desired} new tasks"
        impact, risk = replaced, Risk.high if desired > _TINY else Risk.medium
    return _preparation(place, mutation, str(service.get("serviceArn", "")), state, title, summary, impact, risk, back)


def _replaced(service: Answer, desired: int) -> str:
    """ECS rounds the minimum up and the maximum down."""
    rules = service.get("deploymentConfiguration") or {}
    least = math.ceil(desired * int(rules.get("minimumHealthyPercent", 100)) / 100)
    most = math.floor(desired * int(rules.get("maximumPercent", 200)) / 100)
    running = int(service.get("runningCount") or 0)
    return (
        f"{desired} tasks are replaced one after the other ({running} run now); "
        f"ECS keeps at least {least} of them up and runs at most {most} at once meanwhile"
    )


def _scaled(desired: int, wanted: int) -> str:
    if wanted >= desired:
        more = wanted - desired
        return (
            f"{more} more tasks ({desired} → {wanted}); none is stopped. A scaling policy may change the number again"
        )
    return f"{desired - wanted} tasks are stopped ({desired} → {wanted}); {wanted} go on"


async def _revision_summary(place: Place, current: str, wanted: str) -> str:
    """What differs between the two, or just their names where one cannot be read."""
    try:
        now, then = await read_revision(place, current), await read_revision(place, wanted)
    except CallFailed:
        return f"{current} → {wanted} (what differs could not be read)"
    difference = told(*compared(now.fields, then.fields))
    return f"{current} → {wanted} ({difference or 'no difference'})"


async def _concurrency(place: Place, mutation: PutFunctionConcurrency) -> Preparation:
    function = await read_function(place, mutation.function)
    reserved = await reserved_concurrency(place, mutation.function)
    wanted = mutation.reserved_concurrent_executions
    back = None
    if reserved is not None:
        back = PutFunctionConcurrency(function=mutation.function, reserved_concurrent_executions=reserved)
    was = "nothing" if reserved is None else str(reserved)
    added = wanted - (reserved or 0)
    impact = (
        f"up to {wanted} executions of {mutation.function} at once instead of {was}; "
        f"the other functions of the account share {added} fewer, and what it calls may get that much more load"
    )
    title = f"Let {mutation.function} run {wanted} times at once"
    summary = f"reserved concurrency {was} → {wanted}"
    state: Json = {"reserved_concurrency": reserved}
    arn = str(function.get("FunctionArn", ""))
    return _preparation(place, mutation, arn, state, title, summary, impact, Risk.medium, back)


async def _reboot(place: Place, mutation: RebootInstance) -> Preparation:
    instance = await read_instance(place, mutation.instance)
    kept = "the standby in the other zone is not used" if instance.get("MultiAZ") else "there is no standby"
    impact = (
        f"{mutation.instance} is down while it reboots, usually one to several minutes; "
        f"every connection is dropped and running transactions are rolled back; {kept}"
    )
    title = f"Reboot the database {mutation.instance}"
    summary = f"{instance.get('Engine', '')} on {instance.get('DBInstanceClass', '')}, rebooted as it is"
    arn, state = str(instance.get("DBInstanceArn", "")), _instance_state(instance)
    return _preparation(place, mutation, arn, state, title, summary, impact, Risk.critical, None)


def _preparation(  # the parts of one card, each computed above for its own kind of change
    place: Place,
    mutation: AwsMutation,
    arn: str,
    state: Json,
    title: str,
    summary: str,
    impact: str,
    risk: Risk,
    back: AwsMutation | None,
) -> Preparation:
    parts = arn.split(":")
    if len(parts) < 5 or not parts[4]:
        raise CallFailed("failed", f"AWS did not tell the account of {mutation.target.name}", action=mutation.action)
    return Preparation(
        title=title,
        call=mutation.call,
        target=mutation.target,
        account=parts[4],
        region=place.region,
        pre_state=state,
        impact=impact,
        risk=risk,
        rollback=back.call if back is not None else None,
        shown=mutation.shown(place.region),
        summary=summary,
    )
