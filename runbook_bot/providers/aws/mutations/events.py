"""Changes of an EventBridge rule: on or off."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Place


class _EventRule(AwsMutation):
    """A change of one rule."""

    service: ClassVar[str] = "events"
    any_target: ClassVar[str] = "rule/*"
    reads: ClassVar[tuple[str, ...]] = ("events:DescribeRule",)

    rule: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Name of the rule")
    bus: str = Field(default="default", pattern=r"^[A-Za-z0-9_./-]{1,256}$", description="Name of its event bus")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.metric, kind="event_rule", namespace="AWS/Events", name=self.rule)

    @property
    def request(self) -> dict[str, Any]:
        return {"Name": self.rule, "EventBusName": self.bus}

    @property
    def resource_path(self) -> str:
        return f"rule/{self.rule}" if self.bus == "default" else f"rule/{self.bus}/{self.rule}"

    async def state(self, place: Place) -> Json:
        told = await place.call("events", "DescribeRule", Name=self.rule, EventBusName=self.bus)
        return {
            "state": str(told.get("State", "")),
            "schedule": str(told.get("ScheduleExpression") or ""),
            "managed_by": str(told.get("ManagedBy") or ""),
            "account": account_of(told.get("Arn")),
        }

    async def _targets(self, place: Place) -> str:
        told = await place.gather("events", "ListTargetsByRule", "Targets", 100, Rule=self.rule, EventBusName=self.bus)
        names = [str(each.get("Arn", "")).rpartition(":")[2] for each in told]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "nothing"


class EnableRule(_EventRule):
    """Switch an EventBridge rule on."""

    operation: ClassVar[str] = "events.enable_rule"
    action: ClassVar[str] = "EnableRule"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"state": "ENABLED"}

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["state"] != "DISABLED":
            raise Unfit(f"{self.rule} is {state['state']}")
        _unmanaged(self.rule, state)
        when = f" by {state['schedule']}" if state["schedule"] else ""
        return Plan(
            title=f"Switch {self.rule} on",
            summary="DISABLED → ENABLED",
            impact=f"{self.rule} starts {await self._targets(place)} again{when}",
            risk=Risk.medium,
            back=DisableRule(rule=self.rule, bus=self.bus),
            account=str(state["account"]),
        )


class DisableRule(_EventRule):
    """Switch an EventBridge rule off."""

    operation: ClassVar[str] = "events.disable_rule"
    action: ClassVar[str] = "DisableRule"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"state": "DISABLED"}

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["state"] == "DISABLED":
            raise Unfit(f"{self.rule} is switched off already")
        _unmanaged(self.rule, state)
        when = f" ({state['schedule']})" if state["schedule"] else ""
        return Plan(
            title=f"Switch {self.rule} off",
            summary=f"{state['state']} → DISABLED",
            impact=f"{await self._targets(place)} is not started by {self.rule}{when} until it is switched on; "
            "events that match meanwhile are lost",
            risk=Risk.high,
            back=EnableRule(rule=self.rule, bus=self.bus),
            account=str(state["account"]),
        )


def _unmanaged(rule: str, state: Json) -> None:
    if state["managed_by"]:
        raise Unfit(f"{rule} belongs to {state['managed_by']}, which would set it again")


MUTATIONS = (EnableRule, DisableRule)
