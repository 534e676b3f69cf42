"""Searches CloudWatch Logs: the right groups of a resource, the right pattern, the lines nearest to the onset."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.tools import Result, SearchLogs, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.log_groups import log_groups
from runbook_bot.providers.aws.place import Answer, Place, asked

SOURCE = "aws.cloudwatch.logs"
_PATTERN_LIMIT = 1024
_LINE_LIMIT = 4000
_PAGES = 8
_BEFORE_ONSET = timedelta(minutes=3)
_SEARCH_SECONDS = 8.0


@dataclass
class Found:
    """Lines of one group, and whether there are more."""

    lines: list[LogLine] = field(default_factory=list)
    more: bool = False
    scanned: int = 0


def filter_pattern(any_of: Sequence[str]) -> str | None:
    """CloudWatch's way to say "one of these"; None where it cannot be said in its 1024 characters.

    Its patterns tell upper from lower case, so each phrase is given in the spellings that occur.
    """
    spelled = [form for words in any_of for form in _spellings(words.strip()) if form]
    terms = [f'?"{_quoted(each)}"' for each in dict.fromkeys(spelled)]
    pattern = " ".join(terms)
    return pattern if terms and len(pattern) <= _PATTERN_LIMIT else None


def _spellings(words: str) -> Iterable[str]:
    return (words, words.lower(), words.upper(), words[:1].upper() + words[1:].lower(), words.title())


def _quoted(words: str) -> str:
    return words.replace("\\", "\\\\").replace('"', '\\"')


async def search_logs(place: Place, query: SearchLogs) -> Result:
    where = f"logs of {query.resource.type} {query.resource.name} in {place.name}, {between(query.window)}"
    link = console_link(query.resource, place.region)
    try:
        groups = await log_groups(place, query.resource)
    except CallFailed as failure:
        message = f"its log group is not known: {failure}"
        return Result(status=failure.status, source=SOURCE, asked=_nowhere(query), where=where, message=message)
    if not groups:
        # Not "no data": nothing was read, so nothing may follow from it.
        text = "its configuration names no log group in CloudWatch Logs"
        return Result(status=Status.error, source=SOURCE, asked=_nowhere(query), where=where, message=text)
    answers = await asyncio.gather(*(_search_group(place, group, query) for group in groups))
    found = [each for each in answers if isinstance(each, Found)]
    failures = [each for each in answers if isinstance(each, CallFailed)]
    lines, left = nearest([line for each in found for line in each.lines], query.limit, query.window)
    cut = left > 0 or any(each.more for each in found)
    where = f"log groups {', '.join(groups)} in {place.name}, {between(query.window)}"
    status = Status.truncated if cut else Status.ok
    if not lines:
        status = Status.truncated if cut else worst(failures) if failures else Status.no_data
    return Result(
        status=status,
        source=SOURCE,
        asked={"calls": [asked("logs", "FilterLogEvents", _parameters(group, query)) for group in groups]},
        where=where,
        message=_message(query, lines, left, found, failures),
        lines=tuple(lines),
        console=link,
    )


def _nowhere(query: SearchLogs) -> Answer:
    """The question where no group is known that it could be put to."""
    return {"calls": [], "resources": [query.resource.key], "any_of": list(query.any_of)}


def _parameters(group: str, query: SearchLogs) -> Answer:
    pattern = filter_pattern(query.any_of)
    span = _span(query.window.start, query.window.end)
    return {"logGroupName": group, **span} | ({"filterPattern": pattern} if pattern else {})


def _span(start: datetime, end: datetime) -> Answer:
    """FilterLogEvents takes milliseconds; its end is inclusive, a window's is not."""
    return {"startTime": int(start.timestamp() * 1000), "endTime": int(end.timestamp() * 1000) - 1}


async def _search_group(place: Place, group: str, query: SearchLogs) -> Found | CallFailed:
    """With the pattern; where that fails or finds nothing, some pages without it, filtered here."""
    pattern = filter_pattern(query.any_of)
    found: Found | CallFailed
    try:
        found = await _read(place, group, query, pattern, _PAGES)
    except CallFailed as failure:
        found = failure
        if pattern is None or failure.kind in ("missing", "denied", "credentials", "unreachable"):
            return failure
    if pattern is None or (isinstance(found, Found) and found.lines):
        return found
    try:
        return await _read(place, group, query, None, 2)
    except CallFailed as failure:
        return found if isinstance(found, Found) else failure


async def _read(place: Place, group: str, query: SearchLogs, pattern: str | None, pages: int) -> Found:
    """From shortly before the onset on first, then what came before it, while there is room."""
    window = query.window
    found = Found()
    middle = window.start
    if window.onset is not None and window.holds(window.onset):
        middle = max(window.start, window.onset - _BEFORE_ONSET)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SEARCH_SECONDS
    for start, end in ((middle, window.end), (window.start, middle)):
        if start >= end:
            continue
        if len(found.lines) >= query.limit or loop.time() > deadline:
            found.more = True
            break
        await _read_span(place, group, query, _span(start, end), pattern, pages, deadline, found)
    return found


async def _read_span(
    place: Place,
    group: str,
    query: SearchLogs,
    span: Answer,
    pattern: str | None,
    pages: int,
    deadline: float,
    found: Found,
) -> None:
    parameters = {"logGroupName": group, **span} | ({"filterPattern": pattern} if pattern else {})
    wanted = [words.casefold() for words in query.any_of if words.strip()]
    read = 0
    try:
        async for page in place.pages("logs", "FilterLogEvents", **parameters):
            events = page.get("events") or []
            found.scanned += len(events)
            found.lines += [_line(each) for each in events if _matches(str(each.get("message", "")), wanted)]
            read += 1
            full = read >= pages or len(found.lines) >= 4 * query.limit
            if page.get("nextToken") and (full or asyncio.get_running_loop().time() > deadline):
                found.more = True
                return
    except CallFailed:
        if not found.scanned:
            raise
        found.more = True


def _matches(text: str, wanted: Sequence[str]) -> bool:
    folded = text.casefold()
    return not wanted or any(words in folded for words in wanted)


def _line(event: Answer) -> LogLine:
    at = datetime.fromtimestamp(int(event.get("timestamp") or 0) / 1000, UTC)
    text = str(event.get("message", "")).rstrip()
    return LogLine(at=at, text=text[:_LINE_LIMIT], stream=str(event.get("logStreamName", "")))


def nearest(lines: list[LogLine], limit: int, window: TimeWindow) -> tuple[list[LogLine], int]:
    """At most `limit` lines in order of time: the nearest to the onset, or the newest; and how many were left out."""
    ordered = sorted(lines, key=lambda line: line.at)
    if len(ordered) <= limit:
        return ordered, 0
    onset = window.onset
    if onset is None:
        return ordered[-limit:], len(ordered) - limit
    by_distance = sorted(ordered, key=lambda line: abs(line.at - onset))
    return sorted(by_distance[:limit], key=lambda line: line.at), len(ordered) - limit


def _message(
    query: SearchLogs, lines: Sequence[LogLine], left: int, found: Sequence[Found], failures: Sequence[CallFailed]
) -> str:
    parts = []
    if left or any(each.more for each in found):
        which = "nearest to the onset" if query.window.onset else "newest that were read"
        total = len(lines) + left
        parts.append(f"{len(lines)} of at least {total} lines are shown, the {which}; there are more")
    elif not lines and found:
        scanned = sum(each.scanned for each in found)
        looked = " or ".join(f"“{words}”" for words in query.any_of)
        parts.append(
            f"no line has {looked} ({scanned} lines read)" if looked else "the log has no lines in this window"
        )
    if failures:
        parts.append(f"not seen: {gaps(failures)}")
    return "; ".join(parts)
