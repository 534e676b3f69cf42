"""What can be asked of Secrets Manager: everything about secrets but what they are."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import policies
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import age_days, days_until, names, there, warned
from runbook_bot.providers.aws.place import Answer, Place

_MOST_LISTED = 1000
_MOST_VERSIONS = 100
_MOST_EVENTS = 50
_UNUSED_DAYS = 90
_STUCK = timedelta(hours=1)
_PENDING, _CURRENT = "AWSPENDING", "AWSCURRENT"
_TROUBLE = ("RotationFailed", "RotationAbandoned")


class Secrets(Operation):
    """Secrets by name with rotation, last use and last change; overdue, stuck and dying ones first; never values."""

    kind: ClassVar[str] = "aws.secretsmanager.secrets"
    service = "secretsmanager"
    calls = ("ListSecrets",)
    words = ("secrets", "secret rotation", "which secrets were rotated", "overdue secrets", "unused secrets")

    prefix: str | None = Field(default=None, description="Only secrets whose names begin so; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        which: dict[str, Any] = {"IncludePlannedDeletion": True}
        if self.prefix:
            which["Filters"] = [{"Key": "name", "Values": [self.prefix]}]
        found = await place.gather("secretsmanager", "ListSecrets", "SecretList", _MOST_LISTED + 1, **which)
        rows = await asyncio.to_thread(lambda: [_secret_row(each, now) for each in found[:_MOST_LISTED]])
        rows.sort(key=lambda row: (warned(row), -(row.at.timestamp() if row.at else 0.0)))
        more = f"there are more than {_MOST_LISTED} secrets; give the beginning of a name"
        return self.table(
            place,
            rows,
            empty="this region has no such secret",
            more=more if len(found) > _MOST_LISTED else "",
            console=_link(place.region, None),
        )


class Secret(Operation):
    """One secret: its versions, rotations and their failures, copies elsewhere, who may read it; never its value."""

    kind: ClassVar[str] = "aws.secretsmanager.secret"
    service = "secretsmanager"
    calls = ("DescribeSecret", "ListSecretVersionIds", "GetResourcePolicy", "cloudtrail:LookupEvents")
    words = ("secret", "secret versions", "did the rotation fail", "who may read the secret", "when was it rotated")

    name: str = Field(description="Name or ARN of the secret")

    async def answer(self, place: Place, now: datetime) -> Result:
        secret = await place.call("secretsmanager", "DescribeSecret", SecretId=self.name)
        failures: list[CallFailed] = []
        none: list[Answer] = []
        # not its paginator: there is none
        versions = await there(
            failures,
            place.call(
                "secretsmanager", "ListSecretVersionIds", SecretId=self.name, MaxResults=_MOST_VERSIONS
            ),
            {},
            {},
        )  # fmt: skip
        policy = await there(
            failures, place.call("secretsmanager", "GetResourcePolicy", SecretId=self.name), {}, {}
        )  # fmt: skip
        events = none
        if secret.get("RotationEnabled"):
            events = await there(failures, self._troubles(place, secret, now), none, none)
        listed: list[Answer] = versions.get("Versions") or []
        rows = [
            _whole(secret, listed, now),
            *sorted((_copy_row(each) for each in secret.get("ReplicationStatus") or []), key=warned),
            *[_event_row(each) for each in events],
            *[_version_row(each, now) for each in sorted(listed, key=_newest)],
            *policies.rows("policy", policies.statements(policy.get("ResourcePolicy"))),
        ]
        return self.table(
            place,
            rows,
            empty="",
            failures=failures,
            more=f"it has more than {_MOST_VERSIONS} versions" if versions.get("NextToken") else "",
            console=_link(place.region, str(secret.get("Name", self.name))),
        )

    async def _troubles(self, place: Place, secret: Answer, now: datetime) -> list[Answer]:
        """Rotations that failed or were given up within the last 90 days, newest first. Raises `CallFailed`."""
        named = {"AttributeKey": "ResourceName", "AttributeValue": str(secret.get("ARN"))}
        found = await place.gather(
            "cloudtrail", "LookupEvents", "Events", _MOST_EVENTS, LookupAttributes=[named],
            StartTime=now - timedelta(days=_UNUSED_DAYS), EndTime=now,
        )  # fmt: skip
        return [each for each in found if each.get("EventName") in _TROUBLE]


def _secret_row(secret: Answer, now: datetime) -> Row:
    return Row(
        name=str(secret.get("Name", "?")),
        at=secret.get("LastChangedDate"),
        facts={"warnings": _warnings(secret, now) or None, **_facts(secret, now)},
    )


def _whole(secret: Answer, versions: Sequence[Answer], now: datetime) -> Row:
    warnings = _warnings(secret, now)
    warnings += [w for w in _stuck(versions, now) if w not in warnings]
    facts = {"warnings": warnings or None, **_facts(secret, now), "versions": len(versions)}
    return Row(name=str(secret.get("Name", "?")), at=secret.get("LastChangedDate"), facts=facts)


def _facts(secret: Answer, now: datetime) -> dict[str, Any]:
    rules: Answer = secret.get("RotationRules") or {}
    every = rules.get("AutomaticallyAfterDays")
    return {
        "rotation": _rotation(secret),
        "rotates_every": rules.get("ScheduleExpression") or (f"{every} days" if every else None),
        "rotated_days_ago": age_days(secret.get("LastRotatedDate"), now),
        "next_rotation_in_days": days_until(secret.get("NextRotationDate"), now),
        "changed_days_ago": age_days(secret.get("LastChangedDate"), now),
        "read_days_ago": age_days(secret.get("LastAccessedDate"), now),
        "belongs_to": secret.get("OwningService"),
        "encrypted_with": str(secret.get("KmsKeyId") or "aws/secretsmanager").rpartition(":")[2],
        "tags_set": names(str(each.get("Key")) for each in secret.get("Tags") or []) or None,
    }


def _rotation(secret: Answer) -> str:
    if not secret.get("RotationEnabled"):
        return "off"
    function = str(secret.get("RotationLambdaARN") or "").rpartition(":function:")[2]
    return f"by the function {function}" if function else "by AWS"


def _warnings(secret: Answer, now: datetime) -> list[Any]:
    """What somebody should act on, the worst first."""
    found: list[Any] = []
    if secret.get("DeletedDate"):
        found.append(f"it is marked for deletion ({secret['DeletedDate']:%Y-%m-%d}), and can still be restored")
    late = days_until(secret.get("NextRotationDate"), now)
    if secret.get("RotationEnabled") and late is not None and late < 0:
        found.append(f"its rotation is {-late} days overdue")
    elif secret.get("RotationEnabled") and not secret.get("LastRotatedDate"):
        found.append("it was never rotated although rotation is on")
    stages = [stage for each in (secret.get("SecretVersionsToStages") or {}).values() for stage in each]
    stages += [stage for each in (secret.get("VersionIdsToStages") or {}).values() for stage in each]
    if stages and _CURRENT not in stages:
        found.append("no version is current: nobody can read it")
    if [each for each in secret.get("ReplicationStatus") or [] if each.get("Status") == "Failed"]:
        found.append("a copy of it in another region failed")
    read = age_days(secret.get("LastAccessedDate") or secret.get("CreatedDate"), now)
    if read is not None and read > _UNUSED_DAYS and not secret.get("DeletedDate"):
        found.append(f"nobody has read it for {read} days")
    return found


def _stuck(versions: Sequence[Answer], now: datetime) -> Iterable[str]:
    """A version that is pending alone was made by a rotation that did not come to its end."""
    for each in versions:
        stages = each.get("VersionStages") or []
        made: datetime | None = each.get("CreatedDate")
        if _PENDING in stages and _CURRENT not in stages and made is not None and now - made > _STUCK:
            yield "a rotation did not come to its end: a version has been pending since " + f"{made:%Y-%m-%d %H:%M} UTC"


def _version_row(version: Answer, now: datetime) -> Row:
    return Row(
        name=f"version {version.get('VersionId', '?')}",
        at=version.get("CreatedDate"),
        facts={
            "stages": names(version.get("VersionStages") or []) or "none: it goes away by itself",
            "read_days_ago": age_days(version.get("LastAccessedDate"), now),
        },
    )


def _copy_row(copy: Answer) -> Row:
    failed = copy.get("Status") == "Failed"
    return Row(
        name=f"copy in {copy.get('Region', '?')}",
        facts={
            "warnings": [f"failed: {copy.get('StatusMessage', '')}".rstrip(": ")] if failed else None,
            "status": copy.get("Status"),
        },
    )


def _event_row(event: Answer) -> Row:
    given_up = event.get("EventName") == "RotationAbandoned"
    return Row(
        name="rotation given up" if given_up else "rotation failed",
        at=event.get("EventTime"),
        facts={"event": event.get("EventId")},
    )


def _newest(version: Answer) -> float:
    made: datetime | None = version.get("CreatedDate")
    return -made.timestamp() if made else 0.0


def _link(region: str, name: str | None) -> str:
    page = f"secret?name={quote(name, safe='')}&region={region}" if name else f"listsecrets?region={region}"
    return f"https://{console_host(region)}/secretsmanager/{page}"


OPERATIONS = (Secrets, Secret)
