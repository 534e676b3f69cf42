"""Discovers what roles may use: the resources that a role's policies name one by one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from runbook_bot.providers.aws.discovered import Lead
from runbook_bot.providers.aws.looking import Looking
from runbook_bot.providers.aws.place import Answer

MOST_ROLES = 3000
_SERVICES = frozenset(["dynamodb", "sqs", "sns", "kinesis", "s3", "lambda", "rds", "elasticache", "execute-api"])
_TAILS = ("/index/*", "/stream/*", "/*", ":*")


async def permitted(look: Looking) -> dict[str, list[Lead]]:
    """By the lower-case ARN of a role, what its policies name: one paginated call for the account."""
    roles: list[Answer] = []
    policies: dict[str, Answer] = {}
    async with look.turn:
        async for page in look.place.pages(
            "iam",
            "GetAccountAuthorizationDetails",
            Filter=["Role", "LocalManagedPolicy"],
            PaginationConfig={"PageSize": 1000},
        ):
            roles += page.get("RoleDetailList") or []
            policies |= {str(each.get("Arn")): each for each in page.get("Policies") or []}
            if len(roles) > MOST_ROLES:
                look.unseen.append(f"roles: only the first {MOST_ROLES:,} were read")
                break
    return {str(role.get("Arn", "")).lower(): _leads(role, policies) for role in roles[:MOST_ROLES]}


def _leads(role: Answer, policies: Mapping[str, Answer]) -> list[Lead]:
    documents = [each.get("PolicyDocument") for each in role.get("RolePolicyList") or []]
    for attached in role.get("AttachedManagedPolicies") or []:
        versions = policies.get(str(attached.get("PolicyArn")), {}).get("PolicyVersionList") or []
        documents += [each.get("Document") for each in versions if each.get("IsDefaultVersion")]
    named = dict.fromkeys(arn for document in documents for arn in _named(document))
    return [Lead(arn, "task role") for arn in named]


def _named(document: Any) -> Iterator[str]:
    """The ARNs that a policy allows something on, without wildcards but for what is inside the one thing."""
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document))
        except ValueError:
            return
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in [statements] if isinstance(statements, dict) else statements or []:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        listed = statement.get("Resource") or []
        for arn in [listed] if isinstance(listed, str) else listed:
            bare = str(arn)
            for tail in _TAILS:
                bare = bare.removesuffix(tail)
            parts = bare.split(":")
            if len(parts) >= 6 and parts[2] in _SERVICES and "*" not in bare and "?" not in bare and parts[5]:
                yield bare
