"""S3: who can reach a bucket, what is set up for it, and what its numbers say."""

import json
from typing import Any

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.s3 import Bucket, Buckets
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.protocols import rendered
from tests.providers.shop import Shop
from tests.providers.stand_in import Answer, StandIn

_SHUT = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


def _open(name: str) -> dict[str, Any]:
    statement = {"Sid": "Site", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{name}/*"}]}


def _bucket(shop: Shop, name: str, shut: bool = True, policy: dict[str, Any] | None = None) -> Any:
    s3 = shop.client("s3")
    s3.create_bucket(Bucket=name)
    if shut:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_SHUT)
    if policy:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return s3


def _counted(aws: StandIn, *ids: str) -> None:
    """Moto has no metrics configurations: in the shape of the service model."""
    listed = {"IsTruncated": False, "MetricsConfigurationList": [{"Id": each} for each in ids]}
    aws.tells("s3", "ListBucketMetricsConfigurations", listed)


def _public(aws: StandIn) -> None:
    """Moto says of every policy that it is not public: in the shape of the service model."""
    aws.says_xml("GetBucketPolicyStatus", "<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>")


def _facts(result: Result, name: str) -> Any:
    return next(row.facts for row in result.rows if row.name == name)


async def test_a_bucket_with_all_its_settings(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto, but for the metrics configuration."""
    s3 = _bucket(shop, "orders")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/orders"}
    s3.put_bucket_encryption(
        Bucket="orders",
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
    rules = [{"ID": "old/ünï", "Status": "Disabled", "Filter": {"Prefix": "straße/"}, "Expiration": {"Days": 30}}]
    s3.put_bucket_lifecycle_configuration(Bucket="orders", LifecycleConfiguration={"Rules": rules})
    _counted(aws, "whole")
    named = {"BucketName": "orders", "FilterId": "whole"}
    shop.points("AWS/S3", "AllRequests", named, [100.0] * 30)
    shop.points("AWS/S3", "5xxErrors", named, [20.0] * 30)
    result = await provider.ask(Bucket(bucket="orders"))
    assert result.status in (Status.ok, Status.truncated)
    assert _facts(result, "public access")["who"] == "nobody outside, but for whom its policy names"
    assert _facts(result, "encryption")["default"] == "aws:kms, key alias/orders"
    assert _facts(result, "versions")["state"] == "enabled"
    assert _facts(result, "lifecycle rule old/ünï") == {
        "warnings": ["it is switched off"], "of": "straße/", "what": "deleted after 30 days"}  # fmt: skip
    requests = _facts(result, "requests, whole")
    assert requests["warnings"] == ["20 % of the requests end in server errors"]
    assert requests["server_errors"] == 600
    assert result.console is not None


async def test_an_open_policy_and_what_shuts_it(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The buckets in moto, that the policies are public in the shape of the service model."""
    _bucket(shop, "site", shut=False, policy=_open("site"))
    _bucket(shop, "shut", policy=_open("shut"))
    _public(aws)
    _counted(aws)
    overview = await provider.ask(Buckets())
    assert [row.name for row in overview.rows] == ["site", "shut"]
    assert overview.rows[0].facts["who"] == "anybody, by its policy"
    assert overview.rows[1].facts["who"] == "its policy is public, but public access is blocked"
    one = await provider.ask(Bucket(bucket="site"))
    statement = _facts(one, "policy, statement Site")
    assert statement["warnings"] == ["anybody may use it, without a condition"]
    assert statement["says"] == "allows anybody s3:GetObject on arn:aws:s3:::site/*"
    assert "not counted" in str(_facts(one, "requests")["state"])


async def test_an_access_list_that_lets_everybody_write(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto."""
    s3 = _bucket(shop, "drop", shut=False)
    s3.put_bucket_acl(Bucket="drop", ACL="public-read-write")
    result = await provider.ask(Buckets(prefix="dr"))
    assert str(result.rows[0].facts["who"]).startswith("anybody may ")
    assert len(list(result.rows[0].facts["warnings"])) == 2  # type: ignore[arg-type]  # a list of texts


async def test_the_account_s_own_block_counts(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The bucket in moto, the account's block and the public policy in the shape of the service model."""
    _bucket(shop, "site", shut=False, policy=_open("site"))
    _public(aws)
    shut = rendered("s3control", "GetPublicAccessBlock", {"PublicAccessBlockConfiguration": _SHUT})[0]
    of_account = "/v20180820/configuration/publicAccessBlock"
    aws.answers["GetPublicAccessBlock"] = lambda path: Answer(200, shut, "text/xml") if path == of_account else None
    result = await provider.ask(Buckets())
    assert result.rows[0].facts["who"] == "its policy is public, but public access is blocked"
    assert "warnings" not in result.rows[0].facts


async def test_sizes_by_storage_class(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """Against moto, but for the metrics configuration."""
    _bucket(shop, "orders")
    _counted(aws)
    for kind, size in (("StandardStorage", 3.0), ("GlacierStorage", 5.0)):
        shop.points("AWS/S3", "BucketSizeBytes", {"BucketName": "orders", "StorageType": kind}, [size * 1024**3])
    shop.points("AWS/S3", "NumberOfObjects", {"BucketName": "orders", "StorageType": "AllStorageTypes"}, [42.0])
    result = await provider.ask(Bucket(bucket="orders"))
    assert _facts(result, "size, all") == {"objects": 42, "gib": 8.0}
    sizes = [row.name for row in result.rows if row.name.startswith("size, ")]
    assert sizes == ["size, all", "size, GlacierStorage", "size, StandardStorage"]


async def test_replication_that_fails_and_one_that_is_off(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The rules in the shape of the service model."""
    _bucket(shop, "orders")
    _counted(aws)
    rules = [
        {"ID": "dr", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::orders-dr"}, "Filter": {}},
        {"ID": "old", "Status": "Disabled", "Destination": {"Bucket": "arn:aws:s3:::x"}, "Filter": {"Prefix": "a/"}},
    ]
    aws.tells("s3", "GetBucketReplication", {"ReplicationConfiguration": {"Role": "r", "Rules": rules}})
    named = {"SourceBucket": "orders", "DestinationBucket": "orders-dr", "RuleId": "dr"}
    shop.points("AWS/S3", "OperationsFailedReplication", named, [3.0] * 10)
    result = await provider.ask(Bucket(bucket="orders"))
    assert _facts(result, "replication rule dr")["warnings"] == ["30 operations failed within the last hour"]
    assert _facts(result, "replication rule old")["warnings"] == ["it is switched off"]


async def test_parts_that_may_not_be_read_are_named(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    """The denials in the form of S3."""
    _bucket(shop, "orders")
    for call in ("GetBucketPolicyStatus", "GetBucketEncryption"):
        aws.refuses_xml(call, "AccessDenied", "Access Denied", 403)
    result = await provider.ask(Buckets())
    assert result.status is Status.truncated
    assert "s3:GetBucketPolicyStatus" in result.message
    assert "s3:GetEncryptionConfiguration" in result.message
    assert result.rows[0].facts["who"] == "not known: not all of it could be read"
    assert "encryption" not in result.rows[0].facts


@pytest.mark.parametrize("name", ["gone", "weg/ünï"])
async def test_a_bucket_that_is_not_there(aws: StandIn, provider: AwsProvider, name: str) -> None:
    """Against moto."""
    result = await provider.ask(Bucket(bucket=name))
    assert (result.status, bool(result.message)) == (Status.no_data, True)
    assert (await provider.ask(Buckets())).status is Status.no_data
