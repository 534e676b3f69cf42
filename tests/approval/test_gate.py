"""What runs, runs because the right people said so, once, as it was shown; everything else is told why not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate, ruled
from runbook_bot.domain.approval import Approval, Awaiting, Denial, Proposal, Risk, Ruling, SealBroken
from runbook_bot.domain.journal import ChangeProposed, Decided, Executed, Spent, Verified
from runbook_bot.errors import RunbookError
from tests.approval.world import ALICE, BOB, BYSTANDER, CHANNEL, GROUP, REQUESTER, TEAM, Desk, preparation, safety

HIGH, CRITICAL = Risk.high, Risk.critical


def denied(ruling: Ruling) -> Denial:
    assert isinstance(ruling, Denial), ruling
    return ruling


async def test_an_approver_presses_and_it_runs_once(desk: Desk) -> None:
    proposal = desk.propose()
    ruling = await desk.press(proposal)
    assert isinstance(ruling, Approval)
    assert ruling.approvers == (ALICE,)
    assert ruling.digest == proposal.digest
    spent, executed = await desk.carry_out(proposal, ruling)
    assert isinstance(spent, Spent)
    assert isinstance(executed, Executed)
    assert executed.outcome.took_effect
    assert executed.approvers == (ALICE,)
    assert desk.actuator.ran == [proposal.id]
    assert desk.case.now.remedies[proposal.id].state == "executed"


async def test_a_proposal_carries_who_what_and_until_when(desk: Desk) -> None:
    proposal = desk.propose(CRITICAL)
    assert proposal.id == "inv-1.P1"
    assert proposal.requester == REQUESTER
    assert proposal.proposed_by == "catalogue"
    assert proposal.channel == CHANNEL
    assert proposal.needed == 2
    assert proposal.expires_at - proposal.created_at == timedelta(minutes=30)
    assert desk.propose().id == "inv-1.P2"


async def test_what_is_not_on_the_list_cannot_be_proposed(desk: Desk) -> None:
    with pytest.raises(
        RunbookError, match=r"ec2\.terminate is not among the changes that can be made here: ecs\.update"
    ):
        desk.gate.propose(
            desk.case.now,
            preparation(operation="ec2.terminate"),
            hypothesis=None,
            evidence=(),
            runbook=None,
            verification=None,
        )


Story = Callable[[Desk, Proposal], Awaitable[Ruling]]


def person(**traits: object) -> Story:
    async def story(desk: Desk, proposal: Proposal) -> Ruling:
        desk.directory.people[ALICE] = replace(desk.directory.people[ALICE], **traits)  # type: ignore[arg-type]  # a table of traits
        return await desk.press(proposal)

    return story


def click(user: str = ALICE, **changed: object) -> Story:
    async def story(desk: Desk, proposal: Proposal) -> Ruling:
        return await desk.press(proposal, user, **changed)

    return story


async def forged(desk: Desk, proposal: Proposal) -> Ruling:
    return await desk.gate.rule(desk.case.now, desk.click(proposal).model_copy(update={"proposal": "inv-2.P1"}))


async def swapped(desk: Desk, proposal: Proposal) -> Ruling:
    """Somebody rewrote the proposal in the journal after it was shown."""
    other = proposal.model_copy(update={"preparation": preparation(revision=1)})
    desk.case.add(ChangeProposed(proposal=other))
    return await desk.press(other)


async def unrecorded(desk: Desk, proposal: Proposal) -> Ruling:
    """A proposal that never went through the gate."""
    mine = proposal.model_copy(update={"id": "inv-1.P9"})
    desk.case.add(ChangeProposed(proposal=mine))
    return await desk.press(mine)


async def expired(desk: Desk, proposal: Proposal) -> Ruling:
    desk.clock.pass_(timedelta(minutes=30))
    return await desk.press(proposal)


async def expired_and_the_clock_put_back(desk: Desk, proposal: Proposal) -> Ruling:
    desk.clock.pass_(timedelta(minutes=31))
    desk.case.add(Verified(proposal="", recovered=None, text="anything that was journalled at that time"))
    desk.clock.pass_(timedelta(minutes=-31))
    return await desk.press(proposal)


async def removed_from_the_group(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.groups[GROUP].discard(ALICE)
    return await desk.press(proposal)


async def left_the_channel(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.channels[CHANNEL].discard(ALICE)
    return await desk.press(proposal)


async def nobody_knows_them(desk: Desk, proposal: Proposal) -> Ruling:
    del desk.directory.people[ALICE]
    return await desk.press(proposal)


async def slack_is_away(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.away = True
    return await desk.press(proposal)


async def drifted(desk: Desk, proposal: Proposal) -> Ruling:
    desk.actuator.drifted = "the service runs checkout-api:43 now"
    return await desk.press(proposal)


async def unreadable(desk: Desk, proposal: Proposal) -> Ruling:
    desk.actuator.unreadable = True
    return await desk.press(proposal)


async def rejected_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.press(proposal, BOB, verdict="reject", reason="too risky")
    return await desk.press(proposal)


async def approved_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.press(proposal, BOB)
    return await desk.press(proposal)


async def run_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.done(proposal, BOB)
    return await desk.press(proposal)


async def void_before(desk: Desk, proposal: Proposal) -> Ruling:
    await drifted(desk, proposal)
    desk.actuator.drifted = ""
    return await desk.press(proposal)


REFUSALS: list[tuple[str, Story, str, str, bool]] = [
    ("a forged id", forged, "unknown", "no such proposal", False),
    ("another workspace's payload", click(team="T2"), "other_team", "another workspace", False),
    ("a payload without a workspace", click(team=""), "other_team", "another workspace", False),
    ("another channel", click(channel="C2"), "elsewhere", "not the card", False),
    ("another message", click(message="1.1"), "elsewhere", "not the card", False),
    ("what runs is not what was shown", swapped, "changed", "not what was proposed", True),
    ("it never went through the gate", unrecorded, "changed", "not what was proposed", True),
    ("too late", expired, "expired", "has expired", True),
    ("too late and the clock was put back", expired_and_the_clock_put_back, "expired", "has expired", True),
    ("a bystander", click(BYSTANDER), "not_allowed", "not among the approvers for changes of high risk", False),
    ("removed from the group", removed_from_the_group, "not_allowed", "not among the approvers", False),
    ("a guest", person(guest=True), "not_member", "Only full members", False),
    ("a bot", person(bot=True), "not_member", "Only full members", False),
    ("a stranger", person(stranger=True), "not_member", "Only full members", False),
    ("a deactivated account", person(deactivated=True), "not_member", "Only full members", False),
    ("a member of another workspace", person(team="T2"), "not_member", "Only full members", False),
    ("somebody unknown", nobody_knows_them, "not_member", "Only full members", False),
    ("not in the channel", left_the_channel, "not_in_channel", "be in the incident's channel", False),
    ("Slack does not answer", slack_is_away, "directory", "users.info: internal_error", False),
    ("the requester", click(REQUESTER), "self_approval", "somebody else has to approve", False),
    ("a changed world", drifted, "drifted", "runs checkout-api:43 now", True),
    ("a world that cannot be read", unreadable, "unreadable", "AccessDenied", False),
    ("already rejected", rejected_before, "decided", "rejected already", False),
    ("already approved", approved_before, "decided", "approved already", False),
    ("already run", run_before, "decided", "been run already", False),
    ("void", void_before, "decided", "is void", False),
    ("a rejection by a bystander", click(BYSTANDER, verdict="reject", reason="no"), "not_allowed", "not among", False),
    ("a rejection without a reason", click(verdict="reject", reason="  "), "no_reason", "Please say why", False),
]


@pytest.mark.parametrize(
    ("story", "code", "why", "ends"), [each[1:] for each in REFUSALS], ids=[r[0] for r in REFUSALS]
)
async def test_refused(desk: Desk, story: Story, code: str, why: str, ends: bool) -> None:
    proposal = desk.propose()
    ruling = denied(await story(desk, proposal))
    assert (ruling.code, ruling.ends) == (code, ends)
    assert why in ruling.why
    assert "\n" not in ruling.why
    assert len(desk.actuator.ran) == (1 if story is run_before else 0)
    kinds = [(record.kind, record.facts.get("outcome")) for record in desk.audit.records()]
    assert kinds[-2][0] == "clicked"
    assert kinds[-1] == ("ruled", "void" if ends else "denied")
    assert desk.audit.verify() == []


FREEZE = {"from": "2026-03-01T11:00:00Z", "until": "2026-03-01T13:00:00+00:00", "reason": "quarter end"}


@pytest.mark.parametrize(
    ("settings", "risk", "code", "why"),
    [
        ({"approvers": {}}, HIGH, "no_approvers", "Nobody is configured to approve changes of high risk"),
        ({"approvers": {"medium": {"users": [ALICE]}}}, HIGH, "no_approvers", "safety.approvers.high"),
        ({"freeze": [FREEZE]}, HIGH, "frozen", "Nothing is changed until 2026-03-01 13:00 UTC: quarter end."),
        ({"max_mutations_per_session": 0}, HIGH, "limit", "0 changes, which is its limit"),
    ],
)
async def test_refused_by_policy(tmp_path: Path, settings: dict[str, object], risk: Risk, code: str, why: str) -> None:
    desk = Desk(tmp_path, safety(**settings))
    ruling = denied(await desk.press(desk.propose(risk)))
    assert (ruling.code, ruling.ends) == (code, False)
    assert why in ruling.why


async def test_a_class_without_approvers_uses_those_of_the_next_higher(tmp_path: Path) -> None:
    desk = Desk(tmp_path, safety(approvers={"critical": {"users": [ALICE]}}))
    assert isinstance(await desk.press(desk.propose(Risk.medium)), Approval)


async def test_low_risk_needs_a_press_of_any_full_member(desk: Desk) -> None:
    proposal = desk.propose(Risk.low)
    desk.directory.people[BYSTANDER] = replace(desk.directory.people[BYSTANDER], guest=True)
    assert denied(await desk.press(proposal, BYSTANDER)).code == "not_member"
    assert isinstance(await desk.press(proposal, REQUESTER), Approval)


async def test_self_approval_where_it_is_allowed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, safety(allow_self_approval=True))
    assert isinstance(await desk.press(desk.propose(), REQUESTER), Approval)


async def test_nobody_may_approve_while_the_workspace_is_not_known(desk: Desk) -> None:
    gate = Gate(desk.settings, desk.directory, [desk.actuator], desk.audit, desk.clock, lambda: "")
    proposal = desk.propose()
    assert denied(await gate.rule(desk.case.now, desk.click(proposal))).code == "other_team"


async def test_nobody_may_approve_without_a_directory(desk: Desk) -> None:
    gate = Gate(desk.settings, None, [desk.actuator], desk.audit, desk.clock, lambda: TEAM)
    proposal = desk.propose()
    assert denied(await gate.rule(desk.case.now, desk.click(proposal))).code == "directory"


async def test_a_rejection_closes_with_its_reason(desk: Desk) -> None:
    proposal = desk.propose()
    ruling = denied(await desk.press(proposal, verdict="reject", reason="wait for the database team"))
    assert (ruling.code, ruling.ends, ruling.why) == ("rejected", True, "wait for the database team")
    assert desk.case.now.remedies[proposal.id].state == "rejected"


async def test_the_requester_may_withdraw(desk: Desk) -> None:
    proposal = desk.propose()
    assert denied(await desk.press(proposal, REQUESTER, verdict="reject", reason="found it myself")).ends


async def test_a_critical_change_takes_two_people_and_the_name(desk: Desk) -> None:
    proposal = desk.propose(CRITICAL)
    assert denied(await desk.press(proposal, typed_name="checkout")).code == "wrong_name"
    first = await desk.press(proposal, typed_name=" checkout-api ")
    assert isinstance(first, Awaiting)
    assert (first.approvers, first.needed) == ((ALICE,), 2)
    again = denied(await desk.press(proposal))
    assert (again.code, "1 more" in again.why) == ("already_counted", True)
    second = await desk.press(proposal, BOB)
    assert isinstance(second, Approval)
    assert second.approvers == (ALICE, BOB)


async def test_a_first_approver_who_was_removed_meanwhile_does_not_count(desk: Desk) -> None:
    proposal = desk.propose(CRITICAL)
    await desk.press(proposal)
    desk.directory.people[ALICE] = replace(desk.directory.people[ALICE], deactivated=True)
    ruling = await desk.press(proposal, BOB)
    assert isinstance(ruling, Awaiting)
    assert ruling.approvers == (BOB,)
    assert desk.case.now.remedies[proposal.id].approvers == (BOB,)
    desk.directory.people[ALICE] = replace(desk.directory.people[ALICE], deactivated=False)
    last = await desk.press(proposal)
    assert isinstance(last, Approval)
    assert last.approvers == (BOB, ALICE)


async def test_more_people_where_the_policy_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path, safety(approvers={"high": {"users": [ALICE, BOB], "count": 2}}))
    proposal = desk.propose()
    assert isinstance(await desk.press(proposal), Awaiting)
    assert isinstance(await desk.press(proposal, BOB), Approval)


async def test_the_limit_counts_changes_of_this_investigation(tmp_path: Path) -> None:
    desk = Desk(tmp_path, safety(max_mutations_per_session=1))
    first, second = desk.propose(), desk.propose()
    await desk.done(first)
    assert denied(await desk.press(second)).code == "limit"
    back = desk.propose(undoes=first.id)
    assert isinstance(await desk.press(back), Approval)


async def test_critical_changes_keep_their_distance_across_processes(tmp_path: Path) -> None:
    desk = Desk(tmp_path, safety(max_mutations_per_session=9))
    first, second = desk.propose(CRITICAL), desk.propose(CRITICAL)
    await desk.press(first)
    await desk.press(second)
    assert isinstance(await desk.press(first, BOB), Approval)
    desk.clock.pass_(timedelta(seconds=20))
    desk.gate = desk.another_gate(Audit(tmp_path))
    ruling = denied(await desk.press(second, BOB))
    assert (ruling.code, "wait 40 s" in ruling.why) == ("cooldown", True)
    desk.clock.pass_(timedelta(seconds=40))
    assert isinstance(await desk.press(second, BOB), Approval)


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


async def test_without_an_audit_nothing_is_approved(desk: Desk) -> None:
    proposal = desk.propose()
    desk.audit.path.unlink()
    desk.audit.path.mkdir()
    with pytest.raises(RunbookError, match=r"the audit .* cannot be used"):
        await desk.press(proposal)
    assert desk.actuator.ran == []


async def test_its_approver_may_have_it_undone_alone_for_half_an_hour(desk: Desk) -> None:
    change = desk.propose()
    await desk.done(change)
    back = desk.propose(undoes=change.id, requester=ALICE)
    assert denied(await desk.press(back, BYSTANDER)).code == "not_allowed"
    assert isinstance(await desk.press(back, ALICE), Approval)


async def test_two_approved_a_critical_change_and_one_of_them_may_undo_it(desk: Desk) -> None:
    change = desk.propose(CRITICAL)
    await desk.press(change)
    await desk.done(change, BOB)
    back = desk.propose(CRITICAL, undoes=change.id, requester=ALICE)
    assert denied(await desk.press(back, ALICE, typed_name="")).code == "wrong_name"
    assert isinstance(await desk.press(back, ALICE), Approval)


async def test_after_half_an_hour_undoing_is_a_change_like_any_other(desk: Desk) -> None:
    change = desk.propose()
    await desk.done(change)
    desk.clock.pass_(timedelta(minutes=31))
    back = desk.propose(undoes=change.id, requester=ALICE)
    assert denied(await desk.press(back, ALICE)).code == "self_approval"
    assert isinstance(await desk.press(back, BOB), Approval)


async def test_undoing_is_void_where_the_world_has_moved_on(desk: Desk) -> None:
    change = desk.propose()
    await desk.done(change)
    back = desk.propose(undoes=change.id, requester=ALICE)
    desk.actuator.drifted = "somebody deployed checkout-api:44"
    assert denied(await desk.press(back, ALICE)).ends


async def test_what_nobody_decided_lapses(desk: Desk) -> None:
    proposal = desk.propose()
    assert await desk.gate.lapsed(desk.case.now) == []
    desk.clock.pass_(timedelta(minutes=30))
    desk.case.add(*await desk.gate.lapsed(desk.case.now))
    assert desk.case.now.remedies[proposal.id].state == "void"
    assert await desk.gate.lapsed(desk.case.now) == []


async def test_the_audit_tells_the_whole_story_without_secrets(desk: Desk) -> None:
    proposal = desk.propose()
    await desk.press(proposal, BYSTANDER)
    await desk.done(proposal)
    await desk.gate.verified(desk.case.now, Verified(proposal=proposal.id, recovered=True, text="errors back at 2/min"))
    kinds = [record.kind for record in desk.audit.records()]
    assert kinds == ["proposed", "clicked", "ruled", "clicked", "ruled", "spent", "executed", "verified"]
    assert {record.proposal for record in desk.audit.records()} == {proposal.id}
    assert "hunter2" not in desk.audit.path.read_text()
    assert '"request_id":"req-1"' in desk.audit.path.read_text()
    assert desk.audit.verify() == []
