"""What was approved runs once, whatever crashes, races or answers late."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate, ruled
from runbook_bot.domain.approval import Approval, Denial, SealBroken
from runbook_bot.domain.journal import Decided
from tests.approval.world import (
    ALICE,
    CHANNEL,
    GROUP,
    Desk,
    denied,
    preparation,
)


async def test_of_a_hundred_presses_at_once_one_approves(desk: Desk) -> None:
    """On the same, old view of the case, by two gates that share nothing but the audit."""
    desk.directory.groups[GROUP] |= {f"U{n:03}" for n in range(10)}
    for id in desk.directory.groups[GROUP] - set(desk.directory.people):
        desk.directory.people[id] = replace(desk.directory.people[ALICE], id=id)
        desk.directory.channels[CHANNEL].add(id)
    proposal = desk.propose()
    gates = [desk.gate, desk.another_gate(Audit(desk.audit.path.parent))]
    case = desk.case.now
    clicks = [desk.click(proposal, f"U{n % 10:03}") for n in range(100)]
    rulings = await asyncio.gather(*(gates[n % 2].rule(case, each) for n, each in enumerate(clicks)))
    assert sum(isinstance(ruling, Approval) for ruling in rulings) == 1
    assert {ruling.code for ruling in rulings if isinstance(ruling, Denial)} == {"decided"}
    assert desk.audit.verify() == []


async def test_two_processes_with_the_same_approval_run_it_once(desk: Desk) -> None:
    proposal = desk.propose()
    decision = desk.click(proposal)
    desk.case.add(Decided(decision=decision))
    other = desk.another_gate(Audit(desk.audit.path.parent))
    case = desk.case.now
    mine, theirs = await desk.gate.rule(case, decision), await other.rule(case, decision)
    assert isinstance(mine, Approval)
    assert isinstance(theirs, Approval)

    async def carry_out(gate: Gate, approval: Approval) -> list[str]:
        return [body.kind async for body in gate.carry_out(case, proposal, approval)]

    kinds = await asyncio.gather(carry_out(desk.gate, mine), carry_out(other, theirs))
    assert sorted(kinds) == [["spent"], ["spent", "executed"]]
    assert desk.actuator.ran == [proposal.id]


async def test_approved_and_crashed_before_it_was_spent_is_ruled_on_again(desk: Desk) -> None:
    proposal = desk.propose()
    decision = desk.click(proposal)
    desk.case.add(Decided(decision=decision))
    desk.case.add(ruled(decision, await desk.gate.rule(desk.case.now, decision)))
    restarted = desk.another_gate(Audit(desk.audit.path.parent))
    again = await restarted.rule(desk.case.reread(), decision)
    assert isinstance(again, Approval)
    desk.directory.groups[GROUP].discard(ALICE)
    assert denied(await restarted.rule(desk.case.reread(), decision)).code == "not_allowed"


async def test_approved_and_drifted_before_it_ran_is_void(desk: Desk) -> None:
    proposal = desk.propose()
    decision = desk.click(proposal)
    desk.case.add(Decided(decision=decision))
    desk.case.add(ruled(decision, await desk.gate.rule(desk.case.now, decision)))
    desk.actuator.drifted = "somebody was faster"
    desk.case.add(ruled(decision, await desk.gate.rule(desk.case.now, decision)))
    assert desk.case.now.remedies[proposal.id].state == "void"


async def test_approved_and_not_begun_in_time_lapses(desk: Desk) -> None:
    proposal = desk.propose()
    await desk.press(proposal)
    desk.clock.pass_(timedelta(minutes=30))
    desk.case.add(*await desk.gate.lapsed(desk.case.now))
    assert desk.case.now.remedies[proposal.id].state == "void"


async def test_crashed_after_spending_is_looked_at_and_never_run(desk: Desk) -> None:
    proposal = desk.propose()
    ruling = await desk.press(proposal)
    assert isinstance(ruling, Approval)
    steps = desk.gate.carry_out(desk.case.now, proposal, ruling)
    desk.case.add(await anext(steps))
    assert desk.case.now.remedies[proposal.id].state == "running"
    looked = await desk.another_gate(Audit(desk.audit.path.parent)).look(desk.case.reread(), proposal)
    assert looked.outcome.took_effect is False
    assert "not tried again" in looked.outcome.message
    assert [body async for body in steps] == [], "a process that was only asleep must not run it now"
    assert desk.actuator.ran == []


@pytest.mark.parametrize(
    ("effect", "words"), [(True, "took effect, though"), (False, "did not take"), (None, "cannot be told")]
)
async def test_a_look_says_what_the_world_shows(desk: Desk, effect: bool | None, words: str) -> None:
    proposal = desk.propose()
    await desk.press(proposal)
    desk.actuator.effect = effect
    desk.actuator.unreadable = effect is None
    executed = await desk.gate.look(desk.case.now, proposal)
    assert executed.outcome.took_effect is effect
    assert words in executed.outcome.message
    assert executed.approvers == (ALICE,)


@pytest.mark.parametrize(
    ("answer", "took", "words"),
    [
        ("refuses", False, "AccessDenied on UpdateService. It did not take effect."),
        ("times out", True, "the vendor did not answer in time. It took effect all the same."),
        ("vague", True, "updated. It took effect all the same."),
    ],
)
async def test_a_vendor_without_a_clear_answer_is_looked_at(desk: Desk, answer: str, took: bool, words: str) -> None:
    desk.actuator.answer = answer  # type: ignore[assignment]  # a table of its words
    proposal = desk.propose()
    await desk.done(proposal)
    outcome = desk.case.now.remedies[proposal.id].outcome
    assert outcome is not None
    assert outcome.took_effect is took
    assert words in outcome.message


async def test_an_approval_fits_one_proposal_only(desk: Desk) -> None:
    first, second = desk.propose(), desk.propose()
    ruling = await desk.press(first)
    assert isinstance(ruling, Approval)
    with pytest.raises(SealBroken):
        await desk.carry_out(second, ruling)
    with pytest.raises(SealBroken):
        await desk.carry_out(first.model_copy(update={"preparation": preparation(revision=1)}), ruling)
    assert desk.actuator.ran == []


def test_nobody_else_makes_an_approval(desk: Desk) -> None:
    proposal = desk.propose()
    with pytest.raises(SealBroken):
        Approval(proposal.id, proposal.digest, (ALICE,), desk.clock.now(), seal=object())


@pytest.mark.parametrize("answer", ["times out", "vague"])
async def test_what_was_sent_and_cannot_be_seen_yet_may_still_come(desk: Desk, answer: str) -> None:
    desk.actuator.answer = answer  # type: ignore[assignment]  # a table of its words
    desk.actuator.effect = False
    proposal = desk.propose()
    await desk.done(proposal)
    outcome = desk.case.now.remedies[proposal.id].outcome
    assert outcome is not None
    assert outcome.took_effect is None
    assert "it may still come" in outcome.message
