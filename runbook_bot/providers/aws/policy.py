"""The smallest IAM policies that do: one to read, one to change, one to assume the roles of both."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_bot.providers.aws.calls import NEUTRAL
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.failure import iam_action
from runbook_bot.providers.aws.iam_scopes import scope
from runbook_bot.providers.aws.mutations.register import mutations
from runbook_bot.providers.aws.operations.register import operations

LARGEST = 6144
"""Characters that IAM takes for a managed policy, white space not counted."""
_VERSION = "2012-10-17"
_IN_ONE_STATEMENT = 100
_ALONG_WITH = {"cloudformation:DescribeStacks": "cloudformation:ListStacks"}
"""Permissions that IAM wants besides: here where no stack is named (service authorization reference)."""

Policy = dict[str, Any]


@dataclass(frozen=True)
class Bounds:
    """Where the permissions are given: `*` for what is not known, or is more than one."""

    partition: str = "aws"
    region: str = "*"
    account: str = "*"


def reads() -> list[str]:
    """Every permission that a question may need, sorted."""
    neutral = {iam_action(service, action) for service, actions in NEUTRAL.items() for action in actions}
    asked = neutral | {each for operation in operations() for each in operation.permissions()}
    before = {each for mutation in mutations().values() for each in mutation.reads}
    asked |= {iam_action(*each.split(":")) for each in before}
    return sorted(asked | {each for wanted, each in _ALONG_WITH.items() if wanted in asked})


def reading(bounds: Bounds) -> list[Policy]:
    """What reading needs, in as many policies as IAM's limit of length makes necessary."""
    return list(_packed(_statements("Read", scoped(reads(), bounds))))


def changing(bounds: Bounds) -> Policy:
    """What the allow-listed changes need. Each change is narrowed to its one target besides, when it is made."""
    given: dict[str, set[str]] = defaultdict(set)
    for mutation in mutations().values():
        permission = iam_action(mutation.service, mutation.action)
        prefix = permission.partition(":")[0]
        where = ":" if mutation.everywhere else f"{bounds.region}:{bounds.account}"
        given[f"arn:{bounds.partition}:{prefix}:{where}:{mutation.any_target}"].add(permission)
    return _policy(_statements("Change", given))


def assuming(settings: AwsSettings) -> Policy | None:
    """What the process's own credentials need to assume the configured roles; None where there are none."""
    roles = sorted({each.role_arn for each in settings.accounts} | {settings.mutation_role_arn or ""} - {""})
    if not roles:
        return None
    statement = {"Sid": "AssumeRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": roles}
    return _policy([statement])


def scoped(permissions: Iterable[str], bounds: Bounds) -> Mapping[str, Collection[str]]:
    """Permissions by what they are given on."""
    given: dict[str, set[str]] = defaultdict(set)
    for each in permissions:
        on = scope(each, partition=bounds.partition, region=bounds.region, account=bounds.account)
        given[on].add(each)
    return given


def _statements(verb: str, given: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
    """One or more for each resource, `*` first; Sids take letters and digits only, and each is told apart."""
    found: list[dict[str, Any]] = []
    used: Counter[str] = Counter()
    for on in sorted(given, key=lambda each: (each != "*", each)):
        service = "anything" if on == "*" else on.split(":")[2]
        sid = verb + "".join(part.capitalize() for part in service.split("-"))
        actions = sorted(given[on])
        for start in range(0, len(actions), _IN_ONE_STATEMENT):
            used[sid] += 1
            number = str(used[sid]) if used[sid] > 1 else ""
            chunk = actions[start : start + _IN_ONE_STATEMENT]
            found.append({"Sid": f"{sid}{number}", "Effect": "Allow", "Action": chunk, "Resource": on})
    return found


def _packed(statements: Sequence[dict[str, Any]]) -> Iterator[Policy]:
    """In order, as many into each policy as fit."""
    packed: list[dict[str, Any]] = []
    for statement in statements:
        if packed and length(_policy([*packed, statement])) > LARGEST:
            yield _policy(packed)
            packed = []
        packed.append(statement)
    if packed:
        yield _policy(packed)


def length(policy: Policy) -> int:
    """As IAM counts it."""
    return len(json.dumps(policy, separators=(",", ":")))


def _policy(statements: Sequence[dict[str, Any]]) -> Policy:
    return {"Version": _VERSION, "Statement": list(statements)}
