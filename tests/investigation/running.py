"""One investigation in the market, from its first entry to its verdict, with its journal in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation, apply
from runbook_bot.domain.journal import Body, Entry, Opened, seal
from runbook_bot.domain.ports import Journal, Knowledge, Reasoner
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from tests.investigation.town import NOW, Town

ID = "inv-0123456789"


@dataclass
class HandClock:
    """A clock that is set by hand, or that goes on by `tick` with every look."""

    time: datetime = NOW
    tick: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.time += self.tick
        return self.time


class Paper:
    """A journal that is kept in memory, from a state that was read elsewhere or from nothing."""

    location = "/dev/null"

    def __init__(self, clock: HandClock, state: Investigation | None = None) -> None:
        self._clock = clock
        self._state = state or Investigation(id=ID)
        self.entries: list[Entry] = []

    @property
    def id(self) -> str:
        return self._state.id

    def append(self, *bodies: Body) -> Sequence[Entry]:
        for body in bodies:
            self.entries.append(seal(self._state.last_seq + 1, self._clock.now(), "", body))
            self._state = apply(self._state, self.entries[-1])
        return self.entries[-len(bodies) :] if bodies else ()

    def refresh(self) -> Investigation:
        return self._state


@dataclass
class Running:
    """What an investigation needs, all of it real but the town and the clock."""

    town: Town
    limits: AgentSettings = field(default_factory=AgentSettings)
    reasoner: Reasoner = field(default_factory=CatalogueReasoner)
    knowledge: Knowledge | None = None
    clock: HandClock = field(default_factory=HandClock)

    def opened(self, request: Request | str) -> Paper:
        asked = Request(text=request) if isinstance(request, str) else request
        journal = Paper(self.clock)
        journal.append(Opened(request=asked, reasoner=self.reasoner.name))
        return journal

    async def go_on(self, journal: Journal, *, watch: Callable[[Body], None] = lambda _: None) -> Investigation:
        world = World([self.town])
        triage = Triage(world, self.knowledge, self.town.graph, self.clock)
        investigator = Investigator(world, self.reasoner, triage, self.limits, self.clock)
        async for body in investigator.run(journal):
            journal.append(body)
            watch(body)
        return journal.refresh()

    async def triaged(self, request: Request | str) -> Paper:
        """The journal as it stands before anything is supposed."""
        journal = self.opened(request)
        triage = Triage(World([self.town]), self.knowledge, self.town.graph, self.clock)
        async for body in triage.run(journal):
            journal.append(body)
        return journal

    async def investigate(self, request: Request | str) -> Investigation:
        return await self.go_on(self.opened(request))
