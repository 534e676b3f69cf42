"""Permissions that can be limited to resources of one account and region; every other one is given on `*`.

From the service authorization reference: the reads that have a required resource type. A listing without a name is
judged by IAM on all resources of the type, so the limit is the account and the region, not a name.
"""

LIMITED = {
    "acm": ("DescribeCertificate",),
    "amplify": ("GetApp", "GetJob", "ListBranches", "ListJobs"),
    "apigateway": ("GET",),
    "appconfig": ("GetDeployment", "ListDeployments", "ListEnvironments"),
    "cloudformation": (
        "DescribeChangeSet", "DescribeStackEvents", "DescribeStackResourceDrifts", "DescribeStacks",
        "ListChangeSets",
    ),
    "cloudfront": ("GetInvalidation", "ListInvalidations"),
    "cloudwatch": ("DescribeAlarmHistory", "GetInsightRuleReport"),
    "codedeploy": ("BatchGetDeployments", "ListDeployments"),
    "codepipeline": ("GetPipelineState", "ListPipelineExecutions"),
    "config": ("GetComplianceDetailsByConfigRule",),
    "dynamodb": ("DescribeContributorInsights", "DescribeTable"),
    "ec2": ("GetConsoleOutput", "GetManagedPrefixListEntries"),
    "ecs": (
        "DescribeCapacityProviders", "DescribeClusters", "DescribeContainerInstances",
        "DescribeServiceDeployments", "DescribeServiceRevisions", "DescribeServices", "DescribeTasks",
        "ListContainerInstances", "ListServiceDeployments", "ListTasks",
    ),
    "eks": (
        "DescribeAddon", "DescribeCluster", "DescribeFargateProfile", "DescribeNodegroup", "DescribeUpdate",
        "ListAddons", "ListFargateProfiles", "ListInsights", "ListNodegroups", "ListUpdates",
    ),
    "elasticache": (
        "DescribeCacheClusters", "DescribeCacheParameterGroups", "DescribeCacheParameters",
        "DescribeReplicationGroups", "DescribeServerlessCaches",
    ),
    "iam": ("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
    "kinesis": ("DescribeStreamSummary", "ListShards", "ListStreamConsumers"),
    "lambda": (
        "GetFunctionConcurrency", "GetFunctionConfiguration", "GetPolicy", "ListAliases",
        "ListFunctionEventInvokeConfigs", "ListProvisionedConcurrencyConfigs", "ListVersionsByFunction",
    ),
    "logs": ("DescribeMetricFilters", "DescribeSubscriptionFilters", "FilterLogEvents", "StartQuery"),
    "pi": ("DescribeDimensionKeys", "GetResourceMetrics"),
    "rds": (
        "DescribeDBClusterParameters", "DescribeDBLogFiles", "DescribeDBParameters",
        "DescribeDBProxyTargets", "DownloadDBLogFilePortion",
    ),
    "route53": ("GetHostedZone", "ListResourceRecordSets"),
    "s3": (
        "GetBucketLocation", "GetBucketLogging", "GetBucketNotification", "GetBucketPolicy",
        "GetBucketPolicyStatus", "GetBucketPublicAccessBlock", "GetBucketVersioning",
        "GetEncryptionConfiguration", "GetLifecycleConfiguration", "GetMetricsConfiguration", "GetObject",
        "GetReplicationConfiguration", "ListBucket",
    ),
    "scheduler": ("GetSchedule",),
    "secretsmanager": ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds"),
    "sns": ("GetTopicAttributes", "ListSubscriptionsByTopic"),
    "sqs": ("GetQueueAttributes", "GetQueueUrl"),
    "states": ("DescribeExecution", "GetExecutionHistory", "ListExecutions"),
}  # fmt: skip
"""By service, in IAM's words."""

_ARNS = {
    "acm": "arn:{partition}:acm:*:{account}:*",  # those of CloudFront are in us-east-1, wherever else is looked
    "apigateway": "arn:{partition}:apigateway:{region}::/*",
    "cloudfront": "arn:{partition}:cloudfront::{account}:*",
    "iam": "arn:{partition}:iam::{account}:role/*",
    "route53": "arn:{partition}:route53:::*",
    "s3": "arn:{partition}:s3:::*",
    "s3:GetObject": "arn:{partition}:s3:::*/AWSLogs/*/elasticloadbalancing/*",  # of objects, access logs alone
}
"""Services whose ARNs leave the region or the account out, and permissions that are limited further."""
_USUAL = "arn:{partition}:{service}:{region}:{account}:*"


def scope(permission: str, *, partition: str, region: str, account: str) -> str:
    """What the permission is given on: `*`, or all of the service in that account and region."""
    service, _, action = permission.partition(":")
    if action not in LIMITED.get(service, ()):
        return "*"
    arn = _ARNS.get(permission) or _ARNS.get(service, _USUAL)
    return arn.format(partition=partition, service=service, region=region, account=account)
