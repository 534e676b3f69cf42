"""Asking well: an identical question is answered from the journal, a broad one is narrowed or refused."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Noted, Queried
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, Query, ReadMetrics, ReadState, SearchLogs
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.world import World

AT_ONCE = 8
"""Questions under way at the same time."""
WIDEST_LOGS = timedelta(hours=6)
WIDEST_METRICS = timedelta(hours=26)
WIDEST = timedelta(days=14)
"""No question reaches further."""
AHEAD = timedelta(hours=1)
"""Logs read before a known onset where a search over many hours is cut."""
STEPS = ((timedelta(days=5), 900.0, "a quarter of an hour"), (WIDEST_METRICS, 300.0, "five minutes"))
"""Longer than so much: seconds between points at least, and in words."""
MOST_RESOURCES = 100
"""In one question: what comes first is nearest to the complaint."""
KINDS: Mapping[str, type[Query]] = {
    kind.kind: kind for kind in (ReadMetrics, SearchLogs, ListEvents, ListChanges, ReadState, FindAlarms)
}


def narrowed(query: Query) -> tuple[Query | None, str]:
    """The query as it may be asked, and why it was changed; None where it is refused."""
    reasons = []
    if isinstance(query, ReadMetrics | ListChanges):
        if not query.resources:
            return None, f"{query.kind.replace('_', ' ')} without a resource would gather everything: not asked"
        if len(query.resources) > MOST_RESOURCES:
            reasons.append(f"of {len(query.resources)} resources the first {MOST_RESOURCES} were looked at")
            query = query.model_copy(update={"resources": query.resources[:MOST_RESOURCES]})
    if isinstance(query, ReadMetrics | SearchLogs | ListEvents | ListChanges) and query.window.length > WIDEST:
        reasons.append(f"{query.kind.replace('_', ' ')} reaches over two weeks at most")
        query = query.model_copy(update={"window": _cut(query.window, WIDEST)})
    if isinstance(query, SearchLogs) and query.window.length > WIDEST_LOGS:
        reasons.append("logs were searched over six hours at most")
        query = query.model_copy(update={"window": _cut(query.window, WIDEST_LOGS)})
    if isinstance(query, ReadMetrics):
        for longer, step, spoken in STEPS:
            if query.window.length > longer and query.step < step:
                reasons.append(f"a window of days was read in steps of {spoken}")
                query = query.model_copy(update={"step": step})
    return query, "; ".join(reasons)


def _cut(window: TimeWindow, most: timedelta) -> TimeWindow:
    """The stretch around the onset where that is known, else the end of the window."""
    start = window.end - most
    if window.onset is not None:
        start = max(window.start, min(start, window.onset - AHEAD))
    return window.model_copy(update={"start": start, "end": start + most})


Wanted = Mapping[str, tuple[Query, tuple[str, ...]]]
"""By a query's key: the query, and the hypotheses that want it."""


def unanswered(case: Investigation, wanted: Wanted) -> dict[str, tuple[Query, tuple[str, ...]]]:
    """Without what the journal knows."""
    return {key: asked for key, asked in wanted.items() if key not in case.answers}


async def ask_all(
    world: World, case: Investigation, wanted: Wanted, within: float | None = None
) -> AsyncIterator[Body]:
    """Ask what the journal does not know yet, in parallel; yields the answers in the order of the questions.

    The order of arrival would differ from run to run, and with it what is read off the journal. What has not come
    `within` so many seconds is no longer waited for, and stands in no entry.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(query: Query, hypotheses: tuple[str, ...]) -> Body:
        async with gate:
            began = time.monotonic()
            result = await world.ask(query)
            return Queried(
                query_kind=query.kind,
                query=query.model_dump(mode="json"),
                key=query.key,
                result=result,
                seconds=round(time.monotonic() - began, 4),
                hypotheses=hypotheses,
            )

    tasks = [asyncio.create_task(one(query, who)) for query, who in unanswered(case, wanted).values()]
    until = asyncio.get_running_loop().time() + within if within is not None else None
    try:
        for task in tasks:
            try:
                async with asyncio.timeout_at(until if not task.done() else None):
                    answer = await task
            except TimeoutError:
                continue
            yield answer
    finally:
        for task in tasks:
            task.cancel()


def gathered(questions: Iterable[tuple[str, Query]]) -> tuple[dict[str, tuple[Query, tuple[str, ...]]], list[Noted]]:
    """Questions with their hypotheses, each question once, narrowed; and the notes on what was changed or refused."""
    wanted: dict[str, tuple[Query, tuple[str, ...]]] = {}
    notes: dict[str, Noted] = {}
    for hypothesis, query in questions:
        allowed, why = narrowed(query)
        if why:
            notes.setdefault(why, Noted(text=why))
        if allowed is not None:
            _, who = wanted.get(allowed.key, (allowed, ()))
            wanted[allowed.key] = (allowed, (*who, hypothesis) if hypothesis and hypothesis not in who else who)
    return wanted, list(notes.values())


def again(asked: Queried) -> Query:
    """The neutral query of a journal entry. Raises `KeyError` for a kind of a newer version."""
    return KINDS[asked.query_kind].model_validate(asked.query)
