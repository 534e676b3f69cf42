"""What can be asked of S3."""

import asyncio
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import policies
from runbook_bot.providers.aws.operations.bucket_access import (
    Access,
    account_blocks,
    bucket_access,
    encryption_in_words,
)
from runbook_bot.providers.aws.operations.bucket_numbers import replication_levels, request_rows, size_rows
from runbook_bot.providers.aws.operations.bucket_settings import (
    lifecycle_row,
    notification_rows,
    replication_row,
    versioning_row,
)
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import there, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST_LISTED = 1000
_MOST_LOOKED_INTO = 40
_ACCESS = (
    "sts:GetCallerIdentity",
    "s3control:GetPublicAccessBlock",
    "GetPublicAccessBlock",
    "GetBucketPolicyStatus",
    "GetBucketAcl",
    "GetBucketEncryption",
)


class Buckets(Operation):
    """Buckets with who outside can reach them, what blocks that, and their encryption; open ones first."""

    kind: ClassVar[str] = "aws.s3.buckets"
    service = "s3"
    calls = ("ListBuckets", *_ACCESS)
    words = ("buckets", "public buckets", "which buckets are public", "unencrypted buckets")
    scope = "account"

    prefix: str = Field(default="", description="Only buckets whose names begin so; empty means all of the account")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"Prefix": self.prefix} if self.prefix else {}
        listed = await place.gather("s3", "ListBuckets", "Buckets", _MOST_LISTED, **which)
        meant = [each for each in listed if str(each.get("Name", "")).startswith(self.prefix)]
        failures: list[CallFailed] = []
        of_account = await account_blocks(place, failures) if meant else None

        async def look(bucket: Answer) -> tuple[Access, Answer | None]:
            name, none = str(bucket.get("Name")), dict[str, Any]()
            access = await bucket_access(place, name, of_account)
            encryption = await there(access.failures, place.call("s3", "GetBucketEncryption", Bucket=name), none, None)
            return access, encryption

        looked, unread = await for_each(meant[:_MOST_LOOKED_INTO], look)
        rows = [_bucket_row(bucket, *found) for bucket, found in looked]
        rows.sort(key=lambda row: (warned(row), row.name))
        left = len(meant) - _MOST_LOOKED_INTO
        more = f"{left} {'or ' if len(listed) >= _MOST_LISTED else ''}more buckets were not looked into"
        return self.table(
            place,
            rows,
            empty="the account has no bucket" + (f" whose name begins with {self.prefix}" if self.prefix else ""),
            failures=few([*failures, *unread, *(f for _, (access, _) in looked for f in access.failures)]),
            more=f"{more}; give the beginning of their names" if left > 0 else "",
            console=f"https://{console_host(place.region)}/s3/buckets?region={place.region}",
        )


class Bucket(Operation):
    """One bucket: who can reach it, its policy in words, encryption, size, requests and errors, lifecycle, copies."""

    kind: ClassVar[str] = "aws.s3.bucket"
    service = "s3"
    calls = (
        "GetBucketLocation",
        *_ACCESS,
        "GetBucketPolicy",
        "GetBucketVersioning",
        "GetBucketLifecycleConfiguration",
        "GetBucketReplication",
        "GetBucketNotificationConfiguration",
        "GetBucketLogging",
        "ListBucketMetricsConfigurations",
        "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
    )
    words = ("bucket", "bucket policy", "is the bucket public", "bucket size", "bucket errors", "bucket replication")
    scope = "account"

    bucket: str = Field(description="Name of the bucket")
    window: TimeWindow | None = Field(default=None, description="Which requests to count; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await place.call("s3", "GetBucketLocation", Bucket=self.bucket)
        region = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(
            told.get("LocationConstraint"), str(told.get("LocationConstraint"))
        )
        home = place.at(region)
        parts = await asyncio.gather(
            self._access(home),
            self._settings(home),
            size_rows(home, self.bucket, now),
            self._requests(home, now),
            self._copies(home, now),
        )
        rows = [row for part, _ in parts for row in part]
        rows.sort(key=warned)
        return self.table(
            place,
            [*rows, Row(name="region", facts={"name": region})],
            empty="",
            failures=few([failure for _, failed in parts for failure in failed]),
            console=f"https://{console_host(region)}/s3/buckets/{quote(self.bucket, safe='')}?region={region}",
        )

    async def _access(self, place: Place) -> tuple[list[Row], list[CallFailed]]:
        """Who can reach it, what its policy says, and how it is encrypted."""
        failures: list[CallFailed] = []
        none: Answer = {}
        access = await bucket_access(place, self.bucket, await account_blocks(place, failures))
        policy = await there(failures, place.call("s3", "GetBucketPolicy", Bucket=self.bucket), none, none)
        encryption = await there(failures, place.call("s3", "GetBucketEncryption", Bucket=self.bucket), none, None)
        rows = [
            Row(
                name="public access",
                facts={"warnings": access.warnings() or None, "who": access.in_words(), **_blocks(access)},
            )
        ]
        if encryption is not None:
            rows.append(Row(name="encryption", facts={"default": encryption_in_words(encryption)}))
        return [*rows, *policies.rows("policy", policies.statements(policy.get("Policy")))], [
            *failures,
            *access.failures,
        ]

    async def _settings(self, place: Place) -> tuple[list[Row], list[CallFailed]]:
        """Versions, lifecycle, notifications, logging."""
        calls = ("GetBucketVersioning", "GetBucketLifecycleConfiguration", "GetBucketNotificationConfiguration",
                 "GetBucketLogging")  # fmt: skip
        failures: list[CallFailed] = []
        none: Answer = {}
        versioning, lifecycle, told, logging = await asyncio.gather(
            *(there(failures, place.call("s3", call, Bucket=self.bucket), none, None) for call in calls)
        )
        rows = [] if versioning is None else [versioning_row(versioning)]
        rows += [lifecycle_row(each) for each in (lifecycle or {}).get("Rules") or []]
        rows += notification_rows(told or {})
        if logging is not None:
            target = (logging.get("LoggingEnabled") or {}).get("TargetBucket")
            rows.append(Row(name="access logs", facts={"to": target or "off"}))
        return rows, failures

    async def _requests(self, place: Place, now: datetime) -> tuple[list[Row], list[CallFailed]]:
        """Counts of requests and errors, where they are switched on."""
        try:
            answer = await place.call("s3", "ListBucketMetricsConfigurations", Bucket=self.bucket)
        except CallFailed as failure:
            return [], [] if failure.kind == "missing" else [failure]
        filters = [str(each.get("Id")) for each in answer.get("MetricsConfigurationList") or []]
        if not filters:
            return [Row(name="requests", facts={"state": "not counted: the bucket has no metrics configuration"})], []
        return await request_rows(place, self.bucket, filters, self.window, now)

    async def _copies(self, place: Place, now: datetime) -> tuple[list[Row], list[CallFailed]]:
        """Replication rules and how far behind they are."""
        failures: list[CallFailed] = []
        none: Answer = {}
        answer = await there(failures, place.call("s3", "GetBucketReplication", Bucket=self.bucket), none, none)
        rules: list[Answer] = (answer.get("ReplicationConfiguration") or {}).get("Rules") or []
        if not rules:
            return [], failures
        levels, unread = await replication_levels(place, self.bucket, rules, now)
        return [replication_row(each, levels.get(str(each.get("ID")), {})) for each in rules], [*failures, *unread]


def _bucket_row(bucket: Answer, access: Access, encryption: Answer | None) -> Row:
    return Row(
        name=str(bucket.get("Name")),
        at=bucket.get("CreationDate"),
        facts={
            "warnings": access.warnings() or None,
            "who": access.in_words(),
            "encryption": None if encryption is None else encryption_in_words(encryption),
            "region": bucket.get("BucketRegion"),
        },
    )


def _blocks(access: Access) -> dict[str, Any]:
    def shut(told: Answer | None) -> str | None:
        return None if told is None else ", ".join(name for name, on in told.items() if on) or "nothing"

    return {"blocked_by_bucket": shut(access.blocks), "blocked_by_account": shut(access.account_blocks)}


OPERATIONS = (Buckets, Bucket)
