"""Changes of a load balancer: one target out of its group, other shares of the traffic."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.approval import Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Answer, Place

_GROUP = r"^arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d{12}:targetgroup/[\w-]+/[0-9a-f]+$"
_RULE = r"^arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d{12}:listener-rule/[\w/-]+$"


def _name(arn: str) -> str:
    return arn.rsplit(":", maxsplit=1)[-1].split("/")[1]


class _Target(AwsMutation):
    """A change of one target of a target group."""

    service: ClassVar[str] = "elbv2"
    any_target: ClassVar[str] = "targetgroup/*"

    target_group: str = Field(pattern=_GROUP, description="ARN of the target group")
    target_id: str = Field(pattern=r"^[A-Za-z0-9_.:-]+$", description="Instance id or address")
    port: int = Field(ge=1, le=65535, description="Port of the target")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.target_group, name=_name(self.target_group))

    @property
    def request(self) -> dict[str, Any]:
        return {"TargetGroupArn": self.target_group, "Targets": [{"Id": self.target_id, "Port": self.port}]}

    @property
    def resource_path(self) -> str:
        return self.target_group.split(":")[-1]

    def arn(self, partition: str, region: str, account: str) -> str:
        return self.target_group

    async def state(self, place: Place) -> Json:
        told = await place.call("elbv2", "DescribeTargetHealth", TargetGroupArn=self.target_group)
        there = told.get("TargetHealthDescriptions") or []
        health = {
            self._key(each.get("Target") or {}): str((each.get("TargetHealth") or {}).get("State", ""))
            for each in there
        }
        mine = health.pop((self.target_id, self.port), "")
        return {
            "registered": bool(mine) and mine != "draining",
            "health": mine,
            "targets": len(there),
            "healthy_besides": sum(1 for state in health.values() if state == "healthy"),
        }

    @staticmethod
    def _key(target: Answer) -> tuple[str, int]:
        return str(target.get("Id")), int(target.get("Port") or 0)

    def _other(self, kind: "type[_Target]") -> "_Target":
        return kind.model_validate(self.model_dump())


class DeregisterTarget(_Target):
    """Take one target out of a target group; its connections are drained."""

    operation: ClassVar[str] = "elbv2.deregister_target"
    action: ClassVar[str] = "DeregisterTargets"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"registered": False}

    async def plan(self, place: Place, state: Json) -> Plan:
        if not state["registered"]:
            raise Unfit(f"{self.target_id}:{self.port} is not in {self.target.name}")
        left = state["healthy_besides"]
        return Plan(
            title=f"Take {self.target_id}:{self.port} out of {self.target.name}",
            summary=f"{self.target_id}:{self.port}, {state['health']}",
            impact=f"{left} healthy targets of {self.target.name} are left; its connections are drained first. "
            "A service that registers its targets by itself may put it in again",
            risk=Risk.high if left else Risk.critical,
            back=self._other(RegisterTarget),
            account=account_of(self.target_group),
        )


class RegisterTarget(_Target):
    """Put one target back into its target group."""

    operation: ClassVar[str] = "elbv2.register_target"
    action: ClassVar[str] = "RegisterTargets"

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"registered": True}

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["registered"]:
            raise Unfit(f"{self.target_id}:{self.port} is in {self.target.name} already")
        return Plan(
            title=f"Put {self.target_id}:{self.port} back into {self.target.name}",
            summary=f"{state['targets']} targets → {int(str(state['targets'])) + 1}",
            impact=f"{self.target_id}:{self.port} gets requests as soon as it passes the health checks",
            risk=Risk.medium,
            back=self._other(DeregisterTarget),
            account=account_of(self.target_group),
        )


class ShiftTraffic(AwsMutation):
    """Share the traffic of one rule of a listener differently between the target groups that it has."""

    operation: ClassVar[str] = "elbv2.set_weights"
    service: ClassVar[str] = "elbv2"
    action: ClassVar[str] = "ModifyRule"
    any_target: ClassVar[str] = "listener-rule/*"

    rule: str = Field(pattern=_RULE, description="ARN of the rule")
    weights: dict[str, int] = Field(min_length=2, max_length=5, description="Weight by ARN of the target group")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.load_balancer, kind="rule", name=self.rule.split("listener-rule/")[-1])

    @property
    def request(self) -> dict[str, Any]:
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in sorted(self.weights.items())]
        return {"RuleArn": self.rule, "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]}

    @property
    def resource_path(self) -> str:
        return self.rule.split(":")[-1]

    def arn(self, partition: str, region: str, account: str) -> str:
        return self.rule

    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"weights": dict(self.weights)}

    async def state(self, place: Place) -> Json:
        told = await place.call("elbv2", "DescribeRules", RuleArns=[self.rule])
        rules = told.get("Rules") or []
        if not rules:
            raise CallFailed("missing", f"there is no rule {self.target.name}", action="elbv2:DescribeRules")
        actions = rules[0].get("Actions") or []
        forward = actions[0].get("ForwardConfig") or {} if len(actions) == 1 else {}
        groups = forward.get("TargetGroups") or []
        return {
            "weights": {str(each.get("TargetGroupArn")): int(each.get("Weight") or 0) for each in groups},
            "sticky": bool((forward.get("TargetGroupStickinessConfig") or {}).get("Enabled")),
            "default": bool(rules[0].get("IsDefault")),
        }

    async def plan(self, place: Place, state: Json) -> Plan:
        now = state["weights"]
        assert isinstance(now, dict)
        if set(now) != set(self.weights):
            raise Unfit("the weights are not of exactly the target groups that the rule forwards to")
        if state["default"] or state["sticky"]:
            raise Unfit("a default rule, or one with stickiness, is not changed from here")
        if not sum(self.weights.values()) > 0 or not all(0 <= each <= 999 for each in self.weights.values()):
            raise Unfit("weights go from 0 to 999, and one of them is more than 0")
        if now == self.weights:
            raise Unfit("the weights are these already")
        before, after = _shares({arn: int(str(weight)) for arn, weight in now.items()}), _shares(self.weights)
        parts = [f"{_name(arn)} {before[arn]} % → {after[arn]} %" for arn in sorted(after)]
        return Plan(
            title=f"Share the traffic of rule {self.target.name.rpartition('/')[2]} differently",
            summary=", ".join(parts),
            impact="new requests go by these shares at once; those under way are not moved",
            risk=Risk.high,
            back=ShiftTraffic(rule=self.rule, weights={arn: int(str(weight)) for arn, weight in now.items()}),
            account=account_of(self.rule),
        )


def _shares(weights: Mapping[str, int]) -> dict[str, int]:
    total = sum(weights.values()) or 1
    return {arn: round(100 * weight / total) for arn, weight in weights.items()}


MUTATIONS = (DeregisterTarget, RegisterTarget, ShiftTraffic)
