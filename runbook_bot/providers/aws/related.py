"""What a resource stands on: the names of its roles, security groups and parameter groups."""

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.awslambda import read_function
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.elb import load_balancer
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds import read_cluster, read_instance
from runbook_bot.providers.aws.task_definitions import read_revision


async def related_names(place: Place, resource: Resource) -> frozenset[str]:
    """Names a change may be made under and still be about the resource; nothing where they cannot be read."""
    try:
        return frozenset(name for name in await _names(place, resource) if name)
    except CallFailed:
        return frozenset()  # whoever reads the resource itself tells of the failure; here it only narrows the match


async def _names(place: Place, resource: Resource) -> list[str]:
    match resource.type:
        case R.ecs_service:
            service = await read_service(place, resource)
            network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
            revision = await read_revision(place, str(service.get("taskDefinition", "")))
            roles = [_tail(revision.told.get(field)) for field in ("taskRoleArn", "executionRoleArn")]
            return [*(network.get("securityGroups") or []), *(network.get("subnets") or []), *roles]
        case R.lambda_function:
            function = await read_function(place, resource.name)
            network = function.get("VpcConfig") or {}
            return [*(network.get("SecurityGroupIds") or []), _tail(function.get("Role"))]
        case R.rds_instance:
            return _database(await read_instance(place, resource.name))
        case R.rds_cluster:
            return _database(await read_cluster(place, resource.name))
        case R.load_balancer:
            return list((await load_balancer(place, resource.name)).get("SecurityGroups") or [])
        case _:
            return []


def _database(told: Answer) -> list[str]:
    groups = [each.get("VpcSecurityGroupId", "") for each in told.get("VpcSecurityGroups") or []]
    parameters = [each.get("DBParameterGroupName", "") for each in told.get("DBParameterGroups") or []]
    own = [name for name in parameters if not name.startswith("default.")]
    return [*groups, *own, str(told.get("DBClusterParameterGroup") or "")]


def _tail(arn: object) -> str:
    return str(arn or "").rpartition("/")[2]
