"""What runs, runs because the right people said so; the audit tells how."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate
from runbook_bot.domain.approval import Approval, Awaiting, Risk
from runbook_bot.domain.journal import Executed, Spent, Verified
from runbook_bot.errors import RunbookError
from tests.approval.world import ALICE, BOB, BYSTANDER, CHANNEL, REQUESTER, TEAM, Desk, denied, preparation, safety

CRITICAL = Risk.critical


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


async def test_without_an_audit_nothing_is_approved(desk: Desk) -> None:
    proposal = desk.propose()
    desk.audit.path.unlink()
    desk.audit.path.mkdir()
    with pytest.raises(RunbookError, match=r"the audit .* cannot be used"):
        await desk.press(proposal)
    assert desk.actuator.ran == []


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
