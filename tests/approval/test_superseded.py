"""A change is proposed for a cause: where the verdict names another one, it is void before anybody can approve it."""

from datetime import UTC, datetime

import pytest

from runbook_bot.domain.approval import Approval, Proposal
from runbook_bot.domain.hypothesis import Hypothesis
from runbook_bot.domain.journal import ChangeProposed, Concluded, Posted, Proposed
from runbook_bot.domain.verdict import Candidate, RootCause, Verdict
from runbook_bot.domain.vocabulary import FailureMode
from tests.approval.world import ALICE, CARD, CHANNEL, Desk, denied, preparation

MODES = {
    "H1": FailureMode.bad_deployment,
    "H1.1": FailureMode.bad_deployment,
    "H2": FailureMode.connection_exhaustion,
}


def verdict(leading: str | None) -> Concluded:
    cause = None
    if leading is not None:
        cause = RootCause(
            statement="it broke", service="checkout-api", failure_mode=MODES[leading], confidence=0.9, resource=None
        )
    candidate = Candidate(service="checkout-api", failure_mode=MODES[leading or "H1"], confidence=0.9,
                          hypothesis=leading or "H1")  # fmt: skip
    return Concluded(
        verdict=Verdict(
            status="concluded" if leading else "inconclusive",
            root_cause=cause,
            ranked=(candidate,),
            at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        )
    )


@pytest.fixture
def proposed(desk: Desk) -> Proposal:
    """For H1, which the verdict names."""
    for id, mode in MODES.items():
        supposed = Hypothesis(id=id, statement=id, failure_mode=mode, service="checkout-api", prior=0.3)
        desk.case.add(Proposed(hypothesis=supposed))
    desk.case.add(verdict("H1"))
    proposal = desk.gate.propose(
        desk.case.now, preparation(), hypothesis="H1", evidence=(), runbook=None, verification=None
    )
    desk.case.add(ChangeProposed(proposal=proposal))
    desk.case.add(Posted(key=f"approval:{proposal.id}", channel=CHANNEL, ts=CARD, thread=None))
    return proposal


@pytest.mark.parametrize("leading", ["H2", None], ids=["another cause", "none any more"])
async def test_when_the_verdict_falls_what_it_proposed_falls_too(
    desk: Desk, proposed: Proposal, leading: str | None
) -> None:
    desk.case.add(verdict(leading))

    desk.case.add(*await desk.gate.lapsed(desk.case.now))

    remedy = desk.case.now.remedies[proposed.id]
    assert remedy.state == "void"
    assert remedy.ruling is not None
    assert remedy.ruling.denial is not None
    assert "The verdict has changed" in remedy.ruling.denial.why
    assert await desk.gate.lapsed(desk.case.now) == [], "it is said once"


async def test_a_press_that_was_faster_does_not_count_either(desk: Desk, proposed: Proposal) -> None:
    desk.case.add(verdict("H2"))

    denial = denied(await desk.press(proposed, ALICE))

    assert (denial.code, denial.ends) == ("superseded", True)
    assert desk.actuator.ran == []


@pytest.mark.parametrize("leading", ["H1", "H1.1"], ids=["the same", "the same, more deeply"])
async def test_a_verdict_that_only_grew_leaves_it_open(desk: Desk, proposed: Proposal, leading: str) -> None:
    desk.case.add(verdict(leading))

    assert await desk.gate.lapsed(desk.case.now) == []
    assert isinstance(await desk.press(proposed, ALICE), Approval)
