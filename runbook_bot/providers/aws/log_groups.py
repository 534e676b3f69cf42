"""Which log groups a resource writes to, found from its configuration."""

from collections.abc import Iterable

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import log_group, read_function
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.task_definitions import read_revision

LOGGING = frozenset({R.log_group, R.ecs_service, R.lambda_function, R.rds_instance, R.rds_cluster, R.eks_cluster})
"""The types whose logs can be found."""


async def log_groups(place: Place, resource: Resource) -> list[str]:
    """Raises `CallFailed` where the configuration cannot be read."""
    match resource.type:
        case R.log_group:
            return [resource.name]
        case R.ecs_service:
            return await _of_service(place, resource)
        case R.lambda_function:
            return await _of_function(place, resource.name)
        case R.rds_instance:
            return await _starting_with(place, [f"/aws/rds/instance/{resource.name}/"])
        case R.rds_cluster:
            return await _starting_with(place, [f"/aws/rds/cluster/{resource.name}/"])
        case R.eks_cluster:
            prefixes = [f"/aws/eks/{resource.name}/", f"/aws/containerinsights/{resource.name}/application"]
            return await _starting_with(place, prefixes)
        case _:
            return []


async def _of_service(place: Place, resource: Resource) -> list[str]:
    """The task definition says it; where it does not or cannot be read, a group of the usual name if there is one."""
    try:
        service = await read_service(place, resource)
        named = (await read_revision(place, str(service.get("taskDefinition", "")))).log_groups
    except CallFailed:
        usual = await _usual(place, resource)
        if not usual:
            raise
        return usual
    return named or await _usual(place, resource)


async def _usual(place: Place, resource: Resource) -> list[str]:
    name = f"/ecs/{resource.name}"
    return [group for group in await _starting_with(place, [name]) if group == name or group.startswith(f"{name}/")]


async def _of_function(place: Place, name: str) -> list[str]:
    try:
        return [log_group(await read_function(place, name), name)]
    except CallFailed as failure:
        if failure.kind == "missing":
            raise
        return [f"/aws/lambda/{name}"]  # the default, where the configuration cannot be read


async def _starting_with(place: Place, prefixes: Iterable[str]) -> list[str]:
    found: list[str] = []
    for prefix in prefixes:
        groups = await place.gather("logs", "DescribeLogGroups", "logGroups", 20, logGroupNamePrefix=prefix)
        found += [str(each["logGroupName"]) for each in groups if each.get("logGroupName")]
    return list(dict.fromkeys(found))
