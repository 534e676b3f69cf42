"""Searches CloudWatch Logs: the right groups of a resource, the right pattern, and large groups within bounds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from runbook_bot.analysis.templates import TROUBLE
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.tools import Result, SearchLogs, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.log_groups import log_groups
from runbook_bot.providers.aws.log_lines import Lines, chosen, matcher, readable
from runbook_bot.providers.aws.logs_insights import Found, escaped, moment_of, run_query
from runbook_bot.providers.aws.patience import patience
from runbook_bot.providers.aws.place import Answer, Place, asked

SOURCE = "aws.cloudwatch.logs"
_PATTERN_LIMIT = 1024
_PAGES = 8
_MOST_LINES = 24_000
_MOST_GROUPS = 12
_BEFORE_ONSET = timedelta(minutes=3)
_SEARCH_SECONDS = 8.0
"""For all that is done for one question: a place has nine seconds, after which nothing of it would be told."""
_READ_SECONDS = 3.5
"""Of these, for reading from end to end."""
_INSIGHTS_SECONDS = 8.0
_INSIGHTS_LINES = 10_000
_SAMPLES = 16
_SAMPLE_SECONDS = 2.0
"""Kept for samples where Logs Insights does not answer."""
_MARGIN_SECONDS = 0.2
_SAMPLE_LINES = 250
_FINAL = ("missing", "denied", "credentials", "unreachable")
_T = TypeVar("_T")


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
    unread, groups = groups[_MOST_GROUPS:], groups[:_MOST_GROUPS]
    until = asyncio.get_running_loop().time() + _SEARCH_SECONDS * patience()
    answers = await asyncio.gather(*(_search_group(place, group, query, until) for group in groups))
    found = [each for each in answers if isinstance(each, Read)]
    failures = [each for each in answers if isinstance(each, CallFailed)]
    together = [line for each in found for line in each.lines]
    lines, left = await asyncio.to_thread(chosen, together, query.limit, query.window, filtered=_filtered(query))
    cut = left > 0 or any(each.more for each in found) or bool(unread)
    status = Status.truncated if cut else Status.ok
    if not lines:
        status = Status.truncated if cut else worst(failures) if failures else Status.no_data
    return Result(
        status=status,
        source=SOURCE,
        asked={"calls": [call for each in groups for call in _calls(each, query, answers, groups)]},
        where=f"log groups {', '.join(groups)} in {place.name}, {between(query.window)}",
        message=_message(query, lines, left, found, failures, unread),
        lines=tuple(lines),
        console=link,
    )


@dataclass(frozen=True)
class Read:
    """What was read of one group, and by which way."""

    lines: Sequence[LogLine]
    scanned: int
    more: bool = False
    how: str = ""
    """For people, where it was not simply read from one end to the other."""
    insights: str = ""
    """The query, where Logs Insights answered."""


def _filtered(query: SearchLogs) -> bool:
    return any(words.strip() for words in query.any_of)


def _nowhere(query: SearchLogs) -> Answer:
    """The question where no group is known that it could be put to."""
    return {"calls": [], "resources": [query.resource.key], "any_of": list(query.any_of)}


def _calls(
    group: str, query: SearchLogs, answers: Sequence["Read | CallFailed"], groups: Sequence[str]
) -> Iterable[Answer]:
    pattern = filter_pattern(query.any_of)
    span = _span(query.window.start, query.window.end)
    parameters = {"logGroupName": group, **span} | ({"filterPattern": pattern} if pattern else {})
    yield asked("logs", "FilterLogEvents", parameters)
    answer = answers[groups.index(group)]
    if isinstance(answer, Read) and answer.insights:
        yield asked("logs", "StartQuery", {"logGroupNames": [group], "queryString": answer.insights})


def _span(start: datetime, end: datetime) -> Answer:
    """FilterLogEvents takes milliseconds; its end is inclusive, a window's is not."""
    first, last = max(0, int(start.timestamp() * 1000)), max(0, int(end.timestamp() * 1000) - 1)
    return {"startTime": first, "endTime": max(first, last)}


async def _search_group(place: Place, group: str, query: SearchLogs, until: float) -> Read | CallFailed:
    """With the pattern; what is too much to be read from end to end is asked for in another way, until that moment."""
    try:
        found = await _read(place, group, query)
    except CallFailed as failure:
        if failure.kind not in ("invalid", "unsupported"):
            return failure
        told = await _until(until, _telling(place, group, query, Lines(), until))  # infrequent access: Insights only
        return (told[0] if told else None) or failure
    simple = Read(found.lines, found.scanned, found.more)
    if not found.more:
        return simple
    return await _until(until, _of_many(place, group, query, found, until)) or simple


async def _until(moment: float, work: Awaitable[_T]) -> _T | None:
    """None where it is not done by then: what was read before is told all the same."""
    try:
        async with asyncio.timeout_at(moment):
            return await work
    except TimeoutError:
        return None


async def _read(place: Place, group: str, query: SearchLogs) -> Lines:
    """With the pattern; where that fails or finds nothing, some pages without it, filtered here."""
    pattern = filter_pattern(query.any_of)
    if pattern is None:
        return await _spans(place, group, query, None, _PAGES)
    found, failure = await _tried(_spans(place, group, query, pattern, _PAGES))
    if failure is not None and failure.kind in _FINAL:
        raise failure
    if found is not None and (found.lines or found.more):
        return found
    again, _ = await _tried(_spans(place, group, query, None, 2))
    if again is None:
        if found is None and failure is not None:
            raise failure
        return found or Lines()
    if found is not None and not again.lines:  # the pattern's answer is whole, the second look may not be
        again.more = False
    return again


async def _tried(work: Awaitable[_T]) -> tuple[_T | None, CallFailed | None]:
    try:
        return await work, None
    except CallFailed as failure:
        return None, failure


async def _spans(place: Place, group: str, query: SearchLogs, pattern: str | None, pages: int) -> Lines:
    """What came shortly before the onset and after it, and what came before that: each has its own room."""
    window = query.window
    middle = window.start
    if window.onset is not None and window.holds(window.onset):
        middle = max(window.start, window.onset - _BEFORE_ONSET)
    spans = [(start, end) for start, end in ((middle, window.end), (window.start, middle)) if start < end]
    found = Lines(most=max(_MOST_LINES, 4 * query.limit))
    if len(spans) > 1 and await _in_one_page(place, group, query, pattern, found):
        return found
    for start, end in spans:
        enough = len(found.lines) + 4 * query.limit // len(spans)
        await _read_span(place, group, query, _span(start, end), pattern, pages, enough, found)
    return found


async def _in_one_page(place: Place, group: str, query: SearchLogs, pattern: str | None, found: Lines) -> bool:
    """Whether all of the window came in one answer, as it does for most; then nothing has to be asked twice."""
    span = _span(query.window.start, query.window.end)
    more = {"filterPattern": pattern} if pattern else {}
    page = await place.call("logs", "FilterLogEvents", logGroupName=group, **span, **more)
    if page.get("nextToken"):
        return False
    await asyncio.to_thread(found.take, page.get("events") or [], matcher(query.any_of))
    return True


async def _read_span(
    place: Place,
    group: str,
    query: SearchLogs,
    span: Answer,
    pattern: str | None,
    pages: int,
    enough: int,
    found: Lines,
) -> None:
    """Page by page into `found`, until that is enough or has taken too long; parsed beside the loop."""
    parameters = {"logGroupName": group, **span} | ({"filterPattern": pattern} if pattern else {})
    matches = matcher(query.any_of)
    clock = asyncio.get_running_loop().time
    deadline, read = clock() + _READ_SECONDS / 2, 0
    try:
        async for page in place.pages("logs", "FilterLogEvents", **parameters):
            await asyncio.to_thread(found.take, page.get("events") or [], matches)
            read += 1
            if page.get("nextToken") and (read >= pages or len(found.lines) >= enough or clock() > deadline):
                found.more = True
                return
    except CallFailed:
        if not found.scanned:
            raise
        found.more = True


async def _of_many(place: Place, group: str, query: SearchLogs, read: Lines, until: float) -> Read | None:
    """All lines that tell, by Logs Insights; where these are too many too, or it may not be asked, samples of all."""
    told, insights = await _telling(place, group, query, read, until)
    if told is not None:
        return told
    sampled = await _sampled(place, group, query, until)
    if not sampled.lines:
        return None
    how = f"{_SAMPLES} samples spread over the window were read of group {group}, which has too many lines"
    return Read(sampled.lines, read.scanned + sampled.scanned, True, f"{how} ({insights})" if insights else how)


async def _telling(place: Place, group: str, query: SearchLogs, read: Lines, until: float) -> tuple[Read | None, str]:
    """The lines with one of the words, or those that complain; and why not, where they cannot be had whole."""
    words = [each.strip() for each in query.any_of if each.strip()]
    expression = "|".join(escaped(each) for each in words) if words else TROUBLE.pattern
    text = f"fields @timestamp, @message, @logStream | filter @message like /(?i)({expression})/"
    text += f" | sort @timestamp asc | limit {_INSIGHTS_LINES}"
    seconds = max(0.5, min(_INSIGHTS_SECONDS, until - asyncio.get_running_loop().time() - _SAMPLE_SECONDS))
    try:
        answer = await run_query(place, [group], text, query.window, limit=_INSIGHTS_LINES, seconds=seconds)
    except CallFailed as failure:
        return None, str(failure)
    if not answer.complete:
        return None, f"Logs Insights was stopped after {seconds:.0f} s; {answer.cost}"
    if answer.matched > len(answer.rows):
        return None, f"{answer.matched} lines would have to be told; {answer.cost}"
    tells = matcher(words) if words else lambda line: TROUBLE.search(line) is not None
    lines = await asyncio.to_thread(_lines, answer, tells)
    if not words:  # the others, as far as they were read, show what is normal
        lines += [line for line in read.lines if not tells(line.text)]
    what = "that have the words" if words else "that complain"
    how = f"Logs Insights found all lines of group {group} {what} ({answer.cost})"
    scanned = max(read.scanned, answer.scanned)
    return Read(lines, scanned, not words, how + ("; of the others only some were read" if not words else ""), text), ""


def _lines(answer: Found, tells: Callable[[str], bool]) -> list[LogLine]:
    found = []
    for row in answer.rows:
        at, text = moment_of(row.get("@timestamp", "")), readable(row.get("@message"))
        if at is not None and tells(text):
            found.append(LogLine(at=at, text=text, stream=readable(row.get("@logStream"))))
    return found


async def _sampled(place: Place, group: str, query: SearchLogs, until: float) -> Lines:
    """The first lines of each of many equal slices: as much of what came before the onset as of what came after."""
    pattern, matches = filter_pattern(query.any_of), matcher(query.any_of)
    each = max(1, min(_SAMPLE_LINES, query.limit // 4))
    slices = list(_slices(query.window, _SAMPLES))
    found = Lines()

    async def sample(start: datetime, end: datetime) -> None:
        parameters = {"logGroupName": group, **_span(start, end)} | ({"filterPattern": pattern} if pattern else {})
        page = await place.call("logs", "FilterLogEvents", limit=each, **parameters)
        await asyncio.to_thread(found.take, page.get("events") or [], matches)

    tasks = [asyncio.ensure_future(_tried(sample(start, end))) for start, end in slices]
    left = until - asyncio.get_running_loop().time() - _MARGIN_SECONDS
    _, late = await asyncio.wait(tasks, timeout=max(0.0, left))
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return found


def _slices(window: TimeWindow, count: int) -> Iterable[tuple[datetime, datetime]]:
    step = window.length / count
    for index in range(count):
        yield window.start + index * step, window.start + (index + 1) * step


def _message(
    query: SearchLogs,
    lines: Sequence[LogLine],
    left: int,
    found: Sequence[Read],
    failures: Sequence[CallFailed],
    unread: Sequence[str],
) -> str:
    parts = []
    if left or any(each.more for each in found):
        total = len(lines) + left
        parts.append(f"{len(lines)} of at least {total} lines are shown, {_which(query)}; there are more")
    elif not lines and found:
        scanned = sum(each.scanned for each in found)
        looked = " or ".join(f"“{words}”" for words in query.any_of)
        parts.append(
            f"no line has {looked} ({scanned} lines read)" if looked else "the log has no lines in this window"
        )
    parts += [each.how for each in found if each.how]
    if unread:
        parts.append(f"{len(unread)} more log groups were not read: {', '.join(unread[:3])}")
    if failures:
        parts.append(f"not seen: {gaps(failures)}")
    return "; ".join(parts)


def _which(query: SearchLogs) -> str:
    nearest = "the nearest to the onset" if query.window.onset else "the newest that were read"
    return nearest if _filtered(query) else f"those that complain and {nearest}"
