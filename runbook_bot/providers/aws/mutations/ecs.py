"""Changes of an ECS service: another revision, the same one again, or another number of tasks."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field, JsonValue, model_validator

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.differences import compared, told
from runbook_bot.providers.aws.ecs import primary, read_service
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import read_revision, short_name

_TINY = 2
"""Up to this many tasks a change of a service is a small one."""


class UpdateService(AwsMutation):
    """Change an ECS service: another revision, the same one again, or another number of tasks."""

    operation: ClassVar[str] = "ecs.update_service"
    service: ClassVar[str] = "ecs"
    action: ClassVar[str] = "UpdateService"
    any_target: ClassVar[str] = "service/*"

    cluster: str = Field(min_length=1, description="Cluster name")
    service_name: str = Field(min_length=1, alias="service", description="Service name")
    task_definition: str | None = Field(default=None, description="Revision to run, as family:number")
    force_new_deployment: bool | None = Field(default=None, description="Replace every task, same revision")
    desired_count: int | None = Field(default=None, ge=0, le=5000, description="Number of tasks")

    @model_validator(mode="after")
    def _one_thing(self) -> "UpdateService":
        if sum((self.task_definition is not None, bool(self.force_new_deployment), self.desired_count is not None)) > 1:
            raise ValueError("one of task_definition, force_new_deployment and desired_count at a time")
        return self

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=self.service_name)

    @property
    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = {"cluster": self.cluster, "service": self.service_name}
        if self.task_definition is not None:
            found["taskDefinition"] = self.task_definition
        if self.force_new_deployment:
            found["forceNewDeployment"] = True
        if self.desired_count is not None:
            found["desiredCount"] = self.desired_count
        return found

    @property
    def resource_path(self) -> str:
        return f"service/{self.cluster}/{self.service_name}"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        if self.task_definition is not None:
            return {"task_definition": short_name(self.task_definition)}
        return {"desired_count": self.desired_count} if self.desired_count is not None else {}

    @property
    def watched(self) -> tuple[str, ...]:
        other = "desired_count" if self.desired_count is not None else "deployment"
        return ("task_definition", other)

    async def state(self, place: Place) -> Json:
        return service_state(await read_service(place, self.target))

    async def plan(self, place: Place, state: Json) -> Plan:
        service = await read_service(place, self.target)
        current, desired = str(state["task_definition"]), int(service.get("desiredCount") or 0)
        same = {"cluster": self.cluster, "service": self.service_name}
        name, account = self.service_name, account_of(service.get("serviceArn"))
        replacing = Risk.high if desired > _TINY else Risk.medium
        if self.task_definition is not None:
            return Plan(
                title=f"Go back to {self.task_definition} in {name}",
                summary=await _revision_summary(place, current, self.task_definition),
                impact=_replaced(service, desired),
                risk=replacing,
                back=UpdateService.model_validate({**same, "task_definition": current}),
                account=account,
            )
        if self.desired_count is not None:
            return Plan(
                title=f"Run {self.desired_count} tasks of {name} instead of {desired}",
                summary=f"desired count {desired} → {self.desired_count}",
                impact=_scaled(desired, self.desired_count),
                risk=Risk.medium if abs(self.desired_count - desired) <= _TINY else Risk.high,
                back=UpdateService.model_validate({**same, "desired_count": desired}),
                account=account,
            )
        return Plan(
            title=f"Replace every task of {name}",
            summary=f"same revision {current}, {desired} new tasks",
            impact=_replaced(service, desired),
            risk=replacing,
            back=None,
            account=account,
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        if self.leaves:
            return await super().took_effect(place, proposal)
        deployment = primary(await read_service(place, self.target))
        created: datetime | None = deployment.get("createdAt")
        if not deployment.get("id") or created is None:
            return None
        is_new = str(deployment["id"]) != str(proposal.preparation.pre_state.get("deployment", ""))
        return is_new and utc(created) >= proposal.created_at


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


class StopTask(AwsMutation):
    """Stop one task; its service starts another in its place."""

    operation: ClassVar[str] = "ecs.stop_task"
    service: ClassVar[str] = "ecs"
    action: ClassVar[str] = "StopTask"
    any_target: ClassVar[str] = "task/*"

    cluster: str = Field(min_length=1, description="Cluster name")
    task: str = Field(pattern=r"^[0-9a-f]{32}$|^[0-9a-f-]{36}$", description="Task id")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.ecs_service, cluster=self.cluster, kind="task", name=self.task)

    @property
    def request(self) -> dict[str, Any]:
        return {"cluster": self.cluster, "task": self.task, "reason": "stopped by an approved change"}

    @property
    def resource_path(self) -> str:
        return f"task/{self.cluster}/{self.task}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("group", "definition", "wanted")

    async def _read(self, place: Place) -> Answer:
        told = await place.call("ecs", "DescribeTasks", cluster=self.cluster, tasks=[self.task])
        for task in told.get("tasks") or []:
            return dict(task)
        raise CallFailed("missing", f"there is no task {self.task} in {self.cluster}", action="ecs:DescribeTasks")

    async def state(self, place: Place) -> Json:
        task = await self._read(place)
        return {
            "group": str(task.get("group") or ""),
            "definition": short_name(str(task.get("taskDefinitionArn", ""))),
            "status": str(task.get("lastStatus", "")),
            "wanted": str(task.get("desiredStatus", "")),
            "account": account_of(task.get("taskArn")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["wanted"] == "STOPPED":
            raise Unfit(f"task {self.task} is stopped already")
        kind, _, owner = str(state["group"]).partition(":")
        if kind != "service":
            raise Unfit(f"task {self.task} belongs to no service, so nothing would come in its place")
        service = await read_service(place, Resource(type=ResourceType.ecs_service, cluster=self.cluster, name=owner))
        running = int(service.get("runningCount") or 0)
        return Plan(
            title=f"Stop one task of {owner}",
            summary=f"task {self.task[:8]}…, {state['definition']}, {state['status']}",
            impact=f"{max(0, running - 1)} of {running} tasks of {owner} go on until ECS has started another; "
            "what the task is doing is cut off after its stop timeout",
            risk=Risk.medium if running > 1 else Risk.high,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        try:
            return (await self.state(place))["wanted"] == "STOPPED"
        except CallFailed as failure:
            if failure.kind == "missing":
                return True  # a stopped task is forgotten after an hour
            raise


MUTATIONS = (UpdateService, StopTask)
