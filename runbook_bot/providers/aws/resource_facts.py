"""The current state of the smaller kinds of resource: tables, queues, caches, streams, machines, buckets."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Fact
from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.cache_limits import most_connections
from runbook_bot.providers.aws.dimensions import cache_nodes
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place, plain
from runbook_bot.providers.aws.timeline.arn_names import tail

Facts = tuple[list[Fact], list[CallFailed]]
"""What was read, and the parts that could not be."""

_QUEUE = {
    "ApproximateNumberOfMessages": ("messages", "messages"),
    "ApproximateNumberOfMessagesNotVisible": ("messages_in_flight", "messages"),
    "ApproximateNumberOfMessagesDelayed": ("messages_delayed", "messages"),
    "VisibilityTimeout": ("visibility_timeout", "s"),
    "MessageRetentionPeriod": ("retention", "s"),
    "DelaySeconds": ("delay", "s"),
    "ReceiveMessageWaitTimeSeconds": ("receive_wait", "s"),
    "MaximumMessageSize": ("largest_message", "bytes"),
}
_IN_FLIGHT = 120_000
"""Messages that may be in flight at once, by the quotas of SQS; the same for standard and FIFO queues."""


async def table_facts(place: Place, name: str) -> list[Fact]:
    """Raises `CallFailed`, as all of these do where the resource itself cannot be read."""
    table = (await place.call("dynamodb", "DescribeTable", TableName=name)).get("Table") or {}
    throughput = table.get("ProvisionedThroughput") or {}
    billing = (table.get("BillingModeSummary") or {}).get("BillingMode") or "PROVISIONED"
    indexes = table.get("GlobalSecondaryIndexes") or []
    maximum = table.get("OnDemandThroughput") or {}
    return [
        Fact(name="status", value=table.get("TableStatus")),
        Fact(name="billing_mode", value=billing),
        Fact(name="read_capacity", value=throughput.get("ReadCapacityUnits"), unit="units/s"),
        Fact(name="write_capacity", value=throughput.get("WriteCapacityUnits"), unit="units/s"),
        Fact(name="read_maximum", value=maximum.get("MaxReadRequestUnits"), unit="units/s"),
        Fact(name="write_maximum", value=maximum.get("MaxWriteRequestUnits"), unit="units/s"),
        Fact(name="decreases_today", value=throughput.get("NumberOfDecreasesToday")),
        Fact(name="items", value=table.get("ItemCount")),
        Fact(name="size", value=table.get("TableSizeBytes"), unit="bytes"),
        Fact(name="indexes", value=[_index(each) for each in indexes]),
        Fact(name="replicas", value=_replicas(table) or None),
        Fact(name="stream", value=(table.get("StreamSpecification") or {}).get("StreamViewType")),
    ]


def _replicas(table: Answer) -> list[JsonValue]:
    return [f"{each.get('RegionName')}: {each.get('ReplicaStatus')}" for each in table.get("Replicas") or []]


def _index(told: Answer) -> str:
    throughput = told.get("ProvisionedThroughput") or {}
    units = (throughput.get("ReadCapacityUnits"), throughput.get("WriteCapacityUnits"))
    capacity = f", {units[0]} read and {units[1]} write units" if any(units) else ""
    backfilling = ", backfilling" if told.get("Backfilling") else ""
    return f"{told.get('IndexName')}: {told.get('IndexStatus')}{backfilling}{capacity}"


async def queue_facts(place: Place, resource: Resource) -> Facts:
    attributes = await _queue(place, resource.name)
    fifo = attributes.get("FifoQueue") == "true"
    facts = [
        Fact(name=ours, value=_number(attributes[theirs]), unit=unit)
        for theirs, (ours, unit) in _QUEUE.items()
        if theirs in attributes
    ]
    facts.append(Fact(name="in_flight_limit", value=_IN_FLIGHT, unit="messages"))
    facts.append(Fact(name="fifo", value=fifo))
    dead, receives = _redrive(attributes.get("RedrivePolicy"))
    facts += [Fact(name="dead_letter_queue", value=dead or None), Fact(name="receives_before_that", value=receives)]
    if not dead:
        return facts, []
    try:
        theirs = await _queue(place, dead)
    except CallFailed as failure:
        return facts, [failure]
    waiting = theirs.get("ApproximateNumberOfMessages")
    return [*facts, Fact(name="dead_letters", value=_number(waiting) if waiting else None, unit="messages")], []


async def _queue(place: Place, name: str) -> dict[str, str]:
    url = (await place.call("sqs", "GetQueueUrl", QueueName=name)).get("QueueUrl")
    answer = await place.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    return answer.get("Attributes") or {}


def _redrive(policy: str | None) -> tuple[str, int | None]:
    """The queue that messages end in which could not be handled, and after how many tries."""
    try:
        told = json.loads(policy or "{}")
    except ValueError:
        return "", None
    if not isinstance(told, dict):
        return "", None
    count = str(told.get("maxReceiveCount") or "")
    return str(told.get("deadLetterTargetArn") or "").rpartition(":")[2], int(count) if count.isdecimal() else None


async def cache_facts(place: Place, resource: Resource) -> Facts:
    failures: list[CallFailed] = []
    try:
        nodes = await cache_nodes(place, resource.name)
    except CallFailed as failure:
        nodes, failures = [resource.name], [failure]
    found: list[Answer] = []
    for node in nodes:
        try:
            answer = await place.call("elasticache", "DescribeCacheClusters", CacheClusterId=node)
        except CallFailed as failure:
            raise failures[0] if failures and failure.kind == "missing" else failure from None
        found += answer.get("CacheClusters") or []
    first = _first(found, f"there is no cache cluster {resource.name}", "elasticache:DescribeCacheClusters")
    facts = [
        Fact(name="status", value=first.get("CacheClusterStatus")),
        Fact(name="class", value=first.get("CacheNodeType")),
        Fact(name="engine", value=f"{first.get('Engine', '')} {first.get('EngineVersion', '')}".strip()),
        Fact(name="nodes", value=[str(each.get("CacheClusterId")) for each in found]),
        Fact(name="node_states", value=[str(each.get("CacheClusterStatus")) for each in found]),
        Fact(
            name="max_connections",
            value=most_connections(str(first.get("Engine", "")), str(first.get("CacheNodeType", ""))),
            unit="connections",
        ),
        Fact(name="parameter_group", value=(first.get("CacheParameterGroup") or {}).get("CacheParameterGroupName")),
        Fact(name="pending_changes", value=plain(first.get("PendingModifiedValues") or {})),
        Fact(name="maintenance_window", value=first.get("PreferredMaintenanceWindow")),
        Fact(name="security_groups", value=[str(e.get("SecurityGroupId")) for e in first.get("SecurityGroups") or []]),
    ]
    group = str(first.get("ReplicationGroupId") or "")
    if not group:
        return facts, failures
    try:
        answer = await place.call("elasticache", "DescribeReplicationGroups", ReplicationGroupId=group)
    except CallFailed as failure:
        return facts, [failure]
    told: Answer = next(iter(answer.get("ReplicationGroups") or []), {})
    shards = told.get("NodeGroups") or []
    members = [member for shard in shards for member in shard.get("NodeGroupMembers") or []]
    primaries: list[JsonValue] = [
        str(each.get("CacheClusterId")) for each in members if each.get("CurrentRole") == "primary"
    ]
    return [
        *facts,
        Fact(name="automatic_failover", value=told.get("AutomaticFailover")),
        Fact(name="multi_az", value=told.get("MultiAZ")),
        Fact(name="shards", value=len(shards) or None),
        Fact(name="primary", value=primaries or None),
    ], []


async def stream_facts(place: Place, name: str) -> list[Fact]:
    answer = await place.call("kinesis", "DescribeStreamSummary", StreamName=name)
    summary = answer.get("StreamDescriptionSummary") or {}
    shards = summary.get("OpenShardCount")
    mode = (summary.get("StreamModeDetails") or {}).get("StreamMode")
    return [
        Fact(name="status", value=summary.get("StreamStatus")),
        Fact(name="mode", value=mode),
        Fact(name="shards", value=shards),
        # a shard takes 1,000 records or 1 MB a second (Kinesis Data Streams Developer Guide, quotas)
        Fact(
            name="write_limit",
            value=shards * 1000 if isinstance(shards, int) and mode != "ON_DEMAND" else None,
            unit="records/s",
        ),
        Fact(name="retention", value=summary.get("RetentionPeriodHours"), unit="h"),
        Fact(name="consumers", value=summary.get("ConsumerCount")),
        Fact(name="encryption", value=summary.get("EncryptionType")),
    ]


async def machine_facts(place: Place, resource: Resource) -> Facts:
    answer = await place.call("ec2", "DescribeInstances", InstanceIds=[resource.name])
    instances = [each for group in answer.get("Reservations") or [] for each in group.get("Instances") or []]
    machine = _first(instances, f"there is no instance {resource.name}", "ec2:DescribeInstances")
    launched = machine.get("LaunchTime")
    facts = [
        Fact(name="state", value=(machine.get("State") or {}).get("Name")),
        Fact(name="state_reason", value=machine.get("StateTransitionReason")),
        Fact(name="class", value=machine.get("InstanceType")),
        Fact(name="image", value=machine.get("ImageId")),
        Fact(name="zone", value=(machine.get("Placement") or {}).get("AvailabilityZone")),
        Fact(name="launched_at", value=iso(launched) if launched else None),
        Fact(name="security_groups", value=[each.get("GroupId") for each in machine.get("SecurityGroups") or []]),
        Fact(name="subnet", value=machine.get("SubnetId")),
        Fact(name="lifecycle", value=machine.get("InstanceLifecycle")),
        Fact(name="role", value=tail((machine.get("IamInstanceProfile") or {}).get("Arn")) or None),
    ]
    try:
        checked = await place.call(
            "ec2", "DescribeInstanceStatus", InstanceIds=[resource.name], IncludeAllInstances=True
        )
    except CallFailed as failure:
        return facts, [failure]
    told: Answer = next(iter(checked.get("InstanceStatuses") or []), {})
    planned: list[JsonValue] = [f"{each.get('Code')}: {each.get('Description')}" for each in told.get("Events") or []]
    return [
        *facts,
        Fact(name="system_status", value=(told.get("SystemStatus") or {}).get("Status")),
        Fact(name="instance_status", value=(told.get("InstanceStatus") or {}).get("Status")),
        Fact(name="disk_status", value=(told.get("AttachedEbsStatus") or {}).get("Status")),
        Fact(name="scheduled", value=planned or None),
    ], []


async def log_group_facts(place: Place, name: str) -> list[Fact]:
    groups = await place.gather("logs", "DescribeLogGroups", "logGroups", 50, logGroupNamePrefix=name)
    exact = [each for each in groups if each.get("logGroupName") == name]
    group = _first(exact, f"there is no log group {name}", "logs:DescribeLogGroups")
    return [
        Fact(name="retention", value=group.get("retentionInDays"), unit="days"),
        Fact(name="size", value=group.get("storedBytes"), unit="bytes"),
        Fact(name="class", value=group.get("logGroupClass")),
    ]


async def kubernetes_facts(place: Place, resource: Resource) -> Facts:
    cluster = (await place.call("eks", "DescribeCluster", name=resource.name)).get("cluster") or {}
    network = cluster.get("resourcesVpcConfig") or {}
    facts = [
        Fact(name="status", value=cluster.get("status")),
        Fact(name="version", value=cluster.get("version")),
        Fact(name="issues", value=_issues(cluster)),
        Fact(name="platform_version", value=cluster.get("platformVersion")),
        Fact(name="public_endpoint", value=network.get("endpointPublicAccess")),
        Fact(name="subnets", value=network.get("subnetIds")),
    ]
    groups: list[JsonValue] = []
    desired = 0
    try:
        names = await place.gather("eks", "ListNodegroups", "nodegroups", 20, clusterName=resource.name)
        for name in names:
            told = await place.call("eks", "DescribeNodegroup", clusterName=resource.name, nodegroupName=name)
            group: Answer = told.get("nodegroup") or {}
            size = group.get("scalingConfig") or {}
            desired += int(size.get("desiredSize") or 0)
            wanted = f"{size.get('desiredSize')} of {size.get('minSize')} to {size.get('maxSize')} nodes"
            ill = "".join(f"; {each}" for each in _issues(group))
            groups.append(f"{name}: {group.get('status')}, {wanted}, {group.get('version')}{ill}")
    except CallFailed as failure:
        return [*facts, Fact(name="node_groups", value=groups or None)], [failure]
    nodes = Fact(name="desired_nodes", value=desired if groups else None, unit="nodes")
    return [*facts, Fact(name="node_groups", value=groups), nodes], []


def _issues(told: Answer) -> list[JsonValue]:
    issues = (told.get("health") or {}).get("issues") or []
    return [f"{each.get('code')}: {each.get('message')}" for each in issues]


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
