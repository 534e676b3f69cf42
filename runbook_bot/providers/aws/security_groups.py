"""Rules of security groups: who is let in or out, on which ports, and whether a given port is among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runbook_bot.providers.aws.place import Answer

_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "-1": "all"}
_WORLD = ("0.0.0.0/0", "::/0")
_LAST_PORT = 65535


@dataclass(frozen=True)
class Rule:
    """One peer of one permission of a group."""

    group: str
    group_name: str
    direction: Literal["in", "out"]
    protocol: str
    """`tcp`, `udp`, `icmp`, `icmpv6`, `all`, or a number."""
    first: int | None
    """Lowest port; None for all ports. Type and code for ICMP are not told apart."""
    last: int | None
    peer: str
    """A CIDR, or the id of a security group or a prefix list."""
    peer_account: str | None = None
    description: str = ""

    @property
    def world(self) -> bool:
        """Whether everybody is meant."""
        return self.peer in _WORLD

    @property
    def ports(self) -> str:
        if self.first is None:
            return "all"
        return str(self.first) if self.last in (None, self.first) else f"{self.first}-{self.last}"

    @property
    def breadth(self) -> int:
        """How many ports are open by it."""
        return _LAST_PORT + 1 if self.first is None else (self.last or self.first) - self.first + 1

    def allows(self, port: int, protocol: str) -> bool:
        if self.protocol not in ("all", protocol):
            return False
        return self.first is None or self.first <= port <= (self.first if self.last is None else self.last)


def rules_of(group: Answer) -> list[Rule]:
    """All rules of a group as DescribeSecurityGroups tells of it; a rule with several peers is several."""
    return [
        *_rules(group, "in", group.get("IpPermissions") or []),
        *_rules(group, "out", group.get("IpPermissionsEgress") or []),
    ]


def _rules(group: Answer, direction: Literal["in", "out"], permissions: list[Answer]) -> Iterator[Rule]:
    for each in permissions:
        protocol = str(each.get("IpProtocol", "-1"))
        first, last = each.get("FromPort"), each.get("ToPort")
        everything = first is None or first < 0 or (first == 0 and last == _LAST_PORT)
        for peer, account, description in _peers(each):
            yield Rule(
                group=str(group.get("GroupId", "")),
                group_name=str(group.get("GroupName", "")),
                direction=direction,
                protocol=_NUMBERS.get(protocol, protocol),
                first=None if everything else first,
                last=None if everything else last,
                peer=peer,
                peer_account=account if account != group.get("OwnerId") else None,
                description=description,
            )


def _peers(permission: Answer) -> Iterator[tuple[str, str | None, str]]:
    """The peer, the account it is in where that is told, and what people wrote about it."""
    for part, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId")):
        for each in permission.get(part) or []:
            if each.get(key):
                yield str(each[key]), None, str(each.get("Description") or "")
    for each in permission.get("UserIdGroupPairs") or []:
        peer = each.get("GroupId") or each.get("GroupName")
        if peer:
            yield str(peer), each.get("UserId"), str(each.get("Description") or "")
