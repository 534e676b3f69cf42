"""Which CloudWatch metric tells which signal of which kind of resource, and in which unit.

Names, statistics and what an absent point means are those of each service's own page of metrics in the documentation of
AWS; what a metric decides in an investigation is said in the catalogue of failure modes.
"""

from dataclasses import dataclass
from typing import Literal

from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.vocabulary import Signal as S  # noqa: N817  # a table of a hundred rows reads best at one line

Convert = Literal["same", "per_minute", "per_second", "milliseconds", "rate_to_minute"]


@dataclass(frozen=True)
class Metric:
    """One row: a metric, its statistic, and how its values become the neutral unit of the signal."""

    type: R
    signal: S
    namespace: str
    name: str
    statistic: str
    convert: Convert = "same"
    unit: str = ""
    sparse: bool = False
    """CloudWatch writes no point where nothing happened: an absent point means none."""
    account_wide: bool = False
    """It has no dimensions: it is about everything of that service in the account and region."""

    finer: bool = False
    """CloudWatch may keep it under more dimensions than the other metrics of the resource: by operation."""

    def neutral(self, value: float, period: float) -> float:
        match self.convert:
            case "per_minute":
                return value * 60.0 / period
            case "per_second":
                return value / period
            case "milliseconds":
                return value / 1000.0
            case "rate_to_minute":
                return value * 60.0
            case "same":
                return value


def _count(type: R, signal: S, namespace: str, name: str, *, sparse: bool = False, finer: bool = False) -> Metric:
    return Metric(type, signal, namespace, name, "Sum", "per_minute", "count/min", sparse, finer=finer)


def _mean(type: R, signal: S, namespace: str, name: str, /, unit: str, convert: Convert = "same") -> Metric:  # a row
    return Metric(type, signal, namespace, name, "Average", convert, unit)


def _peak(type: R, signal: S, namespace: str, name: str, /, unit: str, convert: Convert = "same") -> Metric:  # a row
    return Metric(type, signal, namespace, name, "Maximum", convert, unit)


def _p99(type: R, namespace: str, name: str, convert: Convert = "same") -> Metric:
    return Metric(type, S.latency_p99, namespace, name, "p99", convert, "s")


_ALB, _NLB, _ECS, _INSIGHTS = "AWS/ApplicationELB", "AWS/NetworkELB", "AWS/ECS", "ECS/ContainerInsights"
_LAMBDA, _RDS, _DYNAMO, _SQS = "AWS/Lambda", "AWS/RDS", "AWS/DynamoDB", "AWS/SQS"
_CACHE, _KINESIS, _API, _EC2, _ASG = "AWS/ElastiCache", "AWS/Kinesis", "AWS/ApiGateway", "AWS/EC2", "AWS/AutoScaling"
_AMPLIFY, _EKS, _S3 = "AWS/AmplifyHosting", "ContainerInsights", "AWS/S3"


def _balanced(type: R) -> tuple[Metric, ...]:
    """Load balancers and target groups: the same metrics under more or fewer dimensions."""
    return (
        _count(type, S.requests, _ALB, "RequestCount", sparse=True),
        _count(type, S.errors, _ALB, "HTTPCode_Target_5XX_Count", sparse=True),
        _mean(type, S.latency, _ALB, "TargetResponseTime", "s"),
        _p99(type, _ALB, "TargetResponseTime"),
        _count(type, S.connection_errors, _ALB, "TargetConnectionErrorCount", sparse=True),
        _count(type, S.client_errors, _ALB, "HTTPCode_Target_4XX_Count", sparse=True),
        _count(type, S.tls_errors, _ALB, "TargetTLSNegotiationErrorCount", sparse=True),
        _count(type, S.requests, _NLB, "NewFlowCount"),
        _count(type, S.errors, _NLB, "TCP_Target_Reset_Count", sparse=True),
        _mean(type, S.connections, _NLB, "ActiveFlowCount", "count"),
        # connections that were dropped for want of a port to reach the targets from
        _count(type, S.connection_errors, _NLB, "PortAllocationErrorCount", sparse=True),
    )


def _database(type: R) -> tuple[Metric, ...]:
    return (
        _mean(type, S.cpu, _RDS, "CPUUtilization", "%"),
        _mean(type, S.connections, _RDS, "DatabaseConnections", "count"),
        _mean(type, S.memory_free, _RDS, "FreeableMemory", "bytes"),
        _mean(type, S.swap, _RDS, "SwapUsage", "bytes"),
        _mean(type, S.read_latency, _RDS, "ReadLatency", "s"),
        _mean(type, S.write_latency, _RDS, "WriteLatency", "s"),
        _mean(type, S.deadlocks, _RDS, "Deadlocks", "count/min", "rate_to_minute"),
        _mean(type, S.network_in, _RDS, "NetworkReceiveThroughput", "bytes/s"),
        _mean(type, S.network_out, _RDS, "NetworkTransmitThroughput", "bytes/s"),
    )


TABLE: tuple[Metric, ...] = (
    _mean(R.ecs_service, S.cpu, _ECS, "CPUUtilization", "%"),
    _mean(R.ecs_service, S.memory, _ECS, "MemoryUtilization", "%"),
    _mean(R.ecs_service, S.running_tasks, _INSIGHTS, "RunningTaskCount", "count"),
    _mean(R.ecs_service, S.network_in, _INSIGHTS, "NetworkRxBytes", "bytes/s"),
    _mean(R.ecs_service, S.network_out, _INSIGHTS, "NetworkTxBytes", "bytes/s"),
    *_balanced(R.target_group),
    _mean(R.target_group, S.healthy_hosts, _ALB, "HealthyHostCount", "count"),
    _peak(R.target_group, S.unhealthy_hosts, _ALB, "UnHealthyHostCount", "count"),
    _mean(R.target_group, S.healthy_hosts, _NLB, "HealthyHostCount", "count"),
    _peak(R.target_group, S.unhealthy_hosts, _NLB, "UnHealthyHostCount", "count"),
    *_balanced(R.load_balancer),
    _count(R.load_balancer, S.errors, _ALB, "HTTPCode_ELB_5XX_Count", sparse=True),
    # each node of the load balancer reports its own; together they are the sum of a minute
    Metric(R.load_balancer, S.connections, _ALB, "ActiveConnectionCount", "Sum", "per_minute", "count"),
    # the load balancer had reached its own maximum of connections
    _count(R.load_balancer, S.rejected, _ALB, "RejectedConnectionCount", sparse=True),
    _count(R.load_balancer, S.tls_errors, _ALB, "ClientTLSNegotiationErrorCount", sparse=True),
    _count(R.load_balancer, S.tls_errors, _NLB, "ClientTLSNegotiationErrorCount", sparse=True),
    _count(R.lambda_function, S.requests, _LAMBDA, "Invocations", sparse=True),
    _count(R.lambda_function, S.errors, _LAMBDA, "Errors", sparse=True),
    _count(R.lambda_function, S.throttles, _LAMBDA, "Throttles", sparse=True),
    _mean(R.lambda_function, S.duration, _LAMBDA, "Duration", "s", "milliseconds"),
    _mean(R.lambda_function, S.latency, _LAMBDA, "Duration", "s", "milliseconds"),
    _p99(R.lambda_function, _LAMBDA, "Duration", "milliseconds"),
    _peak(R.lambda_function, S.concurrency, _LAMBDA, "ConcurrentExecutions", "executions"),
    _count(R.lambda_function, S.dead_letters, _LAMBDA, "DeadLetterErrors", sparse=True),
    _count(R.lambda_function, S.dead_letters, _LAMBDA, "AsyncEventsDropped", sparse=True),
    _peak(R.lambda_function, S.oldest_message_age, _LAMBDA, "AsyncEventAge", "s", "milliseconds"),
    # what the quota of the account is used up by: reserved and provisioned concurrency count whether used or not
    Metric(
        R.lambda_function,
        S.account_concurrency,
        _LAMBDA,
        "ClaimedAccountConcurrency",
        "Maximum",
        "same",
        "executions",
        account_wide=True,
    ),
    _peak(R.lambda_function, S.iterator_age, _LAMBDA, "IteratorAge", "s", "milliseconds"),
    *_database(R.rds_instance),
    _mean(R.rds_instance, S.disk_free, _RDS, "FreeStorageSpace", "bytes"),
    _mean(R.rds_instance, S.disk_queue, _RDS, "DiskQueueDepth", "operations"),
    _mean(R.rds_instance, S.burst_balance, _RDS, "BurstBalance", "%"),
    Metric(R.rds_instance, S.cpu_credits, _RDS, "CPUCreditBalance", "Minimum", "same", "credits"),
    _peak(R.rds_instance, S.replica_lag, _RDS, "ReplicaLag", "s"),
    _peak(R.rds_instance, S.replica_lag, _RDS, "AuroraReplicaLag", "s", "milliseconds"),
    *_database(R.rds_cluster),
    _peak(R.rds_cluster, S.replica_lag, _RDS, "AuroraReplicaLagMaximum", "s", "milliseconds"),
    _count(R.dynamodb_table, S.throttles, _DYNAMO, "ReadThrottleEvents", sparse=True),
    _count(R.dynamodb_table, S.throttles, _DYNAMO, "WriteThrottleEvents", sparse=True),
    _count(R.dynamodb_table, S.throttles, _DYNAMO, "ThrottledRequests", sparse=True, finer=True),
    Metric(R.dynamodb_table, S.consumed_capacity, _DYNAMO, "ConsumedReadCapacityUnits", "Sum", "per_minute", "u/min"),
    Metric(R.dynamodb_table, S.consumed_capacity, _DYNAMO, "ConsumedWriteCapacityUnits", "Sum", "per_minute", "u/min"),
    _count(R.dynamodb_table, S.errors, _DYNAMO, "SystemErrors", sparse=True, finer=True),
    _mean(R.dynamodb_table, S.latency, _DYNAMO, "SuccessfulRequestLatency", "s", "milliseconds"),
    _mean(R.sqs_queue, S.queue_depth, _SQS, "ApproximateNumberOfMessagesVisible", "messages"),
    _peak(R.sqs_queue, S.oldest_message_age, _SQS, "ApproximateAgeOfOldestMessage", "s"),
    _count(R.sqs_queue, S.requests, _SQS, "NumberOfMessagesSent"),
    _count(R.sqs_queue, S.messages_deleted, _SQS, "NumberOfMessagesDeleted"),
    _mean(R.elasticache_cluster, S.cpu, _CACHE, "EngineCPUUtilization", "%"),
    _mean(R.elasticache_cluster, S.cpu, _CACHE, "CPUUtilization", "%"),
    _mean(R.elasticache_cluster, S.memory, _CACHE, "DatabaseMemoryUsagePercentage", "%"),
    _mean(R.elasticache_cluster, S.memory_free, _CACHE, "FreeableMemory", "bytes"),
    _mean(R.elasticache_cluster, S.swap, _CACHE, "SwapUsage", "bytes"),
    _mean(R.elasticache_cluster, S.connections, _CACHE, "CurrConnections", "count"),
    _count(R.elasticache_cluster, S.evictions, _CACHE, "Evictions"),
    _count(R.elasticache_cluster, S.cache_misses, _CACHE, "CacheMisses"),
    _peak(R.elasticache_cluster, S.replica_lag, _CACHE, "ReplicationLag", "s"),
    # packets shaped because the bandwidth, the packet rate or the tracked connections of the node were used up
    _count(R.elasticache_cluster, S.packets_dropped, _CACHE, "NetworkBandwidthInAllowanceExceeded"),
    _count(R.elasticache_cluster, S.packets_dropped, _CACHE, "NetworkBandwidthOutAllowanceExceeded"),
    _count(R.elasticache_cluster, S.packets_dropped, _CACHE, "NetworkPacketsPerSecondAllowanceExceeded"),
    _count(R.elasticache_cluster, S.packets_dropped, _CACHE, "NetworkConntrackAllowanceExceeded"),
    _count(R.kinesis_stream, S.requests, _KINESIS, "IncomingRecords"),
    _count(R.kinesis_stream, S.throttles, _KINESIS, "WriteProvisionedThroughputExceeded", sparse=True),
    _count(R.kinesis_stream, S.throttles, _KINESIS, "ReadProvisionedThroughputExceeded", sparse=True),
    _peak(R.kinesis_stream, S.iterator_age, _KINESIS, "GetRecords.IteratorAgeMilliseconds", "s", "milliseconds"),
    _count(R.api_gateway, S.requests, _API, "Count", sparse=True),
    _count(R.api_gateway, S.errors, _API, "5XXError", sparse=True),
    # a throttled request is counted here, as status 429
    _count(R.api_gateway, S.client_errors, _API, "4XXError", sparse=True),
    _mean(R.api_gateway, S.latency, _API, "Latency", "s", "milliseconds"),
    _p99(R.api_gateway, _API, "Latency", "milliseconds"),
    _mean(R.ec2_instance, S.cpu, _EC2, "CPUUtilization", "%"),
    _mean(R.ec2_instance, S.memory, "CWAgent", "mem_used_percent", "%"),
    Metric(R.ec2_instance, S.network_in, _EC2, "NetworkIn", "Sum", "per_second", "bytes/s"),
    Metric(R.ec2_instance, S.network_out, _EC2, "NetworkOut", "Sum", "per_second", "bytes/s"),
    _mean(R.ec2_instance, S.burst_balance, _EC2, "EBSIOBalance%", "%"),
    Metric(R.ec2_instance, S.cpu_credits, _EC2, "CPUCreditBalance", "Minimum", "same", "credits"),
    _peak(R.ec2_instance, S.disk_used, "CWAgent", "disk_used_percent", "%"),
    _peak(R.ec2_instance, S.status_check_failed, _EC2, "StatusCheckFailed", "0 or 1"),
    _peak(R.ec2_instance, S.status_check_failed, _EC2, "StatusCheckFailed_AttachedEBS", "0 or 1"),
    _mean(R.autoscaling_group, S.cpu, _EC2, "CPUUtilization", "%"),
    _mean(R.autoscaling_group, S.healthy_hosts, _ASG, "GroupInServiceInstances", "count"),
    _count(R.amplify_app, S.requests, _AMPLIFY, "Requests", sparse=True),
    _count(R.amplify_app, S.errors, _AMPLIFY, "5xxErrors", sparse=True),
    _mean(R.amplify_app, S.latency, _AMPLIFY, "Latency", "s"),
    _mean(R.eks_cluster, S.cpu, _EKS, "node_cpu_utilization", "%"),
    _mean(R.eks_cluster, S.memory, _EKS, "node_memory_utilization", "%"),
    _peak(R.eks_cluster, S.unhealthy_hosts, _EKS, "cluster_failed_node_count", "count"),
    _peak(R.eks_cluster, S.disk_used, _EKS, "node_filesystem_utilization", "%"),
    _count(R.s3_bucket, S.requests, _S3, "AllRequests", sparse=True),
    _count(R.s3_bucket, S.errors, _S3, "5xxErrors", sparse=True),
    _count(R.s3_bucket, S.client_errors, _S3, "4xxErrors", sparse=True),
    _mean(R.s3_bucket, S.latency, _S3, "TotalRequestLatency", "s", "milliseconds"),
)

VITAL_SIGNS: dict[R, tuple[S, ...]] = {
    R.ecs_service: (S.cpu, S.memory, S.running_tasks),
    R.target_group: (S.requests, S.errors, S.latency, S.latency_p99, S.healthy_hosts, S.unhealthy_hosts),
    R.load_balancer: (
        S.requests,
        S.errors,
        S.latency,
        S.latency_p99,
        S.connection_errors,
        S.rejected,
        S.tls_errors,
    ),
    R.lambda_function: (S.requests, S.errors, S.throttles, S.duration, S.concurrency, S.account_concurrency),
    R.rds_instance: (S.cpu, S.connections, S.memory_free, S.disk_free, S.read_latency, S.write_latency, S.disk_queue),
    R.rds_cluster: (S.cpu, S.connections, S.memory_free, S.read_latency, S.write_latency, S.replica_lag),
    R.dynamodb_table: (S.throttles, S.consumed_capacity),
    R.sqs_queue: (S.queue_depth, S.oldest_message_age, S.requests, S.messages_deleted),
    R.elasticache_cluster: (S.cpu, S.memory, S.evictions, S.cache_misses, S.connections, S.packets_dropped),
    R.kinesis_stream: (S.requests, S.throttles, S.iterator_age),
    R.api_gateway: (S.requests, S.errors, S.client_errors, S.latency, S.latency_p99),
    R.ec2_instance: (
        S.cpu,
        S.memory,
        S.disk_used,
        S.cpu_credits,
        S.network_in,
        S.network_out,
        S.status_check_failed,
    ),
    R.autoscaling_group: (S.cpu, S.healthy_hosts),
    R.amplify_app: (S.requests, S.errors, S.latency),
    R.eks_cluster: (S.cpu, S.memory, S.disk_used, S.unhealthy_hosts),
    R.s3_bucket: (S.requests, S.errors, S.client_errors, S.latency),
    R.alarm: (S.value,),
    R.metric: (S.value,),
}

_PERCENTILES = {"p99", "p95", "p90", "p99.9"}


def rows(type: R, signals: tuple[S, ...]) -> tuple[Metric, ...]:
    """The metrics for these signals of that type, in the table's order; vital signs where no signal is named."""
    wanted = signals or VITAL_SIGNS.get(type, ())
    return tuple(row for row in TABLE if row.type is type and row.signal in wanted)


def signal_of(namespace: str, name: str, statistic: str, type: R | None) -> S | None:
    """The neutral signal of a vendor's metric, where it has one."""
    named = [row for row in TABLE if row.namespace == namespace and row.name == name]
    same_type = [row for row in named if row.type is type] or named
    if statistic.lower() in _PERCENTILES:
        same_type = [row for row in same_type if row.statistic == "p99"] or same_type
    return same_type[0].signal if same_type else None
