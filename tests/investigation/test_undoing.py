"""Asked to undo a change, there is a proposal or a reason; and what was approved and did not run is tried again."""

from pathlib import Path

import pytest

from runbook_bot.domain.approval import Proposal
from runbook_bot.domain.journal import RollbackAsked, Ruled
from runbook_bot.investigation.advance import RETRY
from tests.approval.world import ALICE, BOB
from tests.investigation import troubles
from tests.investigation.repairing import Bench
from tests.investigation.running import ID, Running


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    """The verdict is there, and a change that waits for approval."""
    found = Bench(tmp_path, Running(troubles.bad_deployment()))
    await found.advance(ID)
    found.shown()
    return found


async def made(bench: Bench) -> Proposal:
    bench.press()
    await bench.advance(ID)
    assert bench.actuator.ran == [bench.proposal.id]
    return bench.proposal


async def ask(bench: Bench, change: Proposal, delivery: str, user: str = ALICE) -> None:
    bench.journal.append(RollbackAsked(proposal=change.id, by=user, delivery=delivery))
    await bench.advance(ID)


async def test_why_it_cannot_be_undone_is_said_once_and_it_can_be_asked_for_again(bench: Bench) -> None:
    change = await made(bench)
    bench.actuator.unreadable = True
    await ask(bench, change, "d1")
    await bench.advance(ID)

    remedy = bench.case.remedies[change.id]
    problem = bench.case.unprepared(remedy)
    assert problem is not None
    assert problem.text == "ecs: AccessDenied"
    assert [note.text for note in bench.case.notes].count(problem.text) == 1
    assert not bench.case.going_back(remedy)

    bench.actuator.unreadable = False
    await ask(bench, change, "d2")
    assert bench.proposal.undoes == change.id
    assert bench.case.unprepared(bench.case.remedies[change.id]) is None


async def test_whoever_asked_for_it_is_its_requester_and_an_approver_of_the_change_undoes_it_alone(
    bench: Bench,
) -> None:
    change = await made(bench)
    await ask(bench, change, "d1", BOB)
    assert bench.proposal.requester == BOB

    bench.shown()
    bench.press(ALICE)
    await bench.advance(ID)

    assert bench.actuator.ran == [change.id, bench.proposal.id]
    assert bench.case.undone(bench.case.remedies[change.id])


async def test_what_was_taken_back_is_measured_no_more(bench: Bench) -> None:
    change = await made(bench)
    await ask(bench, change, "d1")
    bench.shown()
    bench.press(ALICE)
    await bench.advance(ID)

    verified = bench.case.remedies[change.id].verified
    assert verified is not None
    assert (verified.recovered, verified.text) == (None, "it was rolled back")


async def test_approved_before_a_crash_it_is_tried_until_slack_answers_and_says_nothing_meanwhile(
    bench: Bench,
) -> None:
    bench.press()
    press = bench.case.remedies[bench.proposal.id].decisions[0]
    bench.journal.append(
        Ruled(proposal=press.proposal, delivery=press.delivery, outcome="approved", approvers=(press.user,))
    )
    bench.directory.away = True

    for _ in range(3):
        assert await bench.advance(ID) == bench.clock.time + RETRY
    assert bench.kinds().count("ruled") == 1

    bench.directory.away = False
    await bench.advance(ID)
    assert bench.actuator.ran == [press.proposal]


async def test_what_stays_unrun_lapses(bench: Bench) -> None:
    bench.press()
    press = bench.case.remedies[bench.proposal.id].decisions[0]
    bench.journal.append(Ruled(proposal=press.proposal, delivery=press.delivery, outcome="approved"))
    bench.directory.away = True
    bench.clock.time = bench.proposal.expires_at - RETRY / 2
    assert await bench.advance(ID) == bench.proposal.expires_at

    bench.clock.time = bench.proposal.expires_at
    assert await bench.advance(ID) is None
    assert bench.case.remedies[press.proposal].state == "void"
