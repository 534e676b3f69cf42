"""A market with a gate: a vendor whose change mends the town, people who may approve, and an audit on the disk."""

from pathlib import Path

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate
from runbook_bot.domain.approval import Approval, Decision, Outcome, Preparation, Proposal
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Decided, Posted
from runbook_bot.domain.ports import Journal, Knowledge
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair
from runbook_bot.errors import JournalError, ProviderError
from runbook_bot.investigation.advance import Advance
from runbook_bot.investigation.aftermath import Aftermath
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.remediation import Remediation
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World
from tests.approval.world import ALICE, CARD, CHANNEL, REQUESTER, TEAM, CountingActuator, SmallDirectory, safety
from tests.investigation.running import Paper, Running

ASKED = Request(text="orders errors", requester=REQUESTER, team=TEAM, channel=CHANNEL)


class Mender(CountingActuator):
    """Its change ends every trouble of the town; undoing it is possible, and some repairs do not fit."""

    def __init__(self, running: Running) -> None:
        super().__init__()
        self._running = running
        self.mends = True
        self.refused = ""
        self.fits = True
        self.asked: list[tuple[Repair, str]] = []

    async def prepare(self, repair: Repair, resource: Resource) -> Preparation | None:
        self.asked.append((repair, resource.name))
        if self.refused:
            raise ProviderError(self.refused)
        return await super().prepare(repair, resource) if self.fits else None

    async def run(self, proposal: Proposal, approval: Approval) -> Outcome:
        outcome = await super().run(proposal, approval)
        for effect in self._running.town.effects.values() if self.mends else ():
            effect.until = self._running.clock.time
        return outcome


class Shelf:
    """The one journal there is."""

    def __init__(self, journal: Paper) -> None:
        self.journal = journal

    def create(self, id: str, opened: Body) -> Journal | None:
        return None

    def open(self, id: str) -> Paper:
        if id != self.journal.id:
            raise JournalError(f"there is no investigation {id}")
        return self.journal

    def ids(self) -> list[str]:
        return [self.journal.id]


class Bench:
    """All that carries an investigation from the question to the recovery."""

    def __init__(
        self, folder: Path, running: Running, journal: Paper | None = None, memory: Knowledge | None = None
    ) -> None:
        self.running = running
        self.clock = running.clock
        self.journal = journal or running.opened(ASKED)
        self.actuator = Mender(running)
        world = World([running.town])
        triage = Triage(world, memory, running.town.graph, self.clock)
        self.directory = SmallDirectory()
        self.gate = Gate(safety(), self.directory, [self.actuator], Audit(folder), self.clock, lambda: TEAM)
        self.remediation = Remediation(self.gate, [self.actuator], running.reasoner, memory)
        self.advance = Advance(
            Shelf(self.journal),
            Investigator(world, running.reasoner, triage, running.limits, self.clock),
            self.remediation,
            self.gate,
            Aftermath(world),
            None,
            self.clock,
        )

    @property
    def case(self) -> Investigation:
        return self.journal.refresh()

    @property
    def proposal(self) -> Proposal:
        return next(reversed(self.case.remedies.values())).proposal

    def kinds(self) -> list[str]:
        return [entry.body.kind for entry in self.journal.entries]

    def shown(self) -> None:
        """The card of the latest proposal stands in the channel."""
        self.journal.append(Posted(key=f"approval:{self.proposal.id}", channel=CHANNEL, ts=CARD, thread=None))

    def press(self, user: str = ALICE, verdict: str = "approve", reason: str = "") -> None:
        decision = Decision.model_validate(
            {
                "proposal": self.proposal.id,
                "verdict": verdict,
                "user": user,
                "team": TEAM,
                "channel": CHANNEL,
                "message": CARD,
                "at": self.clock.time,
                "reason": reason,
                "delivery": f"click-{self.case.last_seq}",
            }
        )
        self.journal.append(Decided(decision=decision))
