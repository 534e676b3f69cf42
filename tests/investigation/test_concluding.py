"""A verdict where the evidence carries one; otherwise what would separate the leaders, and never a guess."""

from dataclasses import replace

import pytest

from runbook_bot.domain.evidence import Direction, Evidence
from runbook_bot.domain.hypothesis import Expectation, Hypothesis, HypothesisState, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import ChangesFound, Noted
from runbook_bot.domain.tools import Status
from runbook_bot.domain.verdict import Verdict
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.investigation.conclusion import conclude
from tests.investigation.town import NOW

SUPPORTED = HypothesisState.supported
LOOK = Prediction(about="logs", expect=Expectation.present, seen=8, unseen=0.1, text="the pool logs a time-out")
GLANCE = LOOK.model_copy(update={"seen": 2.0, "unseen": 0.8, "text": "the processor is busy"})


def hypothesis(id: str, confidence: float, state: HypothesisState = SUPPORTED, **more: object) -> Hypothesis:
    mode = more.pop("failure_mode", list(FailureMode)[int(id[-1])])
    fields = {"id": id, "parent": id.rpartition(".")[0] or None, "statement": f"cause {id} holds", "service": "cart"}
    predictions = (LOOK, GLANCE)
    rest = {"failure_mode": mode, "prior": 0.3, "confidence": confidence, "state": state, "predictions": predictions}
    return Hypothesis.model_validate({**fields, **rest, **more})


def unknown(hypothesis: str, prediction: Prediction, why: str) -> Evidence:
    return Evidence(
        id=f"E{hypothesis}{len(prediction.text)}",
        hypothesis=hypothesis,
        source="aws",
        query={},
        asked="k",
        observed_at=NOW,
        status=Status.denied,
        direction=Direction.unknown,
        strength="none",  # type: ignore[arg-type]  # the word of the enum
        expected=prediction.text,
        summary=why,
        digest="",
    )


def concluded(*hypotheses: Hypothesis, unexplained: float = 0.05, evidence: tuple[Evidence, ...] = ()) -> Verdict:
    case = Investigation(
        id="inv-1",
        hypotheses={h.id: h for h in hypotheses},
        evidence={e.id: e for e in evidence},
        unexplained=unexplained,
    )
    return conclude(case, NOW)


def test_a_clear_leader_is_named() -> None:
    verdict = concluded(hypothesis("H1", 0.8), hypothesis("H2", 0.1))
    assert verdict.status == "concluded"
    assert verdict.root_cause is not None
    assert verdict.root_cause.confidence == 0.8
    assert verdict.next_step == ""


@pytest.mark.parametrize(
    "hypotheses",
    [
        (hypothesis("H1", 0.45), hypothesis("H2", 0.44)),
        (hypothesis("H1", 0.52), hypothesis("H2", 0.43)),
        (hypothesis("H1", 0.4), hypothesis("H2", 0.1)),
        (hypothesis("H1", 0.9, HypothesisState.inconclusive), hypothesis("H2", 0.05)),
        (hypothesis("H1", 0.9, HypothesisState.open), hypothesis("H2", 0.05)),
    ],
    ids=["side by side", "too near", "too little", "not shown", "not tested"],
)
def test_none_is_named_and_a_next_step_is(hypotheses: tuple[Hypothesis, ...]) -> None:
    verdict = concluded(*hypotheses)
    assert verdict.status == "inconclusive"
    assert verdict.root_cause is None
    assert verdict.next_step == "look for what would refute H1: not: the pool logs a time-out"


def test_a_cause_that_nobody_thought_of_counts_as_a_rival() -> None:
    assert concluded(hypothesis("H1", 0.52), unexplained=0.45).status == "inconclusive"
    assert concluded(hypothesis("H1", 0.4), unexplained=0.6).ranked[0].failure_mode is None


def test_the_next_step_is_the_unanswered_question_that_is_worth_most() -> None:
    evidence = (unknown("H1", GLANCE, "cloudwatch: denied"), unknown("H2", LOOK, "logs: needs logs:StartQuery"))
    verdict = concluded(hypothesis("H1", 0.45), hypothesis("H2", 0.44), evidence=evidence)
    assert verdict.next_step == "find out whether the pool logs a time-out (logs: needs logs:StartQuery)"
    assert set(verdict.unknowns) == {"cloudwatch: denied", "logs: needs logs:StartQuery"}


def test_nothing_supposed_is_all_unknown() -> None:
    verdict = conclude(Investigation(id="inv-1"), NOW)
    assert verdict.status == "inconclusive"
    assert [c.failure_mode for c in verdict.ranked] == [None, FailureMode.none]
    assert verdict.next_step == "name the service that hurts, and since when"


def test_a_branch_takes_its_share_from_its_parent() -> None:
    verdict = concluded(hypothesis("H1", 0.9), hypothesis("H1.2", 0.7), hypothesis("H3", 0.05))
    assert verdict.root_cause is not None
    shares = {c.hypothesis: c.confidence for c in verdict.ranked if c.hypothesis}
    assert shares == {"H1.2": 0.7, "H1": 0.2, "H3": 0.05}


def test_the_same_cause_found_twice_is_one_candidate() -> None:
    mode = FailureMode.bad_deployment
    twice = (hypothesis("H1", 0.4, failure_mode=mode), hypothesis("H2", 0.35, failure_mode=mode))
    verdict = concluded(*twice)
    assert verdict.ranked[0].confidence == 0.75
    assert verdict.status == "concluded"


def test_what_could_not_be_seen_is_listed_once() -> None:
    changes = ChangesFound(changes=(), status=Status.denied, message="needs cloudtrail:LookupEvents")
    case = Investigation(id="inv-1", hypotheses={"H1": hypothesis("H1", 0.8)}, changes=changes)
    case = replace(case, notes=(Noted(text="half the world is dark", level="warning"),) * 2 + (Noted(text="fine"),))
    assert conclude(case, NOW).unknowns == ("changes: needs cloudtrail:LookupEvents", "half the world is dark")


def test_the_limit_that_ended_it_is_told() -> None:
    case = Investigation(id="inv-1", hypotheses={"H1": hypothesis("H1", 0.8)})
    assert conclude(case, NOW, "10 rounds were tested").cut_short == "10 rounds were tested"
