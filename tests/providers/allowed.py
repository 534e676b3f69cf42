"""What may be called at all: the policies' own list, in the words in which a request names service and operation."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import botocore.session

from runbook_bot.providers.aws.calls import NEUTRAL
from runbook_bot.providers.aws.mutations.register import mutations
from runbook_bot.providers.aws.operations.register import operations
from tests.providers.stand_in import Call

ROOM = Path(__file__).parents[2] / "runbook_bot" / "providers" / "aws"
ON_THE_WAY = {
    ("sts", "AssumeRole"), ("sts", "GetCallerIdentity"), ("iam", "SimulatePrincipalPolicy"), ("iam", "GetRole"),
}  # fmt: skip
"""Asked on the way to credentials, and by `doctor --aws` of whoever may."""
_OLD_NAMES = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
}
"""By its path a call of S3 may as well be one that the newer one replaced."""
_CALLING = ("call", "pages", "gather", "read", "listed", "named")


def declared() -> set[tuple[str, str]]:
    """Service and call, in boto3's words, of everything that reads."""
    found = {(service, action) for service, actions in NEUTRAL.items() for action in actions}
    for operation in operations():
        for call in operation.calls:
            service, _, action = call.rpartition(":")
            found.add((service or operation.service, action))
    for mutation in mutations().values():
        found |= {(service, action) for service, _, action in (each.partition(":") for each in mutation.reads)}
    return found


@cache
def _signed() -> frozenset[tuple[str, str]]:
    session = botocore.session.get_session()
    pairs = declared() | {(each.service, each.action) for each in mutations().values()} | ON_THE_WAY
    return frozenset((session.get_service_model(service).signing_name, action) for service, action in pairs)


def undeclared(calls: Iterable[Call]) -> list[str]:
    """Calls that arrived and stand in no policy; what is not signed needs no permission."""
    arrived = [(call.signed.split("/")[3], call.operation) for call in calls if call.signed and call.operation]
    names = {(service, _OLD_NAMES.get(operation, operation)) for service, operation in arrived}
    return sorted(f"{service}:{action}" for service, action in names - _signed())


def written(path: Path) -> Iterator[tuple[str, str]]:
    """Service and call wherever a module names both in so many words."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLING:
            words = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
            if len(words) == 2 and all(isinstance(each, str) for each in words):
                yield str(words[0]), str(words[1])
