"""Under which dimensions CloudWatch keeps the metrics of a resource, and back from dimensions to the resource."""

from collections.abc import Mapping

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.elb import Dimensions, balancer_dimensions, group_dimensions, name_in
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place

_PRIMARY = {
    R.ecs_service: "ServiceName",
    R.lambda_function: "FunctionName",
    R.target_group: "TargetGroup",
    R.load_balancer: "LoadBalancer",
    R.rds_instance: "DBInstanceIdentifier",
    R.rds_cluster: "DBClusterIdentifier",
    R.dynamodb_table: "TableName",
    R.sqs_queue: "QueueName",
    R.elasticache_cluster: "CacheClusterId",
    R.kinesis_stream: "StreamName",
    R.api_gateway: "ApiName",
    R.ec2_instance: "InstanceId",
    R.autoscaling_group: "AutoScalingGroupName",
    R.eks_cluster: "ClusterName",
    R.amplify_app: "App",
    R.s3_bucket: "BucketName",
    R.log_group: "LogGroupName",
}
_READ_BACK = (
    "TargetGroup",
    "LoadBalancer",
    "ServiceName",
    "FunctionName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "TableName",
    "QueueName",
    "CacheClusterId",
    "StreamName",
    "ApiName",
    "InstanceId",
    "AutoScalingGroupName",
    "App",
    "BucketName",
    "LogGroupName",
)
"""In this order: the most specific dimension says what a metric is about."""
_MOST_NODES = 6
_IS_NONE = ("missing", "invalid", "unsupported", "not_enabled")
"""How asking for a replication group ends where the name is a cluster's, or where there are no such groups."""


def primary_dimension(type: R) -> str | None:
    """The dimension that names a resource of this type."""
    return _PRIMARY.get(type)


def belongs(resource: Resource, dimensions: Mapping[str, str]) -> bool:
    """Whether a metric with these dimensions is about the resource."""
    value = dimensions.get(_PRIMARY.get(resource.type, ""))
    if value is None:
        return False
    if resource.type in (R.target_group, R.load_balancer):
        return name_in(value) == resource.name
    if resource.type is R.ecs_service:
        cluster = dimensions.get("ClusterName")
        return value == resource.name and cluster in (None, resource.cluster or "default")
    return value == resource.name


def subject_of(dimensions: Mapping[str, str]) -> Resource | None:
    """The resource that a metric with these dimensions is about, where that can be told."""
    by_dimension = {dimension: type for type, dimension in _PRIMARY.items()}
    for dimension in _READ_BACK:
        value = dimensions.get(dimension)
        if not value:
            continue
        type = by_dimension[dimension]
        if type in (R.target_group, R.load_balancer):
            return Resource(type=type, name=name_in(value))
        if type is R.ecs_service:
            return Resource(type=type, name=value, cluster=dimensions.get("ClusterName", "default"))
        return Resource(type=type, name=value)
    return None


async def dimensions_of(place: Place, resource: Resource) -> list[Dimensions]:
    """The sets of dimensions to ask for, usually one. Raises `CallFailed` where AWS has to be asked and fails."""
    match resource.type:
        case R.ecs_service:
            return [{"ClusterName": resource.cluster or "default", "ServiceName": resource.name}]
        case R.target_group:
            return await group_dimensions(place, resource.name)
        case R.load_balancer:
            return await balancer_dimensions(place, resource.name)
        case R.elasticache_cluster:
            return [{"CacheClusterId": node} for node in await cache_nodes(place, resource.name)]
        case R.metric:
            return [dict(resource.dimensions)]
        case _:
            dimension = _PRIMARY.get(resource.type)
            return [{dimension: resource.name}] if dimension else []


async def cache_nodes(place: Place, name: str) -> list[str]:
    """The cache clusters of a replication group; the name itself where it is none. Raises `CallFailed`."""

    async def look() -> list[str]:
        try:
            answer = await place.call("elasticache", "DescribeReplicationGroups", ReplicationGroupId=name)
        except CallFailed as failure:
            if failure.kind not in _IS_NONE:
                raise
            return [name]
        groups = answer.get("ReplicationGroups") or []
        members = [str(each) for group in groups for each in group.get("MemberClusters") or []]
        return members[:_MOST_NODES] or [name]

    return await place.recall(("cache nodes", name), 120.0, look)
