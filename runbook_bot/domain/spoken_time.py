"""Times as people say them in a sentence: `since 10:00`, `last 2 hours`, `yesterday`, `at 3pm`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from runbook_bot.domain.moments import UNITS, moment
from runbook_bot.domain.window import TimeWindow

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AROUND = timedelta(minutes=30)
_UNIT = r"(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)"
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12}
_COUNT = rf"(?:\d{{1,6}}|{'|'.join(_NUMBERS)})"
_SPAN = rf"(?:{_COUNT}\s*{_UNIT}\b(?:\s*\d{{1,6}}\s*{_UNIT}\b)?)"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_POINT = (
    r"(?:\d{4}-\d\d-\d\d(?:[t ]\d{1,2}:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:\s?(?:z|utc)\b|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,2}:\d\d(?::\d\d)?(?:\s?(?:z|utc)\b)?|\d{1,2}\s?[ap]m\b|yesterday|today|midnight|noon|now|this morning"
    rf"|(?:{'|'.join(_DAYS)})\b|{_SPAN}\s+ago\b)"
)
_RANGE = re.compile(rf"\b(?:from|between)\s+(?P<start>{_POINT})\s*(?:to|and|until|till|-|–)\s*(?P<end>{_POINT})")
_SINCE = re.compile(rf"\b(?:since|after|starting(?: at)?|from)\s+(?:the last\s+)?(?P<start>{_POINT}|{_SPAN})")
_UNTIL = re.compile(rf"\b(?:until|till|up to|before)\s+(?P<end>{_POINT})")
_LAST = re.compile(
    rf"\b(?:(?:in|over|during|within|for)\s+)?(?:the\s+)?(?:last|past|previous)\s+(?P<span>{_SPAN}|{_UNIT}\b)"
)
_AT = re.compile(rf"\b(?:at|around|about)\s+(?P<at>{_POINT})|(?P<ago>{_SPAN}\s+ago\b)")
_DAY = re.compile(r"\b(?:on\s+)?(?P<day>yesterday|today|this morning|last night|(?<![\w-])\d{4}-\d\d-\d\d(?![\w:-]))")


@dataclass(frozen=True)
class Spoken:
    """What a sentence says about time, and the sentence without it."""

    window: TimeWindow | None
    """None where it says nothing."""
    rest: str
    problem: str = ""
    """Why the time that was said cannot be meant, as a sentence for people."""


def spoken(text: str, now: datetime) -> Spoken:
    """The stretch of time that a sentence names. A clock time that is still to come is yesterday's."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that grows when lowered would shift every position
        lowered = text
    try:
        start, end, taken = _stretch(lowered, now)
    except (ValueError, OverflowError):
        return Spoken(None, text, "I do not understand the time in your question.")
    if not taken:
        return Spoken(None, text)
    rest = text
    for first, last in sorted(taken, reverse=True):
        rest = f"{rest[:first]} {rest[last:]}"
    rest = " ".join(rest.split())
    end = min(end or now, now)
    start = max(start or end - timedelta(hours=3), _EARLIEST)
    if start >= end:
        return Spoken(None, rest, "The time in your question lies in the future, or ends before it begins.")
    return Spoken(TimeWindow(start=start, end=end), rest)


_Stretch = tuple[datetime | None, datetime | None, list[tuple[int, int]]]


def _stretch(said: str, now: datetime) -> _Stretch:
    if found := _RANGE.search(said):
        start, end = _point(found["start"], now), _point(found["end"], now)
        if start > end:
            start -= timedelta(days=1)
        return start, end, [found.span()]
    if found := _LAST.search(said):
        return now - _span(found["span"]), None, [found.span()]
    since, until = _SINCE.search(said), _UNTIL.search(said)
    if since or until:
        start_said = since["start"] if since else ""
        begun = _point(start_said, now) if start_said else None
        ended = _point(until["end"], now) if until else None
        return begun, ended, [each.span() for each in (since, until) if each]
    if found := _DAY.search(said):
        return *_day(found["day"], now), [found.span()]
    if found := _AT.search(said):
        middle = _point(found["at"] or found["ago"], now)
        return middle - _AROUND, middle + _AROUND, [found.span()]
    return None, None, []


def _span(said: str) -> timedelta:
    """`2 hours`, `1h 30m`, `an hour`, `hour`."""
    parts = re.findall(rf"({_COUNT})?\s*({_UNIT})\b", said)
    return sum(
        (timedelta(**{UNITS[unit[0]]: _NUMBERS.get(count) or int(count or 1)}) for count, unit in parts), timedelta()
    )


def _point(said: str, now: datetime) -> datetime:
    said = said.strip()
    midnight = datetime.combine(now.date(), time(), tzinfo=UTC)
    if said in ("today", "midnight"):
        return midnight
    if said == "yesterday":
        return midnight - timedelta(days=1)
    if said == "this morning":
        return midnight + timedelta(hours=6)
    if said in _DAYS:
        return midnight - timedelta(days=(now.weekday() - _DAYS.index(said)) % 7)
    if said.endswith("ago") or re.fullmatch(_SPAN, said):
        return now - _span(said.removesuffix("ago"))
    if said == "noon":
        found = midnight + timedelta(hours=12)
    elif said.endswith(("am", "pm")):
        hour = int(said[:-2])
        if not 1 <= hour <= 12:
            raise ValueError(said)
        found = midnight + timedelta(hours=hour % 12 + (12 if said.endswith("pm") else 0))
    else:
        written = re.sub(r"\s?utc$", "z", said) if "-" in said else said
        found = moment(re.sub(r" z$", "z", written).upper(), now)
        if "-" in said:
            return found
    return found - timedelta(days=1) if found > now else found


def _day(said: str, now: datetime) -> tuple[datetime, datetime]:
    midnight = datetime.combine(now.date(), time(), tzinfo=UTC)
    match said:
        case "today":
            return midnight, now
        case "yesterday":
            return midnight - timedelta(days=1), midnight
        case "this morning":
            return midnight + timedelta(hours=6), midnight + timedelta(hours=12)
        case "last night":
            return midnight - timedelta(hours=6), midnight + timedelta(hours=6)
        case _:
            day = moment(said, now)
            return day, day + timedelta(days=1)
