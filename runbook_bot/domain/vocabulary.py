"""The closed vocabularies: one word for one thing, everywhere."""

from enum import StrEnum


class FailureMode(StrEnum):
    """What can be wrong. The most specific true one wins; `none` means no fault: the alert is noise."""

    bad_deployment = "bad_deployment"
    configuration_change = "configuration_change"
    memory_exhaustion = "memory_exhaustion"
    cpu_saturation = "cpu_saturation"
    disk_exhaustion = "disk_exhaustion"
    io_saturation = "io_saturation"
    connection_exhaustion = "connection_exhaustion"
    slow_queries = "slow_queries"
    lock_contention = "lock_contention"
    replication_lag = "replication_lag"
    database_failover = "database_failover"
    throttling = "throttling"
    concurrency_limit = "concurrency_limit"
    quota_exceeded = "quota_exceeded"
    traffic_surge = "traffic_surge"
    capacity_shortage = "capacity_shortage"
    dependency_failure = "dependency_failure"
    dependency_latency = "dependency_latency"
    network_loss = "network_loss"
    network_latency = "network_latency"
    security_group_change = "security_group_change"
    dns_failure = "dns_failure"
    certificate_expired = "certificate_expired"
    credentials_expired = "credentials_expired"
    permission_denied = "permission_denied"
    queue_backlog = "queue_backlog"
    cache_failure = "cache_failure"
    health_check_failure = "health_check_failure"
    image_pull_failure = "image_pull_failure"
    crash_loop = "crash_loop"
    scheduled_job = "scheduled_job"
    zone_or_host_failure = "zone_or_host_failure"
    code_defect = "code_defect"
    none = "none"


class ResourceType(StrEnum):
    """What a service is made of; the words of services.yaml."""

    ecs_service = "ecs_service"
    lambda_function = "lambda_function"
    ec2_instance = "ec2_instance"
    autoscaling_group = "autoscaling_group"
    rds_instance = "rds_instance"
    rds_cluster = "rds_cluster"
    dynamodb_table = "dynamodb_table"
    elasticache_cluster = "elasticache_cluster"
    load_balancer = "load_balancer"
    target_group = "target_group"
    api_gateway = "api_gateway"
    sqs_queue = "sqs_queue"
    kinesis_stream = "kinesis_stream"
    s3_bucket = "s3_bucket"
    log_group = "log_group"
    alarm = "alarm"
    eks_cluster = "eks_cluster"
    kubernetes_workload = "kubernetes_workload"
    amplify_app = "amplify_app"
    metric = "metric"


class Signal(StrEnum):
    """What can be measured of a resource, in no vendor's words; a provider maps it to its own metric.

    Each comment gives the unit a provider converts to.
    """

    requests = "requests"  # count per minute
    errors = "errors"  # failed requests, count per minute
    latency = "latency"  # average response time, seconds
    latency_p99 = "latency_p99"  # 99th percentile of response time, seconds
    cpu = "cpu"  # percent
    memory = "memory"  # percent used
    memory_free = "memory_free"  # bytes
    swap = "swap"  # bytes
    disk_free = "disk_free"  # bytes
    disk_queue = "disk_queue"  # outstanding operations
    read_latency = "read_latency"  # seconds
    write_latency = "write_latency"  # seconds
    burst_balance = "burst_balance"  # percent
    connections = "connections"  # count
    deadlocks = "deadlocks"  # count per minute
    replica_lag = "replica_lag"  # seconds
    throttles = "throttles"  # count per minute
    concurrency = "concurrency"  # executions at once
    dead_letters = "dead_letters"  # count per minute
    iterator_age = "iterator_age"  # seconds
    queue_depth = "queue_depth"  # messages
    oldest_message_age = "oldest_message_age"  # seconds
    messages_deleted = "messages_deleted"  # count per minute
    healthy_hosts = "healthy_hosts"  # count
    unhealthy_hosts = "unhealthy_hosts"  # count
    running_tasks = "running_tasks"  # count
    connection_errors = "connection_errors"  # count per minute, load balancer to target
    evictions = "evictions"  # count per minute
    cache_misses = "cache_misses"  # count per minute
    consumed_capacity = "consumed_capacity"  # units per minute
    network_in = "network_in"  # bytes per second
    network_out = "network_out"  # bytes per second
    status_check_failed = "status_check_failed"  # 0 or 1
    value = "value"  # a metric named by the alarm or by services.yaml, in its own unit
    duration = "duration"  # run time of a function, seconds
    client_errors = "client_errors"  # requests refused as the caller's fault, or throttled, count per minute
    tls_errors = "tls_errors"  # connections whose TLS could not be agreed upon, count per minute
    rejected = "rejected"  # connections turned away because the vendor's limit was reached, count per minute
    packets_dropped = "packets_dropped"  # packets held back or lost because an allowance was used up, count per minute
    cpu_credits = "cpu_credits"  # credits left of a machine that may only burst, count
    disk_used = "disk_used"  # percent
    account_concurrency = "account_concurrency"  # executions at once of the whole account


class Repair(StrEnum):
    """What can be done about it, in no vendor's words; a provider turns one into a typed mutation."""

    roll_back = "roll_back"  # the revision or configuration before the change
    restart = "restart"  # replace every running copy, same revision
    scale_out = "scale_out"  # more copies
    raise_concurrency = "raise_concurrency"  # a higher limit of parallel executions
    raise_capacity = "raise_capacity"  # more provisioned reads and writes
