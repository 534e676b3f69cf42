"""Why ECS cannot place a service's tasks: what a task needs against what each machine and subnet has left."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.operations.ecs import grouped_events, read_tasks, service_page
from runbook_bot.providers.aws.operations.ecs_capacity import amounts, container_instances, taken_ports
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import read_revision, short_name

_MOST_TASKS = 100
_MOST_MACHINES = 10
_FEW_ADDRESSES = 8
_NOT_STARTED = ("TaskFailedToStart", "ServiceSchedulerInitiated")


@dataclass(frozen=True)
class Needs:
    """What one task asks a machine for."""

    cpu: int
    memory: int
    ports: tuple[str, ...] = ()

    def lacking(self, machine: Answer) -> list[str]:
        """Why the task does not fit; empty where it does."""
        free = amounts(machine.get("remainingResources"))
        taken = taken_ports(machine)
        return [
            *(["agent not connected"] if machine.get("agentConnected") is False else []),
            *([f"is {machine.get('status')}"] if machine.get("status") not in (None, "ACTIVE") else []),
            *([f"{self.cpu - free['CPU']} CPU units too few"] if free.get("CPU", self.cpu) < self.cpu else []),
            *([f"{self.memory - free['MEMORY']} MiB too few"] if free.get("MEMORY", self.memory) < self.memory else []),
            *(f"port {port} is taken" for port in self.ports if port in taken),
        ]


def needs_of(definition: Answer) -> Needs:
    """The task's own size, else the sum of its containers'; ports only where they are the machine's."""
    containers: list[Answer] = definition.get("containerDefinitions") or []
    cpu = _number(definition.get("cpu")) or sum(_number(each.get("cpu")) for each in containers)
    memory = _number(definition.get("memory")) or sum(
        _number(each.get("memoryReservation")) or _number(each.get("memory")) for each in containers
    )
    own = definition.get("networkMode") != "awsvpc"
    ports = [str(p["hostPort"]) for each in containers for p in each.get("portMappings") or [] if p.get("hostPort")]
    return Needs(cpu, memory, tuple(ports) if own else ())


def _number(told: object) -> int:
    text = str(told or "")
    return int(text) if text.isdecimal() else 0


class Placement(Operation):
    """Why tasks of an ECS service are not placed: what ECS says, where a task fits, which subnets are full."""

    kind: ClassVar[str] = "aws.ecs.placement"
    service = "ecs"
    calls = ("DescribeServices", "DescribeTaskDefinition", "ListTasks", "DescribeTasks", "ListContainerInstances",
             "DescribeContainerInstances", "ec2:DescribeSubnets")  # fmt: skip
    words = ("placement", "why are tasks not placed", "tasks cannot start", "not enough memory for a task",
             "unable to place tasks", "why are tasks pending")  # fmt: skip

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str = Field(description="Name of the service")

    async def answer(self, place: Place, now: datetime) -> Result:
        resource = Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=self.name)
        told = await read_service(place, resource)
        parts = Parts()
        revision, machines, subnets, stopped = await asyncio.gather(
            parts.get(read_revision(place, str(told.get("taskDefinition") or "")), None),
            parts.get(container_instances(place, self.cluster), []),
            parts.get(_subnets(place, told), []),
            parts.get(read_tasks(place, self.cluster, self.name, "STOPPED", _MOST_TASKS), ([], 0)),
        )
        needs = needs_of(revision.told) if revision else None
        rows = [
            _summary(told, needs),
            *(_told(row) for row in grouped_events(told.get("events") or []) if row.name == "trouble"),
            *_never_started(stopped[0]),
            *_full(subnets),
            *(_machines(machines, needs) if needs and machines and not _serverless(told) else []),
        ]
        return self.table(
            place,
            rows,
            empty="",
            failures=parts.failures,
            console=service_page(place, self.cluster, self.name),
        )


def _serverless(service: Answer) -> bool:
    """Whether its tasks need no machine of the cluster."""
    providers = [str(each.get("capacityProvider")) for each in service.get("capacityProviderStrategy") or []]
    return all(each.startswith("FARGATE") for each in providers or [str(service.get("launchType"))])


async def _subnets(place: Place, service: Answer) -> list[Answer]:
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    ids = [str(each) for each in network.get("subnets") or []]
    if not ids:
        return []
    found = await place.call("ec2", "DescribeSubnets", SubnetIds=ids)
    subnets: list[Answer] = found.get("Subnets") or []
    return subnets


def _summary(told: Answer, needs: Needs | None) -> Row:
    desired, running = told.get("desiredCount") or 0, told.get("runningCount") or 0
    facts: Answer = {
        "missing_tasks": max(0, desired - running),
        "pending_tasks": told.get("pendingCount"),
        "task_needs_cpu_units": needs.cpu if needs else None,
        "task_needs_memory_mib": needs.memory if needs else None,
        "task_needs_ports": list(needs.ports) or None if needs else None,
        "launch": told.get("launchType")
        or [str(each.get("capacityProvider")) for each in told.get("capacityProviderStrategy") or []],
        "constraints": [str(e.get("expression") or e.get("type")) for e in told.get("placementConstraints") or []]
        or None,
        "strategy": [f"{e.get('type')} {e.get('field', '')}".strip() for e in told.get("placementStrategy") or []]
        or None,
    }
    return Row(name=f"service {told.get('serviceName', '?')}", facts=facts)


def _told(event: Row) -> Row:
    return event.model_copy(update={"name": "ECS says"})


def _never_started(tasks: Sequence[Answer]) -> list[Row]:
    """Why tasks were stopped before they ran, each reason once."""
    never = [each for each in tasks if not each.get("startedAt") and each.get("stopCode") in _NOT_STARTED]
    reasons = Counter(str(each.get("stoppedReason") or each.get("stopCode")) for each in never)
    return [Row(name="never started", facts={"reason": reason, "tasks": n}) for reason, n in reasons.most_common(10)]


def _full(subnets: Sequence[Answer]) -> list[Row]:
    found: list[Row] = []
    for each in subnets:
        free = each.get("AvailableIpAddressCount")
        if free is not None and free < _FEW_ADDRESSES:
            facts: Mapping[str, object] = {"free_addresses": free, "zone": each.get("AvailabilityZone")}
            found.append(Row.model_validate({"name": f"subnet {each.get('SubnetId')}", "facts": facts}))
    return found


def _machines(machines: Sequence[Answer], needs: Needs) -> list[Row]:
    """Whether a task fits anywhere, and of those where it does not the ones that lack least."""
    lacking = [(needs.lacking(each), each) for each in machines]
    fitting = sum(1 for missing, _ in lacking if not missing)
    lacking.sort(key=lambda pair: len(pair[0]))
    count = Row(name="machines", facts={"machines": len(machines), "one_more_task_fits_on": fitting})
    near = [(missing, each) for missing, each in lacking if missing][:_MOST_MACHINES]
    return [count, *(_machine(missing, each) for missing, each in near)]


def _machine(missing: list[str], told: Answer) -> Row:
    free = amounts(told.get("remainingResources"))
    facts: Answer = {
        "why_not": missing,
        "cpu_free_units": free.get("CPU"),
        "memory_free_mib": free.get("MEMORY"),
        "instance": told.get("ec2InstanceId"),
    }
    return Row(name=f"machine {short_name(str(told.get('containerInstanceArn', '?')))}", facts=facts)


OPERATIONS = (Placement,)
