"""A change is undone by those who approved it, and by the ordinary way after half an hour."""

from datetime import timedelta

from runbook_bot.domain.approval import Approval, Risk
from tests.approval.world import ALICE, BOB, BYSTANDER, Desk, denied

CRITICAL = Risk.critical


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
