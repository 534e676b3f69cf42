"""A role or a user by the name or ARN that people give, and the policies that are attached to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations import policies
from runbook_bot.providers.aws.place import Answer, Place

_POSSIBLE = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
_MOST_POLICIES = 50
_MOST_GROUPS = 10


@dataclass(frozen=True)
class Principal:
    """A role or a user of the account."""

    kind: Literal["role", "user"]
    name: str
    arn: str
    told: Answer

    @property
    def used(self) -> datetime | None:
        """When a role was last assumed, or when a person last signed in."""
        if self.kind == "role":
            moment: datetime | None = (self.told.get("RoleLastUsed") or {}).get("LastUsedDate")
            return moment
        return self.told.get("PasswordLastUsed")


@dataclass(frozen=True)
class Policy:
    """A policy and its statements; None where it could not be read."""

    label: str
    """E.g. `inline policy deploy`, `policy AdministratorAccess`, `policy x of group ops`."""
    statements: Sequence[Answer]


async def find_principal(place: Place, which: str) -> Principal:
    """By name, or by the ARN of a role, a user, or a session of a role. Raises `CallFailed`."""
    kind, name = _named(which)
    if not _POSSIBLE.fullmatch(name):
        raise CallFailed("missing", f"no role or user can have the name {name}", action="iam:GetRole")
    if kind != "user":
        try:
            role: Answer = (await place.call("iam", "GetRole", RoleName=name)).get("Role") or {}
            return Principal("role", name, str(role.get("Arn", "")), role)
        except CallFailed as failure:
            if kind == "role" or failure.kind != "missing":
                raise
    try:
        user: Answer = (await place.call("iam", "GetUser", UserName=name)).get("User") or {}
    except CallFailed as failure:
        if failure.kind != "missing":
            raise
        what = "user" if kind == "user" else "role or user"
        raise CallFailed("missing", f"there is no {what} named {name}", action=failure.action) from failure
    return Principal("user", name, str(user.get("Arn", "")), user)


def _named(which: str) -> tuple[str, str]:
    """Kind (empty: not told) and name; a name may come with its path."""
    what = which.split(":", 5)[-1] if which.startswith("arn:") else which
    kind, _, rest = what.partition("/")
    if which.startswith("arn:") and kind == "assumed-role":
        return "role", rest.partition("/")[0]
    told = kind if which.startswith("arn:") and kind in ("role", "user") else ""
    return told, what.rpartition("/")[2]


async def read_policies(place: Place, who: Principal) -> tuple[list[Policy], list[CallFailed]]:
    """Inline and attached ones, of a user's groups too."""
    found, failures = await _of(place, who.kind.title(), who.name, "")
    if who.kind == "user":
        try:
            groups = await place.gather("iam", "ListGroupsForUser", "Groups", _MOST_GROUPS, UserName=who.name)
        except CallFailed as failure:
            return found, [*failures, failure]
        for group in groups:
            name = str(group.get("GroupName"))
            more, failed = await _of(place, "Group", name, f" of group {name}")
            found += more
            failures += failed
    return found, failures


async def _of(place: Place, kind: str, name: str, label: str) -> tuple[list[Policy], list[CallFailed]]:
    """kind: `Role`, `User` or `Group`, as it stands in the names of the calls."""
    mine: dict[str, Any] = {f"{kind}Name": name}
    listed, unlisted = await for_each(
        ((f"List{kind}Policies", "PolicyNames"), (f"ListAttached{kind}Policies", "AttachedPolicies")),
        lambda call: place.gather("iam", *call, _MOST_POLICIES, **mine),
    )
    by_call = {key: items for (_, key), items in listed}
    inline, unread = await for_each(
        [str(each) for each in by_call.get("PolicyNames", [])],
        lambda policy: place.call("iam", f"Get{kind}Policy", PolicyName=policy, **mine),
    )
    attached, unseen = await for_each(
        [(str(each.get("PolicyName")), str(each.get("PolicyArn"))) for each in by_call.get("AttachedPolicies", [])],
        lambda each: document(place, each[1]),
    )
    found = [Policy(f"inline policy {n}{label}", policies.statements(a.get("PolicyDocument"))) for n, a in inline]
    found += [Policy(f"policy {n}{label}", policies.statements(text)) for (n, _), text in attached]
    return found, [*unlisted, *unread, *unseen]


async def document(place: Place, arn: str) -> Any:
    """What a managed policy says in the version that is in force. Raises `CallFailed`."""
    policy = (await place.call("iam", "GetPolicy", PolicyArn=arn)).get("Policy") or {}
    version = str(policy.get("DefaultVersionId", "v1"))
    answer = await place.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return (answer.get("PolicyVersion") or {}).get("Document")
