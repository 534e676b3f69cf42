"""How listings are read and put: in batches, within a bound, the newest first, picked by tags and filters."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from runbook_bot.domain.noun import iso, utc
from runbook_bot.providers.aws.place import Answer

_T = TypeVar("_T")
_DAY = 86400.0


def batches(items: Sequence[_T], size: int) -> list[list[_T]]:
    """The items in groups of at most `size`: as many as one describe call takes."""
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


def cut_short(found: Sequence[object], limit: int, how: str) -> str:
    """A clause where a listing may have gone on past its bound; empty where it ended by itself."""
    return f"only the first {limit} were read; {how}" if len(found) >= limit else ""


def days_since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else round((utc(now) - utc(moment)).total_seconds() / _DAY, 1)


def said_at(moment: datetime | None) -> str | None:
    """A moment as a fact can hold it."""
    return None if moment is None else iso(moment)


def newest_first(moment: datetime | None) -> float:
    """A key to sort by; what has no time comes last."""
    return -utc(moment).timestamp() if moment is not None else 0.0


def tag_of(told: Mapping[str, Any], name: str) -> str | None:
    """The value of a tag, however the service writes its tags."""
    for each in told.get("Tags") or told.get("TagSet") or told.get("tags") or []:
        if each.get("Key", each.get("key")) == name:
            return str(each.get("Value", each.get("value")) or "") or None
    return None


def filters(values: Mapping[str, str | Sequence[str] | None]) -> list[Answer]:
    """Filters in EC2's form; one that has no value is left out."""
    return [
        {"Name": name, "Values": [value] if isinstance(value, str) else list(value)}
        for name, value in values.items()
        if value
    ]
