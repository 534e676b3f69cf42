"""What can be asked of EC2 about the way through a network: route tables, and the lists that subnets are guarded by."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.operations.listing import cut_short, filters, tag_of
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import names, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 500
_SHOWN = 40
_LAST_RULE = 32767
"""What no rule fits is refused by a last one that cannot be changed."""
_PROTOCOLS = {"-1": "all", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_EPHEMERAL = (1024, 65535)
"""Ports to which answers go; from the VPC guide, "Ephemeral ports"."""
_ANYWHERE = ("0.0.0.0/0", "::/0")
_TARGETS = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId",
    "EgressOnlyInternetGatewayId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn", "OdbNetworkArn",
)  # fmt: skip
_SUBNET = Field(default=None, description="Id of a subnet that it is for")
_VPC = Field(default=None, description="Id of the VPC they are in")


class RouteTables(Operation):
    """Route tables with where each route leads and which subnets use it; those with a route to nowhere first."""

    kind: ClassVar[str] = "aws.ec2.route_tables"
    service = "ec2"
    calls = ("DescribeRouteTables", "DescribeSubnets")
    words = ("route tables", "routes", "blackhole routes", "where does the route lead", "way to the internet",
             "is the subnet public")  # fmt: skip

    subnet: str | None = _SUBNET
    vpc: str | None = _VPC

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await _tables(place, {"association.subnet-id": self.subnet, "vpc-id": self.vpc})
        if not found and self.subnet:
            found = await self._main(place, self.subnet)
        rows = sorted((_table(each) for each in found), key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="no route table fits",
            more=cut_short(found, _MOST, "name a VPC"),
            console=console_page(place.region, "vpcconsole/home#RouteTables:"),
        )

    async def _main(self, place: Place, subnet: str) -> list[Answer]:
        """A subnet that has no table of its own uses the main one of its network."""
        answer = await place.call("ec2", "DescribeSubnets", SubnetIds=[subnet])
        networks = [str(each["VpcId"]) for each in answer.get("Subnets") or [] if each.get("VpcId")]
        return await _tables(place, {"association.main": "true", "vpc-id": networks}) if networks else []


async def _tables(place: Place, which: dict[str, Any]) -> list[Answer]:
    return await place.gather("ec2", "DescribeRouteTables", "RouteTables", _MOST, Filters=filters(which))


def _table(told: Answer) -> Row:
    id = str(told.get("RouteTableId", "?"))
    routes: list[Answer] = told.get("Routes") or []
    linked: list[Answer] = told.get("Associations") or []
    warnings: list[Any] = [f"leads nowhere: {_route(each)}" for each in routes if each.get("State") == "blackhole"]
    for each in linked:
        state: Answer = each.get("AssociationState") or {}
        if state.get("State") == "failed":
            warnings.append(f"its use by {each.get('SubnetId')} failed: {state.get('StatusMessage', '')}".rstrip(": "))
    ways = [each for each in routes if _destination(each) in _ANYWHERE and each.get("State") != "blackhole"]
    facts: dict[str, Any] = {
        "warnings": warnings or None,
        "id": id,
        "to_the_internet": names(sorted({_target(each) for each in ways})) or "no route",
        "routes": [_route(each) for each in routes][:_SHOWN],
        "routes_left_out": len(routes) - _SHOWN if len(routes) > _SHOWN else None,
        "main": any(each.get("Main") for each in linked) or None,
        "subnets": names(str(each["SubnetId"]) for each in linked if each.get("SubnetId")) or None,
        "vpc": told.get("VpcId"),
    }
    return Row(name=tag_of(told, "Name") or id, facts=facts)


def _destination(route: Answer) -> str:
    keys = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return str(next((route[each] for each in keys if route.get(each)), "?"))


def _target(route: Answer) -> str:
    return str(next((route[each] for each in _TARGETS if route.get(each)), "?"))


def _route(route: Answer) -> str:
    return f"{_destination(route)} → {_target(route)}"


class NetworkAcls(Operation):
    """Network ACLs with their rules in the order in which they are tried, in and out; those that stop answers first."""

    kind: ClassVar[str] = "aws.ec2.network_acls"
    service = "ec2"
    calls = ("DescribeNetworkAcls",)
    words = ("network acls", "nacl", "network acl rules", "is the subnet blocked", "denied by the network acl")

    subnet: str | None = _SUBNET
    vpc: str | None = _VPC

    async def answer(self, place: Place, now: datetime) -> Result:
        which = filters({"association.subnet-id": self.subnet, "vpc-id": self.vpc})
        found = await place.gather("ec2", "DescribeNetworkAcls", "NetworkAcls", _MOST, Filters=which)
        rows = sorted((_acl(each) for each in found), key=lambda row: (warned(row), row.name))
        return self.table(
            place,
            rows,
            empty="no network ACL fits",
            more=cut_short(found, _MOST, "name a VPC"),
            console=console_page(place.region, "vpcconsole/home#acls:"),
        )


def _acl(told: Answer) -> Row:
    id = str(told.get("NetworkAclId", "?"))
    entries: list[Answer] = sorted(told.get("Entries") or [], key=lambda each: each.get("RuleNumber") or 0)
    entering = [each for each in entries if not each.get("Egress")]
    leaving = [each for each in entries if each.get("Egress")]
    facts: dict[str, Any] = {
        "warnings": [*_stops(entering, "in"), *_stops(leaving, "out")] or None,
        "id": id,
        "default": told.get("IsDefault"),
        "in": [_rule(each, "from") for each in entering][:_SHOWN],
        "out": [_rule(each, "to") for each in leaving][:_SHOWN],
        "rules_left_out": max(0, len(entering) - _SHOWN) + max(0, len(leaving) - _SHOWN) or None,
        "subnets": names(str(each["SubnetId"]) for each in told.get("Associations") or [] if each.get("SubnetId"))
        or "none",
        "vpc": told.get("VpcId"),
    }
    return Row(name=tag_of(told, "Name") or id, facts=facts)


def _stops(entries: Sequence[Answer], way: str) -> Iterable[str]:
    """Rules keep no record of connections: what answers are sent to has to be let through as well."""
    allowed = [each for each in entries if each.get("RuleAction") == "allow"]
    if not allowed:
        yield f"lets nothing {way}"
    elif not any(_answers(each) for each in allowed):
        yield f"lets no answer {way}: no rule allows tcp ports {_EPHEMERAL[0]} to {_EPHEMERAL[1]}"
    denied = [each for each in entries if each.get("RuleAction") == "deny" and each.get("RuleNumber") != _LAST_RULE]
    if denied:
        word = "from" if way == "in" else "to"
        yield f"refuses {names([_rule(each, word) for each in denied], 3)}"


def _answers(entry: Answer) -> bool:
    """Whether any of the ports that answers go to is let through."""
    if str(entry.get("Protocol")) not in ("-1", "6"):
        return False
    ports: Answer = entry.get("PortRange") or {}
    first, last = ports.get("From", 0), ports.get("To", _EPHEMERAL[1])
    return bool(last >= _EPHEMERAL[0] and first <= _EPHEMERAL[1])


def _rule(entry: Answer, word: str) -> str:
    """E.g. `100 allow tcp 443 from 10.0.0.0/16`; the last one has no number."""
    number = "*" if entry.get("RuleNumber") == _LAST_RULE else entry.get("RuleNumber", "?")
    protocol = str(entry.get("Protocol", "?"))
    ports: Answer = entry.get("PortRange") or {}
    span = (
        f" {ports.get('From')}" + (f"-{ports['To']}" if ports.get("To") != ports.get("From") else "") if ports else ""
    )
    peer = entry.get("CidrBlock") or entry.get("Ipv6CidrBlock") or "?"
    return f"{number} {entry.get('RuleAction', '?')} {_PROTOCOLS.get(protocol, protocol)}{span} {word} {peer}"


OPERATIONS = (NetworkAcls, RouteTables)
