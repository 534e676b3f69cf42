"""Who may reach a port: the rules of the security groups in front of something, read as a list of callers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import ClassVar, Literal

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import read_function
from runbook_bot.providers.aws.console import console_page
from runbook_bot.providers.aws.dimensions import cache_nodes
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.elb import load_balancer
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.ec2_network import by_id_or_name, interface_owner, read_groups
from runbook_bot.providers.aws.operations.listing import cut_short, filters
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.parts import Parts
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_instance
from runbook_bot.providers.aws.security_groups import Rule, rules_of

_MOST = 1000
_MOST_PEERS = 100
_MOST_LISTS = 10
_TOLD_ENTRIES = 20


class WhoMayReach(Operation):
    """Who the security groups let in on a port: the internet, address ranges, and other groups with what is in them."""

    kind: ClassVar[str] = "aws.ec2.who_may_reach"
    service = "ec2"
    calls = (
        "DescribeSecurityGroups",
        "DescribeNetworkInterfaces",
        "GetManagedPrefixListEntries",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusters",
        "ecs:DescribeServices",
        "lambda:GetFunctionConfiguration",
        "elbv2:DescribeLoadBalancers",
        "elasticache:DescribeCacheClusters",
        "elasticache:DescribeReplicationGroups",
    )
    subjects = frozenset(
        {
            R.rds_instance,
            R.rds_cluster,
            R.ecs_service,
            R.lambda_function,
            R.load_balancer,
            R.elasticache_cluster,
            R.ec2_instance,
        }
    )
    words = (
        "who may reach port",
        "who can connect to",
        "who can reach the database",
        "is the port open",
        "reachable from",
    )

    port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="The port, e.g. 5432 for PostgreSQL, 443 HTTPS; none means the resource's own, else every port",
    )
    protocol: Literal["tcp", "udp"] = Field(default="tcp", description="tcp or udp")
    groups: tuple[str, ...] = Field(default=(), description="Ids or names of the security groups in front of it")
    resource: Resource | None = Field(default=None, description="What is to be reached, instead of its groups")
    address: str | None = Field(
        default=None, description="Private address of what is to be reached, instead of its groups"
    )

    async def answer(self, place: Place, now: datetime) -> Result:
        before, own_port = await self._in_front(place)
        chosen, port = [*self.groups, *before], own_port if self.port is None else self.port
        if not chosen and (self.resource or self.address):
            return self.table(place, [], empty="no security group is known to be in front of it")
        groups: list[Answer] = []
        for which in by_id_or_name(dict.fromkeys(chosen)) or [{}]:
            groups += await read_groups(place, which)
        rules = [
            rule
            for group in groups
            for rule in rules_of(group)
            if rule.direction == "in" and (port is None or rule.allows(port, self.protocol))
        ]
        rules.sort(key=lambda each: (not each.world, each.peer.startswith("sg-"), _narrowness(each.peer), each.peer))
        parts = Parts()
        callers = await _callers(place, rules, parts)
        door = "at all" if port is None else f"on {self.protocol} {port}"
        nobody = f"nothing is let in {door}" if groups else "no such security group"
        return self.table(
            place,
            [_caller(rule, callers.get(rule.peer, {})) for rule in rules],
            empty=nobody,
            failures=parts.failures,
            more=cut_short(groups, _MOST, "name the groups, the resource or its address"),
            console=console_page(place.region, "ec2/home#SecurityGroups:"),
        )

    async def _in_front(self, place: Place) -> tuple[list[str], int | None]:
        """Groups, and the port of the resource where it has one. Raises `CallFailed`."""
        found, port = await in_front(place, self.resource) if self.resource is not None else ([], None)
        if self.address is not None:
            found = [*found, *await _of_interfaces(place, {"addresses.private-ip-address": self.address})]
        return found, port


async def in_front(place: Place, resource: Resource) -> tuple[list[str], int | None]:
    """Ids of the security groups in front of a resource, and its own port where it has one. Raises `CallFailed`."""
    name = resource.name
    match resource.type:
        case R.rds_instance:
            database = await read_instance(place, name)
            return _vpc_groups(database), (database.get("Endpoint") or {}).get("Port")
        case R.rds_cluster:
            database = await read_cluster(place, name)
            return _vpc_groups(database), database.get("Port")
        case R.ecs_service:
            network = (await read_service(place, resource)).get("networkConfiguration") or {}
            return _texts((network.get("awsvpcConfiguration") or {}).get("securityGroups")), None
        case R.lambda_function:
            network = (await read_function(place, name)).get("VpcConfig") or {}
            return _texts(network.get("SecurityGroupIds")), None
        case R.load_balancer:
            return _texts((await load_balancer(place, name)).get("SecurityGroups")), None
        case R.elasticache_cluster:
            return await _cache(place, name)
        case R.ec2_instance:
            return await _of_interfaces(place, {"attachment.instance-id": name}), None
        case _:
            text = f"a security group in front of a {resource.type} is not known of; name the groups or an address"
            raise CallFailed("unsupported", text, action="ec2:DescribeSecurityGroups")


def _vpc_groups(database: Answer) -> list[str]:
    told = database.get("VpcSecurityGroups") or []
    return [str(each["VpcSecurityGroupId"]) for each in told if each.get("VpcSecurityGroupId")]


async def _cache(place: Place, name: str) -> tuple[list[str], int | None]:
    """Of a replication group all nodes have the same."""
    nodes = await cache_nodes(place, name)
    answer = await place.call("elasticache", "DescribeCacheClusters", CacheClusterId=nodes[0], ShowCacheNodeInfo=True)
    clusters: list[Answer] = answer.get("CacheClusters") or []
    groups = [
        str(g["SecurityGroupId"]) for c in clusters for g in c.get("SecurityGroups") or [] if g.get("SecurityGroupId")
    ]
    ports = [(node.get("Endpoint") or {}).get("Port") for c in clusters for node in c.get("CacheNodes") or []]
    return groups, next((port for port in ports if port), None)


def _texts(values: Sequence[object] | None) -> list[str]:
    return [str(each) for each in values or []]


async def _of_interfaces(place: Place, which: Mapping[str, str]) -> list[str]:
    found = await place.gather("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", _MOST, Filters=filters(which))
    groups = [group for each in found for group in each.get("Groups") or []]
    return list(dict.fromkeys(str(each["GroupId"]) for each in groups if each.get("GroupId")))


async def _callers(place: Place, rules: Sequence[Rule], parts: Parts) -> Mapping[str, Answer]:
    """What is known of each peer that is a group or a prefix list."""
    peers = list(dict.fromkeys(each.peer for each in rules))
    groups = [each for each in peers if each.startswith("sg-")][:_MOST_PEERS]
    lists = [each for each in peers if each.startswith("pl-")][:_MOST_LISTS]
    found: dict[str, Answer] = {each: {"inside": [], "things": 0} for each in groups}
    if groups:
        for group in await parts.get(read_groups(place, {"group-id": groups}), []):
            found.setdefault(str(group.get("GroupId")), {})["name"] = group.get("GroupName")
        which = filters({"group-id": groups})
        reading = place.gather("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces", _MOST, Filters=which)
        told: list[Answer] | None = await parts.get(reading, None)
        for peer in groups:
            inside = _members(told, peer) if told is not None else None
            found[peer]["inside"] = names(dict.fromkeys(inside)) if inside else None
            found[peer]["things"] = None if inside is None else len(inside)
    for id, entries in await parts.each(lists, lambda id: _entries(place, id)):
        found[id] = {"inside": names(entries, _TOLD_ENTRIES)}
    return found


def _members(interfaces: Sequence[Answer], group: str) -> list[str]:
    return [
        interface_owner(each) for each in interfaces if any(g.get("GroupId") == group for g in each.get("Groups") or [])
    ]


async def _entries(place: Place, id: str) -> list[str]:
    found = await place.gather("ec2", "GetManagedPrefixListEntries", "Entries", _MOST, PrefixListId=id)
    return [str(each.get("Cidr")) for each in found]


def _narrowness(peer: str) -> int:
    """Wide ranges first; what is no range last."""
    try:
        block = ip_network(peer, strict=False)
    except ValueError:
        return 1000
    return block.prefixlen


def _caller(rule: Rule, known: Answer) -> Row:
    facts: Answer = {
        "who": "the whole internet" if rule.world else known.get("name"),
        "interfaces": known.get("things"),
        "inside": known.get("inside"),
        "ports": rule.ports,
        "by_group": f"{rule.group} {rule.group_name}".strip(),
        "account": rule.peer_account,
        "description": rule.description or None,
    }
    return Row(name=rule.peer, facts=facts)


OPERATIONS = (WhoMayReach,)
