"""Reads the current configuration and health of one resource, as facts."""

from collections.abc import Awaitable, Callable

from runbook_bot.domain.observation import Fact
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadState, Result, Status
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.alarms import alarm_facts
from runbook_bot.providers.aws.answers import failed, gaps
from runbook_bot.providers.aws.autoscaling import group_facts as scaling_facts
from runbook_bot.providers.aws.awslambda import function_facts
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.ecs import service_facts
from runbook_bot.providers.aws.elb import group_facts
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.front_facts import api_facts, app_facts, front_facts
from runbook_bot.providers.aws.place import Place, asked
from runbook_bot.providers.aws.rds import cluster_facts, instance_facts
from runbook_bot.providers.aws.resource_facts import (
    Facts,
    bucket_facts,
    cache_facts,
    kubernetes_facts,
    log_group_facts,
    machine_facts,
    queue_facts,
    stream_facts,
    table_facts,
)

_Reader = Callable[[Place, Resource], Awaitable[Facts]]


def _named(read: Callable[[Place, str], Awaitable[list[Fact]]]) -> _Reader:
    """A reader that needs the name only and has no parts that can fail alone."""

    async def by_name(place: Place, resource: Resource) -> Facts:
        return await read(place, resource.name), []

    return by_name


async def _scaling(place: Place, resource: Resource) -> Facts:
    return await scaling_facts(place, resource), []


READERS: dict[R, tuple[str, str, str, _Reader]] = {
    R.ecs_service: ("ecs", "DescribeServices", "service", service_facts),
    R.lambda_function: ("lambda", "GetFunctionConfiguration", "FunctionName", function_facts),
    R.rds_instance: ("rds", "DescribeDBInstances", "DBInstanceIdentifier", instance_facts),
    R.rds_cluster: ("rds", "DescribeDBClusters", "DBClusterIdentifier", cluster_facts),
    R.target_group: ("elbv2", "DescribeTargetHealth", "TargetGroup", _named(group_facts)),
    R.load_balancer: ("elbv2", "DescribeLoadBalancers", "Name", front_facts),
    R.alarm: ("cloudwatch", "DescribeAlarms", "AlarmName", _named(alarm_facts)),
    R.autoscaling_group: ("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroupName", _scaling),
    R.dynamodb_table: ("dynamodb", "DescribeTable", "TableName", _named(table_facts)),
    R.sqs_queue: ("sqs", "GetQueueAttributes", "QueueName", queue_facts),
    R.elasticache_cluster: ("elasticache", "DescribeCacheClusters", "CacheClusterId", cache_facts),
    R.kinesis_stream: ("kinesis", "DescribeStreamSummary", "StreamName", _named(stream_facts)),
    R.ec2_instance: ("ec2", "DescribeInstances", "InstanceId", machine_facts),
    R.log_group: ("logs", "DescribeLogGroups", "logGroupName", _named(log_group_facts)),
    R.eks_cluster: ("eks", "DescribeCluster", "name", kubernetes_facts),
    R.api_gateway: ("apigateway", "GetRestApis", "name", api_facts),
    R.amplify_app: ("amplify", "GetApp", "appId", app_facts),
    R.s3_bucket: ("s3", "GetBucketVersioning", "Bucket", _named(bucket_facts)),
}


async def read_state(place: Place, query: ReadState) -> Result:
    resource = query.resource
    service, action, parameter, read = READERS[resource.type]
    source = f"aws.{service}"
    where = f"state of {resource.type} {resource.name} in {place.name}"
    named = {parameter: resource.name} | ({"cluster": resource.cluster} if resource.cluster else {})
    request = asked(service, action, named)
    try:
        facts, failures = await read(place, resource)
    except CallFailed as failure:
        return failed(failure, source, where, request)
    known = tuple(fact for fact in facts if fact.value is not None)
    return Result(
        status=Status.truncated if failures else Status.ok,
        source=source,
        asked=request,
        where=where,
        message=f"not seen: {gaps(failures)}" if failures else "",
        facts=known,
        console=console_link(resource, place.region),
    )
