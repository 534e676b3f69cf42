"""What can be asked of IAM."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import policies
from runbook_bot.providers.aws.operations.iam_principals import Principal, find_principal, read_policies
from runbook_bot.providers.aws.operations.iam_reports import (
    ROOT,
    CredentialReport,
    Key,
    credential_report,
    moment,
    second_factor,
    services_used,
)
from runbook_bot.providers.aws.operations.iam_simulation import (
    candidates,
    decision_row,
    listed_actions,
    simulate,
)
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.telling import age_days, names, there, warned
from runbook_bot.providers.aws.place import Answer, Place

_OLD_DAYS = 90
_MOST_SIMULATED = 20
_MOST_KEYS = 10
_PRINCIPAL = "Name or ARN of a role or user"


class WhoMay(Operation):
    """Whether a role or user may do something, or which of all may, as IAM itself decides, and by which policy."""

    kind: ClassVar[str] = "aws.iam.who_may"
    service = "iam"
    calls = ("SimulatePrincipalPolicy", "GetRole", "GetUser", "GetAccountAuthorizationDetails")
    words = ("who may", "who can", "is it allowed to", "may the role", "simulate policy", "which roles may")
    scope = "account"

    action: str = Field(description="IAM actions, e.g. s3:GetObject; several with commas between")
    resource: str = Field(default="*", description="ARN of what it is done to; * means anything")
    principal: str | None = Field(default=None, description=_PRINCIPAL + "; none means whoever may")

    async def answer(self, place: Place, now: datetime) -> Result:
        actions = listed_actions(self.action)
        more = ""
        if self.principal is not None:
            who = await find_principal(place, self.principal)
            asked, whole = [(f"{who.kind} {who.name}", who.arn)], True
        else:
            asked, whole = await candidates(place, actions)
        if not whole:
            more = "not all roles and users were looked at; name one"
        left = len(asked) - _MOST_SIMULATED
        if left > 0:
            more = f"{left} more roles and users whose policies name it were not simulated; name one"
        told, failures = await for_each(
            asked[:_MOST_SIMULATED], lambda each: simulate(place, each[1], actions, self.resource)
        )
        rows = [decision_row(name, each) for (name, _), answers in told for each in answers]
        if self.principal is None:
            rows = [row for row in rows if row.facts["allowed"]]
        rows.sort(key=lambda row: not row.facts["allowed"])
        return self.table(
            place,
            rows,
            empty="nobody may: no role or user has a policy that allows it (resource policies were not looked at)",
            failures=failures,
            more=more,
            console=_link(place.region, "/policies"),
        )


class Rights(Operation):
    """Policies of a role or user, inline ones too, in words: what allows too much first, then who may assume it."""

    kind: ClassVar[str] = "aws.iam.rights"
    service = "iam"
    calls = (
        "GetRole", "GetUser", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "ListUserPolicies",
        "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser", "ListGroupPolicies", "GetGroupPolicy",
        "ListAttachedGroupPolicies", "GetPolicy", "GetPolicyVersion",
    )  # fmt: skip
    words = ("policies of the role", "role policies", "rights of the role", "permissions of the role", "trust policy",
             "wildcard permissions", "what may the role do")  # fmt: skip
    scope = "account"

    principal: str = Field(description=_PRINCIPAL)

    async def answer(self, place: Place, now: datetime) -> Result:
        who = await find_principal(place, self.principal)
        found, failures = await read_policies(place, who)
        trust = policies.statements(who.told.get("AssumeRolePolicyDocument"))
        rows = [row for policy in found for row in policies.rows(policy.label, policy.statements)]
        rows += [row.model_copy(update={"name": row.name.replace("trust,", "may be assumed,")})
                 for row in policies.rows("trust", trust)]  # fmt: skip
        rows.sort(key=warned)
        every = [each for policy in found for each in policy.statements]
        return self.table(
            place,
            [_principal_row(who, every, now), *rows],
            empty="",
            failures=failures,
            console=_principal_link(place.region, who),
        )


class LastUsed(Operation):
    """When a role or user was last used, for which services and where, and which it may use and never does."""

    kind: ClassVar[str] = "aws.iam.last_used"
    service = "iam"
    calls = ("GetRole", "GetUser", "GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails")
    words = ("last used", "is the role still used", "which services does the role use", "unused permissions")
    scope = "account"

    principal: str = Field(description=_PRINCIPAL)

    async def answer(self, place: Place, now: datetime) -> Result:
        who = await find_principal(place, self.principal)
        failures: list[CallFailed] = []
        none: list[Answer] = []
        services = await there(failures, services_used(place, who.arn, self.patience), none, none)
        used = [each for each in services if each.get("LastAuthenticated")]
        used.sort(key=lambda each: each["LastAuthenticated"], reverse=True)
        never = sorted(str(each.get("ServiceNamespace")) for each in services if not each.get("LastAuthenticated"))
        first = _principal_row(who, [], now)
        facts = {**first.facts, "services_used": len(used), "services_never_used": names(never, 30) or None}
        if failures:
            facts = first.facts
        return self.table(
            place,
            [first.model_copy(update={"facts": facts}), *[_service_row(each, now) for each in used]],
            empty="",
            failures=failures,
            console=_principal_link(place.region, who),
        )


class AccessKeys(Operation):
    """Access keys by age and last use, the root account's and the old ones first; of one user or of all."""

    kind: ClassVar[str] = "aws.iam.access_keys"
    service = "iam"
    calls = ("GenerateCredentialReport", "GetCredentialReport", "ListAccessKeys", "GetAccessKeyLastUsed")
    words = ("access keys", "old access keys", "unused access keys", "when was the key used", "leaked key")
    scope = "account"

    user: str | None = Field(default=None, description="Name of a user; none means all of the account")

    async def answer(self, place: Place, now: datetime) -> Result:
        if self.user is not None:
            return await self._of_user(place, self.user.rpartition("/")[2], now)
        report = await credential_report(place, self.patience)
        rows = [_key_row(each, now) for each in report.active_keys()]
        rows.sort(key=lambda row: (not row.name.startswith("root account,"), warned(row), -_age(row)))
        return self.table(
            place,
            rows,
            empty="no user of the account has an active access key",
            more=_as_of(report),
            console=_link(place.region, "/users"),
        )

    async def _of_user(self, place: Place, user: str, now: datetime) -> Result:
        """Asked directly, so a key that was made a minute ago is there."""
        keys = await place.gather("iam", "ListAccessKeys", "AccessKeyMetadata", _MOST_KEYS, UserName=user)
        told, failures = await for_each(
            [str(each.get("AccessKeyId")) for each in keys],
            lambda id: place.call("iam", "GetAccessKeyLastUsed", AccessKeyId=id),
        )
        used = {id: answer.get("AccessKeyLastUsed") or {} for id, answer in told}
        rows = [_own_key_row(each, used.get(str(each.get("AccessKeyId")), {}), now) for each in keys]
        rows.sort(key=warned)
        return self.table(
            place,
            rows,
            empty=f"the user {user} has no access key",
            failures=failures,
            console=_link(place.region, f"/users/details/{quote(user, safe='')}?section=security_credentials"),
        )


class WithoutSecondFactor(Operation):
    """Users who sign in without a second factor, the root account first, with when they last did."""

    kind: ClassVar[str] = "aws.iam.without_second_factor"
    service = "iam"
    calls = ("GenerateCredentialReport", "GetCredentialReport")
    words = ("users without mfa", "mfa", "who has no second factor", "console users")
    scope = "account"

    async def answer(self, place: Place, now: datetime) -> Result:
        report = await credential_report(place, self.patience)
        rows = [_user_row(each, now) for each in report.lines if not second_factor(each) and _signs_in(each)]
        rows.sort(key=lambda row: (row.name != "root account", warned(row), row.name))
        return self.table(
            place,
            rows,
            empty=f"every one of {len(report.lines)} users who signs in has a second factor",
            more=_as_of(report) if rows else "",
            console=_link(place.region, "/users"),
        )


def _principal_row(who: Principal, statements: Sequence[Answer], now: datetime) -> Row:
    told = who.told
    unused = age_days(who.used, now)
    made = age_days(told.get("CreateDate"), now)
    warnings = policies.warnings(statements)
    if who.kind == "role" and unused is None and made is not None and made > _OLD_DAYS:
        warnings.append("it was not used within the time that IAM remembers (400 days)")
    elif unused is not None and unused > _OLD_DAYS:
        warnings.append(f"it was not used for {unused} days")
    boundary = str((told.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") or "")
    return Row(
        name=f"{who.kind} {who.name}",
        at=who.used,
        facts={
            "warnings": warnings or None,
            "used_days_ago": unused,
            "used_in": (told.get("RoleLastUsed") or {}).get("Region"),
            "made_days_ago": made,
            "path": told.get("Path") if told.get("Path") != "/" else None,
            "boundary": boundary.rpartition("/")[2] or None,
            "tags_set": names(str(each.get("Key")) for each in told.get("Tags") or []) or None,
        },
    )


def _service_row(service: Answer, now: datetime) -> Row:
    return Row(
        name=str(service.get("ServiceName") or service.get("ServiceNamespace", "?")),
        at=service.get("LastAuthenticated"),
        facts={
            "service": service.get("ServiceNamespace"),
            "used_days_ago": age_days(service.get("LastAuthenticated"), now),
            "in": service.get("LastAuthenticatedRegion"),
        },
    )


def _key_row(key: Key, now: datetime) -> Row:
    age, unused = age_days(key.made, now), age_days(key.used, now)
    warnings: list[Any] = ["the root account has an access key"] if key.user == ROOT else []
    warnings += _aged(age, unused, never=key.used is None)
    return Row(
        name=f"{_user(key.user)}, key {key.number}",
        at=key.made,
        facts={
            "warnings": warnings or None,
            "age_days": age,
            "used_days_ago": unused,
            "used_for": key.used_for or None,
        },
    )


def _own_key_row(key: Answer, used: Answer, now: datetime) -> Row:
    """The end of its id tells keys apart and is no use to anybody else."""
    age, unused = age_days(key.get("CreateDate"), now), age_days(used.get("LastUsedDate"), now)
    active = key.get("Status") == "Active"
    warnings = _aged(age, unused, never=bool(used) and not used.get("LastUsedDate")) if active else []
    service = used.get("ServiceName")
    return Row(
        name=f"{key.get('UserName', '?')}, key …{str(key.get('AccessKeyId', ''))[-4:]}",
        at=key.get("CreateDate"),
        facts={
            "warnings": warnings or None,
            "active": active,
            "age_days": age,
            "used_days_ago": unused,
            "used_for": f"{service} in {used.get('Region')}" if service not in (None, "N/A") else None,
        },
    )


def _age(row: Row) -> int:
    age = row.facts.get("age_days")
    return age if isinstance(age, int) else 0


def _aged(age: int | None, unused: int | None, *, never: bool) -> list[Any]:
    found: list[Any] = []
    if age is not None and age > _OLD_DAYS:
        found.append(f"it is {age} days old")
    if never:
        found.append("it was never used")
    elif unused is not None and unused > _OLD_DAYS:
        found.append(f"it was not used for {unused} days")
    return found


def _user_row(line: dict[str, str], now: datetime) -> Row:
    signed_in = moment(line.get("password_last_used"))
    console = line.get("password_enabled") == "true" or line["user"] == ROOT
    return Row(
        name=_user(line["user"]),
        at=signed_in,
        facts={
            "warnings": ["signs in to the console without a second factor"] if console else None,
            "console": console,
            "signed_in_days_ago": age_days(signed_in, now),
            "keys": sum(line.get(f"access_key_{n}_active") == "true" for n in (1, 2)),
            "made_days_ago": age_days(moment(line.get("user_creation_time")), now),
        },
    )


def _signs_in(line: dict[str, str]) -> bool:
    keys = any(line.get(f"access_key_{number}_active") == "true" for number in (1, 2))
    return line["user"] == ROOT or line.get("password_enabled") == "true" or keys


def _user(name: str) -> str:
    return "root account" if name == ROOT else name


def _as_of(report: CredentialReport) -> str:
    made = f" of {iso(report.made)}" if report.made else ""
    return f"from IAM's credential report{made}, which it renews every four hours; name a user to see the present"


def _link(region: str, page: str) -> str:
    return f"https://{console_host(region)}/iam/home?region={region}#{page}"


def _principal_link(region: str, who: Principal) -> str:
    return _link(region, f"/{who.kind}s/details/{quote(who.name, safe='')}")


OPERATIONS = (WhoMay, Rights, LastUsed, AccessKeys, WithoutSecondFactor)
