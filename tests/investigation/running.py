"""One investigation in the market, from its first entry to its verdict, with its journal on the disk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Opened
from runbook_bot.domain.ports import Knowledge, Provider, Reasoner
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.state.journals import FileJournal, FileJournals
from tests.investigation.town import NOW

ID = "inv-0123456789"


@dataclass
class HandClock:
    """A clock that is set by hand, or that goes on by `tick` with every look."""

    time: datetime = NOW
    tick: timedelta = timedelta(0)

    def now(self) -> datetime:
        self.time += self.tick
        return self.time


@dataclass
class Running:
    """What an investigation needs, all of it real but the town and the clock."""

    folder: Path
    town: Provider
    graph: ServiceGraph
    limits: AgentSettings = field(default_factory=AgentSettings)
    reasoner: Reasoner = field(default_factory=CatalogueReasoner)
    knowledge: Knowledge | None = None
    clock: HandClock = field(default_factory=HandClock)

    def opened(self, request: Request | str) -> FileJournal:
        asked = Request(text=request) if isinstance(request, str) else request
        journal = FileJournals(self.folder, self.clock).create(ID, Opened(request=asked, reasoner=self.reasoner.name))
        assert journal is not None
        return journal

    def reopened(self) -> FileJournal:
        """As a process that has just started sees it."""
        return FileJournals(self.folder, self.clock).open(ID)

    async def go_on(self, journal: FileJournal, *, watch: Callable[[Body], None] = lambda _: None) -> Investigation:
        world = World([self.town])
        triage = Triage(world, self.knowledge, self.graph, self.clock)
        investigator = Investigator(world, self.reasoner, triage, self.limits, self.clock)
        async for body in investigator.run(journal):
            journal.append(body)
            watch(body)
        return journal.refresh()

    async def investigate(self, request: Request | str) -> Investigation:
        return await self.go_on(self.opened(request))
