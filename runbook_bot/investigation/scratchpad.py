"""Asking well: an identical question is answered from the journal, a broad one is narrowed or refused."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import timedelta

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Noted, Queried
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, Query, ReadMetrics, ReadState, SearchLogs
from runbook_bot.investigation.world import World

AT_ONCE = 8
"""Questions under way at the same time."""
WIDEST_LOGS = timedelta(hours=6)
WIDEST_METRICS = timedelta(hours=26)
KINDS: Mapping[str, type[Query]] = {
    kind.kind: kind for kind in (ReadMetrics, SearchLogs, ListEvents, ListChanges, ReadState, FindAlarms)
}


def narrowed(query: Query) -> tuple[Query | None, str]:
    """The query as it may be asked, and why it was changed; None where it is refused."""
    if isinstance(query, ReadMetrics | ListChanges) and not query.resources:
        return None, f"{query.kind.replace('_', ' ')} without a resource would gather everything: not asked"
    if isinstance(query, SearchLogs) and query.window.length > WIDEST_LOGS:
        shorter = query.window.model_copy(update={"start": query.window.end - WIDEST_LOGS})
        return query.model_copy(update={"window": shorter}), "logs were searched over six hours at most"
    if isinstance(query, ReadMetrics) and query.window.length > WIDEST_METRICS and query.step < 300:
        return query.model_copy(update={"step": 300.0}), "a window of days was read in steps of five minutes"
    return query, ""


Wanted = Mapping[str, tuple[Query, tuple[str, ...]]]
"""By a query's key: the query, and the hypotheses that want it."""


async def ask_all(world: World, case: Investigation, wanted: Wanted) -> AsyncIterator[Body]:
    """Ask what the journal does not know yet, in parallel; yields each answer as it comes."""
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

    tasks = [asyncio.create_task(one(q, who)) for key, (q, who) in wanted.items() if key not in case.answers]
    try:
        for finished in asyncio.as_completed(tasks):
            yield await finished
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
