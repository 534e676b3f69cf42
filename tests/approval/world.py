"""A small world for the gate: people, a vendor that counts what it is made to do, and a journal in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate, ruled
from runbook_bot.approval.policy import Approvers, SafetySettings
from runbook_bot.domain.approval import (
    Approval,
    Call,
    Decision,
    Denial,
    Outcome,
    Preparation,
    Proposal,
    Risk,
    Ruling,
    SealBroken,
)
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation, apply, fold
from runbook_bot.domain.journal import Body, ChangeProposed, Decided, Entry, Opened, Posted, seal
from runbook_bot.domain.ports import Person
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair, ResourceType
from runbook_bot.errors import DeskError, ProviderError

TEAM, CHANNEL, CARD = "T1", "C1", "1700000000.000100"
REQUESTER, ALICE, BOB, BYSTANDER = "U0ASKS", "U0ALICE", "U0BOB", "U0BYSTANDER"
GROUP = "S0SRE"
SERVICE = Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout-api")


def denied(ruling: Ruling) -> Denial:
    assert isinstance(ruling, Denial), ruling
    return ruling


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, span: timedelta) -> None:
        self.time += span


class SmallDirectory:
    """Some people, one group, one channel; `away` makes every question fail."""

    def __init__(self) -> None:
        self.people = {id: Person(id=id, team=TEAM, name=id) for id in (REQUESTER, ALICE, BOB, BYSTANDER)}
        self.groups = {GROUP: {ALICE, BOB, REQUESTER}}
        self.channels = {CHANNEL: set(self.people)}
        self.away = False

    async def person(self, user: str) -> Person | None:
        self._answer()
        return self.people.get(user)

    async def group(self, usergroup: str) -> frozenset[str]:
        self._answer()
        return frozenset(self.groups.get(usergroup, ()))

    async def in_channel(self, user: str, channel: str) -> bool:
        self._answer()
        return user in self.channels.get(channel, ())

    def _answer(self) -> None:
        if self.away:
            raise DeskError("users.info: internal_error")


class CountingActuator:
    """A vendor with one service. It checks the approval as every actuator must, and remembers what it ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.drifted = ""
        self.unreadable = False
        self.answer: Literal["yes", "refuses", "times out", "vague"] = "yes"
        self.effect: bool | None = None
        """What the world shows; None: as it is."""

    @property
    def operations(self) -> frozenset[str]:
        return frozenset({"ecs.update_service"})

    async def prepare(self, repair: Repair, resource: Resource) -> Preparation | None:
        return preparation()

    async def prepare_rollback(self, proposal: Proposal) -> Preparation | None:
        if self.unreadable:
            raise ProviderError("ecs: AccessDenied")
        return preparation(revision=42)

    async def drift(self, proposal: Proposal) -> str:
        if self.unreadable:
            raise ProviderError("ecs: AccessDenied")
        return self.drifted

    async def run(self, proposal: Proposal, approval: Approval) -> Outcome:
        if approval.proposal != proposal.id or approval.digest != proposal.digest:
            raise SealBroken("not for this proposal")
        if self.answer == "refuses":
            raise ProviderError("ecs: AccessDenied on UpdateService")
        self.ran.append(proposal.id)
        if self.answer == "times out":
            raise TimeoutError
        return Outcome(took_effect=None if self.answer == "vague" else True, message="updated", request_id="req-1")

    async def took_effect(self, proposal: Proposal) -> bool | None:
        if self.unreadable:
            raise ProviderError("ecs: AccessDenied")
        return proposal.id in self.ran if self.effect is None else self.effect


def preparation(risk: Risk = Risk.high, revision: int = 41, operation: str = "ecs.update_service") -> Preparation:
    return Preparation(
        title="Go back to checkout-api:41",
        call=Call(operation=operation, parameters={"service": "checkout-api", "revision": revision}),
        target=SERVICE,
        account="123456789012",
        region="us-east-1",
        pre_state={"revision": 42, "environment": {"DB_PASSWORD": "hunter2-secret"}},
        impact="4 tasks are replaced",
        risk=risk,
        rollback=Call(operation=operation, parameters={"service": "checkout-api", "revision": 42}),
        shown="ecs.update_service(…)",
    )


def safety(**changed: object) -> SafetySettings:
    approvers = {Risk.high: Approvers(usergroups=(GROUP,)), Risk.critical: Approvers(users=(ALICE, BOB, REQUESTER))}
    return SafetySettings.model_validate({"approvers": approvers, **changed})


class Case:
    """An investigation's journal in memory."""

    def __init__(self, clock: HandClock, id: str = "inv-1", requester: str = REQUESTER) -> None:
        self._clock = clock
        self.entries: list[Entry] = []
        self.now = Investigation(id=id)
        self.add(
            Opened(request=Request(text="x", requester=requester, team=TEAM, channel=CHANNEL), reasoner="catalogue")
        )

    def add(self, *bodies: Body) -> None:
        for body in bodies:
            previous = self.entries[-1].hash if self.entries else ""
            self.entries.append(seal(len(self.entries) + 1, self._clock.now(), previous, body))
            self.now = apply(self.now, self.entries[-1])

    def reread(self) -> Investigation:
        """As a process that has just started sees it."""
        return fold(self.now.id, self.entries)


class Desk:
    """A gate with its world, and the caller's part of the contract: journal first, then act."""

    def __init__(self, folder: Path, settings: SafetySettings | None = None) -> None:
        self.clock = HandClock()
        self.directory = SmallDirectory()
        self.actuator = CountingActuator()
        self.audit = Audit(folder)
        self.case = Case(self.clock)
        self.settings = settings or safety()
        self.gate = self.another_gate()
        self.clicks = 0

    def another_gate(self, audit: Audit | None = None) -> Gate:
        """As in another process."""
        directory, actuators = self.directory, [self.actuator]
        return Gate(self.settings, directory, actuators, audit or self.audit, self.clock, lambda: TEAM)

    def propose(self, risk: Risk = Risk.high, *, undoes: str | None = None, requester: str | None = None) -> Proposal:
        proposal = self.gate.propose(
            self.case.now,
            preparation(risk),
            hypothesis=None,
            evidence=("E1",),
            runbook=None,
            verification=None,
            undoes=undoes,
            requester=requester,
        )
        self.case.add(ChangeProposed(proposal=proposal))
        self.case.add(Posted(key=f"approval:{proposal.id}", channel=CHANNEL, ts=CARD, thread=None))
        return proposal

    def click(self, proposal: Proposal, user: str = ALICE, **changed: object) -> Decision:
        self.clicks += 1
        critical = proposal.preparation.risk is Risk.critical
        decision = Decision(
            proposal=proposal.id,
            verdict="approve",
            user=user,
            team=TEAM,
            channel=CHANNEL,
            message=CARD,
            typed_name=proposal.preparation.target.name if critical else "",
            at=self.clock.now(),
            delivery=f"click-{self.clicks}",
        )
        return decision.model_copy(update=changed)

    async def press(self, proposal: Proposal, user: str = ALICE, **changed: object) -> Ruling:
        """A click, journalled, ruled on, and the ruling journalled."""
        decision = self.click(proposal, user, **changed)
        self.case.add(Decided(decision=decision))
        ruling = await self.gate.rule(self.case.now, decision)
        self.case.add(ruled(decision, ruling))
        return ruling

    async def carry_out(self, proposal: Proposal, approval: Approval) -> Sequence[Body]:
        bodies = []
        async for body in self.gate.carry_out(self.case.now, proposal, approval):
            self.case.add(body)
            bodies.append(body)
        return bodies

    async def done(self, proposal: Proposal, user: str = ALICE) -> None:
        """Approved and run."""
        ruling = await self.press(proposal, user)
        assert isinstance(ruling, Approval)
        await self.carry_out(proposal, ruling)
