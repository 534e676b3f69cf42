"""What a resource's own policy allows, statement by statement, the widest open first."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Row

_MOST = 10


def statements(document: str) -> list[Row]:
    """One row a statement; a document that is no policy is a row that says so."""
    try:
        policy = json.loads(document)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        return [Row(name="policy", facts={"unreadable": "its text is no JSON policy"})]
    listed = policy.get("Statement") or []
    found = [each for each in (listed if isinstance(listed, list) else [listed]) if isinstance(each, dict)]
    rows = [_statement(each, number) for number, each in enumerate(found, 1)]
    return sorted(rows, key=lambda row: (row.facts["effect"] == "Deny", not row.facts["anyone"]))


def _statement(told: Mapping[str, Any], number: int) -> Row:
    principals = _principals(told.get("Principal"))
    conditions = told.get("Condition") if isinstance(told.get("Condition"), dict) else {}
    facts: Json = {
        "effect": str(told.get("Effect", "")),
        "anyone": "*" in principals and not conditions and told.get("Effect") != "Deny",
        "who": _some(principals)
        if principals
        else [f"all but {each}" for each in _principals(told.get("NotPrincipal"))],
        "may": _some(_texts(told.get("Action"))) or [f"all but {each}" for each in _texts(told.get("NotAction"))],
        "if": {
            f"{operator} {key}": _some(_texts(value))
            for operator, pairs in (conditions or {}).items()
            if isinstance(pairs, dict)
            for key, value in pairs.items()
        },
    }
    return Row(name=str(told.get("Sid") or f"statement {number}"), facts={k: v for k, v in facts.items() if v != {}})


def _principals(told: object) -> list[str]:
    """`*` for anyone, whichever way it is written."""
    if isinstance(told, dict):
        return [each for value in told.values() for each in _texts(value)]
    return _texts(told)


def _texts(told: object) -> list[str]:
    return [str(each) for each in told] if isinstance(told, list) else [] if told is None else [str(told)]


def _some(texts: Sequence[str]) -> Any:
    left = len(texts) - _MOST
    return [*texts[:_MOST], *([f"and {left} more"] if left > 0 else [])]
