"""All vendors as one: whoever can answer a question is asked; what comes back is redacted before anybody keeps it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.observation import Alarm, Change, Fact, LogLine, Row
from runbook_bot.domain.ports import Provider
from runbook_bot.domain.redaction import redact, redact_json, redact_lines
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import Query, Result, Status
from runbook_bot.investigation.atlas import Atlas
from runbook_bot.investigation.sharing import joined, shares

REST = 20.0
"""Seconds for which a provider that lets questions run out of time is not asked."""
SLOW = 4.0
"""Seconds after which an error is taken for silence."""
PATIENCE = timedelta(seconds=12)
"""After it an answer is no longer waited for."""


class World:
    """The configured providers, in their order of preference."""

    def __init__(
        self, providers: Sequence[Provider], patience: timedelta = PATIENCE, atlas: Atlas | None = None
    ) -> None:
        self._providers = tuple(providers)
        self._atlas = atlas or Atlas(providers)
        self._silent: dict[str, float] = {}
        """Until when a provider that did not answer at all is left alone, on the monotonic clock."""
        self._failures: dict[str, int] = {}
        self._patience = patience.total_seconds()

    @property
    def empty(self) -> bool:
        """Whether there is nobody to ask."""
        return not self._providers

    async def ask(self, query: Query) -> Result:
        """The answer of whoever is able, of several for parts of it as one; a clear status where nobody is.

        Never raises.
        """
        asked = shares(query, self._providers)
        if not asked:
            what = query.kind.replace("_", " ")
            return Result(status=Status.error, source="none", where=what, message="no configured provider answers this")
        return joined(await asyncio.gather(*(self._ask(able, part) for able, part in asked)))

    async def _ask(self, able: Provider, query: Query) -> Result:
        where = query.kind.replace("_", " ")
        if self._silent.get(able.name, 0.0) > monotonic():
            told = "not asked: it has just let several questions run out of time"
            return Result(status=Status.error, source=able.name, where=where, message=told)
        began = monotonic()
        try:
            async with asyncio.timeout(self._patience):
                found = await asyncio.to_thread(redacted, await able.ask(query))
        except TimeoutError:
            told = f"no answer in {self._patience:.0f} s"
            found = Result(status=Status.error, source=able.name, where=where, message=told)
        self._remember(able.name, slow=found.status is Status.error and monotonic() - began >= SLOW)
        return found

    def _remember(self, provider: str, *, slow: bool) -> None:
        """After two questions in a row that ran out of time the provider is left alone for a while."""
        self._failures[provider] = self._failures.get(provider, 0) + 1 if slow else 0
        if self._failures[provider] >= 2:
            self._silent[provider] = monotonic() + REST

    def understand(self, question: Question) -> list[Route]:
        """The vendors' own questions that the words may mean, likeliest first."""
        found = [route for provider in self._providers for route in provider.understand(question)]
        return sorted(found, key=lambda route: (-route.score, route.kind))

    async def prepare(self) -> None:
        """Whatever is slow the first time, before somebody waits for it."""
        await asyncio.gather(*(provider.prepare() for provider in self._providers))

    async def discover(self, *, anew: bool = False) -> tuple[ServiceGraph, str]:
        """What all vendors can see, merged, and in one line what could not be seen.

        `anew`: what was asked about is not in the last one.
        """
        survey = await self._atlas.survey(self._patience, anew=anew)
        return survey.graph, "; ".join(survey.problems)


def redacted(result: Result) -> Result:
    """The same without secrets in texts, names and links, in changed values, and under names that tell of one."""

    def thing(each: Resource) -> Resource:
        clean = redact(each.name)
        return each if clean == each.name else each.model_copy(update={"name": clean})

    def change(each: Change) -> Change:
        values = {side: redact_json(getattr(each, side)) for side in ("before", "after")}
        told = {side: redact(getattr(each, side)) for side in ("summary", "actor", "reference")}
        return each.model_copy(update={**told, **values})

    def fact(each: Fact) -> Fact:
        ((name, value),) = redact_json({each.name: each.value}).items()
        return each.model_copy(update={"name": name, "value": value})

    def alarm(each: Alarm) -> Alarm:
        return each.model_copy(update={"name": redact(each.name), "description": redact(each.description)})

    def row(each: Row) -> Row:
        return each.model_copy(update={"name": redact(each.name), "facts": redact_json(each.facts)})

    return result.model_copy(
        update={
            "rows": tuple(row(each) for each in result.rows),
            "facts": tuple(fact(each) for each in result.facts),
            "alarms": tuple(alarm(each) for each in result.alarms),
            "lines": _lines(result.lines),
            "changes": tuple(change(each) for each in result.changes),
            "series": tuple(
                each.model_copy(update={"name": redact(each.name), "resource": thing(each.resource)})
                for each in result.series
            ),
            "message": redact(result.message),
            "asked": redact_json(result.asked),
            "where": redact(result.where),
            "console": result.console and redact(result.console),
        }
    )


def _lines(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """A private key goes over several lines of a stream, so each stream is read for itself."""
    streams: dict[str, list[int]] = {}
    for index, each in enumerate(lines):
        streams.setdefault(each.stream, []).append(index)
    kept = list(lines)
    for stream, places in streams.items():
        name = redact(stream)
        for index, clean in zip(places, redact_lines(lines[index].text for index in places), strict=True):
            if clean != lines[index].text or name != stream:
                kept[index] = lines[index].model_copy(update={"text": clean, "stream": name})
    return tuple(kept)
