"""What can be asked of ECS about room: clusters, container instances, capacity providers."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.ecs import cluster_names
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.listing import batches, cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import short_name

_MOST_INSTANCES = 1000
_IN_ONE_DESCRIBE = 100
_NAMES_IN_ONE_CALL = 50
_MOST_PAGES = 10


class Clusters(Operation):
    """ECS clusters: running and pending tasks, services, machines, capacity providers; the waiting ones first."""

    kind: ClassVar[str] = "aws.ecs.clusters"
    service = "ecs"
    calls = ("ListClusters", "DescribeClusters")
    words = ("ecs clusters", "clusters", "pending tasks of a cluster", "container insights")

    names: tuple[str, ...] = Field(default=(), max_length=100, description="Names of clusters; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        names = list(self.names) or await cluster_names(place)
        found: list[Answer] = []
        for batch in batches(names, _IN_ONE_DESCRIBE):
            answer = await place.call("ecs", "DescribeClusters", clusters=batch, include=["SETTINGS", "STATISTICS"])
            found += answer.get("clusters") or []
        here = [each for each in found if self.names or each.get("status") != "INACTIVE"]
        here.sort(key=lambda each: (each.get("status") == "ACTIVE", -(each.get("pendingTasksCount") or 0)))
        return self.table(
            place,
            [_cluster(each) for each in here],
            empty="there is no such ECS cluster" if self.names else "there is no ECS cluster",
            console=console_page(place.region, "ecs/v2/clusters"),
        )


def _cluster(told: Answer) -> Row:
    settings = {str(each.get("name")): each.get("value") for each in told.get("settings") or []}
    counts = {str(each.get("name")): str(each.get("value")) for each in told.get("statistics") or []}
    facts: Answer = {
        "status": told.get("status"),
        "pending_tasks": told.get("pendingTasksCount"),
        "running_tasks": told.get("runningTasksCount"),
        "services": told.get("activeServicesCount"),
        "container_instances": told.get("registeredContainerInstancesCount"),
        "capacity_providers": [str(each) for each in told.get("capacityProviders") or []],
        "default_strategy": [
            f"{e.get('capacityProvider')} weight {e.get('weight', 0)} base {e.get('base', 0)}"
            for e in told.get("defaultCapacityProviderStrategy") or []
        ]
        or None,
        "container_insights": settings.get("containerInsights"),
        "attachments": told.get("attachmentsStatus"),
        "counts": {name: value for name, value in counts.items() if value not in ("0", "None")} or None,
    }
    return Row(name=str(told.get("clusterName", "?")), facts=facts)


async def container_instances(place: Place, cluster: str) -> list[Answer]:
    """The machines of a cluster that ECS places tasks on. Raises `CallFailed`."""
    arns = await place.gather(
        "ecs", "ListContainerInstances", "containerInstanceArns", _MOST_INSTANCES, cluster=cluster
    )
    answers = await asyncio.gather(
        *(
            place.call(
                "ecs",
                "DescribeContainerInstances",
                cluster=cluster,
                containerInstances=batch,
                include=["CONTAINER_INSTANCE_HEALTH"],
            )
            for batch in batches(arns, _IN_ONE_DESCRIBE)
        )
    )
    return [each for answer in answers for each in answer.get("containerInstances") or []]


def amounts(resources: list[Answer] | None) -> Mapping[str, int]:
    """CPU units and MiB of memory; what is counted otherwise is left out."""
    return {str(e.get("name")): int(e["integerValue"]) for e in resources or [] if e.get("integerValue") is not None}


def taken_ports(instance: Answer) -> frozenset[str]:
    return frozenset(
        str(port)
        for each in instance.get("remainingResources") or []
        if each.get("name") in ("PORTS", "PORTS_UDP")
        for port in each.get("stringSetValue") or []
    )


class ContainerInstances(Operation):
    """The machines of an ECS cluster: agent, health, free CPU and memory; disconnected, draining, full ones first."""

    kind: ClassVar[str] = "aws.ecs.container_instances"
    service = "ecs"
    calls = ("ListContainerInstances", "DescribeContainerInstances")
    words = ("container instances", "ecs agents", "agent disconnected", "free memory of a cluster", "room for tasks",
             "draining instances")  # fmt: skip

    cluster: str = Field(default="default", description="Name of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await container_instances(place, self.cluster)
        found.sort(key=lambda each: (_well(each), amounts(each.get("remainingResources")).get("MEMORY", 0)))
        return self.table(
            place,
            [_instance(each) for each in found],
            empty="the cluster has no container instance; tasks on Fargate need none",
            more=cut_short(found, _MOST_INSTANCES, "the cluster has more than are told of here"),
            console=console_page(place.region, f"ecs/v2/clusters/{self.cluster}/infrastructure"),
        )


def _well(told: Answer) -> bool:
    health = (told.get("healthStatus") or {}).get("overallStatus")
    return told.get("agentConnected") is True and told.get("status") == "ACTIVE" and health in (None, "OK")


def _instance(told: Answer) -> Row:
    free, whole = amounts(told.get("remainingResources")), amounts(told.get("registeredResources"))
    attributes = {str(each.get("name")): each.get("value") for each in told.get("attributes") or []}
    details = (told.get("healthStatus") or {}).get("details") or []
    facts: Answer = {
        "instance": told.get("ec2InstanceId"),
        "status": told.get("status"),
        "reason": told.get("statusReason"),
        "agent_connected": told.get("agentConnected"),
        "health": (told.get("healthStatus") or {}).get("overallStatus"),
        "failing": [f"{e.get('type')}: {e.get('status')}" for e in details if e.get("status") != "OK"] or None,
        "cpu_free_units": free.get("CPU"),
        "cpu_units": whole.get("CPU"),
        "memory_free_mib": free.get("MEMORY"),
        "memory_mib": whole.get("MEMORY"),
        "running_tasks": told.get("runningTasksCount"),
        "pending_tasks": told.get("pendingTasksCount"),
        "zone": attributes.get("ecs.availability-zone"),
        "type": attributes.get("ecs.instance-type"),
        "agent_version": (told.get("versionInfo") or {}).get("agentVersion"),
        "capacity_provider": told.get("capacityProviderName"),
    }
    return Row(name=short_name(str(told.get("containerInstanceArn", "?"))), at=told.get("registeredAt"), facts=facts)


class CapacityProviders(Operation):
    """Capacity providers of ECS: managed scaling and the size of the group behind each; the troubled first."""

    kind: ClassVar[str] = "aws.ecs.capacity_providers"
    service = "ecs"
    calls = ("DescribeClusters", "DescribeCapacityProviders", "autoscaling:DescribeAutoScalingGroups")
    words = ("capacity providers", "managed scaling", "cluster auto scaling", "why does the cluster not grow")

    cluster: str | None = Field(default=None, description="Name of the cluster that uses them; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await self._providers(place)
        groups = [name for each in found if (name := _group_name(each))]
        parts = Parts()
        sizes = {str(each.get("AutoScalingGroupName")): each for each in await parts.get(_groups(place, groups), [])}
        rows = [_provider(each, sizes.get(_group_name(each), {})) for each in found]
        rows.sort(key=lambda row: (not row.facts.get("trouble"), row.name))
        return self.table(
            place,
            rows,
            empty="no capacity provider",
            failures=parts.failures,
            console=console_page(
                place.region, f"ecs/v2/clusters/{self.cluster}/infrastructure" if self.cluster else "ecs/v2"
            ),
        )

    async def _providers(self, place: Place) -> list[Answer]:
        """Raises `CallFailed`. AWS has no paginator for this call."""
        which: Answer = {}
        if self.cluster is not None:
            clusters = (await place.call("ecs", "DescribeClusters", clusters=[self.cluster])).get("clusters") or []
            if not clusters:
                raise CallFailed("missing", f"there is no ECS cluster {self.cluster}", action="ecs:DescribeClusters")
            used = [str(name) for each in clusters for name in each.get("capacityProviders") or []]
            if not used:
                return []
            which = {"capacityProviders": used}
        found: list[Answer] = []
        for _ in range(_MOST_PAGES):
            answer = await place.call("ecs", "DescribeCapacityProviders", **which)
            found += answer.get("capacityProviders") or []
            if not answer.get("nextToken"):
                break
            which = {**which, "nextToken": answer["nextToken"]}
        return found


def _group_name(provider: Answer) -> str:
    arn = str((provider.get("autoScalingGroupProvider") or {}).get("autoScalingGroupArn") or "")
    return arn.rpartition("autoScalingGroupName/")[2]


async def _groups(place: Place, names: list[str]) -> list[Answer]:
    found: list[Answer] = []
    for batch in batches(names, _NAMES_IN_ONE_CALL):
        answer = await place.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=batch)
        found += answer.get("AutoScalingGroups") or []
    return found


def _provider(told: Answer, group: Answer) -> Row:
    behind = told.get("autoScalingGroupProvider") or {}
    scaling = behind.get("managedScaling") or {}
    desired, most = group.get("DesiredCapacity"), group.get("MaxSize")
    failed = str(told.get("updateStatus") or "").endswith("FAILED")
    trouble = [
        text
        for text, holds in (
            (str(told.get("updateStatus")), failed),
            ("its group is at its maximum, cannot grow", most is not None and desired == most),
            ("its scaling is not managed", bool(behind) and scaling.get("status") == "DISABLED"),
        )
        if holds
    ]
    facts: Answer = {
        "trouble": trouble or None,
        "status": told.get("status"),
        "update_reason": told.get("updateStatusReason"),
        "group": _group_name(told) or None,
        "group_minimum": group.get("MinSize"),
        "group_desired": desired,
        "group_maximum": most,
        "managed_scaling": scaling.get("status"),
        "target_percent": scaling.get("targetCapacity"),
        "most_instances_a_step": scaling.get("maximumScalingStepSize"),
        "warmup_seconds": scaling.get("instanceWarmupPeriod"),
        "termination_protection": behind.get("managedTerminationProtection"),
    }
    return Row(name=str(told.get("name", "?")), facts=facts)


OPERATIONS = (Clusters, ContainerInstances, CapacityProviders)
