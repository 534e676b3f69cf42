"""Finds services by looking: what runs, what is in front of it, what it calls, and who owns it."""

import asyncio
from collections.abc import Sequence

from runbook_bot.domain.service import ServiceGraph
from runbook_bot.errors import ProviderError
from runbook_bot.providers.aws.answers import gaps
from runbook_bot.providers.aws.discover_compute import Front, functions, services
from runbook_bot.providers.aws.discover_data import caches, clusters, databases, queues, tables
from runbook_bot.providers.aws.discovered import Found, grouped
from runbook_bot.providers.aws.elb import balancer_dimension, name_in
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places

_MOST_BALANCERS = 300
_MOST_TAGGED = 1000


async def discover(places: Places) -> ServiceGraph:
    """What can be seen in all places. Raises `ProviderError` where nothing can."""
    parts = await asyncio.gather(*(_discover_place(place) for place in places.all))
    found = [each for nodes, _ in parts for each in nodes]
    failures = [each for _, failed in parts for each in failed]
    if not found and failures:
        raise ProviderError(f"nothing can be discovered in AWS: {gaps(failures)}")
    return ServiceGraph(services=tuple(grouped(found)))


async def _discover_place(place: Place) -> tuple[list[Found], list[CallFailed]]:
    """Each kind alone; one that cannot be listed leaves the others as they are."""
    tags, front = await asyncio.gather(_tags(place), _front(place))
    kinds = (
        services(place, front),
        functions(place, tags),
        databases(place),
        clusters(place),
        tables(place, tags),
        queues(place, tags),
        caches(place, tags),
    )
    answers: Sequence[list[Found] | BaseException] = await asyncio.gather(*kinds, return_exceptions=True)
    found: list[Found] = []
    failures: list[CallFailed] = []
    for answer in answers:
        if isinstance(answer, CallFailed):
            failures.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found += answer
    return [*found, *_shared_balancers(found, front)], failures


async def _tags(place: Place) -> dict[str, dict[str, str]]:
    """Tags by ARN, for what does not tell its tags when it is listed; nothing where they cannot be read."""
    try:
        listed = await place.gather("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", _MOST_TAGGED)
    except CallFailed:
        return {}  # names and owners then come from the resources' own names and services.yaml
    return {
        str(each.get("ResourceARN")): {str(tag["Key"]): str(tag["Value"]) for tag in each.get("Tags") or []}
        for each in listed
    }


async def _front(place: Place) -> Front:
    """Which load balancers stand before which target groups; nothing where they cannot be read."""
    try:
        groups, balancers = await asyncio.gather(
            place.gather("elbv2", "DescribeTargetGroups", "TargetGroups", _MOST_BALANCERS),
            place.gather("elbv2", "DescribeLoadBalancers", "LoadBalancers", _MOST_BALANCERS),
        )
    except CallFailed:
        return Front({}, {})
    behind = {
        str(group.get("TargetGroupArn")): tuple(
            name_in(balancer_dimension(arn)) for arn in group.get("LoadBalancerArns") or []
        )
        for group in groups
    }
    hosts = {str(each.get("LoadBalancerName")): str(each.get("DNSName", "")).lower() for each in balancers}
    return Front(behind, hosts)


def _shared_balancers(found: Sequence[Found], front: Front) -> list[Found]:
    """A load balancer before several services is a service of its own that calls them."""
    behind: dict[str, list[str]] = {}
    for each in found:
        for balancer in each.balancers:
            behind.setdefault(balancer, []).append(each.name)
    return [
        Found.of_balancer(name, front.hosts.get(name, ""), calls)
        for name, calls in behind.items()
        if len(set(calls)) > 1
    ]
