"""Small ways of telling what was found: days that are left, a few names in a line, what is not there."""

from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import TypeVar

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Row
from runbook_bot.providers.aws.failure import CallFailed

_SECONDS_A_DAY = 86400.0
_T = TypeVar("_T")


def days_until(moment: datetime | None, now: datetime) -> int | None:
    """Whole days that are left; negative where it has passed."""
    return None if moment is None else int((utc(moment) - utc(now)).total_seconds() // _SECONDS_A_DAY)


def age_days(moment: datetime | None, now: datetime) -> int | None:
    """Whole days that have passed."""
    return None if moment is None else int((utc(now) - utc(moment)).total_seconds() // _SECONDS_A_DAY)


def names(things: Iterable[object], most: int = 10) -> str:
    """A few names in one line, and how many more there are."""
    found = [str(each) for each in things]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def warned(row: Row) -> int:
    """A key to sort by: what has more to be warned of comes first; the order of the others is kept."""
    found = row.facts.get("warnings")
    return -len(found) if isinstance(found, list) else 0


async def there(failures: list[CallFailed], look: Awaitable[_T], absent: _T, unread: _T) -> _T:
    """What is there, `absent` where AWS says that there is no such thing, `unread` where it could not be read.

    What could not be read is added to `failures`.
    """
    try:
        return await look
    except CallFailed as failure:
        if failure.kind == "missing":
            return absent
        failures.append(failure)
        return unread
