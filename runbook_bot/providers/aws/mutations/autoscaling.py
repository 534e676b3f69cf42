"""Changes of an Auto Scaling group: how many, what it may do by itself, new machines for old ones."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Answer, Place

_REFRESHES = 20
Process = Literal[
    "Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AZRebalance", "AlarmNotification", "ScheduledActions",
    "AddToLoadBalancer", "InstanceRefresh",
]  # fmt: skip


class _Group(AwsMutation):
    """A change of one group."""

    service: ClassVar[str] = "autoscaling"
    any_target: ClassVar[str] = "autoScalingGroup:*:autoScalingGroupName/*"

    group: str = Field(min_length=1, max_length=255, description="Name of the group")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.autoscaling_group, name=self.group)

    @property
    def resource_path(self) -> str:
        return f"autoScalingGroup:*:autoScalingGroupName/{self.group}"

    async def _read(self, place: Place) -> Answer:
        told = await place.call("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[self.group])
        for group in told.get("AutoScalingGroups") or []:
            return dict(group)
        text = f"there is no Auto Scaling group {self.group}"
        raise CallFailed("missing", text, action="autoscaling:DescribeAutoScalingGroups")

    async def state(self, place: Place) -> Json:
        group = await self._read(place)
        machines = group.get("Instances") or []
        return {
            "desired": int(group.get("DesiredCapacity") or 0),
            "least": int(group.get("MinSize") or 0),
            "most": int(group.get("MaxSize") or 0),
            "healthy": sum(1 for each in machines if each.get("HealthStatus") == "Healthy"),
            "instances": _sorted(each.get("InstanceId") for each in machines),
            "suspended": _sorted(each.get("ProcessName") for each in group.get("SuspendedProcesses") or []),
            "account": account_of(group.get("AutoScalingGroupARN")),
        }


def _sorted(names: Iterable[object]) -> list[JsonValue]:
    return [*sorted(str(each) for each in names)]


def _number(state: Json, name: str) -> int:
    value = state[name]
    assert isinstance(value, int)
    return value


def _list(state: Json, name: str) -> list[str]:
    value = state[name]
    assert isinstance(value, list)
    return [str(each) for each in value]


class SetDesiredCapacity(_Group):
    """Run another number of machines in an Auto Scaling group, within its own bounds."""

    operation: ClassVar[str] = "autoscaling.set_desired_capacity"
    action: ClassVar[str] = "SetDesiredCapacity"

    desired: int = Field(ge=0, le=5000, description="Number of machines")

    @property
    def request(self) -> dict[str, Any]:
        return {"AutoScalingGroupName": self.group, "DesiredCapacity": self.desired, "HonorCooldown": False}

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"desired": self.desired}

    async def plan(self, place: Place, state: Json) -> Plan:
        now, least, most = _number(state, "desired"), _number(state, "least"), _number(state, "most")
        if not least <= self.desired <= most:
            raise Unfit(f"{self.group} runs {least} to {most} machines; {self.desired} is outside of that")
        if self.desired == now:
            raise Unfit(f"{self.group} is to run {now} machines already")
        fewer = now - self.desired
        impact = (
            f"{fewer} of {now} machines are terminated, which ones is up to the group; {self.desired} go on"
            if fewer > 0
            else f"{-fewer} more machines are launched ({now} → {self.desired}), within minutes; none is stopped"
        )
        return Plan(
            title=f"Run {self.desired} machines in {self.group} instead of {now}",
            summary=f"desired capacity {now} → {self.desired} (bounds {least} to {most})",
            impact=impact + ". A scaling policy may change the number again",
            risk=Risk.critical if self.desired == 0 else Risk.high if fewer > 0 else Risk.medium,
            back=SetDesiredCapacity(group=self.group, desired=now),
            account=str(state["account"]),
        )


class _Doing(_Group):
    """A change of what a group does by itself."""

    process: Process = Field(description="What it does by itself")

    @property
    def request(self) -> dict[str, Any]:
        return {"AutoScalingGroupName": self.group, "ScalingProcesses": [self.process]}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("suspended",)


class SuspendProcess(_Doing):
    """Stop an Auto Scaling group from doing one thing by itself."""

    operation: ClassVar[str] = "autoscaling.suspend_process"
    action: ClassVar[str] = "SuspendProcesses"

    async def plan(self, place: Place, state: Json) -> Plan:
        if self.process in _list(state, "suspended"):
            raise Unfit(f"{self.process} of {self.group} is suspended already")
        return Plan(
            title=f"Suspend {self.process} in {self.group}",
            summary=f"suspended: + {self.process}",
            impact=f"{self.group} does not do {self.process} by itself until it is resumed; "
            f"its {len(_list(state, 'instances'))} machines go on",
            risk=Risk.medium,
            back=ResumeProcess(group=self.group, process=self.process),
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return self.process in _list(await self.state(place), "suspended")


class ResumeProcess(_Doing):
    """Let an Auto Scaling group do again what was suspended."""

    operation: ClassVar[str] = "autoscaling.resume_process"
    action: ClassVar[str] = "ResumeProcesses"

    async def plan(self, place: Place, state: Json) -> Plan:
        if self.process not in _list(state, "suspended"):
            raise Unfit(f"{self.process} of {self.group} is not suspended")
        return Plan(
            title=f"Resume {self.process} in {self.group}",
            summary=f"suspended: - {self.process}",
            impact=f"{self.group} does {self.process} by itself again, at once where it is due; "
            f"it has {_number(state, 'healthy')} healthy machines and is to have {_number(state, 'desired')}",
            risk=Risk.medium,
            back=SuspendProcess(group=self.group, process=self.process),
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return self.process not in _list(await self.state(place), "suspended")


class RefreshInstances(_Group):
    """Replace every machine of an Auto Scaling group, a few at a time."""

    operation: ClassVar[str] = "autoscaling.start_instance_refresh"
    action: ClassVar[str] = "StartInstanceRefresh"
    reads: ClassVar[tuple[str, ...]] = ("autoscaling:DescribeInstanceRefreshes",)

    min_healthy_percentage: int = Field(default=90, ge=50, le=100, description="Share that stays in service")

    @property
    def request(self) -> dict[str, Any]:
        wanted = {"MinHealthyPercentage": self.min_healthy_percentage}
        return {"AutoScalingGroupName": self.group, "Strategy": "Rolling", "Preferences": wanted}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("desired", "instances")

    async def plan(self, place: Place, state: Json) -> Plan:
        machines = len(_list(state, "instances"))
        if not machines:
            raise Unfit(f"{self.group} has no machines to replace")
        running = [each for each in await self._refreshes(place) if each.get("Status") in ("Pending", "InProgress")]
        if running:
            raise Unfit(f"a refresh of {self.group} is under way already")
        kept = -(-machines * self.min_healthy_percentage // 100)
        return Plan(
            title=f"Replace every machine of {self.group}",
            summary=f"{machines} machines, launched anew from the group's template",
            impact=f"{machines} machines are replaced one batch after the other; at least {min(kept, machines)} "
            "stay in service, and it takes as long as they take to boot",
            risk=Risk.high,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return any(
            each.get("StartTime") is not None and utc(each["StartTime"]) >= proposal.created_at
            for each in await self._refreshes(place)
        )

    async def _refreshes(self, place: Place) -> list[Answer]:
        return await place.gather(
            "autoscaling", "DescribeInstanceRefreshes", "InstanceRefreshes", _REFRESHES, AutoScalingGroupName=self.group
        )


class TerminateInGroup(_Group):
    """Terminate one machine of an Auto Scaling group, which launches another in its place."""

    operation: ClassVar[str] = "autoscaling.terminate_instance"
    action: ClassVar[str] = "TerminateInstanceInAutoScalingGroup"

    instance: str = Field(pattern=r"^i-[0-9a-f]{8,17}$", description="Instance id")

    @property
    def request(self) -> dict[str, Any]:
        return {"InstanceId": self.instance, "ShouldDecrementDesiredCapacity": False}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("desired", "instances")

    async def plan(self, place: Place, state: Json) -> Plan:
        machines = _list(state, "instances")
        if self.instance not in machines:
            raise Unfit(f"{self.instance} is not in {self.group}")
        if "Launch" in _list(state, "suspended"):
            raise Unfit(f"Launch is suspended in {self.group}: nothing would come in its place")
        return Plan(
            title=f"Replace {self.instance} of {self.group}",
            summary=f"{self.instance} is terminated, another is launched",
            impact=f"{self.instance} and what is on its own disks is gone for good; "
            f"{len(machines) - 1} of {len(machines)} machines go on until the new one is in service",
            risk=Risk.high if len(machines) > 1 else Risk.critical,
            back=None,
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return self.instance not in _list(await self.state(place), "instances")


MUTATIONS = (SetDesiredCapacity, SuspendProcess, ResumeProcess, RefreshInstances, TerminateInGroup)
