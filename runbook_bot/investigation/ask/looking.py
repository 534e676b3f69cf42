"""What one question is answered with: the world, asked within bounds, and a record of all that was asked."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Queried
from runbook_bot.domain.noun import utc
from runbook_bot.domain.ports import Knowledge
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import Query, Result, Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.ask.answer import Source
from runbook_bot.investigation.scratchpad import AT_ONCE, narrowed
from runbook_bot.investigation.world import World


@dataclass
class Looking:
    """One question on its way to an answer."""

    text: str
    """The question without the words about time."""
    world: World
    graph: ServiceGraph
    now: datetime
    knowledge: Knowledge | None = None
    case: Investigation | None = None
    """The investigation in whose thread it was asked."""
    said: TimeWindow | None = None
    """The window that the question names."""
    services: Sequence[Service] = ()
    """Those that the question names, or that the investigation is about."""
    resources: Sequence[Resource] = ()
    """What the question names without a service: a queue, a function."""
    asked: list[Queried] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def window(self, usual: timedelta) -> TimeWindow:
        """As said, or as long as usual, up to now."""
        return self.said or TimeWindow(start=self.now - usual, end=self.now)

    async def ask(self, query: Query) -> Result:
        """The answer, recorded with its source; what could not be seen is remembered. Never raises."""
        allowed, why = narrowed(query)
        if why and why not in self.notes:
            self.notes.append(why)
        if allowed is None:
            return Result(status=Status.error, source="none", where=query.kind, message=why)
        async with self.gate:
            began = time.monotonic()
            result = await self.world.ask(allowed)
        seconds = round(time.monotonic() - began, 4)
        arguments = allowed.model_dump(mode="json")
        self.asked.append(
            Queried(query_kind=allowed.kind, query=arguments, key=allowed.key, result=result, seconds=seconds)
        )
        self.saw(result)
        return result

    def saw(self, result: Result) -> None:
        self.sources.append(
            Source(
                source=result.source,
                where=result.where,
                status=result.status,
                query=result.asked,
                console=result.console,
            )
        )
        if result.message and result.status in (Status.denied, Status.error, Status.truncated):
            said = f"{result.where}: {result.message}"
            if said not in self.unseen:
                self.unseen.append(said)

    async def ask_all(self, queries: Iterable[Query]) -> list[Result]:
        return list(await asyncio.gather(*(self.ask(each) for each in queries)))


def span(window: TimeWindow, now: datetime) -> str:
    """`since 10:00 UTC`, `from 2026-03-03 00:00 to 2026-03-04 00:00 UTC`."""
    if now - window.end <= timedelta(seconds=60):
        return f"since {clock(window.start, now)}"
    return f"from {clock(window.start, now).removesuffix(' UTC')} to {clock(window.end, now)}"


def clock(moment: datetime, now: datetime) -> str:
    """`14:03 UTC`, with the date where it is not of the last twenty hours."""
    near = timedelta() <= now - moment < timedelta(hours=20)
    return f"{moment:%H:%M} UTC" if near else f"{moment:%Y-%m-%d %H:%M} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """`22 min ago`, `3 h ago`, `9 days ago`."""
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 90:
        return f"{minutes} min ago"
    return f"{round(minutes / 60)} h ago" if minutes < 48 * 60 else f"{round(minutes / 1440)} days ago"


def stamp(moment: datetime, *, seconds: bool = False) -> str:
    """A time in a table, in UTC."""
    return f"{utc(moment):%Y-%m-%d %H:%M:%S}" if seconds else f"{utc(moment):%Y-%m-%d %H:%M}"
