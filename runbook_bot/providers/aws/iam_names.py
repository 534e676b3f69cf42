"""Permissions whose names are not those of their calls, as the service authorization reference lists them."""

ACTIONS = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBucketMetricsConfigurations": "s3:GetMetricsConfiguration",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}
"""By the service and the call that needs the permission."""


def permission(service: str, call: str) -> str | None:
    """The permission of a call that is named otherwise; None where it is named as the call is."""
    if service in ("apigateway", "apigatewayv2"):
        return "apigateway:GET"  # IAM tells its calls apart by verb and path alone; everything read here is a GET
    return ACTIONS.get(f"{service}:{call}")
