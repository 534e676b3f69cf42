"""The service graph as the vendors see it: the last one at once, a fresh one in the background, kept between runs."""

import asyncio
import contextvars
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from runbook_bot.domain.noun import iso
from runbook_bot.domain.ports import Clock, Graphs, Provider, SystemClock
from runbook_bot.domain.service import Look, ServiceGraph
from runbook_bot.errors import ProviderError

_log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=15)
"""A graph of this age is used as it is."""
EVERY = timedelta(minutes=10)
"""How often a running service looks again."""
JUST_NOW = timedelta(seconds=30)
"""Looking again after so short a time would show the same."""
KEPT = timedelta(days=1)
"""How long what could not be seen again is taken to be as it was."""
BRIEFLY = 3.0
"""Seconds for which a fresh look is waited for where there is an older one."""
PARTS = 3
"""Parts that could not be seen which are named one by one."""


@dataclass(frozen=True)
class Survey:
    """What was found, and in one line each what has to be known about it."""

    graph: ServiceGraph
    problems: tuple[str, ...] = ()


class Atlas:
    """One look at a time for each vendor; whoever comes meanwhile waits for the same one."""

    def __init__(
        self,
        providers: Sequence[Provider],
        graphs: Graphs | None = None,
        clock: Clock | None = None,
        briefly: float = BRIEFLY,
    ) -> None:
        """`graphs`: where they are kept; without it every look is a new one."""
        self._briefly = briefly
        self._providers = tuple(providers)
        self._graphs = graphs
        self._clock = clock or SystemClock()
        self._known: dict[str, ServiceGraph] = {}
        self._looking: dict[str, asyncio.Task[ServiceGraph]] = {}

    async def survey(self, patience: float, *, anew: bool = False) -> Survey:
        """What all vendors have shown, merged. A first look is waited for as long as `patience` (seconds).

        `anew`: also where there is a fresh one, because what was asked about is not in it.
        """
        told = await asyncio.gather(*(self._of(each, patience, anew) for each in self._providers))
        graph = ServiceGraph()
        for each in told:
            graph = graph.merged(each.graph)
        return Survey(graph, tuple(problem for each in told for problem in each.problems))

    async def keep_fresh(self) -> None:
        """Looks again every ten minutes, until it is cancelled."""
        while True:
            for provider in self._providers:
                known = await self._last(provider)
                if known is None or self._age(known) >= EVERY - JUST_NOW:
                    await asyncio.gather(self._look(provider), return_exceptions=True)
            await asyncio.sleep(EVERY.total_seconds())

    async def close(self) -> None:
        """Ends what is under way."""
        running = list(self._looking.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _of(self, provider: Provider, patience: float, anew: bool) -> Survey:
        known = await self._last(provider)
        if known is not None and self._age(known) < (JUST_NOW if anew else FRESH):
            return Survey(known, _gaps(known))
        wait = self._briefly if known is not None and not anew else patience
        task = self._look(provider)
        try:
            async with asyncio.timeout(wait):
                found = await asyncio.shield(task)
        except TimeoutError:
            why = "is still looking around" if known is not None else "discovery took too long; it goes on"
        except ProviderError as problem:
            why = str(problem)
        else:
            return Survey(found, _gaps(found))
        if known is None:
            return Survey(ServiceGraph(), (f"{provider.name}: {why}",))
        return Survey(known, (f"{provider.name}: {why}; the service graph is of {_time(known)}", *_gaps(known)))

    def _look(self, provider: Provider) -> "asyncio.Task[ServiceGraph]":
        running = self._looking.get(provider.name)
        if running is None or running.done():
            # Of nobody's context: it goes on for all, whoever asked first.
            running = asyncio.create_task(
                self._looked(provider), name=f"discovery of {provider.name}", context=contextvars.Context()
            )
            running.add_done_callback(_ended)
            self._looking[provider.name] = running
        return running

    async def _looked(self, provider: Provider) -> ServiceGraph:
        before = await self._last(provider)
        found = await provider.discover()
        if before is not None:
            found = await asyncio.to_thread(completed, found, before, self._clock.now())
        if self._graphs is not None and found.looks:
            self._known[provider.name] = found
            await asyncio.to_thread(self._graphs.save, provider.name, found)
        return found

    async def _last(self, provider: Provider) -> ServiceGraph | None:
        if self._graphs is None:
            return None
        known = self._known.get(provider.name)
        if known is None or self._age(known) >= EVERY:  # another process may have looked since
            stored = await asyncio.to_thread(self._graphs.load, provider.name)
            if stored is not None and (known is None or self._age(stored) < self._age(known)):
                self._known[provider.name] = known = stored
        return known

    def _age(self, graph: ServiceGraph) -> timedelta:
        seen = graph.seen_at
        return self._clock.now() - seen if seen is not None else KEPT


def _ended(task: "asyncio.Task[ServiceGraph]") -> None:
    """Whoever asked may be gone; what went wrong is told to the next one who asks, and here."""
    if not task.cancelled() and isinstance(task.exception(), ProviderError):
        _log.warning("discovery failed", problem=str(task.exception()))


def _time(graph: ServiceGraph) -> str:
    seen = graph.seen_at
    return iso(seen.replace(microsecond=0)) if seen is not None else "an unknown time"


def _gaps(graph: ServiceGraph) -> tuple[str, ...]:
    """What could not be seen, a few named and the rest counted."""
    unseen = [f"{look.place}: {each}" for look in graph.looks for each in look.unseen]
    more = len(unseen) - PARTS
    return (*unseen[:PARTS], f"and {more} more that could not be seen") if more > 0 else tuple(unseen)


def completed(found: ServiceGraph, before: ServiceGraph, now: datetime) -> ServiceGraph:
    """`found`, and what was seen `before` in places where a part could be read then and cannot be read now."""
    there = {service.name for service in found}
    earlier = {look.place: look for look in before.looks}
    kept: dict[str, None] = {}
    looks = []
    for look in found.looks:
        last = earlier.get(look.place)
        since = _still_valid(look, last, now) if last is not None else None
        missing = [name for name in last.services if name not in there] if last is not None and since else []
        kept |= dict.fromkeys(missing)
        update = {"kept_from": since, "services": (*look.services, *missing)} if missing else {}
        looks.append(look.model_copy(update=update))
    services = [service for name in kept if (service := before.service(name)) is not None]
    edges = [edge for edge in before.edges if edge.caller in kept]
    return found.model_copy(
        update={
            "services": (*found.services, *services),
            "edges": (*found.edges, *edges),
            "looks": tuple(looks),
        }
    )


def _still_valid(look: Look, last: Look, now: datetime) -> datetime | None:
    """Since when what is not seen now is taken to be as it was; None where all that was seen can be seen again."""
    if not look.unseen:
        return None
    since = last.kept_from or last.at
    if now - since >= KEPT:
        return None
    known = {each.partition(":")[0] for each in last.unseen}
    newly = any(each.partition(":")[0] not in known for each in look.unseen)
    return since if newly or last.kept_from is not None else None
