"""What IAM itself says to an action: allowed, refused by whom, or allowed by nobody."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runbook_bot.domain.observation import Row
from runbook_bot.providers.aws.operations.policies import may_allow, statements
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer, Place

_SECONDS = 5.0
_MOST_PAGES = 20
_MOST_ACTIONS = 20
_DECISIONS = {
    "allowed": "allowed",
    "explicitDeny": "refused by a policy that denies it",
    "implicitDeny": "not allowed by any policy",
}


def listed_actions(text: str) -> list[str]:
    """Several may be given, with commas or spaces between."""
    return [each for each in text.replace(",", " ").split() if each][:_MOST_ACTIONS]


async def simulate(place: Place, arn: str, actions: Sequence[str], resource: str) -> list[Answer]:
    """IAM's own answer for each action. Raises `CallFailed`."""
    return await place.gather(
        "iam", "SimulatePrincipalPolicy", "EvaluationResults", 2 * _MOST_ACTIONS,
        PolicySourceArn=arn, ActionNames=list(actions), ResourceArns=[resource],
    )  # fmt: skip


def decision_row(who: str, told: Answer) -> Row:
    """One action of one principal."""
    decision = str(told.get("EvalDecision", "?"))
    organization = (told.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations")
    boundary = (told.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary")
    why = []
    if organization is False:
        why.append("the organization does not allow it")
    if boundary is False:
        why.append("its permissions boundary does not allow it")
    missing = [str(each) for each in told.get("MissingContextValues") or []]
    return Row(
        name=f"{who}: {told.get('EvalActionName', '?')}",
        facts={
            "decision": _DECISIONS.get(decision, decision),
            "allowed": decision == "allowed",
            "why_not": "; ".join(why) or None,
            "by": names(_sources(told)) or None,
            "on": told.get("EvalResourceName"),
            "depends_on": names(missing) or None,
        },
    )


def _sources(told: Answer) -> list[str]:
    """The policies whose statements decided; IAM writes `role_name_policy` for an inline one."""
    found = [str(each.get("SourcePolicyId", "")) for each in told.get("MatchedStatements") or []]
    return [each for each in dict.fromkeys(found) if each]


async def candidates(place: Place, actions: Sequence[str]) -> tuple[list[tuple[str, str]], bool]:
    """Kind and name, and ARN, of every role and user whose policies name one of the actions; and whether all were seen.

    Raises `CallFailed` where nothing could be read. Groups count for their members.
    """
    until = time.monotonic() + _SECONDS
    people: list[Answer] = []
    groups: dict[str, Answer] = {}
    managed: dict[str, list[Answer]] = {}
    pages, whole = 0, True
    async for page in place.pages("iam", "GetAccountAuthorizationDetails"):
        people += [{**each, "kind": "user"} for each in page.get("UserDetailList") or []]
        people += [{**each, "kind": "role"} for each in page.get("RoleDetailList") or []]
        groups |= {str(each.get("GroupName")): each for each in page.get("GroupDetailList") or []}
        managed |= {str(each.get("Arn")): list(_in_force(each)) for each in page.get("Policies") or []}
        pages += 1
        if page.get("IsTruncated") and (pages >= _MOST_PAGES or time.monotonic() > until):
            whole = False
            break
    found = []
    for each in people:
        mine = [each, *(groups[name] for name in map(str, each.get("GroupList") or []) if name in groups)]
        if any(may_allow(s, action) for part in mine for s in _statements(part, managed) for action in actions):
            name = str(each.get("UserName") or each.get("RoleName"))
            found.append((f"{each['kind']} {name}", str(each.get("Arn"))))
    return found, whole


def _in_force(policy: Answer) -> Iterable[Answer]:
    for version in policy.get("PolicyVersionList") or []:
        if version.get("IsDefaultVersion"):
            yield from statements(version.get("Document"))


def _statements(part: Answer, managed: Mapping[str, list[Answer]]) -> Iterable[Answer]:
    """Of a user, role or group: inline ones and those of attached policies."""
    inline: list[Any] = [
        each
        for key in ("UserPolicyList", "RolePolicyList", "GroupPolicyList")
        for each in part.get(key) or []
    ]  # fmt: skip
    for each in inline:
        yield from statements(each.get("PolicyDocument"))
    for each in part.get("AttachedManagedPolicies") or []:
        yield from managed.get(str(each.get("PolicyArn")), [])
