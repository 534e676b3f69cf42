"""An investigation is the fold of its journal: in order, total, and the same whoever folds it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.approval import Call, Decision, Outcome, Preparation, Proposal, Risk
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation, apply, fold
from runbook_bot.domain.journal import (
    Body,
    ChangeProposed,
    Concluded,
    Decided,
    Entry,
    Executed,
    Failed,
    Noted,
    Opened,
    Proposed,
    RoundBegan,
    Ruled,
    Scored,
    Settled,
    Spent,
    Steered,
    StopAsked,
    Unknown,
    Verified,
    seal,
)
from runbook_bot.domain.service import Resource
from runbook_bot.domain.verdict import Verdict
from runbook_bot.domain.vocabulary import FailureMode, ResourceType

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
H1 = Hypothesis(id="H1", statement="a bad deployment", failure_mode=FailureMode.bad_deployment, prior=0.4)
H2 = H1.model_copy(update={"id": "H2", "statement": "slow queries", "failure_mode": FailureMode.slow_queries})
PROPOSAL = Proposal(
    id="inv-1.P1",
    investigation="inv-1",
    preparation=Preparation(
        title="Go back",
        call=Call(operation="ecs.update_service", parameters={"revision": 41}),
        target=Resource(type=ResourceType.ecs_service, name="checkout-api"),
        account="1",
        region="r",
        pre_state={"revision": 42},
        impact="",
        risk=Risk.high,
        rollback=None,
        shown="",
    ),
    requester="U1",
    proposed_by="catalogue",
    created_at=AT,
    expires_at=AT + timedelta(minutes=30),
)
CLICK = Decision(
    proposal="inv-1.P1", verdict="approve", user="U2", team="T", channel="C", message="1", at=AT, delivery="d1"
)


def entries(*bodies: Body) -> list[Entry]:
    return [seal(n, AT + timedelta(seconds=n), "", body) for n, body in enumerate(bodies, start=1)]


def folded(*bodies: Body) -> Investigation:
    return fold("inv-1", entries(*bodies))


def verdict(status: str = "inconclusive", **more: object) -> Concluded:
    fields = {"status": status, "root_cause": None, "ranked": (), "at": AT, **more}
    return Concluded(verdict=Verdict.model_validate(fields))


def ruling(outcome: str, *approvers: str, delivery: str = "d1") -> Ruled:
    fields = {"proposal": "inv-1.P1", "delivery": delivery, "outcome": outcome, "approvers": approvers}
    return Ruled.model_validate(fields)


def executed(took_effect: bool | None) -> Executed:
    return Executed(proposal="inv-1.P1", outcome=Outcome(took_effect=took_effect, message=""))


ANY: list[Body] = [
    Opened(request=Request(text="x"), reasoner="catalogue"),
    Proposed(hypothesis=H1),
    Proposed(hypothesis=H2),
    Scored(confidence={"H1": 0.7, "H9": 0.1}, unexplained=0.2),
    Settled(hypothesis="H1", state=HypothesisState.pruned, reason="refuted"),
    Settled(hypothesis="H9", state=HypothesisState.pruned),
    RoundBegan(hypotheses=("H1", "H9")),
    Steered(hypothesis="H1", action="dig", by="U1", delivery="s1"),
    Noted(text="dug", answers="s1"),
    Noted(text="note"),
    Unknown(kind="dreamt", raw={"kind": "dreamt"}),
    StopAsked(by="U1"),
    verdict(),
    Failed(text="broken"),
    ChangeProposed(proposal=PROPOSAL),
    Decided(decision=CLICK),
    ruling("approved", "U2"),
    Spent(proposal="inv-1.P1", digest=""),
    executed(True),
    Verified(proposal="inv-1.P1", recovered=True, text=""),
    Verified(proposal="inv-1.P9", recovered=True, text=""),
]


@given(st.lists(st.sampled_from(ANY), max_size=20))
def test_the_fold_is_total_whatever_the_order(bodies: list[Body]) -> None:
    case = folded(*bodies)
    assert case.last_seq == len(bodies)
    assert case.status in ("open", "concluded", "inconclusive", "failed", "stopped")
    assert all(remedy.state for remedy in case.remedies.values())
    assert case.unknown == sum(isinstance(body, Unknown) for body in bodies)


@given(st.lists(st.sampled_from(ANY), max_size=20), st.integers(0, 20))
def test_going_on_from_anywhere_is_the_same_as_from_the_beginning(bodies: list[Body], cut: int) -> None:
    written = entries(*bodies)
    state = fold("inv-1", written[:cut])
    for entry in written[cut:]:
        state = apply(state, entry)
    assert state == fold("inv-1", written)


def test_applying_an_entry_changes_no_earlier_state() -> None:
    before = folded(Proposed(hypothesis=H1))
    after = apply(before, entries(Proposed(hypothesis=H2))[0])
    assert list(before.hypotheses) == ["H1"]
    assert list(after.hypotheses) == ["H1", "H2"]


def test_a_hypothesis_is_scored_and_settled() -> None:
    case = folded(
        Proposed(hypothesis=H1),
        Proposed(hypothesis=H2),
        Scored(confidence={"H1": 0.2, "H2": 0.7}, unexplained=0.1),
        Settled(hypothesis="H1", state=HypothesisState.pruned, reason="memory is flat"),
    )
    assert (case.hypotheses["H1"].state, case.hypotheses["H1"].reason) == (HypothesisState.pruned, "memory is flat")
    assert case.hypotheses["H1"].confidence == 0.2
    assert case.leader == case.hypotheses["H2"]
    assert case.unexplained == 0.1


def test_a_round_begins_for_all_at_once() -> None:
    case = folded(
        Proposed(hypothesis=H1, batch=("H1", "H2")), Proposed(hypothesis=H2), RoundBegan(hypotheses=("H2", "H9"))
    )
    assert case.round == ("H2",)
    assert [h.state for h in case.hypotheses.values()] == [HypothesisState.open, HypothesisState.testing]


def test_a_batch_is_known_before_all_of_it_is_there() -> None:
    assert folded(Proposed(hypothesis=H1, batch=("H1", "H2"))).batch == ("H1", "H2")
    assert folded(Proposed(hypothesis=H1)).batch == ("H1",), "as an older version wrote it"


def test_a_word_that_was_acted_on_asks_for_another_verdict() -> None:
    said, done = Steered(hypothesis="H1", action="known", by="U1", delivery="s1"), Noted(text="known", answers="s1")
    before = folded(Proposed(hypothesis=H1), said, done, verdict())
    assert (before.unsteered, before.reopened) == ((), False)
    assert folded(Proposed(hypothesis=H1), verdict(), said).unsteered == (said,)
    assert folded(Proposed(hypothesis=H1), verdict(), said, done).reopened
    assert not folded(Proposed(hypothesis=H1), verdict(), said, done, verdict()).reopened
    assert not folded(Proposed(hypothesis=H1), verdict(), said, Noted(text="x", answers="other")).reopened


@pytest.mark.parametrize(
    ("bodies", "status"),
    [
        ([], "open"),
        ([Failed(text="x")], "failed"),
        ([verdict()], "inconclusive"),
        ([verdict("concluded")], "concluded"),
        ([StopAsked(by="U1")], "open"),
        ([StopAsked(by="U1"), verdict(cut_short="stopped by a person")], "stopped"),
        ([verdict(), StopAsked(by="U1")], "inconclusive"),
    ],
)
def test_the_status(bodies: list[Body], status: str) -> None:
    assert folded(*bodies).status == status


P, D, S = ChangeProposed(proposal=PROPOSAL), Decided(decision=CLICK), Spent(proposal="inv-1.P1", digest="")


@pytest.mark.parametrize(
    ("bodies", "state"),
    [
        ([P], "open"),
        ([P, D], "open"),
        ([P, D, ruling("denied")], "open"),
        ([P, D, ruling("awaiting", "U2")], "open"),
        ([P, D, ruling("rejected")], "rejected"),
        ([P, D, ruling("void")], "void"),
        ([P, D, ruling("approved", "U2")], "approved"),
        ([P, D, ruling("approved", "U2"), ruling("denied", delivery="d2")], "approved"),
        ([P, D, ruling("approved", "U2"), ruling("void")], "void"),
        ([P, D, ruling("approved", "U2"), S], "running"),
        ([P, D, ruling("approved", "U2"), S, executed(True)], "executed"),
        ([P, D, ruling("approved", "U2"), S, executed(None)], "executed"),
        ([P, D, ruling("approved", "U2"), S, executed(False)], "failed"),
        ([P, D, S, executed(True), Verified(proposal="inv-1.P1", recovered=True, text="")], "verified"),
        ([P, D, S, executed(True), Verified(proposal="inv-1.P1", recovered=False, text="")], "executed"),
    ],
)
def test_the_state_of_a_remedy(bodies: list[Body], state: str) -> None:
    assert folded(*bodies).remedies["inv-1.P1"].state == state


def test_a_press_is_unruled_until_it_is_ruled_on() -> None:
    assert folded(P, D).remedies["inv-1.P1"].unruled == (CLICK,)
    assert folded(P, D, ruling("denied")).remedies["inv-1.P1"].unruled == ()


def test_the_latest_ruling_says_whose_approval_counts() -> None:
    remedy = folded(P, D, ruling("awaiting", "U2"), ruling("awaiting", "U3"), ruling("denied")).remedies["inv-1.P1"]
    assert remedy.approvers == ("U3",)


def test_a_clock_that_was_put_back_makes_nothing_young_again() -> None:
    late, early = seal(1, AT, "", Noted(text="x")), seal(2, AT - timedelta(hours=1), "", Noted(text="y"))
    assert fold("inv-1", [late, early]).last_at == AT


@pytest.mark.parametrize(
    "change",
    [
        {"call": Call(operation="ecs.update_service", parameters={"revision": 40})},
        {"call": Call(operation="ecs.stop_task", parameters={"revision": 41})},
        {"target": Resource(type=ResourceType.ecs_service, name="other")},
        {"account": "2"},
        {"region": "s"},
        {"pre_state": {"revision": 43}},
    ],
)
def test_the_digest_binds_what_would_run(change: dict[str, object]) -> None:
    other = PROPOSAL.model_copy(update={"preparation": PROPOSAL.preparation.model_copy(update=change)})
    assert other.digest != PROPOSAL.digest


def test_the_digest_does_not_hang_on_words() -> None:
    retold = PROPOSAL.preparation.model_copy(update={"title": "Return", "impact": "some"})
    assert PROPOSAL.model_copy(update={"preparation": retold}).digest == PROPOSAL.digest
