"""ECS services: what is running, and what ECS itself tells about placements and stopped tasks."""

import asyncio
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Fact, LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Result, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place, asked
from runbook_bot.providers.aws.stopped_tasks import stopped_tasks
from runbook_bot.providers.aws.task_definitions import read_revision, short_name

SOURCE = "aws.ecs"
_MOST_CLUSTERS = 50
_MOST_SERVICES = 500
_IN_ONE_DESCRIBE = 10


async def read_service(place: Place, resource: Resource) -> Answer:
    """The description of a service. Raises `CallFailed`, kind `missing` where it is not there or gone."""
    cluster = resource.cluster or "default"
    answer = await place.named("ecs", "DescribeServices", "services", resource.name, _IN_ONE_DESCRIBE, cluster=cluster)
    for service in answer.get("services") or []:
        if service.get("status") != "INACTIVE" and service.get("serviceName") == short_name(resource.name):
            found: Answer = service
            return found
    text = f"there is no ECS service {resource.name} in cluster {cluster}"
    raise CallFailed("missing", text, action="ecs:DescribeServices")


async def cluster_names(place: Place) -> list[str]:
    """Names of the clusters, at most fifty. Raises `CallFailed`."""
    arns = await place.gather("ecs", "ListClusters", "clusterArns", _MOST_CLUSTERS)
    return [short_name(str(each)) for each in arns]


async def services_in(place: Place, cluster: str) -> list[Answer]:
    """Descriptions of a cluster's services, at most five hundred, without those that are gone. Raises `CallFailed`."""
    arns = await place.gather("ecs", "ListServices", "serviceArns", _MOST_SERVICES, cluster=cluster)
    answers = await asyncio.gather(
        *(
            place.call("ecs", "DescribeServices", cluster=cluster, services=arns[start : start + _IN_ONE_DESCRIBE])
            for start in range(0, len(arns), _IN_ONE_DESCRIBE)
        )
    )
    return [each for answer in answers for each in answer.get("services") or [] if each.get("status") != "INACTIVE"]


def primary(service: Answer) -> Answer:
    """The deployment that is meant to win; {} where AWS tells of none."""
    deployments: list[Answer] = service.get("deployments") or []
    return next(
        (each for each in deployments if each.get("status") == "PRIMARY"), deployments[0] if deployments else {}
    )


async def service_facts(place: Place, resource: Resource) -> tuple[list[Fact], list[CallFailed]]:
    """Raises `CallFailed` where the service itself cannot be read; a part that fails is named beside the facts."""
    service = await read_service(place, resource)
    current = str(service.get("taskDefinition", ""))
    facts = [
        Fact(name="status", value=service.get("status")),
        Fact(name="desired_count", value=service.get("desiredCount"), unit="tasks"),
        Fact(name="running_count", value=service.get("runningCount"), unit="tasks"),
        Fact(name="pending_count", value=service.get("pendingCount"), unit="tasks"),
        Fact(name="task_definition", value=short_name(current)),
        *_deployment_facts(service),
    ]
    try:
        revision = await read_revision(place, current)
    except CallFailed as failure:
        return facts, [failure]
    fields = revision.fields
    facts += [
        Fact(name="image", value=revision.image),
        Fact(name="revision", value=revision.number),
        Fact(name="cpu", value=fields.get("cpu"), unit="CPU units"),
        Fact(name="memory_limit", value=_number(fields.get("memory")), unit="MiB"),
        Fact(name="registered_at", value=iso(revision.registered_at) if revision.registered_at else None),
        Fact(name="log_groups", value=list(revision.log_groups)),
    ]
    return facts, []


def _deployment_facts(service: Answer) -> list[Fact]:
    deployment = primary(service)
    created = deployment.get("createdAt")
    configuration = service.get("deploymentConfiguration") or {}
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return [
        Fact(name="rollout_state", value=deployment.get("rolloutState")),
        Fact(name="rollout_reason", value=deployment.get("rolloutStateReason")),
        Fact(name="failed_tasks", value=deployment.get("failedTasks"), unit="tasks"),
        Fact(name="deployments", value=len(service.get("deployments") or [])),
        Fact(name="last_deployment_at", value=iso(created) if created else None),
        Fact(name="minimum_healthy_percent", value=configuration.get("minimumHealthyPercent"), unit="%"),
        Fact(name="maximum_percent", value=configuration.get("maximumPercent"), unit="%"),
        Fact(name="circuit_breaker", value=(configuration.get("deploymentCircuitBreaker") or {}).get("enable")),
        Fact(name="rolls_back_by_itself", value=(configuration.get("deploymentCircuitBreaker") or {}).get("rollback")),
        Fact(name="health_check_grace", value=service.get("healthCheckGracePeriodSeconds"), unit="s"),
        Fact(name="deployment_controller", value=(service.get("deploymentController") or {}).get("type")),
        Fact(name="launch_type", value=service.get("launchType")),
        Fact(name="capacity_providers", value=_providers(service) or None),
        Fact(name="security_groups", value=network.get("securityGroups")),
        Fact(name="subnets", value=network.get("subnets")),
    ]


def _providers(service: Answer) -> list[JsonValue]:
    return [str(each.get("capacityProvider")) for each in service.get("capacityProviderStrategy") or []]


def _number(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text


async def service_events(place: Place, query: ListEvents) -> Result:
    """What ECS says of the service, and its stopped tasks with reason and exit code."""
    resource, window = query.resource, query.window
    cluster = resource.cluster or "default"
    said, stopped = await asyncio.gather(
        _service_messages(place, resource, window), _stopped_tasks(place, resource, window)
    )
    failures = [part for part in (said, stopped) if isinstance(part, CallFailed)]
    lines = [line for part in (said, stopped) if not isinstance(part, CallFailed) for line in part]
    lines.sort(key=lambda line: line.at)
    status = Status.ok if lines else worst(failures)
    message = gaps(failures) or ("" if lines else "ECS tells of no event and no stopped task in this window")
    return Result(
        status=status,
        source=SOURCE,
        asked={
            "calls": [
                asked("ecs", "DescribeServices", {"cluster": cluster, "services": [resource.name]}),
                asked("ecs", "ListTasks", {"cluster": cluster, "desiredStatus": "STOPPED"}),
            ]
        },
        where=f"ECS events and stopped tasks of {cluster}/{resource.name} in {place.name}, {between(window)}",
        message=message,
        lines=tuple(lines),
        console=console_link(resource, place.region),
    )


async def _service_messages(place: Place, resource: Resource, window: TimeWindow) -> list[LogLine] | CallFailed:
    try:
        service = await read_service(place, resource)
    except CallFailed as failure:
        return failure
    return [
        LogLine(at=each["createdAt"], text=one_line(str(each.get("message", "")), 1000), stream="service event")
        for each in service.get("events") or []
        if each.get("createdAt") and window.holds(each["createdAt"])
    ]


async def _stopped_tasks(place: Place, resource: Resource, window: TimeWindow) -> list[LogLine] | CallFailed:
    try:
        tasks = await stopped_tasks(place, resource.cluster or "default", resource.name)
    except CallFailed as failure:
        return failure
    lines = [_task_line(task) for task in tasks]
    return [line for line in lines if line is not None and window.holds(line.at)]


def _task_line(task: Answer) -> LogLine | None:
    at: datetime | None = task.get("stoppedAt") or task.get("stoppingAt") or task.get("executionStoppedAt")
    if at is None:
        return None
    containers: list[Any] = task.get("containers") or []
    exits = [
        f"container {each.get('name', '?')} exit code {each['exitCode']}"
        + (f" ({each['reason']})" if each.get("reason") else "")
        for each in containers
        if each.get("exitCode") is not None
    ]
    causes = [str(each["reason"]) for each in containers if each.get("reason") and each.get("exitCode") is None]
    said = [str(part) for part in (task.get("stopCode"), task.get("stoppedReason")) if part]
    name = short_name(str(task.get("taskDefinitionArn", "")))
    text = f"task {short_name(str(task.get('taskArn', '')))} ({name}) stopped: " + "; ".join([*said, *exits, *causes])
    return LogLine(at=at, text=one_line(text, 1000), stream="stopped task")
