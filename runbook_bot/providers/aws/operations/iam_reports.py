"""What IAM collects for whoever asks: the credential report of the account, and what a principal has used."""

import asyncio
import csv
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.operation import Patience
from runbook_bot.providers.aws.place import Answer, Place

_REMEMBERED_SECONDS = 600.0
_MOST_PAGES = 5
ROOT = "<root_account>"


@dataclass(frozen=True)
class Key:
    """An access key of the credential report, which tells no ids."""

    user: str
    number: int
    made: datetime | None
    used: datetime | None
    used_for: str


@dataclass(frozen=True)
class CredentialReport:
    """All users of the account and what they sign in with."""

    made: datetime | None
    lines: list[dict[str, str]]

    def active_keys(self) -> Iterable[Key]:
        for line in self.lines:
            for number in (1, 2):
                start = f"access_key_{number}_"
                if line.get(start + "active") == "true":
                    service, region = (
                        line.get(start + "last_used_service", ""),
                        line.get(start + "last_used_region", ""),
                    )
                    yield Key(
                        line["user"],
                        number,
                        moment(line.get(start + "last_rotated")),
                        moment(line.get(start + "last_used_date")),
                        f"{service} in {region}" if service not in ("", "N/A") else "",
                    )


async def credential_report(place: Place, patience: Patience) -> CredentialReport:
    """The report; IAM makes a new one at most every four hours. Raises `CallFailed`."""
    until = time.monotonic() + patience.seconds
    while (await place.call("iam", "GenerateCredentialReport")).get("State") != "COMPLETE":
        if time.monotonic() > until:
            text = f"IAM was still making its credential report after {patience.seconds:g} s; ask again in a minute"
            raise CallFailed("timeout", text, action="iam:GenerateCredentialReport")
        await asyncio.sleep(patience.pause)
    answer = await place.call("iam", "GetCredentialReport")
    content: bytes | str = answer.get("Content") or b""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    lines = [dict(line) for line in csv.DictReader(text.splitlines()) if line.get("user")]
    return CredentialReport(answer.get("GeneratedTime"), lines)


async def services_used(place: Place, arn: str, patience: Patience) -> list[Answer]:
    """Every service that a principal may use, with when it did. Raises `CallFailed`, also where IAM takes long.

    The job goes on at AWS; whoever asks again within ten minutes is given what it found.
    """

    async def start() -> str:
        return str((await place.call("iam", "GenerateServiceLastAccessedDetails", Arn=arn)).get("JobId"))

    job = await place.recall(("services used", arn), _REMEMBERED_SECONDS, start)
    until = time.monotonic() + patience.seconds
    while True:
        answer = await place.call("iam", "GetServiceLastAccessedDetails", JobId=job, MaxItems=1000)
        status = answer.get("JobStatus")
        if status == "COMPLETED":
            return await _all_pages(place, job, answer)
        if status == "FAILED":
            told = str((answer.get("Error") or {}).get("Message", "without a reason"))
            text = f"IAM could not collect what was used: {told}"
            raise CallFailed("failed", text, action="iam:GetServiceLastAccessedDetails")
        if time.monotonic() > until:
            text = f"IAM was still collecting what was used after {patience.seconds:g} s; ask again in a moment"
            raise CallFailed("timeout", text, action="iam:GetServiceLastAccessedDetails")
        await asyncio.sleep(patience.pause)


async def _all_pages(place: Place, job: str, first: Answer) -> list[Answer]:
    found: list[Answer] = list(first.get("ServicesLastAccessed") or [])
    page, pages = first, 1
    while page.get("IsTruncated") and page.get("Marker") and pages < _MOST_PAGES:
        page = await place.call("iam", "GetServiceLastAccessedDetails", JobId=job, Marker=page["Marker"], MaxItems=1000)
        found += page.get("ServicesLastAccessed") or []
        pages += 1
    return found


def moment(text: str | None) -> datetime | None:
    """A time of the report; it writes `N/A`, `no_information` and `not_supported` where it has none."""
    try:
        return utc(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


def second_factor(line: Mapping[str, str]) -> bool:
    return line.get("mfa_active") == "true"
