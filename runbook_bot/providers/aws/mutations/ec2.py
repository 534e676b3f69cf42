"""Changes of machines: reboot, start, stop; and the undoing of a change of a security group's rule."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit
from runbook_bot.providers.aws.place import Answer, Place


class _Machine(AwsMutation):
    """A change of one instance."""

    service: ClassVar[str] = "ec2"
    any_target: ClassVar[str] = "instance/*"
    dry_runs: ClassVar[bool] = True

    instance: str = Field(pattern=r"^i-[0-9a-f]{8,17}$", description="Instance id")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.ec2_instance, name=self.instance)

    @property
    def request(self) -> dict[str, Any]:
        return {"InstanceIds": [self.instance]}

    @property
    def resource_path(self) -> str:
        return f"instance/{self.instance}"

    @property
    def watched(self) -> tuple[str, ...]:
        return ("state", "type")

    async def _read(self, place: Place) -> Answer:
        told = await place.call("ec2", "DescribeInstances", InstanceIds=[self.instance])
        for reservation in told.get("Reservations") or []:
            for machine in reservation.get("Instances") or []:
                return {**machine, "OwnerId": reservation.get("OwnerId")}
        raise CallFailed("missing", f"there is no instance {self.instance}", action="ec2:DescribeInstances")

    async def state(self, place: Place) -> Json:
        machine = await self._read(place)
        return {
            "state": str((machine.get("State") or {}).get("Name", "")),
            "type": str(machine.get("InstanceType", "")),
            "name": _tag(machine, "Name"),
            "group": _tag(machine, "aws:autoscaling:groupName"),
            "root": str(machine.get("RootDeviceType", "")),
            "account": str(machine.get("OwnerId") or ""),
        }


def _tag(machine: Answer, key: str) -> str:
    return next((str(each.get("Value", "")) for each in machine.get("Tags") or [] if each.get("Key") == key), "")


def _called(state: Json, instance: str) -> str:
    return f"{state['name']} ({instance})" if state["name"] else instance


def _in_a_group(state: Json) -> str:
    group = state["group"]
    return f"; it is in the Auto Scaling group {group}, which may replace it meanwhile" if group else ""


class RebootMachine(_Machine):
    """Reboot an EC2 instance: what runs on it is away for a minute or more."""

    operation: ClassVar[str] = "ec2.reboot_instance"
    action: ClassVar[str] = "RebootInstances"

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["state"] != "running":
            raise Unfit(f"{self.instance} is {state['state']}, and only a running instance can be rebooted")
        return Plan(
            title=f"Reboot {_called(state, self.instance)}",
            summary=f"{state['type']}, rebooted as it is",
            impact=f"what runs on {_called(state, self.instance)} is away while it reboots, usually one to "
            f"several minutes; its disks and addresses stay{_in_a_group(state)}",
            risk=Risk.high,
            back=None,
            account=str(state["account"]),
        )


class StartMachine(_Machine):
    """Start a stopped EC2 instance."""

    operation: ClassVar[str] = "ec2.start_instance"
    action: ClassVar[str] = "StartInstances"

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["state"] != "stopped":
            raise Unfit(f"{self.instance} is {state['state']}, and only a stopped instance can be started")
        return Plan(
            title=f"Start {_called(state, self.instance)}",
            summary="stopped → running",
            impact=f"{_called(state, self.instance)} boots and is paid for again; a public address that is not an "
            "Elastic IP will be another one",
            risk=Risk.medium,
            back=StopMachine(instance=self.instance),
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return (await self.state(place))["state"] in ("pending", "running")


class StopMachine(_Machine):
    """Stop an EC2 instance: what runs on it is away until somebody starts it."""

    operation: ClassVar[str] = "ec2.stop_instance"
    action: ClassVar[str] = "StopInstances"

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["state"] != "running":
            raise Unfit(f"{self.instance} is {state['state']}, and only a running instance can be stopped")
        if state["root"] != "ebs":
            raise Unfit(f"{self.instance} runs from an instance store and cannot be stopped without losing it")
        return Plan(
            title=f"Stop {_called(state, self.instance)}",
            summary="running → stopped",
            impact=f"all that runs on {_called(state, self.instance)} is away until it is started again; what is on "
            f"instance-store disks is lost{_in_a_group(state)}",
            risk=Risk.critical,
            back=StartMachine(instance=self.instance),
            account=str(state["account"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        return (await self.state(place))["state"] in ("stopping", "stopped")


class _Rule(AwsMutation):
    """The parts of one rule of a security group, as EC2 writes it."""

    service: ClassVar[str] = "ec2"
    any_target: ClassVar[str] = "security-group/*"
    reads: ClassVar[tuple[str, ...]] = ("ec2:DescribeSecurityGroupRules",)
    dry_runs: ClassVar[bool] = True

    group: str = Field(pattern=r"^sg-[0-9a-f]{8,17}$", description="Security group id")
    direction: Literal["ingress", "egress"] = Field(description="Which way the traffic goes")
    protocol: str = Field(pattern=r"^(-1|tcp|udp|icmp|icmpv6|\d{1,3})$", description="tcp, udp, icmp, or -1 for all")
    from_port: int | None = Field(default=None, ge=-1, le=65535)
    to_port: int | None = Field(default=None, ge=-1, le=65535)
    cidr: str | None = Field(default=None, pattern=r"^[0-9a-fA-F:.]+/\d{1,3}$", description="Addresses, as CIDR")
    peer: str | None = Field(default=None, pattern=r"^sg-[0-9a-f]{8,17}$", description="Or another security group")

    @model_validator(mode="after")
    def _one_peer(self) -> "_Rule":
        if (self.cidr is None) == (self.peer is None):
            raise ValueError("either cidr or peer")
        return self

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.ec2_instance, kind="security_group", name=self.group)

    @property
    def request(self) -> dict[str, Any]:
        rule: dict[str, Any] = {"IpProtocol": self.protocol}
        if self.from_port is not None:
            rule |= {"FromPort": self.from_port, "ToPort": self.from_port if self.to_port is None else self.to_port}
        if self.peer is not None:
            rule["UserIdGroupPairs"] = [{"GroupId": self.peer}]
        elif ":" in str(self.cidr):
            rule["Ipv6Ranges"] = [{"CidrIpv6": self.cidr}]
        else:
            rule["IpRanges"] = [{"CidrIp": self.cidr}]
        return {"GroupId": self.group, "IpPermissions": [rule]}

    @property
    def resource_path(self) -> str:
        return f"security-group/{self.group}"

    async def state(self, place: Place) -> Json:
        wanted = [{"Name": "group-id", "Values": [self.group]}]
        rules = await place.gather("ec2", "DescribeSecurityGroupRules", "SecurityGroupRules", 1000, Filters=wanted)
        there = [each for each in rules if self._is(each)]
        owner = next((str(each.get("GroupOwnerId", "")) for each in rules), "")
        return {"there": bool(there), "rules": len(rules), "account": owner}

    def _is(self, rule: Answer) -> bool:
        last = self.from_port if self.to_port is None else self.to_port
        ports = self.protocol == "-1" or (rule.get("FromPort"), rule.get("ToPort")) == (self.from_port, last)
        peer = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
        return (
            bool(rule.get("IsEgress")) == (self.direction == "egress")
            and str(rule.get("IpProtocol")) == self.protocol
            and ports
            and (peer == self.peer if self.peer else self.cidr in (rule.get("CidrIpv4"), rule.get("CidrIpv6")))
        )

    @property
    def _said(self) -> str:
        ports = "" if self.from_port is None else f" {self.from_port}"
        if self.to_port not in (None, self.from_port):
            ports += f"-{self.to_port}"
        way = "from" if self.direction == "ingress" else "to"
        return f"{'everything' if self.protocol == '-1' else self.protocol}{ports} {way} {self.cidr or self.peer}"

    def _other(self, kind: "type[_Rule]") -> "_Rule":
        return kind.model_validate(self.model_dump())

    @property
    def _open(self) -> bool:
        return self.cidr in ("0.0.0.0/0", "::/0")


class _Allow(_Rule):
    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"there": True}

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["there"]:
            raise Unfit(f"{self.group} allows {self._said} already")
        if self._open:
            raise Unfit(f"{self.group} is not opened to the whole internet from here")
        back = RevokeIngress if self.direction == "ingress" else RevokeEgress
        return Plan(
            title=f"Allow {self._said} in {self.group} again",
            summary=f"{self.group}: + {self._said}",
            impact=f"everything that uses {self.group} {'accepts' if self.direction == 'ingress' else 'reaches'} "
            f"{self._said}; the other {state['rules']} rules stay",
            risk=Risk.high,
            back=self._other(back),
            account=str(state["account"]) or (await place.identity()).account,
        )


class _Revoke(_Rule):
    @property
    def leaves(self) -> Mapping[str, JsonValue]:
        return {"there": False}

    async def plan(self, place: Place, state: Json) -> Plan:
        if not state["there"]:
            raise Unfit(f"{self.group} has no rule that allows {self._said}")
        back = None if self._open else AllowIngress if self.direction == "ingress" else AllowEgress
        return Plan(
            title=f"Take the rule for {self._said} out of {self.group}",
            summary=f"{self.group}: - {self._said}",
            impact=f"connections that only this rule allows are refused for everything that uses {self.group}",
            risk=Risk.critical,
            back=self._other(back) if back else None,
            account=str(state["account"]) or (await place.identity()).account,
        )


class AllowIngress(_Allow):
    """Put a rule for incoming traffic back into a security group."""

    operation: ClassVar[str] = "ec2.authorize_ingress"
    action: ClassVar[str] = "AuthorizeSecurityGroupIngress"
    direction: Literal["ingress"] = "ingress"


class AllowEgress(_Allow):
    """Put a rule for outgoing traffic back into a security group."""

    operation: ClassVar[str] = "ec2.authorize_egress"
    action: ClassVar[str] = "AuthorizeSecurityGroupEgress"
    direction: Literal["egress"] = "egress"


class RevokeIngress(_Revoke):
    """Take a rule for incoming traffic out of a security group."""

    operation: ClassVar[str] = "ec2.revoke_ingress"
    action: ClassVar[str] = "RevokeSecurityGroupIngress"
    direction: Literal["ingress"] = "ingress"


class RevokeEgress(_Revoke):
    """Take a rule for outgoing traffic out of a security group."""

    operation: ClassVar[str] = "ec2.revoke_egress"
    action: ClassVar[str] = "RevokeSecurityGroupEgress"
    direction: Literal["egress"] = "egress"


MUTATIONS = (RebootMachine, StartMachine, StopMachine, AllowIngress, AllowEgress, RevokeIngress, RevokeEgress)
