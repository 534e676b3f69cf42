"""What was approved and did not run before a crash is ruled on again: it runs, waits, or is void; never in between."""

from runbook_bot.approval.gate import ruled
from runbook_bot.domain.approval import Approval, Decision, Proposal, Risk
from runbook_bot.domain.journal import Decided
from tests.approval.world import ALICE, BOB, GROUP, Desk, denied


async def approved(desk: Desk, proposal: Proposal, user: str = ALICE) -> Decision:
    """Approved and journalled; then the process died."""
    decision = desk.click(proposal, user)
    desk.case.add(Decided(decision=decision))
    ruling = await desk.gate.rule(desk.case.now, decision)
    assert isinstance(ruling, Approval)
    desk.case.add(ruled(decision, ruling))
    return decision


async def test_whoever_lost_the_right_meanwhile_makes_it_void_so_that_others_can_ask_anew(desk: Desk) -> None:
    proposal = desk.propose()
    decision = await approved(desk, proposal)
    desk.directory.groups[GROUP].discard(ALICE)

    denial = denied(await desk.gate.rule(desk.case.reread(), decision))

    assert denial.ends
    assert "approved and may no longer run" in denial.why
    desk.case.add(ruled(decision, denial))
    assert desk.case.now.remedies[proposal.id].state == "void"


async def test_of_two_approvers_one_lost_the_right(desk: Desk) -> None:
    proposal = desk.propose(Risk.critical)
    await desk.press(proposal, ALICE)
    decision = await approved(desk, proposal, BOB)
    del desk.directory.people[ALICE]

    denial = denied(await desk.gate.rule(desk.case.reread(), decision))

    assert (denial.code, denial.ends) == ("awaiting", True)


async def test_while_slack_or_the_vendor_is_away_it_waits(desk: Desk) -> None:
    proposal = desk.propose()
    decision = await approved(desk, proposal)

    desk.directory.away = True
    assert not denied(await desk.gate.rule(desk.case.reread(), decision)).ends
    desk.directory.away, desk.actuator.unreadable = False, True
    assert not denied(await desk.gate.rule(desk.case.reread(), decision)).ends

    desk.actuator.unreadable = False
    assert isinstance(await desk.gate.rule(desk.case.reread(), decision), Approval)


async def test_anothers_press_does_not_end_what_is_approved(desk: Desk) -> None:
    proposal = desk.propose()
    await approved(desk, proposal)

    assert not denied(await desk.press(proposal, BOB)).ends
    assert desk.case.now.remedies[proposal.id].state == "approved"
