"""The current state of the smaller kinds of resource: tables, queues, caches, streams, machines."""

from collections.abc import Sequence
from typing import Any

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Fact
from runbook_bot.providers.aws.dimensions import cache_nodes
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place

_QUEUE = {
    "ApproximateNumberOfMessages": ("messages", "messages"),
    "ApproximateNumberOfMessagesNotVisible": ("messages_in_flight", "messages"),
    "ApproximateNumberOfMessagesDelayed": ("messages_delayed", "messages"),
    "VisibilityTimeout": ("visibility_timeout", "s"),
    "MessageRetentionPeriod": ("retention", "s"),
    "RedrivePolicy": ("redrive_policy", ""),
}


async def table_facts(place: Place, name: str) -> list[Fact]:
    """Raises `CallFailed`, as all of these do."""
    table = (await place.call("dynamodb", "DescribeTable", TableName=name)).get("Table") or {}
    throughput = table.get("ProvisionedThroughput") or {}
    billing = (table.get("BillingModeSummary") or {}).get("BillingMode") or "PROVISIONED"
    indexes = table.get("GlobalSecondaryIndexes") or []
    return [
        Fact(name="status", value=table.get("TableStatus")),
        Fact(name="billing_mode", value=billing),
        Fact(name="read_capacity", value=throughput.get("ReadCapacityUnits"), unit="units/s"),
        Fact(name="write_capacity", value=throughput.get("WriteCapacityUnits"), unit="units/s"),
        Fact(name="items", value=table.get("ItemCount")),
        Fact(name="size", value=table.get("TableSizeBytes"), unit="bytes"),
        Fact(name="indexes", value=[f"{each.get('IndexName')}: {each.get('IndexStatus')}" for each in indexes]),
    ]


async def queue_facts(place: Place, name: str) -> list[Fact]:
    url = (await place.call("sqs", "GetQueueUrl", QueueName=name)).get("QueueUrl")
    answer = await place.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = answer.get("Attributes") or {}
    return [
        Fact(name=ours, value=_number(attributes[theirs]), unit=unit)
        for theirs, (ours, unit) in _QUEUE.items()
        if theirs in attributes
    ]


async def cache_facts(place: Place, name: str) -> list[Fact]:
    nodes = await cache_nodes(place, name)
    found: list[Answer] = []
    for node in nodes:
        answer = await place.call("elasticache", "DescribeCacheClusters", CacheClusterId=node)
        found += answer.get("CacheClusters") or []
    first = _first(found, f"there is no cache cluster {name}", "elasticache:DescribeCacheClusters")
    return [
        Fact(name="status", value=first.get("CacheClusterStatus")),
        Fact(name="class", value=first.get("CacheNodeType")),
        Fact(name="engine", value=f"{first.get('Engine', '')} {first.get('EngineVersion', '')}".strip()),
        Fact(name="nodes", value=[str(each.get("CacheClusterId")) for each in found]),
        Fact(name="node_states", value=[str(each.get("CacheClusterStatus")) for each in found]),
    ]


async def stream_facts(place: Place, name: str) -> list[Fact]:
    answer = await place.call("kinesis", "DescribeStreamSummary", StreamName=name)
    summary = answer.get("StreamDescriptionSummary") or {}
    return [
        Fact(name="status", value=summary.get("StreamStatus")),
        Fact(name="shards", value=summary.get("OpenShardCount")),
        Fact(name="retention", value=summary.get("RetentionPeriodHours"), unit="h"),
        Fact(name="consumers", value=summary.get("ConsumerCount")),
    ]


async def machine_facts(place: Place, name: str) -> list[Fact]:
    answer = await place.call("ec2", "DescribeInstances", InstanceIds=[name])
    instances = [each for group in answer.get("Reservations") or [] for each in group.get("Instances") or []]
    machine = _first(instances, f"there is no instance {name}", "ec2:DescribeInstances")
    launched = machine.get("LaunchTime")
    return [
        Fact(name="state", value=(machine.get("State") or {}).get("Name")),
        Fact(name="state_reason", value=machine.get("StateTransitionReason")),
        Fact(name="class", value=machine.get("InstanceType")),
        Fact(name="image", value=machine.get("ImageId")),
        Fact(name="zone", value=(machine.get("Placement") or {}).get("AvailabilityZone")),
        Fact(name="launched_at", value=iso(launched) if launched else None),
        Fact(name="security_groups", value=[each.get("GroupId") for each in machine.get("SecurityGroups") or []]),
    ]


async def log_group_facts(place: Place, name: str) -> list[Fact]:
    groups = await place.gather("logs", "DescribeLogGroups", "logGroups", 50, logGroupNamePrefix=name)
    exact = [each for each in groups if each.get("logGroupName") == name]
    group = _first(exact, f"there is no log group {name}", "logs:DescribeLogGroups")
    return [
        Fact(name="retention", value=group.get("retentionInDays"), unit="days"),
        Fact(name="size", value=group.get("storedBytes"), unit="bytes"),
    ]


async def kubernetes_facts(place: Place, name: str) -> list[Fact]:
    cluster = (await place.call("eks", "DescribeCluster", name=name)).get("cluster") or {}
    issues = (cluster.get("health") or {}).get("issues") or []
    return [
        Fact(name="status", value=cluster.get("status")),
        Fact(name="version", value=cluster.get("version")),
        Fact(name="issues", value=[f"{each.get('code')}: {each.get('message')}" for each in issues]),
    ]


async def bucket_facts(place: Place, name: str) -> list[Fact]:
    answer = await place.call("s3", "GetBucketVersioning", Bucket=name)
    return [Fact(name="exists", value=True), Fact(name="versioning", value=answer.get("Status") or "off")]


def _first(items: Sequence[Any], missing: str, action: str) -> Answer:
    if not items:
        raise CallFailed("missing", missing, action=action)
    first: Answer = items[0]
    return first


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
