"""What the present credentials may: simulated by IAM where it allows that, else tried by reads that cost nothing."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from runbook_bot.providers.aws.calls import NEUTRAL
from runbook_bot.providers.aws.failure import CallFailed, iam_action, one_line
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.place import Identity, Place

_ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/")
_IN_ONE_CALL = 50
_SIMULATED_MOST = 1000
_NOT_TRIED = frozenset({
    "ce:GetCostAndUsage", "iam:GetAccountAuthorizationDetails", "iam:GenerateServiceLastAccessedDetails",
    "sts:GetCallerIdentity",
})  # fmt: skip
"""They cost money or much time, or are allowed to everybody."""


@dataclass(frozen=True)
class Lack:
    """One permission that is not given."""

    action: str
    resource: str
    why: str


@dataclass
class Standing:
    """What is known of the permissions of one account's credentials."""

    place: str
    who: str
    how: Literal["simulated", "tried", "not asked"]
    told: str = ""
    """Why it could not be simulated, or not be asked at all."""
    lacks: list[Lack] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Permissions about which nothing was found out."""


async def standing(place: Place, identity: Identity, wanted: Mapping[str, Collection[str]]) -> Standing:
    """wanted: permissions by what they are needed on. Never raises."""
    found = Standing(place.name, identity.arn, "simulated")
    try:
        principal = await principal_of(place, identity)
        await _simulated(place, principal, wanted, found)
    except CallFailed as failure:
        found = Standing(place.name, identity.arn, "tried", str(failure))
        await _tried(place, [each for actions in wanted.values() for each in actions], found)
    found.lacks = sorted(set(found.lacks), key=lambda lack: (lack.action, lack.resource))
    found.unknown.sort()
    return found


async def principal_of(place: Place, identity: Identity) -> str:
    """The ARN that IAM knows them by: of a session its role, with the role's path. Raises `CallFailed`."""
    if place.account is not None:
        return place.account.role_arn
    session = _ASSUMED.match(identity.arn)
    if session is None:
        if ":user/" in identity.arn:
            return identity.arn
        text = "IAM simulates users and roles only"
        raise CallFailed("unsupported", text, action="iam:SimulatePrincipalPolicy")
    partition, account, name = session.groups()
    without_path = f"arn:{partition}:iam::{account}:role/{name}"
    try:
        told = await place.call("iam", "GetRole", RoleName=name)
    except CallFailed:
        return without_path  # right where the role has none
    return str((told.get("Role") or {}).get("Arn") or without_path)


async def _simulated(place: Place, principal: str, wanted: Mapping[str, Collection[str]], found: Standing) -> None:
    """Raises `CallFailed` where it may not be simulated."""
    chunks = [
        (on, sorted(actions)[start : start + _IN_ONE_CALL])
        for on, actions in sorted(wanted.items())
        for start in range(0, len(actions), _IN_ONE_CALL)
    ]
    on, first = chunks[0]
    found.lacks += _lacking(on, await _ask(place, principal, on, first))  # alone: where it is denied, it is denied once
    answers = await asyncio.gather(*(_ask(place, principal, on, actions) for on, actions in chunks[1:]))
    for (on, _), told in zip(chunks[1:], answers, strict=True):
        found.lacks += _lacking(on, told)


async def _ask(place: Place, principal: str, on: str, actions: Sequence[str]) -> list[Any]:
    named = {} if on == "*" else {"ResourceArns": [on]}
    told = await place.gather(
        "iam", "SimulatePrincipalPolicy", "EvaluationResults", _SIMULATED_MOST,
        PolicySourceArn=principal, ActionNames=list(actions), **named,
    )  # fmt: skip
    if {each.get("EvalActionName") for each in told} < set(actions):
        text = "IAM's simulator did not answer for every permission"
        raise CallFailed("unsupported", text, action="iam:SimulatePrincipalPolicy")
    return told


def _lacking(on: str, told: Sequence[Any]) -> list[Lack]:
    return [
        Lack(str(each.get("EvalActionName")), on, _why(each)) for each in told if each.get("EvalDecision") != "allowed"
    ]


def _why(told: Mapping[str, Any]) -> str:
    if (told.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations") is False:
        return "a service control policy of the organization denies it"
    if (told.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary") is False:
        return "the permissions boundary does not allow it"
    return "a policy denies it" if told.get("EvalDecision") == "explicitDeny" else "no policy allows it"


async def _tried(place: Place, wanted: Collection[str], found: Standing) -> None:
    """Every wanted call that takes no arguments is made once; what needs arguments stays unknown."""
    calls = [(service, action) for service, action in _calls() if iam_action(service, action) in set(wanted)]
    free = [call for call in calls if ":".join(call) not in _NOT_TRIED and await place.takes_nothing(*call)]
    answers = await asyncio.gather(*(_try(place, *call) for call in free))
    known = set()
    for (service, action), failure in zip(free, answers, strict=True):
        permission = iam_action(service, action)
        if failure is None or failure.kind in ("missing", "invalid"):
            known.add(permission)
        elif failure.kind == "denied":
            known.add(permission)
            found.lacks.append(Lack(failure.action, failure.resource or "*", one_line(str(failure))))
    lacking = {lack.action for lack in found.lacks}
    found.unknown = [each for each in wanted if each not in known and each not in lacking]


async def _try(place: Place, service: str, action: str) -> CallFailed | None:
    try:
        await place.call(service, action)
    except CallFailed as failure:
        return failure
    return None


def _calls() -> list[tuple[str, str]]:
    """Every call that may be made, in boto3's words."""
    named = [(service, action) for service, actions in NEUTRAL.items() for action in actions]
    for operation in operations():
        pairs = (call.split(":") if ":" in call else (operation.service, call) for call in operation.calls)
        named += [(service, action) for service, action in pairs]
    return list(dict.fromkeys(named))
