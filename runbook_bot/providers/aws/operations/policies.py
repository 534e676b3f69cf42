"""A policy in words: who may do what on what, under which conditions, and where it allows too much."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from runbook_bot.domain.observation import Row
from runbook_bot.providers.aws.operations.telling import names
from runbook_bot.providers.aws.place import Answer

_PUBLIC = "anybody"
_TELLING = {
    "aws:securetransport": "only encrypted",
    "aws:sourceip": "only from",
    "aws:vpcsourceip": "only from",
    "aws:sourcevpc": "only from network",
    "aws:sourcevpce": "only through endpoint",
    "aws:sourcearn": "only for",
    "aws:sourceaccount": "only for account",
    "aws:principalorgid": "only of organization",
    "aws:multifactorauthpresent": "second factor",
    "token.actions.githubusercontent.com:sub": "only for",
}
"""Conditions whose values tell something and are no secrets; of all others the name alone is told."""
_ESCALATING = {
    "iam:passrole", "iam:createpolicyversion", "iam:setdefaultpolicyversion", "iam:putuserpolicy",
    "iam:putrolepolicy", "iam:putgrouppolicy", "iam:attachuserpolicy", "iam:attachrolepolicy",
    "iam:attachgrouppolicy", "iam:createaccesskey", "iam:createloginprofile", "iam:updateloginprofile",
    "iam:updateassumerolepolicy", "iam:addusertogroup",
}  # fmt: skip
"""With one of these on every resource somebody can give themselves whatever they like."""


def statements(document: Any) -> list[Answer]:
    """The statements of a policy: as boto3 parsed it, as JSON, or as JSON in the form of addresses."""
    if isinstance(document, str):
        try:
            document = json.loads(unquote(document) if document.lstrip().startswith("%") else document)
        except ValueError:
            return []
    if not isinstance(document, dict):
        return []
    return [each for each in listed(document.get("Statement")) if isinstance(each, dict)]


def listed(value: Any) -> list[Any]:
    """Policies write one thing without brackets."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def principals(statement: Answer) -> list[str]:
    """Who a statement is about, in words; empty where it is attached to somebody."""
    told = statement.get("Principal")
    if told is None:
        other = statement.get("NotPrincipal")
        return [] if other is None else ["anybody but " + names(_principals(other))]
    return _principals(told)


def _principals(told: Any) -> list[str]:
    if told == "*":
        return [_PUBLIC]
    found = []
    for kind, values in told.items() if isinstance(told, dict) else ():
        for each in map(str, listed(values)):
            found.append(_PUBLIC if each == "*" else f"service {each}" if kind == "Service" else _named(each))
    return found


def _named(principal: str) -> str:
    """`role ci of account 123…` for an ARN; a bare number is an account."""
    if principal.isdecimal():
        return f"account {principal}"
    parts = principal.split(":", 5)
    if len(parts) < 6:
        return principal
    account, what = parts[4], parts[5]
    if what == "root":
        return f"account {account}"
    kind, _, name = what.partition("/")
    return f"{kind} {name}" + (f" of account {account}" if account else "")


def conditions(statement: Answer) -> list[str]:
    """Under which conditions; a value only where it is of a kind that is no secret."""
    found = []
    for operator, tested in (statement.get("Condition") or {}).items():
        for key, values in tested.items() if isinstance(tested, dict) else ():
            word = _TELLING.get(str(key).casefold())
            negated = "not " if "not" in str(operator).casefold() else ""
            found.append(f"{negated}{word} {names(listed(values), 5)}" if word else f"{negated}if {key} fits")
    return found


def in_words(statement: Answer) -> str:
    """E.g. `allows anybody s3:GetObject on arn:aws:s3:::site/* (only encrypted true)`."""
    effect = "allows" if statement.get("Effect") == "Allow" else "denies"
    who = principals(statement)
    actions = names(listed(statement.get("Action")))
    if "NotAction" in statement:
        actions = "everything but " + names(listed(statement["NotAction"]))
    resources = names(listed(statement.get("Resource")), 5)
    if "NotResource" in statement:
        resources = "everything but " + names(listed(statement["NotResource"]), 5)
    where = f" on {resources}" if resources and resources != "*" else " on everything" if resources else ""
    when = conditions(statement)
    return (
        " ".join([effect, *([names(who, 5)] if who else []), actions])
        + where
        + (f" ({'; '.join(when)})" if when else "")
    )


def public(statement: Answer) -> bool:
    """Whether it lets anybody in, without any condition."""
    allows = statement.get("Effect") == "Allow"
    return allows and _PUBLIC in principals(statement) and not statement.get("Condition")


def warnings(found: Iterable[Answer]) -> list[Any]:
    """What a reviewer would object to, each objection once."""
    told: dict[str, None] = {}
    for statement in found:
        if statement.get("Effect") != "Allow":
            continue
        if public(statement):
            told["anybody may use it, without a condition"] = None
        told.update(dict.fromkeys(_too_much(statement)))
    return list(told)


def _too_much(statement: Answer) -> Iterable[str]:
    actions = [str(each) for each in listed(statement.get("Action"))]
    everywhere = "*" in [str(each) for each in listed(statement.get("Resource"))]
    limited = " under a condition" if statement.get("Condition") else ""
    if "NotAction" in statement:
        yield f"allows everything but {names(listed(statement['NotAction']), 3)}{limited}"
    if "*" in actions or "*:*" in actions:
        yield ("may do everything" if everywhere else "may do everything on some resources") + limited
        return
    whole = [each for each in actions if each.endswith(":*")]
    if whole and everywhere:
        yield f"may do everything in {names(sorted({each.partition(':')[0] for each in whole}))}{limited}"
    strong = sorted(each for each in actions if each.casefold() in _ESCALATING)
    if strong and everywhere:
        yield f"can give itself more rights: {names(strong)} on everything{limited}"


def rows(label: str, found: Sequence[Answer]) -> list[Row]:
    """One row a statement, under the name of its policy."""
    return [
        Row(
            name=f"{label}, statement {each.get('Sid') or index}",
            facts={"warnings": warnings([each]) or None, "says": in_words(each)},
        )
        for index, each in enumerate(found, 1)
    ]


def may_allow(statement: Answer, action: str) -> bool:
    """Whether an allowing statement names the action, by itself or by a wildcard; resources are not looked at."""
    if statement.get("Effect") != "Allow":
        return False
    if "NotAction" in statement:
        return not any(_covers(str(each), action) for each in listed(statement["NotAction"]))
    return any(_covers(str(each), action) for each in listed(statement.get("Action")))


def _covers(pattern: str, action: str) -> bool:
    """`*` is any text and `?` any character; case does not matter. No regular expression: patterns are outside text."""
    wanted, text = pattern.casefold(), action.casefold()
    at = back = 0
    star, held = -1, 0
    while back < len(text):
        if at < len(wanted) and (wanted[at] in ("?", text[back])) and wanted[at] != "*":
            at, back = at + 1, back + 1
        elif at < len(wanted) and wanted[at] == "*":
            star, held, at = at, back, at + 1
        elif star >= 0:
            held += 1
            at, back = star + 1, held
        else:
            return False
    return all(each == "*" for each in wanted[at:])
