"""Credentials of a role, assumed when first needed and renewed before they run out."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from runbook_bot.providers.aws.config import AwsAccount

_NOT_ALLOWED = re.compile(r"[^\w+=,.@-]", re.ASCII)


class WrongAccount(BotoCoreError):  # type: ignore[misc]  # botocore is not typed
    """A role that answers from another account than its ARN names."""

    fmt = "the role {role} answered from account {found}"


class ClockAstray(BotoCoreError):  # type: ignore[misc]  # botocore is not typed
    """Credentials that this machine's clock takes for expired when they are handed out."""

    fmt = "AWS has just given credentials until {until} UTC, and this machine's clock says {now} UTC"


def session_name(text: str) -> str:
    """What CloudTrail shows as the actor: in the characters and the length that STS takes (`[\\w+=,.@-]{2,64}`)."""
    return _NOT_ALLOWED.sub("-", text)[:64].ljust(2, "-")


def reading_session(investigation: str) -> str:
    """The name of a session that reads, with the investigation it reads for."""
    return session_name(f"runbook-{investigation}" if investigation else "runbook-read")


def assumed(account: AwsAccount, name: str, doors: Callable[[], Sequence[Any]]) -> RefreshableCredentials:
    """Assumes the account's role now, and again whenever the credentials are about to expire. Blocking.

    doors: clients of STS in the regions it may be asked in; the next one where one cannot be reached.
    """

    def assume() -> dict[str, str]:
        request = {"RoleArn": account.role_arn, "RoleSessionName": name}
        if account.external_id:
            request["ExternalId"] = account.external_id
        answer = _first(doors(), request)
        _from_that_account(account, str((answer.get("AssumedRoleUser") or {}).get("Arn", "")))
        given = answer["Credentials"]
        if given["Expiration"] <= datetime.now(UTC):
            raise ClockAstray(until=f"{given['Expiration']:%Y-%m-%d %H:%M}", now=f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    return RefreshableCredentials.create_from_metadata(
        metadata=assume(), refresh_using=assume, method="sts-assume-role"
    )


def _first(doors: Sequence[Any], request: dict[str, str]) -> dict[str, Any]:
    for door in doors[:-1]:
        try:
            answer: dict[str, Any] = door.assume_role(**request)
        except (HTTPClientError, NotConnected):
            continue
        return answer
    last: dict[str, Any] = doors[-1].assume_role(**request)
    return last


def _from_that_account(account: AwsAccount, arn: str) -> None:
    wanted, found = account.role_arn.split(":")[4:5], arn.split(":")[4:5]
    if found and found != wanted:
        raise WrongAccount(role=account.role_arn, found=found[0])
