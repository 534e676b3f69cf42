"""Discovers what runs: ECS services and Lambda functions, with what is in front of them and what they log to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import log_group
from runbook_bot.providers.aws.discovered import Found, owner_name, service_name
from runbook_bot.providers.aws.elb import group_dimension, name_in
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import Revision, read_revision, short_name

_MOST_CLUSTERS = 20
_MOST_SERVICES = 200
_MOST_FUNCTIONS = 200
_IN_ONE_DESCRIBE = 10
Tags = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Front:
    """Load balancers by target group ARN, and their hosts by name."""

    behind: Mapping[str, tuple[str, ...]]
    hosts: Mapping[str, str]


async def services(place: Place, front: Front) -> list[Found]:
    """Every ECS service. Raises `CallFailed` where the clusters cannot be listed."""
    clusters = await place.gather("ecs", "ListClusters", "clusterArns", _MOST_CLUSTERS)
    parts = await asyncio.gather(*(_in_cluster(place, short_name(str(each)), front) for each in clusters))
    seen: set[str] = set()
    found: list[Found] = []
    for cluster, part in zip(clusters, parts, strict=True):
        for each in part:
            twice = each.name in seen
            found.append(replace(each, name=f"{short_name(str(cluster))}/{each.name}") if twice else each)
        seen |= {each.name for each in part}
    return found


async def _in_cluster(place: Place, cluster: str, front: Front) -> list[Found]:
    """A cluster that is deleted meanwhile, or a service, is simply not there."""
    try:
        arns = await place.gather("ecs", "ListServices", "serviceArns", _MOST_SERVICES, cluster=cluster)
        batches = [arns[i : i + _IN_ONE_DESCRIBE] for i in range(0, len(arns), _IN_ONE_DESCRIBE)]
        answers = await asyncio.gather(
            *(place.call("ecs", "DescribeServices", cluster=cluster, services=b, include=["TAGS"]) for b in batches)
        )
    except CallFailed as failure:
        if failure.kind == "missing":
            return []
        raise
    described = [each for answer in answers for each in answer.get("services") or []]
    active = [each for each in described if each.get("status") != "INACTIVE"]
    return list(await asyncio.gather(*(_service(place, cluster, each, front) for each in active)))


async def _service(place: Place, cluster: str, told: Answer, front: Front) -> Found:
    name = str(told.get("serviceName", ""))
    tags = {str(tag.get("key")): str(tag.get("value", "")) for tag in told.get("tags") or []}
    revision: Revision | None = None
    try:
        revision = await read_revision(place, str(told.get("taskDefinition", "")))
    except CallFailed:
        revision = None  # the service is there all the same; only its logs and neighbours are not known
    groups = [str(each["targetGroupArn"]) for each in told.get("loadBalancers") or [] if each.get("targetGroupArn")]
    balancers = [name for arn in groups for name in front.behind.get(arn, ())]
    resources = [
        Resource(type=R.ecs_service, cluster=cluster, name=name),
        *(Resource(type=R.target_group, name=name_in(group_dimension(arn))) for arn in groups),
        *(Resource(type=R.log_group, name=group) for group in (revision.log_groups if revision else [])),
    ]
    hosts = {front.hosts.get(each, "") for each in balancers}
    return Found(
        name=service_name(tags, name),
        resources=tuple(resources),
        owner=owner_name(tags),
        handles=frozenset(hosts - {""}),
        environment=revision.environment if revision else {},
        balancers=tuple(dict.fromkeys(balancers)),
    )


async def functions(place: Place, tags: Tags) -> list[Found]:
    """Every Lambda function. Raises `CallFailed` where they cannot be listed."""
    listed, mappings = await asyncio.gather(
        place.gather("lambda", "ListFunctions", "Functions", _MOST_FUNCTIONS), _mappings(place)
    )
    return [_function(each, tags, mappings) for each in listed]


async def _mappings(place: Place) -> Sequence[Answer]:
    try:
        return await place.gather("lambda", "ListEventSourceMappings", "EventSourceMappings", _MOST_FUNCTIONS)
    except CallFailed:
        return []  # what feeds a function is then known from services.yaml only


def _function(told: Answer, tags: Tags, mappings: Sequence[Answer]) -> Found:
    name, arn = str(told.get("FunctionName", "")), str(told.get("FunctionArn", ""))
    own = tags.get(arn, {})
    fed_by = [
        _source_name(str(each.get("EventSourceArn", "")))
        for each in mappings
        if f"{each.get('FunctionArn', '')}:".startswith(f"{arn}:")
    ]
    return Found(
        name=service_name(own, name),
        resources=(
            Resource(type=R.lambda_function, name=name),
            Resource(type=R.log_group, name=log_group(told, name)),
        ),
        owner=owner_name(own),
        handles=frozenset({arn.lower()} - {""}),
        calls=tuple(each for each in fed_by if each),
        environment={str(k): str(v) for k, v in ((told.get("Environment") or {}).get("Variables") or {}).items()},
    )


def _source_name(arn: str) -> str:
    """The queue, table or stream in the ARN of an event source."""
    return arn.rpartition(":")[2] if "/" not in arn else arn.partition("/")[2].partition("/")[0]
