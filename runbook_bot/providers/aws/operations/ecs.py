"""What can be asked of ECS about services and their tasks."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_link, console_page
from runbook_bot.providers.aws.ecs import cluster_names, primary, read_service, services_in
from runbook_bot.providers.aws.operations.listing import batches, cut_short, days_since, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import short_name

_MOST_TASKS = 100
_MOST_RUNNING = 500
_MOST_SERVICES = 500
_CLUSTERS_AT_ONCE = 4
_TROUBLE = re.compile(
    r"unable|fail|unhealthy|error|roll(?:ing|ed)? ?back|circuit breaker|not (?:meet|found|enough)|insufficient|throttl",
    re.IGNORECASE,
)
_CHANGING = re.compile(r"\b[0-9a-f]{8,}(?:-[0-9a-f-]+)?\b|\bi-[0-9a-f]+\b|\d+\.\d+\.\d+\.\d+|\d+")


def service_page(place: Place, cluster: str, name: str | None) -> str | None:
    if name is None:
        return console_page(place.region, f"ecs/v2/clusters/{cluster}/services")
    return console_link(Resource(type=ResourceType.ecs_service, cluster=cluster, name=name), place.region)


class Services(Operation):
    """ECS services: desired, running and pending tasks, deployments, roll-out state; those that lack tasks first."""

    kind: ClassVar[str] = "aws.ecs.services"
    service = "ecs"
    calls = ("ListClusters", "ListServices", "DescribeServices")
    words = ("ecs services", "services", "what is running", "running services", "containers",
             "desired and running tasks", "deployments in progress")  # fmt: skip

    cluster: str | None = Field(default=None, description="Name of the cluster; none means all clusters")
    name: str | None = Field(default=None, description="Name of one service; it needs the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        parts = Parts()
        more = ""
        if self.name is not None:
            cluster = self.cluster or "default"
            resource = Resource(type=ResourceType.ecs_service, cluster=cluster, name=self.name)
            found = [(cluster, [await read_service(place, resource)])]
        elif self.cluster is not None:
            found = [(self.cluster, await services_in(place, self.cluster))]
        else:
            found, more = await _of_all_clusters(place, parts)
        rows = await asyncio.to_thread(_rows, found, now)
        return self.table(
            place,
            rows,
            empty="there is no ECS service",
            failures=parts.failures,
            more=more,
            console=service_page(place, self.cluster or "default", self.name)
            if self.cluster or self.name
            else console_page(place.region, "ecs/v2/clusters"),
        )


def _rows(found: Sequence[tuple[str, list[Answer]]], now: datetime) -> list[Row]:
    """Those that lack tasks first; of thousands of services, so it is done beside the loop."""
    rows = [_service(cluster, each, now) for cluster, services in found for each in services]
    return sorted(rows, key=lambda row: (not row.facts.get("trouble"), str(row.facts.get("cluster")), row.name))


async def _of_all_clusters(place: Place, parts: Parts) -> tuple[list[tuple[str, list[Answer]]], str]:
    """The services of each cluster, and a clause where there were too many to look into every cluster."""
    found: list[tuple[str, list[Answer]]] = []
    names = await cluster_names(place)
    for batch in batches(names, _CLUSTERS_AT_ONCE):
        found += await parts.each(batch, lambda each: services_in(place, each))
        if sum(len(services) for _, services in found) >= _MOST_SERVICES:
            break
    left = len(names) - len(found)
    full = sum(len(services) for _, services in found) >= _MOST_SERVICES
    return found, f"{left} clusters were not looked into; name one" if full and left > 0 else ""


def _service(cluster: str, told: Answer, now: datetime) -> Row:
    deployment = primary(told)
    deployments: list[Answer] = told.get("deployments") or []
    configuration = told.get("deploymentConfiguration") or {}
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    events = sorted(told.get("events") or [], key=lambda each: newest_first(each.get("createdAt")))
    facts: Answer = {
        "cluster": cluster,
        "trouble": _trouble(told, deployments, events) or None,
        "desired": told.get("desiredCount"),
        "running": told.get("runningCount"),
        "pending": told.get("pendingCount"),
        "task_definition": short_name(str(told.get("taskDefinition") or "")),
        "rollout": deployment.get("rolloutState"),
        "rollout_reason": deployment.get("rolloutStateReason"),
        "deployments": [_deployment(each) for each in deployments] if len(deployments) > 1 else None,
        "days_since_deployment": days_since(deployment.get("createdAt"), now),
        "last_event": str(events[0].get("message")) if events else None,
        "launch": told.get("launchType")
        or [str(e.get("capacityProvider")) for e in told.get("capacityProviderStrategy") or []],
        "healthy_percent": [configuration.get("minimumHealthyPercent"), configuration.get("maximumPercent")]
        if configuration
        else None,
        "circuit_breaker": breaker.get("enable"),
        "status": told.get("status"),
    }
    return Row(name=str(told.get("serviceName", "?")), at=deployment.get("createdAt"), facts=facts)


def _trouble(told: Answer, deployments: Sequence[Answer], events: Sequence[Answer]) -> list[str]:
    desired, running = told.get("desiredCount") or 0, told.get("runningCount") or 0
    failed = sum(each.get("failedTasks") or 0 for each in deployments)
    latest = str(events[0].get("message", "")) if events else ""
    return [
        text
        for text, holds in (
            (f"{running} of {desired} tasks run", running < desired),
            ("a roll-out failed", any(each.get("rolloutState") == "FAILED" for each in deployments)),
            (f"{failed} tasks failed to start", failed > 0),
            (f"{len(deployments)} deployments at once", len(deployments) > 1),
            ("the last event tells of trouble", bool(_TROUBLE.search(latest))),
            (f"status {told.get('status')}", told.get("status") not in (None, "ACTIVE")),
        )
        if holds
    ]


def _deployment(told: Answer) -> str:
    began = told.get("createdAt")
    return " ".join(
        part
        for part in (
            str(told.get("status", "")),
            short_name(str(told.get("taskDefinition") or "")),
            f"{told.get('runningCount', 0)}/{told.get('desiredCount', 0)} running",
            f"{told['failedTasks']} failed" if told.get("failedTasks") else "",
            str(told.get("rolloutState") or ""),
            f"since {iso(began)}" if began else "",
        )
        if part
    )


class ServiceEvents(Operation):
    """What ECS says of a service: placements, health, roll-outs; trouble first, equal messages counted."""

    kind: ClassVar[str] = "aws.ecs.service_events"
    service = "ecs"
    calls = ("DescribeServices",)
    words = ("service events", "ecs events", "unable to place a task", "steady state", "failed health checks")

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str = Field(description="Name of the service")
    window: TimeWindow | None = Field(default=None, description="When; none means the latest hundred that ECS keeps")

    async def answer(self, place: Place, now: datetime) -> Result:
        resource = Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=self.name)
        told = (await read_service(place, resource)).get("events") or []
        meant = [each for each in told if self.window is None or _within(each.get("createdAt"), self.window)]
        return self.table(
            place,
            grouped_events(meant),
            empty="ECS tells of no event",
            console=service_page(place, self.cluster, self.name),
        )


def _within(moment: datetime | None, window: TimeWindow) -> bool:
    return moment is not None and window.holds(moment)


def grouped_events(events: Sequence[Answer]) -> list[Row]:
    """A row a kind of message: equal but for ids, addresses and numbers. Trouble first, then the latest."""
    kinds: dict[str, list[Answer]] = {}
    for each in sorted(events, key=lambda each: newest_first(each.get("createdAt"))):
        kinds.setdefault(_CHANGING.sub("#", str(each.get("message", ""))), []).append(each)
    rows = [
        Row(
            name="trouble" if _TROUBLE.search(kind) else "event",
            at=same[0].get("createdAt"),
            facts={
                "message": str(same[0].get("message", "")),
                "times": len(same),
                "first": iso(same[-1]["createdAt"]) if len(same) > 1 and same[-1].get("createdAt") else None,
            },
        )
        for kind, same in kinds.items()
    ]
    return sorted(rows, key=lambda row: (row.name != "trouble", newest_first(row.at)))


async def read_tasks(place: Place, cluster: str, name: str | None, desired: str, most: int) -> tuple[list[Answer], int]:
    """Tasks of a cluster or of one of its services, and how many there were to read. Raises `CallFailed`."""
    which = {"cluster": cluster, "desiredStatus": desired} | ({"serviceName": name} if name else {})
    arns = await place.gather("ecs", "ListTasks", "taskArns", most + 1, **which)
    tasks: list[Answer] = []
    for batch in batches(arns[:most], _MOST_TASKS):
        tasks += (await place.call("ecs", "DescribeTasks", cluster=cluster, tasks=batch)).get("tasks") or []
    return tasks, len(arns)


class Tasks(Operation):
    """Tasks that run or are about to: state, health, zone, age, revision; those that are not up and healthy first."""

    kind: ClassVar[str] = "aws.ecs.tasks"
    service = "ecs"
    calls = ("ListTasks", "DescribeTasks")
    words = ("ecs tasks", "running tasks", "pending tasks", "unhealthy tasks", "where do the tasks run")

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str | None = Field(default=None, description="Name of the service; none means all of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        tasks, listed = await read_tasks(place, self.cluster, self.name, "RUNNING", _MOST_RUNNING)
        tasks.sort(key=lambda each: (_up(each), newest_first(each.get("startedAt") or each.get("createdAt"))))
        return self.table(
            place,
            [_task(each, now) for each in tasks],
            empty="no task runs here",
            more=cut_short(range(listed), _MOST_RUNNING + 1, "name a service"),
            console=service_page(place, self.cluster, self.name),
        )


def _up(task: Answer) -> bool:
    return task.get("lastStatus") == "RUNNING" and task.get("healthStatus") != "UNHEALTHY"


def _task(told: Answer, now: datetime) -> Row:
    containers: list[Answer] = told.get("containers") or []
    began = told.get("startedAt") or told.get("createdAt")
    addresses = [n.get("privateIpv4Address") for c in containers for n in c.get("networkInterfaces") or []]
    facts: Answer = {
        "state": told.get("lastStatus"),
        "health": told.get("healthStatus"),
        "containers_not_running": {
            str(c.get("name")): str(c.get("lastStatus")) for c in containers if c.get("lastStatus") != "RUNNING"
        }
        or None,
        "task_definition": short_name(str(told.get("taskDefinitionArn") or "")),
        "service": str(told.get("group") or "").removeprefix("service:"),
        "age_days": days_since(began, now),
        "zone": told.get("availabilityZone"),
        "addresses": list(dict.fromkeys(str(each) for each in addresses if each)) or None,
        "launch": told.get("capacityProviderName") or told.get("launchType"),
        "container_instance": short_name(str(told.get("containerInstanceArn") or "")) or None,
    }
    return Row(name=short_name(str(told.get("taskArn", "?"))), at=began, facts=facts)


class StoppedTasks(Operation):
    """Tasks that ECS stopped within about the last hour, with reason, exit codes, and how often each occurred."""

    kind: ClassVar[str] = "aws.ecs.stopped_tasks"
    service = "ecs"
    calls = ("ListTasks", "DescribeTasks")
    words = ("stopped tasks", "why did tasks stop", "task exit codes", "killed tasks")

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str | None = Field(default=None, description="Name of the service; none means all of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        tasks, listed = await read_tasks(place, self.cluster, self.name, "STOPPED", _MOST_TASKS)
        times = Counter(str(task.get("stoppedReason", "")) for task in tasks)
        rows = [_stopped(task, times[str(task.get("stoppedReason", ""))]) for task in tasks]
        rows.sort(key=lambda row: newest_first(row.at))
        more = f"the cluster has more than {_MOST_TASKS} stopped tasks; name a service" if listed > _MOST_TASKS else ""
        return self.table(
            place,
            rows,
            empty="ECS knows of no stopped task; it forgets them after an hour",
            more=more,
            console=service_page(place, self.cluster, self.name),
        )


def _stopped(task: Answer, times: int) -> Row:
    containers: list[Answer] = task.get("containers") or []
    return Row(
        name=short_name(str(task.get("taskArn", ""))),
        at=task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt"),
        facts={
            "reason": task.get("stoppedReason"),
            "stop_code": task.get("stopCode"),
            "same_reason": times,
            "exit_codes": {str(each.get("name", "?")): each.get("exitCode") for each in containers},
            "container_reasons": [str(each["reason"]) for each in containers if each.get("reason")],
            "task_definition": short_name(str(task.get("taskDefinitionArn", ""))),
            "service": str(task.get("group", "")).removeprefix("service:"),
            "zone": task.get("availabilityZone"),
        },
    )


OPERATIONS = (Services, ServiceEvents, Tasks, StoppedTasks)
