"""Finds services by looking: what runs, what is in front of it, what it calls and how one knows, who owns it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runbook_bot.domain.service import Look, ServiceGraph
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.answers import gaps
from runbook_bot.providers.aws.discover_data import buckets, caches, databases, streams, tables
from runbook_bot.providers.aws.discover_ecs import services
from runbook_bot.providers.aws.discover_fronts import Fronts, balancers, fronts, http_apis, rest_apis, targets
from runbook_bot.providers.aws.discover_functions import functions
from runbook_bot.providers.aws.discover_machines import instances, scaling_groups, wanted
from runbook_bot.providers.aws.discover_messages import doors, queues
from runbook_bot.providers.aws.discover_names import aliases
from runbook_bot.providers.aws.discover_roles import permitted
from runbook_bot.providers.aws.discover_traces import traced
from runbook_bot.providers.aws.discovered import Found, Lead, TagsByArn, tags_of
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.linking import linked
from runbook_bot.providers.aws.looking import AT_ONCE, Looking
from runbook_bot.providers.aws.place import Identity, Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.pointing import hosts_in
from runbook_bot.providers.aws.reach import Rule, needed, rules

_MOST_TAGGED = 20_000
_TAGGED = (
    "apigateway", "dynamodb", "ec2:instance", "elasticache", "elasticloadbalancing", "kinesis", "lambda", "s3", "sns",
    "sqs",
)  # fmt: skip
"""What does not tell its tags when it is listed."""
_NOWHERE = ("credentials", "clock", "wrong_account", "not_enabled", "unreachable", "timeout")
"""Where the first call ends like this, the place is not asked a second time."""


@dataclass(frozen=True)
class _Seen:
    """What one place has shown."""

    found: Sequence[Found]
    look: Looking
    rules: Sequence[Rule]


async def discover(places: Places, now: datetime) -> ServiceGraph:
    """What can be seen in all places. Raises `ProviderError` where nothing can."""
    turn = asyncio.Semaphore(AT_ONCE)
    told = await asyncio.gather(*(_look(place, turn, now) for place in places.all))
    seen = [each for each in told if isinstance(each, _Seen)]
    refused = {place.name: each for place, each in zip(places.all, told, strict=True) if isinstance(each, CallFailed)}
    failures = [*refused.values(), *(failure for each in seen for failure in each.look.failures)]
    found = [each for one in seen for each in one.found]
    if not found and failures:
        raise ProviderError(f"nothing can be discovered in AWS: {gaps(failures)}")
    for each in seen:
        if not each.found and each.look.absent:
            told_of = f"{len(each.look.absent)} kinds of things are not answered for here"
            each.look.unseen.append(f"nothing was found, and {told_of}: {each.look.absent[0]}")
    found, other_names = await _in_accounts(seen)
    graph = await asyncio.to_thread(linked, found, other_names, [rule for one in seen for rule in one.rules])
    return graph.model_copy(update={"looks": _looks(graph, now, seen, refused)})


async def _look(place: Place, turn: asyncio.Semaphore, now: datetime) -> _Seen | CallFailed:
    """One place. Each part alone; one that cannot be listed leaves the others as they are."""
    try:
        identity = await place.identity()
    except CallFailed as failure:
        if failure.kind in _NOWHERE:
            return failure
        identity = Identity("", "")
    look = Looking(place, identity, turn, now)
    look.tags, before = await asyncio.gather(
        look.part("tags", _tags(look), {}), look.part("load balancers", fronts(look), Fronts())
    )
    parts = await asyncio.gather(
        look.part("ECS services", services(look, before), []),
        look.part("Lambda functions", functions(look), []),
        databases(look),
        look.part("DynamoDB tables", tables(look), []),
        look.part("caches", caches(look), []),
        look.part("Kinesis streams", streams(look), []),
        look.part("queues", queues(look), []),
        look.part("Auto Scaling groups", scaling_groups(look), []),
        look.part("REST APIs", rest_apis(look), []),
        look.part("HTTP APIs", http_apis(look), []),
    )
    found = [each for part in parts for each in part]
    known = frozenset(handle for each in found for handle in each.handles)
    behind = await targets(look, before, known)
    if wanted(look, behind, known):
        found += await look.part("instances", instances(look, behind), [])
    found += balancers(look, before, behind)
    topics, traces, allowed = await asyncio.gather(
        look.part("subscriptions", doors(look), {}),
        look.part("traces", traced(look), {}),
        look.part("security groups", rules(look, found), []) if needed(found) else _none(),
    )
    found = [_completed(each, place, topics, traces) for each in found]
    return _Seen(found, look, allowed)


async def _none() -> list[Rule]:
    return []


async def _tags(look: Looking) -> TagsByArn:
    """Tags by ARN. Without them names and owners come from the resources' own names and services.yaml."""
    listed = await look.listed(
        "resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", _MOST_TAGGED, page=100,
        ResourceTypeFilters=list(_TAGGED),
    )  # fmt: skip
    return {str(each.get("ResourceARN")): tags_of(each.get("Tags")) for each in listed}


def _completed(
    found: Found, place: Place, topics: Mapping[str, frozenset[str]], traces: Mapping[str, Sequence[Lead]]
) -> Found:
    """With the topics that lead to it, and what it was seen to call."""
    handles = found.handles.union(*(topics.get(handle, ()) for handle in found.handles))
    names = {found.name.lower(), *(each.name.lower() for each in found.resources if each.type.value in _TRACED)}
    seen = [lead for name in sorted(names) for lead in traces.get(name, ())]
    return replace(found, place=place.name, handles=handles, leads=(*found.leads, *seen))


_TRACED = ("ecs_service", "lambda_function", "autoscaling_group", "api_gateway")


async def _in_accounts(seen: Sequence[_Seen]) -> tuple[list[Found], dict[str, str]]:
    """What is the same in all regions of an account, asked once: roles, buckets, and other names of hosts."""
    first = {each.look.identity.account: each for each in reversed(seen)}
    told = await asyncio.gather(*(_in_account(account, one, seen) for account, one in first.items()))
    found = [each for part, _ in told for each in part]
    return found, {name: target for _, names in told for name, target in names.items()}


async def _in_account(account: str, one: _Seen, seen: Sequence[_Seen]) -> tuple[list[Found], dict[str, str]]:
    found = [each for other in seen if other.look.identity.account == account for each in other.found]
    if not found:
        return [], {}
    known = {handle for each in found for handle in each.handles}
    hosts = hosts_in(value for each in found for value in each.environment.values()) - known
    look = one.look
    roles, stores, names = await asyncio.gather(
        look.part("roles", permitted(look), {}) if any(each.role for each in found) else _nothing(),
        look.part("buckets", buckets(look), []),
        look.part("Route 53", aliases(look, hosts), {}),
    )
    named = [replace(each, leads=(*each.leads, *roles.get(each.role.lower(), ()))) for each in found]
    return [*named, *(replace(each, place=look.place.name) for each in stores)], names


async def _nothing() -> dict[str, list[Lead]]:
    return {}


def _looks(
    graph: ServiceGraph, now: datetime, seen: Sequence[_Seen], refused: Mapping[str, CallFailed]
) -> tuple[Look, ...]:
    """A place is known by the resources that were found in it."""
    looks = []
    for each in seen:
        keys = {resource.key for one in each.found for resource in one.resources}
        names = [service.name for service in graph if any(resource.key in keys for resource in service.resources)]
        unseen = tuple(dict.fromkeys(each.look.unseen))
        looks.append(
            Look(place=f"aws {each.look.place.name}", at=now, services=tuple(names), resources=len(keys), unseen=unseen)
        )
    looks += [Look(place=f"aws {name}", at=now, unseen=(str(failure),)) for name, failure in refused.items()]
    return tuple(looks)
