"""Whether the world shows a change, asked after a crash, a time-out, or an answer that cannot be read."""

from datetime import datetime, timedelta

from runbook_bot.domain.approval import Proposal
from runbook_bot.domain.noun import utc
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.awslambda import reserved_concurrency
from runbook_bot.providers.aws.ecs import primary, read_service
from runbook_bot.providers.aws.mutations import AwsMutation, PutFunctionConcurrency, RebootInstance, UpdateService
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.rds import read_events, read_instance
from runbook_bot.providers.aws.task_definitions import short_name


async def took_effect(place: Place, mutation: AwsMutation, proposal: Proposal) -> bool | None:
    """None where it cannot be told. Raises `CallFailed` where the world cannot be read."""
    if isinstance(mutation, UpdateService):
        return await _service(place, mutation, proposal)
    if isinstance(mutation, PutFunctionConcurrency):
        reserved = await reserved_concurrency(place, mutation.function)
        return reserved == mutation.reserved_concurrent_executions
    assert isinstance(mutation, RebootInstance)
    return await _rebooted(place, mutation, proposal)


async def _service(place: Place, mutation: UpdateService, proposal: Proposal) -> bool | None:
    service = await read_service(place, mutation.target)
    if mutation.task_definition is not None:
        return short_name(str(service.get("taskDefinition", ""))) == short_name(mutation.task_definition)
    if mutation.desired_count is not None:
        return int(service.get("desiredCount") or 0) == mutation.desired_count
    deployment = primary(service)
    created: datetime | None = deployment.get("createdAt")
    if not deployment.get("id") or created is None:
        return None
    is_new = str(deployment["id"]) != str(proposal.preparation.pre_state.get("deployment", ""))
    return is_new and utc(created) >= proposal.created_at


async def _rebooted(place: Place, mutation: RebootInstance, proposal: Proposal) -> bool | None:
    """A reboot leaves no other trace than its state while it lasts and an event afterwards."""
    instance = await read_instance(place, mutation.instance)
    if instance.get("DBInstanceStatus") == "rebooting":
        return True
    since = TimeWindow(start=proposal.created_at, end=proposal.created_at + timedelta(days=1))
    events = await read_events(place, mutation.target, since)
    restarted = any("restarted" in str(each.get("Message", "")).lower() for each in events)
    return True if restarted else None
