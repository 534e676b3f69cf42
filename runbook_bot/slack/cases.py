"""Finds investigations for people: by thread, by channel, by state."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.ports import Journals
from runbook_bot.errors import JournalError
from runbook_bot.slack.views.place import root
from runbook_bot.slack.views.thread import finished

LOOKED_AT = 200
"""The newest investigations; older ones are found by their id."""


@dataclass(frozen=True)
class _Settled:
    """What a search needs to know of an investigation that changes no more, so that it is not read again."""

    channel: str
    root: tuple[str, str] | None


class Cases:
    def __init__(self, journals: Journals) -> None:
        self._journals = journals
        self._settled: dict[str, _Settled] = {}

    async def one(self, id: str) -> Investigation | None:
        return await asyncio.to_thread(self._read, id)

    async def newest(self, fits: Callable[[Investigation], bool], top: int = 1) -> list[Investigation]:
        """The newest that fit, among the newest 200."""
        return await asyncio.to_thread(self._search, lambda _: True, fits, top)

    async def unfinished(self, fits: Callable[[Investigation], bool], top: int = 20) -> list[Investigation]:
        """Those that are not over, or whose repair is not; finished ones are not read a second time."""
        return await asyncio.to_thread(self._search, lambda settled: settled is None, fits, top)

    async def in_thread(self, channel: str, thread: str) -> Investigation | None:
        """The newest investigation shown in that thread."""
        here = (channel, thread)
        found = await asyncio.to_thread(
            self._search, lambda settled: settled is None or settled.root == here, lambda case: _at(case, here), 1
        )
        return found[0] if found else None

    async def in_channel(self, channel: str) -> Investigation | None:
        """The newest investigation asked for in that channel."""
        found = await asyncio.to_thread(
            self._search,
            lambda settled: settled is None or settled.channel == channel,
            lambda case: case.request.channel == channel,
            1,
        )
        return found[0] if found else None

    def _search(
        self, may: Callable[[_Settled | None], bool], fits: Callable[[Investigation], bool], top: int
    ) -> list[Investigation]:
        found: list[Investigation] = []
        for id in self._journals.ids()[:LOOKED_AT]:
            if not may(self._settled.get(id)):
                continue
            case = self._read(id)
            if case is not None and fits(case):
                found.append(case)
                if len(found) == top:
                    break
        return found

    def _read(self, id: str) -> Investigation | None:
        try:
            case = self._journals.open(id).refresh()
        except JournalError:
            return None
        waits = any(remedy.state == "open" for remedy in case.remedies.values())
        if finished(case) and not waits and (root(case) or not case.request.channel):
            self._settled[id] = _Settled(case.request.channel, root(case))
        else:
            self._settled.pop(id, None)
        return case


def _at(case: Investigation, here: tuple[str, str]) -> bool:
    asked = (case.request.channel, case.request.thread or "")
    return here in (root(case), asked)
