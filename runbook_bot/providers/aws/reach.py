"""What may reach what by its security groups: a guess, for services of which nothing better is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_bot.domain.service import Edge
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found
from runbook_bot.providers.aws.looking import Looking

KEEPING = frozenset({R.rds_instance, R.rds_cluster, R.elasticache_cluster})
"""What keeps data and sits behind a security group."""
MOST_USERS = 3
"""A group that more services than this are in says nothing about one of them."""


_IN_ONE_FILTER = 200


@dataclass(frozen=True)
class Rule:
    """What is in one security group may be reached from another one."""

    group: str
    source: str


def needed(found: Sequence[Found]) -> bool:
    """Whether anything runs in a security group, and anything that keeps data sits behind one."""
    return any(each.runs and each.firewall for each in found) and any(_keeps(each) and each.firewall for each in found)


def reachable(
    members: Mapping[str, Sequence[Found]], edges: Mapping[str, Sequence[Edge]], rules: Sequence[Rule]
) -> list[Edge]:
    """Edges from services that are known to call nothing that keeps data to what they may reach of that."""
    stores = {name for name, parts in members.items() if any(_keeps(part) for part in parts)}
    users: dict[str, set[str]] = {}
    for name, parts in members.items():
        for group in {group for part in parts for group in part.firewall}:
            users.setdefault(group, set()).add(name)
    allowed = {(rule.group, rule.source) for rule in rules if rule.group != rule.source}
    found: dict[tuple[str, str], Edge] = {}
    for group, source in sorted(allowed):
        callers = {name for name in users.get(source, set()) if any(part.runs for part in members[name])}
        if len(callers) > MOST_USERS:
            continue
        for caller in sorted(callers):
            if any(edge.called in stores for edge in edges.get(caller, ())):
                continue
            for called in sorted(users.get(group, set()) & stores - {caller}):
                found[caller, called] = Edge(caller=caller, called=called, found="security group", weak=True)
    return list(found.values())


def _keeps(found: Found) -> bool:
    return any(each.type in KEEPING for each in found.resources)


async def rules(look: Looking, found: Sequence[Found]) -> list[Rule]:
    """Who is let in by the groups before what keeps data. Raises `CallFailed` where they cannot be read."""
    groups = sorted({group for each in found if _keeps(each) for group in each.firewall})
    listed: list[Rule] = []
    for first in range(0, len(groups), _IN_ONE_FILTER):
        wanted = [{"Name": "group-id", "Values": groups[first : first + _IN_ONE_FILTER]}]
        for group in await look.listed("ec2", "DescribeSecurityGroups", "SecurityGroups", 2000, Filters=wanted):
            listed += [
                Rule(str(group.get("GroupId")), str(pair.get("GroupId")))
                for permission in group.get("IpPermissions") or []
                for pair in permission.get("UserIdGroupPairs") or []
            ]
    return listed
