"""Whatever people, crashes, clocks and replicas do: nothing runs unauthorised, twice, or other than it was shown."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate, ruled
from runbook_bot.domain.approval import Approval, Decision, Outcome, Proposal, Risk
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import ChangeProposed, Decided
from tests.approval.world import ALICE, BOB, BYSTANDER, GROUP, REQUESTER, CountingActuator, Desk, preparation, safety

T = TypeVar("T")
COOLDOWN = timedelta(minutes=2)
PEOPLE = st.sampled_from([ALICE, ALICE, BOB, BOB, REQUESTER, BYSTANDER])
BENT: list[dict[str, object]] = [
    *({} for _ in range(12)),
    {"team": "T2"},
    {"channel": "C2"},
    {"message": "1.1"},
    {"typed_name": "checkout"},
    {"proposal": "inv-9.P1"},
    {"verdict": "reject", "reason": "no"},
]


class Witness(CountingActuator):
    """Checks, from what it saw itself and not from the gate, that each run was allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, str] = {}
        self.granted: set[tuple[str, tuple[str, ...]]] = set()

    async def run(self, proposal: Proposal, approval: Approval) -> Outcome:
        assert proposal.id not in self.ran, "run twice"
        assert self.shown[proposal.id] == proposal.digest, "run with other parameters than shown"
        assert (proposal.id, approval.approvers) in self.granted, "run without a valid ruling"
        return await super().run(proposal, approval)


class Never(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        limits = safety(max_mutations_per_session=4, cooldown_between_critical_ms=COOLDOWN.total_seconds() * 1000)
        self.desk = Desk(Path(self.folder.name), limits)
        self.actuator = Witness()
        self.desk.actuator = self.actuator
        self.gates = [self.desk.another_gate(), self.desk.another_gate(Audit(Path(self.folder.name)))]
        self.desk.gate = self.gates[0]
        self.proposals: list[Proposal] = []
        self.valid: set[tuple[str, str]] = set()
        self.approvals: list[tuple[Gate, Investigation, Proposal, Approval]] = []
        self.critical_at: dict[str, datetime] = {}

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        assert self.desk.audit.verify() == []
        self.do(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()

    @initialize()
    def one_to_begin_with(self) -> None:
        self.propose(Risk.high, undo=False)

    @rule(risk=st.sampled_from([Risk.high, Risk.critical, Risk.low]), undo=st.booleans())
    def propose(self, risk: Risk, undo: bool) -> None:
        done = [id for id, r in self.desk.case.now.remedies.items() if r.outcome is not None]
        proposal = self.desk.propose(risk, undoes=done[0] if undo and done else None)
        self.actuator.shown[proposal.id] = proposal.digest
        self.proposals.append(proposal)

    @rule(data=st.data(), user=PEOPLE, bent=st.sampled_from(BENT), replica=st.integers(0, 1), crash=st.booleans())
    def press(self, data: st.DataObject, user: str, bent: dict[str, object], replica: int, crash: bool) -> None:
        proposal = data.draw(st.sampled_from(self.proposals[-2:]))
        decision = self.desk.click(proposal, user).model_copy(update=bent)
        right_name = proposal.preparation.risk is not Risk.critical or decision.typed_name == "checkout-api"
        if right_name and not {"team", "channel", "message", "verdict", "proposal"} & set(bent):
            self.valid.add((proposal.id, user))
        self.desk.case.add(Decided(decision=decision))
        self.rule_on(decision, self.gates[replica], crash=crash)

    @rule(
        user=st.sampled_from([ALICE, BOB]),
        replica=st.integers(0, 1),
        crash=st.sampled_from(["never", "before", "spent", "after", "at once"]),
    )
    def an_approver_presses_the_newest(self, user: str, replica: int, crash: str) -> None:
        proposal = self.proposals[-1]
        decision = self.desk.click(proposal, user)
        self.valid.add((proposal.id, user))
        self.desk.case.add(Decided(decision=decision))
        granted = len(self.approvals)
        self.rule_on(decision, self.gates[replica])
        if crash != "at once" and len(self.approvals) > granted:
            self.do(self.steps(*self.approvals[-1], crash))

    def rule_on(self, decision: Decision, gate: Gate, *, crash: bool = False) -> None:
        """`crash`: the process dies before it has journalled the ruling."""
        case = self.desk.case.now
        ruling = self.do(gate.rule(case, decision))
        if isinstance(ruling, Approval):
            proposal = case.remedies[decision.proposal].proposal
            self.witness(proposal, ruling)
            self.approvals.append((gate, case, proposal, ruling))
        if not crash:
            self.desk.case.add(ruled(decision, ruling))

    def witness(self, proposal: Proposal, ruling: Approval) -> None:
        """The promises, spelled out without the gate's own words."""
        directory, now = self.desk.directory, self.desk.clock.now()
        risk = proposal.preparation.risk
        original = self.desk.case.now.remedies.get(proposal.undoes or "")
        alone = original is not None and ruling.approvers[-1] in original.approvers
        assert not directory.away
        assert not self.actuator.drifted
        assert now < proposal.expires_at
        assert proposal.digest == self.actuator.shown[proposal.id] == ruling.digest
        assert len(set(ruling.approvers)) == len(ruling.approvers) >= (2 if risk is Risk.critical and not alone else 1)
        for user in ruling.approvers:
            assert (proposal.id, user) in self.valid, "nobody pressed that"
            assert not directory.people[user].deactivated
            if risk is Risk.high:
                assert user in directory.groups[GROUP]
            if risk is Risk.critical:
                assert user in (ALICE, BOB, REQUESTER)
            if risk is not Risk.low and not alone:
                assert user != REQUESTER
        if risk is Risk.critical:
            others = [at for id, at in self.critical_at.items() if id != proposal.id]
            assert proposal.undoes is not None or all(abs(ruling.at - at) >= COOLDOWN for at in others)
            self.critical_at[proposal.id] = ruling.at
        self.actuator.granted.add((proposal.id, ruling.approvers))

    @precondition(lambda self: self.approvals)
    @rule(data=st.data(), crash=st.sampled_from(["never", "never", "before", "spent", "after"]), asleep=st.booleans())
    def carry_out(self, data: st.DataObject, crash: str, asleep: bool) -> None:
        """By a process that may be the right one, or one that slept through all that happened since."""
        gate, then, proposal, approval = data.draw(st.sampled_from(self.approvals[-4:]))
        self.do(self.steps(gate, then if asleep else self.desk.case.now, proposal, approval, crash))

    async def steps(self, gate: Gate, case: Investigation, proposal: Proposal, approval: Approval, crash: str) -> None:
        steps = gate.carry_out(case, proposal, approval)
        async for body in steps:
            if crash == "before" or (crash == "after" and body.kind == "executed"):
                break
            self.desk.case.add(body)
            if crash == "spent":
                break

    @rule(replica=st.integers(0, 1))
    def restart(self, replica: int) -> None:
        """What a worker does first: go on with everything that the journal leaves open."""
        gate = self.gates[replica]
        for id in list(self.desk.case.now.remedies):
            remedy = self.desk.case.reread().remedies[id]
            for decision in remedy.unruled:
                self.rule_on(decision, gate)
            remedy = self.desk.case.now.remedies[id]
            if remedy.state == "approved" and remedy.ruling is not None:
                delivery = remedy.ruling.delivery
                [decision] = [d for d in remedy.decisions if d.delivery == delivery]
                self.rule_on(decision, gate)
            elif remedy.state == "running":
                self.desk.case.add(self.do(gate.look(self.desk.case.now, remedy.proposal)))
        assert all(not remedy.unruled for remedy in self.desk.case.now.remedies.values()), "a press was lost"
        assert all(remedy.state != "running" for remedy in self.desk.case.now.remedies.values())
        for remedy in self.desk.case.now.remedies.values():
            if remedy.outcome is not None:
                assert remedy.outcome.took_effect is (remedy.proposal.id in self.actuator.ran), "people were told wrong"

    @rule(minutes=st.sampled_from([0.1, 0.1, 1, 1, 10, 31, -5, -60]))
    def time_passes(self, minutes: float) -> None:
        self.desk.clock.pass_(timedelta(minutes=minutes))
        self.do(self.lapse())

    async def lapse(self) -> None:
        self.desk.case.add(*await self.gates[0].lapsed(self.desk.case.now))

    @rule(trouble=st.sampled_from(["none", "none", "none", "drift", "away", "alice left", "bob is deactivated"]))
    def the_world_changes(self, trouble: str) -> None:
        directory = self.desk.directory
        self.actuator.drifted = "somebody deployed" if trouble == "drift" else ""
        directory.away = trouble == "away"
        (directory.groups[GROUP].discard if trouble == "alice left" else directory.groups[GROUP].add)(ALICE)
        directory.people[BOB] = replace(directory.people[BOB], deactivated=trouble == "bob is deactivated")

    @rule(data=st.data())
    def somebody_rewrites_a_proposal(self, data: st.DataObject) -> None:
        proposal = data.draw(st.sampled_from(self.proposals))
        other = proposal.model_copy(update={"preparation": preparation(proposal.preparation.risk, revision=666)})
        remedy = self.desk.case.now.remedies[proposal.id]
        if remedy.state == "open":  # a rewritten entry takes the fold of that proposal back to its beginning
            self.desk.case.add(ChangeProposed(proposal=other))

    @invariant()
    def nothing_ran_twice(self) -> None:
        assert len(set(self.actuator.ran)) == len(self.actuator.ran)


TestNever = Never.TestCase
TestNever.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
