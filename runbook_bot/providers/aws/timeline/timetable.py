"""When a cron expression of AWS fires: six fields, minutes to years, in a time zone of its own."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MOST_DAYS = 40


def fires(expression: str, start: datetime, end: datetime, zone: str = "UTC") -> list[datetime]:
    """The moments from `start` to `end` (exclusive) at which `cron(…)` or `at(…)` fires; none where it is not read.

    The phase of a `rate(…)` is nobody's to see.
    """
    kind, _, inside = expression.strip().rstrip(")").partition("(")
    try:
        where = ZoneInfo(zone or "UTC")
        if kind == "at":
            moment = datetime.fromisoformat(inside).replace(tzinfo=where).astimezone(UTC)
            return [moment] if start <= moment < end else []
        if kind != "cron" or end - start > timedelta(days=_MOST_DAYS):
            return []
        return [at for at in _of_cron(inside.split(), start, end, where) if start <= at < end]
    except (ValueError, KeyError, ZoneInfoNotFoundError):
        return []


def _of_cron(fields: list[str], start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    minute, hour, day, month, weekday, year = fields
    minutes, hours = _values(minute, 0, 59), _values(hour, 0, 23)
    months, years = _values(_named(month, _MONTHS), 1, 12), _values(year, 1970, 2199)
    day_of = start.astimezone(zone).date()
    while day_of <= end.astimezone(zone).date():
        if day_of.month in months and day_of.year in years and _on(day, _named(weekday, _DAYS), day_of):
            for h in sorted(hours):
                for m in sorted(minutes):
                    yield datetime(day_of.year, day_of.month, day_of.day, h, m, tzinfo=zone).astimezone(UTC)
        day_of += timedelta(days=1)


def _named(field: str, names: tuple[str, ...]) -> str:
    text = field.upper()
    for number, name in enumerate(names, 1):
        text = text.replace(name, str(number))
    return text


def _values(field: str, lowest: int, highest: int) -> set[int]:
    """Raises ValueError for what is no field of a cron expression."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = lowest, highest
        else:
            low, dash, high = span.partition("-")
            first, last = int(low), int(high) if dash else highest if step else int(low)
        found |= set(range(first, last + 1, int(step) if step else 1))
    return found


def _on(day: str, weekday: str, on: date) -> bool:
    return _on_day(day, on) and _on_weekday(weekday, on)


def _on_day(field: str, on: date) -> bool:
    last = (on.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    if field == "L":
        return on == last
    if field.endswith("W"):
        meant = last.day if field == "LW" else min(int(field[:-1]), last.day)
        nearest = on.replace(day=meant)
        shift = {6: -1 if meant > 1 else 2, 7: 1 if meant < last.day else -2}.get(nearest.isoweekday(), 0)
        return on == nearest + timedelta(days=shift)
    return field in ("*", "?") or on.day in _values(field, 1, 31)


def _on_weekday(field: str, on: date) -> bool:
    """Sunday is 1 with AWS."""
    today = on.isoweekday() % 7 + 1
    if field in ("*", "?"):
        return True
    if "#" in field:
        which, _, nth = field.partition("#")
        return today == int(which) and (on.day - 1) // 7 + 1 == int(nth)
    if field.endswith("L"):
        return today == int(field[:-1] or 7) and (on + timedelta(days=7)).month != on.month
    return today in _values(field, 1, 7)
