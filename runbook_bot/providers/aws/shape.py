"""An answer in the shape that its model promises: what is of another type is as good as not told.

botocore checks what is sent and hardly what comes back: a number may arrive as text, a name as a list, an item as null.
Whoever reads an answer may then rely on its types, and has to reckon only with what is missing.
"""

import math
from datetime import datetime
from typing import Any

_NOTHING = object()


def conform(answer: dict[str, Any], shape: Any) -> None:
    """Put the answer right, in place. `shape` is the output shape of botocore's model; what it lacks is left alone."""
    kept = _structure(answer, shape)
    answer.clear()
    answer.update(kept)


def _structure(told: dict[str, Any], shape: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in told.items():
        member = shape.members.get(name)
        right = value if member is None else _right(value, member)
        if right is not _NOTHING:
            kept[name] = right
    return kept


def _right(value: Any, shape: Any) -> Any:
    """The value, or what it must mean where its type is another one; `_NOTHING` where it can mean nothing."""
    if value is None:
        return _NOTHING
    match shape.type_name:
        case "structure":
            if getattr(shape, "is_document_type", False) or getattr(shape, "is_eventstream", False):
                return value
            return _structure(value, shape) if isinstance(value, dict) else _NOTHING
        case "list":
            items = [_right(each, shape.member) for each in value] if isinstance(value, list) else None
            return _NOTHING if items is None else [each for each in items if each is not _NOTHING]
        case "map":
            pairs = {key: _right(each, shape.value) for key, each in value.items()} if isinstance(value, dict) else None
            return _NOTHING if pairs is None else {key: each for key, each in pairs.items() if each is not _NOTHING}
        case "timestamp":
            return value if isinstance(value, datetime) else _NOTHING
        case "string" | "character":
            return _text(value, shape)
        case "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value), _NOTHING)
        case "integer" | "long" | "float" | "double":
            return _number(value, whole=shape.type_name in ("integer", "long"))
        case _:
            return value


def _text(value: Any, shape: Any) -> Any:
    if isinstance(value, str) or shape.serialization.get("jsonvalue"):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _NOTHING


def _number(value: Any, *, whole: bool) -> Any:
    """JSON has no infinity and no NaN: AWS sends them as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return _NOTHING
    if isinstance(value, int):
        return value
    if whole and isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    try:
        number = float(value)
    except ValueError:
        return _NOTHING
    if not whole:
        return number
    return int(number) if math.isfinite(number) and number == int(number) else _NOTHING
