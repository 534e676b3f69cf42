"""The calls by which everything but the typed operations is answered: discovery, vital signs, logs, changes, state.

What may be called is what stands here or in the `calls` of an operation: the policy that `doctor --aws` prints is made
of both, and the tests fail for a call that is in neither.
"""

NEUTRAL: dict[str, tuple[str, ...]] = {
    "acm": ("DescribeCertificate",),
    "amplify": ("GetApp",),
    "apigateway": ("GetResources", "GetRestApis", "GetStages"),
    "apigatewayv2": ("GetApis", "GetIntegrations"),
    "application-autoscaling": ("DescribeScalingActivities",),
    "autoscaling": ("DescribeAutoScalingGroups", "DescribeScalingActivities"),
    "cloudformation": ("DescribeStackEvents", "DescribeStacks"),
    "cloudtrail": ("LookupEvents",),
    "cloudwatch": ("DescribeAlarmHistory", "DescribeAlarms", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
    "codedeploy": ("BatchGetDeploymentTargets", "BatchGetDeployments", "ListDeploymentTargets", "ListDeployments"),
    "dynamodb": ("DescribeTable", "ListTables"),
    "ec2": (
        "DescribeInstanceStatus", "DescribeInstances", "DescribeNetworkAcls", "DescribeRouteTables",
        "DescribeSecurityGroups", "GetConsoleOutput",
    ),
    "ecs": (
        "DescribeServices", "DescribeTaskDefinition", "DescribeTasks", "ListClusters", "ListServices",
        "ListTaskDefinitions", "ListTasks",
    ),
    "eks": ("DescribeCluster", "DescribeNodegroup", "DescribeUpdate", "ListNodegroups", "ListUpdates"),
    "elasticache": ("DescribeCacheClusters", "DescribeEvents", "DescribeReplicationGroups"),
    "elbv2": (
        "DescribeListeners", "DescribeLoadBalancers", "DescribeRules", "DescribeTargetGroups",
        "DescribeTargetHealth",
    ),
    "events": ("ListRules", "ListTargetsByRule"),
    "health": ("DescribeAffectedEntities", "DescribeEvents"),
    "iam": ("GetAccountAuthorizationDetails", "ListAttachedRolePolicies"),
    "kinesis": ("DescribeStreamSummary", "ListStreams"),
    "lambda": (
        "GetAccountSettings", "GetFunctionConcurrency", "GetFunctionConfiguration",
        "ListEventSourceMappings", "ListFunctionEventInvokeConfigs", "ListFunctions",
        "ListVersionsByFunction",
    ),
    "logs": ("DescribeLogGroups", "FilterLogEvents", "GetQueryResults", "StartQuery", "StopQuery"),
    "pi": ("DescribeDimensionKeys", "GetResourceMetrics"),
    "rds": (
        "DescribeDBClusters", "DescribeDBInstances", "DescribeDBParameters", "DescribeDBProxies",
        "DescribeDBProxyTargets", "DescribeEvents",
    ),
    "resourcegroupstaggingapi": ("GetResources",),
    "route53": ("ListHostedZones", "ListResourceRecordSets"),
    "s3": ("GetBucketVersioning", "ListBuckets"),
    "scheduler": ("GetSchedule", "ListSchedules"),
    "secretsmanager": ("ListSecrets",),
    "servicediscovery": ("ListNamespaces", "ListServices"),
    "sns": ("ListSubscriptions",),
    "sqs": ("GetQueueAttributes", "GetQueueUrl", "ListQueues"),
    "ssm": ("DescribeParameters",),
    "sts": ("GetCallerIdentity",),
    "xray": ("GetServiceGraph",),
}  # fmt: skip
"""By service, in boto3's words."""
