"""What can be asked of ECS about revisions: deployments and how they ended, task definitions and their differences."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.differences import compared
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.ecs import service_page
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import Revision, read_revision, revision_before, short_name

_MOST_DEPLOYMENTS = 20
_WENT_WELL = ("SUCCESSFUL", "IN_PROGRESS", "PENDING", "COMPLETED")


class Deployments(Operation):
    """Deployments of an ECS service: how each ended and why, circuit breaker, alarms, roll-back; failures first."""

    kind: ClassVar[str] = "aws.ecs.deployments"
    service = "ecs"
    calls = ("ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions", "DescribeServices")
    words = (
        "ecs deployments",
        "deployment history",
        "failed deployments",
        "circuit breaker",
        "rolled back deployments",
    )

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str = Field(description="Name of the service")

    async def answer(self, place: Place, now: datetime) -> Result:
        parts = Parts()
        try:
            rows, more = await self._history(place, parts)
        except CallFailed as failure:
            if failure.kind == "missing":
                raise
            rows, more = await self._present(place), f"only what the service itself tells of: {failure}"
        rows.sort(key=lambda row: (row.facts.get("status") in _WENT_WELL, newest_first(row.at)))
        return self.table(
            place,
            rows,
            empty="no deployment is known of",
            failures=parts.failures,
            more=more,
            console=service_page(place, self.cluster, self.name),
        )

    async def _history(self, place: Place, parts: Parts) -> tuple[list[Row], str]:
        """The latest of the last ninety days, and a clause where there are more. Raises `CallFailed`."""
        listed = await place.call(
            "ecs",
            "ListServiceDeployments",
            cluster=self.cluster,
            service=self.name,
            maxResults=_MOST_DEPLOYMENTS,
        )
        briefs: list[Answer] = listed.get("serviceDeployments") or []
        arns = [str(each["serviceDeploymentArn"]) for each in briefs if each.get("serviceDeploymentArn")]
        revisions = list(
            dict.fromkeys(str(e["targetServiceRevisionArn"]) for e in briefs if e.get("targetServiceRevisionArn"))
        )
        if not arns:
            return [], ""
        details, known = await asyncio.gather(
            parts.get(place.call("ecs", "DescribeServiceDeployments", serviceDeploymentArns=arns), {}),
            parts.get(_definitions(place, revisions), {}),
        )
        detailed = {str(each.get("serviceDeploymentArn")): each for each in details.get("serviceDeployments") or []}
        rows = [_deployed({**e, **detailed.get(str(e.get("serviceDeploymentArn")), {})}, known) for e in briefs]
        return rows, f"only the latest {_MOST_DEPLOYMENTS} were read" if listed.get("nextToken") else ""

    async def _present(self, place: Place) -> list[Row]:
        """What is going on now, of the service's own description. Raises `CallFailed`."""
        resource = Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=self.name)
        service = await read_service(place, resource)
        return [_going_on(each) for each in service.get("deployments") or []]


async def _definitions(place: Place, revisions: list[str]) -> Mapping[str, str]:
    """The task definition of each service revision."""
    if not revisions:
        return {}
    answer = await place.call("ecs", "DescribeServiceRevisions", serviceRevisionArns=revisions)
    told = answer.get("serviceRevisions") or []
    return {str(e.get("serviceRevisionArn")): short_name(str(e.get("taskDefinition") or "")) for e in told}


def _deployed(told: Answer, known: Mapping[str, str]) -> Row:
    began, ended = told.get("startedAt") or told.get("createdAt"), told.get("finishedAt") or told.get("stoppedAt")
    target = (told.get("targetServiceRevision") or {}).get("arn") or told.get("targetServiceRevisionArn")
    sources = [str(each.get("arn")) for each in told.get("sourceServiceRevisions") or []]
    breaker, alarms = told.get("deploymentCircuitBreaker") or {}, told.get("alarms") or {}
    facts: Answer = {
        "status": told.get("status"),
        "reason": told.get("statusReason"),
        "task_definition": known.get(str(target), ""),
        "before": [known.get(each, each.rpartition("/")[2]) for each in sources] or None,
        "circuit_breaker": _breaker(breaker) if breaker.get("status") not in (None, "DISABLED") else None,
        "alarms_triggered": [str(each) for each in alarms.get("triggeredAlarmNames") or []] or None,
        "rolled_back_for": (told.get("rollback") or {}).get("reason"),
        "stage": told.get("lifecycleStage"),
        "seconds": round((ended - began).total_seconds()) if began and ended else None,
    }
    return Row(name=str(told.get("serviceDeploymentArn", "?")).rpartition("/")[2], at=began, facts=facts)


def _breaker(told: Answer) -> str:
    return f"{told.get('status')}: {told.get('failureCount', '?')} failures, {told.get('threshold', '?')} allowed"


def _going_on(told: Answer) -> Row:
    facts: Answer = {
        "status": told.get("rolloutState") or told.get("status"),
        "reason": told.get("rolloutStateReason"),
        "role": told.get("status"),
        "task_definition": short_name(str(told.get("taskDefinition") or "")),
        "desired": told.get("desiredCount"),
        "running": told.get("runningCount"),
        "pending": told.get("pendingCount"),
        "failed_tasks": told.get("failedTasks"),
    }
    return Row(name=str(told.get("id", "?")), at=told.get("createdAt"), facts=facts)


def _family_page(place: Place, revision: Revision) -> str:
    return console_page(place.region, f"ecs/v2/task-definitions/{revision.family}/{revision.number}/containers")


class TaskDefinition(Operation):
    """A revision of an ECS task definition: size, roles, each container's image, limits, variables, logs and health."""

    kind: ClassVar[str] = "aws.ecs.task_definition"
    service = "ecs"
    calls = ("DescribeTaskDefinition", "DescribeServices")
    words = ("task definition", "container definition", "which image runs", "environment variables of a service",
             "memory limit of a task")  # fmt: skip

    revision: str | None = Field(default=None, description="`family` for the latest, or `family:7`")
    cluster: str = Field(default="default", description="Name of the cluster, where a service is named")
    name: str | None = Field(default=None, description="A service, for the revision it is meant to run")

    async def answer(self, place: Place, now: datetime) -> Result:
        revision = await read_revision(place, await _meant(place, self.revision, self.cluster, self.name))
        rows = [_whole(revision), *(_container(each) for each in revision.containers)]
        return self.table(place, rows, empty="", console=_family_page(place, revision))


async def _meant(place: Place, revision: str | None, cluster: str, name: str | None) -> str:
    """The revision that was named, or that the named service is meant to run. Raises `CallFailed`."""
    if revision:
        return revision
    if name is None:
        text = "which task definition: name a revision, or a service and its cluster"
        raise CallFailed("invalid", text, action="ecs:DescribeTaskDefinition")
    service = await read_service(place, Resource(type=ResourceType.ecs_service, cluster=cluster, name=name))
    return str(service.get("taskDefinition") or "")


def _whole(revision: Revision) -> Row:
    told = revision.told
    facts: Answer = {
        "cpu_units": told.get("cpu"),
        "memory_mib": told.get("memory"),
        "task_role": _tail(told.get("taskRoleArn")),
        "execution_role": _tail(told.get("executionRoleArn")),
        "network_mode": told.get("networkMode"),
        "registered_by": _tail(revision.registered_by),
        "status": told.get("status"),
        "platform": " ".join(str(each) for each in (told.get("runtimePlatform") or {}).values()) or None,
        "placement_constraints": [str(e.get("expression")) for e in told.get("placementConstraints") or []] or None,
    }
    return Row(name=revision.name, at=revision.registered_at, facts=facts)


def _container(told: Answer) -> Row:
    logging = told.get("logConfiguration") or {}
    facts: Answer = {
        "image": told.get("image"),
        "cpu_units": told.get("cpu") or None,
        "memory_mib": told.get("memory"),
        "memory_reservation_mib": told.get("memoryReservation"),
        "essential": told.get("essential"),
        "command": told.get("command"),
        "entry_point": told.get("entryPoint"),
        "environment": {str(v.get("name")): str(v.get("value", "")) for v in told.get("environment") or []} or None,
        "injected": [f"{v.get('name')} from {_source(v.get('valueFrom'))}" for v in told.get("secrets") or []] or None,
        "ports": [_port(each) for each in told.get("portMappings") or []] or None,
        "health_check": (told.get("healthCheck") or {}).get("command"),
        "logs_to": (logging.get("options") or {}).get("awslogs-group") or logging.get("logDriver"),
        "starts_after": [f"{e.get('containerName')} {e.get('condition')}" for e in told.get("dependsOn") or []] or None,
    }
    return Row(name=f"container {told.get('name', '?')}", facts=facts)


def _source(value_from: object) -> str:
    """Where a value is injected from, without an ARN around it: text after `secret:` would be taken for a secret."""
    text = str(value_from or "?")
    _, is_secret, rest = text.partition(":secret:")
    if is_secret:
        name, _, key = rest.partition(":")
        field = key.partition(":")[0]
        return f"the secret {name}" + (f", field {field}" if field else "")
    return f"the parameter {text.rpartition(':parameter')[2]}"


def _port(told: Answer) -> str:
    host = told.get("hostPort")
    inside = f"{told.get('containerPort')}/{told.get('protocol') or 'tcp'}"
    return inside if not host or host == told.get("containerPort") else f"{inside} as {host}"


def _tail(arn: object) -> str | None:
    return str(arn or "").rpartition("/")[2] or None


class TaskDefinitionDiff(Operation):
    """What differs between two revisions of an ECS task definition: image, limits, variables; secrets stay hidden."""

    kind: ClassVar[str] = "aws.ecs.task_definition_diff"
    service = "ecs"
    calls = ("DescribeTaskDefinition", "DescribeServices")
    words = ("diff of task definitions", "what changed in the task definition", "compare revisions",
             "difference between revisions")  # fmt: skip

    after: str | None = Field(default=None, description="`family:8`; none means what the named service is meant to run")
    before: str | None = Field(default=None, description="`family:7`; none means the next lower one that is left")
    cluster: str = Field(default="default", description="Name of the cluster, where a service is named")
    name: str | None = Field(default=None, description="A service, for the revision it is meant to run")

    async def answer(self, place: Place, now: datetime) -> Result:
        after = await read_revision(place, await _meant(place, self.after, self.cluster, self.name))
        before = await (read_revision(place, self.before) if self.before else revision_before(place, after))
        if before is None:
            return self.table(place, [], empty=f"there is no revision before {after.name} to compare it with")
        old, new = compared(before.fields, after.fields)
        pair = f"{before.name} → {after.name}"
        rows = [
            Row(
                name=name,
                at=after.registered_at,
                facts={"before": old.get(name, "(unset)"), "after": new.get(name, "(unset)"), "revisions": pair},
            )
            for name in sorted(dict.fromkeys((*old, *new)), key=_weight)
        ]
        same = f"{before.name} and {after.name} do not differ"
        return self.table(place, rows, empty=same, console=_family_page(place, after))


def _weight(field: str) -> tuple[int, str]:
    """Code before size before settings before the rest."""
    order = ("image", "memory", "cpu", "environment", "secrets", "command", "health_check")
    rank = next((place for place, word in enumerate(order) if word in field), len(order))
    return rank, field


OPERATIONS = (Deployments, TaskDefinition, TaskDefinitionDiff)
