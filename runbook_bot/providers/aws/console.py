"""Links to the same view in AWS's own console."""

from urllib.parse import quote

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType

_HOSTS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
_PATHS = {
    ResourceType.ecs_service: "ecs/v2/clusters/{cluster}/services/{name}/health?region={region}",
    ResourceType.lambda_function: "lambda/home?region={region}#/functions/{name}",
    ResourceType.ec2_instance: "ec2/home?region={region}#InstanceDetails:instanceId={name}",
    ResourceType.autoscaling_group: "ec2/home?region={region}#AutoScalingGroupDetails:id={name}",
    ResourceType.rds_instance: "rds/home?region={region}#database:id={name};is-cluster=false",
    ResourceType.rds_cluster: "rds/home?region={region}#database:id={name};is-cluster=true",
    ResourceType.dynamodb_table: "dynamodbv2/home?region={region}#table?name={name}",
    ResourceType.elasticache_cluster: "elasticache/home?region={region}#/redis/{name}",
    ResourceType.load_balancer: "ec2/home?region={region}#LoadBalancers:search={name}",
    ResourceType.target_group: "ec2/home?region={region}#TargetGroups:search={name}",
    ResourceType.api_gateway: "apigateway/main/apis?region={region}",
    ResourceType.sqs_queue: "sqs/v3/home?region={region}#/queues",
    ResourceType.kinesis_stream: "kinesis/home?region={region}#/streams/details/{name}/monitoring",
    ResourceType.s3_bucket: "s3/buckets/{name}?region={region}",
    ResourceType.log_group: "cloudwatch/home?region={region}#logsV2:log-groups/log-group/{twice}",
    ResourceType.alarm: "cloudwatch/home?region={region}#alarmsV2:alarm/{name}",
    ResourceType.eks_cluster: "eks/home?region={region}#/clusters/{name}",
    ResourceType.amplify_app: "amplify/home?region={region}#/{name}",
    ResourceType.metric: "cloudwatch/home?region={region}#metricsV2",
}


def console_host(region: str) -> str:
    """The console of the region's partition; regions of the commercial partition have hosts of their own."""
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return _HOSTS.get(partition, f"{region}.console.aws.amazon.com")


def console_link(resource: Resource, region: str) -> str | None:
    """The page of a resource; None for what has none."""
    path = _PATHS.get(resource.type)
    if path is None:
        return None
    name = quote(resource.name, safe="")
    twice = quote(name, safe="").replace("%", "$")
    cluster = quote(resource.cluster or "default", safe="")
    return f"https://{console_host(region)}/" + path.format(cluster=cluster, name=name, twice=twice, region=region)


def console_page(region: str, path: str) -> str:
    """A page of a service, e.g. `ec2/home#Volumes:`; the region is put where the console looks for it."""
    page, mark, rest = path.partition("#")
    return f"https://{console_host(region)}/{page}?region={region}{mark}{rest}"


def changes_link(region: str) -> str:
    return f"https://{console_host(region)}/cloudtrailv2/home?region={region}#/events"
