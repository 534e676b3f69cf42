"""What can be asked of AWS, written from what an operation is made of: its sentence, fields, words, permissions."""

from collections.abc import Sequence
from typing import Any

from pydantic.fields import FieldInfo

from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.register import operations


def documented(words: Sequence[str] = ()) -> list[dict[str, Any]]:
    """All operations, or those whose kind, sentence or phrases have every one of the words."""
    wanted = [each.casefold() for each in words]
    return [_entry(each) for each in operations() if all(word in _text(each) for word in wanted)]


def _text(operation: type[Operation]) -> str:
    return " ".join([operation.kind, operation.__doc__ or "", *operation.words]).casefold()


def _entry(operation: type[Operation]) -> dict[str, Any]:
    schema = operation.model_json_schema()
    return {
        "kind": operation.kind,
        "what": " ".join((operation.__doc__ or "").split()),
        "words": list(operation.words),
        "arguments": {name: _argument(info) for name, info in operation.model_fields.items()},
        "permissions": list(operation.permissions()),
        "where": _where(operation),
        "schema": schema,
    }


def _argument(info: FieldInfo) -> dict[str, Any]:
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    return {
        "type": kind_of(info),
        "needed": info.is_required(),
        "default": list(default) if isinstance(default, tuple) else default,
        "text": info.description or "",
    }


def taken(operation: type[Operation]) -> str:
    """The arguments as they are typed: `--cluster, --name`."""
    names = [
        "--since, --until" if "TimeWindow" in str(info.annotation) else f"--{name.replace('_', '-')}"
        for name, info in operation.model_fields.items()
    ]
    return ", ".join(names) or "no argument"


def kind_of(info: FieldInfo) -> str:
    """The type as people say it: `text`, `number`, `in or out`, `times (--since, --until)`."""
    said = str(info.annotation)
    names = {
        "TimeWindow": "times (--since, --until)", "datetime": "time", "Resource": "TYPE:NAME or TYPE:CLUSTER/NAME",
        "Literal[": " or ".join(_choices(said)), "int": "number", "float": "number", "bool": "switch",
    }  # fmt: skip
    found = next((name for mark, name in names.items() if mark in said), "text")
    return f"{found}, several" if "tuple[" in said or "frozenset[" in said else found


def _choices(said: str) -> list[str]:
    inside = said.partition("Literal[")[2].partition("]")[0]
    return [each.strip(" '\"") for each in inside.split(",")]


def _where(operation: type[Operation]) -> str:
    if operation.scope == "region":
        return "in every account and region"
    return f"once an account{f', in {operation.home}' if operation.home else ''}"
