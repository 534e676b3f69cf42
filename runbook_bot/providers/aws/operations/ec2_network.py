"""What can be asked of EC2 about the network: security groups and who they let in, interfaces, subnets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import ClassVar, Literal

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.operations.listing import cut_short, filters, tag_of
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.security_groups import Rule, rules_of

_MOST = 1000
_GROUPS_PAGE = "ec2/home#SecurityGroups:"


async def read_groups(place: Place, which: Mapping[str, str | Sequence[str] | None]) -> list[Answer]:
    """Security groups by EC2's filters. Raises `CallFailed`."""
    return await place.gather("ec2", "DescribeSecurityGroups", "SecurityGroups", _MOST, Filters=filters(which))


def by_id_or_name(groups: Iterable[str]) -> list[dict[str, list[str]]]:
    """EC2 joins filters by *and*, so ids and names are asked for one after the other."""
    listed = list(groups)
    ids = [each for each in listed if each.startswith("sg-")]
    return [
        {name: values}
        for name, values in (("group-id", ids), ("group-name", [g for g in listed if g not in ids]))
        if values
    ]


class SecurityGroups(Operation):
    """Security groups with how many rules each has and what it opens to the whole internet; the open ones first."""

    kind: ClassVar[str] = "aws.ec2.security_groups"
    service = "ec2"
    calls = ("DescribeSecurityGroups",)
    words = ("security groups", "firewall", "what is open to the internet", "open ports", "public security groups")

    groups: tuple[str, ...] = Field(default=(), description="Ids or names; none means all")
    vpc: str | None = Field(default=None, description="Id of the VPC they are in")

    async def answer(self, place: Place, now: datetime) -> Result:
        found: list[Answer] = []
        for which in by_id_or_name(self.groups) or [{}]:
            found += await read_groups(place, {**which, "vpc-id": self.vpc})
        rows = sorted((_group(each) for each in found), key=lambda row: (not row.facts.get("open_to_world"), row.name))
        return self.table(
            place,
            rows,
            empty="no security group fits",
            more=cut_short(found, _MOST, "name some groups or a VPC"),
            console=console_page(place.region, _GROUPS_PAGE),
        )


def _group(told: Answer) -> Row:
    rules = rules_of(told)
    entering = [each for each in rules if each.direction == "in"]
    facts: Answer = {
        "id": told.get("GroupId"),
        "open_to_world": list(dict.fromkeys(_spoken(each) for each in entering if each.world)) or None,
        "rules_in": len(entering),
        "rules_out": len(rules) - len(entering),
        "description": told.get("Description"),
        "vpc": told.get("VpcId"),
    }
    return Row(name=str(told.get("GroupName") or told.get("GroupId") or "?"), facts=facts)


def _spoken(rule: Rule) -> str:
    return rule.protocol if rule.first is None else f"{rule.protocol} {rule.ports}"


class SecurityGroupRules(Operation):
    """Every rule of some security groups: direction, protocol, ports, peer; what is open to all first."""

    kind: ClassVar[str] = "aws.ec2.security_group_rules"
    service = "ec2"
    calls = ("DescribeSecurityGroups",)
    words = ("security group rules", "rules of a security group", "ingress rules", "egress rules", "inbound rules")

    groups: tuple[str, ...] = Field(default=(), description="Ids or names of the groups; none means all")
    direction: Literal["in", "out"] | None = Field(default=None, description="Only what is let in, or out")

    async def answer(self, place: Place, now: datetime) -> Result:
        found: list[Answer] = []
        for which in by_id_or_name(self.groups) or [{}]:
            found += await read_groups(place, which)
        rules = [rule for group in found for rule in rules_of(group) if self.direction in (None, rule.direction)]
        rules.sort(key=lambda each: (each.direction != "in", not each.world, -each.breadth, each.group_name, each.peer))
        known = {str(each.get("GroupId")): str(each.get("GroupName")) for each in found}
        return self.table(
            place,
            [_rule(each, known) for each in rules],
            empty="the groups have no rule" if found else "no security group fits",
            more=cut_short(found, _MOST, "name some groups"),
            console=console_page(place.region, _GROUPS_PAGE),
        )


def _rule(rule: Rule, known: Mapping[str, str]) -> Row:
    facts: Answer = {
        "direction": rule.direction,
        "protocol": rule.protocol,
        "ports": rule.ports,
        "from" if rule.direction == "in" else "to": rule.peer,
        "peer_name": known.get(rule.peer),
        "peer_account": rule.peer_account,
        "group": rule.group,
        "description": rule.description or None,
    }
    return Row(name=rule.group_name or rule.group, facts=facts)


class NetworkInterfaces(Operation):
    """Network interfaces: whose address it is, what it belongs to, its security groups; unattached ones first."""

    kind: ClassVar[str] = "aws.ec2.network_interfaces"
    service = "ec2"
    calls = ("DescribeNetworkInterfaces",)
    words = ("network interfaces", "eni", "whose address is", "who has the ip", "what is behind this ip address")

    address: str | None = Field(default=None, description="A private or public IPv4 address")
    instance: str | None = Field(default=None, description="Id of the instance they are attached to")
    group: str | None = Field(default=None, description="Id of a security group they are in")
    subnet: str | None = Field(default=None, description="Id of the subnet they are in")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather(
            "ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", _MOST, Filters=self._which()
        )
        found.sort(key=lambda each: (each.get("Status") == "in-use", str(each.get("Description", ""))))
        return self.table(
            place,
            [_interface(each) for each in found],
            empty="no network interface fits",
            more=cut_short(found, _MOST, "name a subnet, a group or an address"),
            console=console_page(place.region, "ec2/home#NIC:"),
        )

    def _which(self) -> list[Answer]:
        private = self.address is None or not _public(self.address)
        return filters(
            {
                "addresses.private-ip-address" if private else "association.public-ip": self.address,
                "attachment.instance-id": self.instance,
                "group-id": self.group,
                "subnet-id": self.subnet,
            }
        )


def _public(address: str) -> bool:
    """Text that is no address at all is asked for as it is."""
    try:
        return ip_network(address).is_global
    except ValueError:
        return False


def interface_owner(told: Answer) -> str:
    """What an interface is for, in one phrase: the instance, or what the service that made it wrote."""
    attachment = told.get("Attachment") or {}
    return str(attachment.get("InstanceId") or told.get("Description") or told.get("InterfaceType") or "unknown")


def _interface(told: Answer) -> Row:
    id = str(told.get("NetworkInterfaceId", "?"))
    facts: Answer = {
        "status": told.get("Status"),
        "belongs_to": interface_owner(told),
        "type": told.get("InterfaceType"),
        "made_by": told.get("RequesterId"),
        "private_addresses": _private_addresses(told) or None,
        "public_address": (told.get("Association") or {}).get("PublicIp"),
        "security_groups": [
            f"{each.get('GroupId')} {each.get('GroupName', '')}".strip() for each in told.get("Groups") or []
        ],
        "subnet": told.get("SubnetId"),
        "zone": told.get("AvailabilityZone"),
        "description": told.get("Description") or None,
    }
    return Row(
        name=tag_of(told, "Name") or id, at=(told.get("Attachment") or {}).get("AttachTime"), facts={"id": id, **facts}
    )


def _private_addresses(told: Answer) -> list[str]:
    """None in a network that has IPv6 alone."""
    listed = told.get("PrivateIpAddresses") or [told]
    return [str(each["PrivateIpAddress"]) for each in listed if each.get("PrivateIpAddress")]


class Subnets(Operation):
    """Subnets by how many addresses are left in them: tasks, functions and nodes need one each; the fullest first."""

    kind: ClassVar[str] = "aws.ec2.subnets"
    service = "ec2"
    calls = ("DescribeSubnets",)
    words = ("subnets", "free ip addresses", "out of ip addresses", "address exhaustion", "available addresses")

    ids: tuple[str, ...] = Field(default=(), description="Subnet ids; none means all")
    vpc: str | None = Field(default=None, description="Id of the VPC they are in")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = filters({"subnet-id": self.ids, "vpc-id": self.vpc})
        found = await place.gather("ec2", "DescribeSubnets", "Subnets", _MOST, Filters=which)
        rows = sorted((_subnet(each) for each in found), key=lambda row: (_free(row), row.name))
        return self.table(
            place,
            rows,
            empty="no subnet fits",
            more=cut_short(found, _MOST, "name a VPC"),
            console=console_page(place.region, "vpcconsole/home#subnets:"),
        )


def _free(row: Row) -> float:
    free = row.facts.get("free_addresses")
    return float(free) if isinstance(free, int | float) else float("inf")


def _subnet(told: Answer) -> Row:
    id, block = str(told.get("SubnetId", "?")), str(told.get("CidrBlock") or "")
    free = told.get("AvailableIpAddressCount")
    facts: Answer = {
        "id": id,
        "free_addresses": free,
        "used_percent": _used(block, free),
        "cidr": block or None,
        "state": told.get("State"),
        "zone": told.get("AvailabilityZone"),
        "vpc": told.get("VpcId"),
    }
    return Row(name=tag_of(told, "Name") or id, facts=facts)


def _used(block: str, free: int | None) -> float | None:
    """Of what can be used: AWS keeps five addresses of each subnet for itself."""
    try:
        usable = ip_network(block).num_addresses - 5
    except ValueError:
        return None
    return None if free is None or usable <= 0 else round(100.0 * (usable - free) / usable, 1)


OPERATIONS = (SecurityGroups, SecurityGroupRules, NetworkInterfaces, Subnets)
