"""Confidence is computed from evidence: it adds up, correlated evidence counts once, and unknown counts nothing."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.confidence import MECHANISM, NONE_OF_THESE, STRONG, WEAK, posterior, strength, support
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.tools import Status
from runbook_bot.domain.vocabulary import FailureMode

WEIGHTS = st.floats(-20, 20)


def hypothesis(id: str, prior: float = 0.3, state: HypothesisState = HypothesisState.testing) -> Hypothesis:
    parent = id.rpartition(".")[0] or None
    mode = FailureMode.bad_deployment
    return Hypothesis(id=id, parent=parent, statement=id, failure_mode=mode, prior=prior, state=state)


def seen(weight: float, group: str = "", direction: Direction | None = None, id: str = "E1") -> Evidence:
    pointing = Direction.supports if weight > 0 else Direction.refutes
    return Evidence(
        id=id,
        hypothesis="H1",
        source="aws",
        query={},
        asked="k",
        observed_at=datetime(2026, 3, 1, tzinfo=UTC),
        status=Status.ok,
        direction=direction or pointing,
        strength=strength(weight),
        weight=weight,
        group=group,
        summary="",
        digest="",
    )


@pytest.mark.parametrize(
    ("weight", "word"),
    [
        (STRONG, Strength.strong),
        (-STRONG, Strength.strong),
        (STRONG - 0.01, Strength.weak),
        (-WEAK, Strength.weak),
        (WEAK - 0.01, Strength.none),
        (0.0, Strength.none),
    ],
)
def test_the_word_for_a_weight(weight: float, word: Strength) -> None:
    assert strength(weight) is word


def test_of_correlated_evidence_the_strongest_counts_whichever_way_it_points() -> None:
    together = [seen(1.0, "deploy", id="E1"), seen(-2.5, "deploy", id="E2"), seen(2.0, "deploy", id="E3")]
    assert support(together) == -2.5


def test_independent_evidence_adds_up() -> None:
    assert support([seen(1.0, "a", id="E1"), seen(0.5, "b", id="E2"), seen(0.25, id="E3")]) == 1.75


def test_unknown_never_counts() -> None:
    assert support([seen(5.0, direction=Direction.unknown)]) == 0.0


@given(st.lists(WEIGHTS, max_size=5), st.lists(WEIGHTS, max_size=5), st.floats(0.5, 3))
def test_siblings_and_none_of_these_add_up_to_one(first: list[float], second: list[float], temperature: float) -> None:
    evidence = {
        "H1": [seen(weight, id=f"E{n}") for n, weight in enumerate(first)],
        "H2": [seen(weight, id=f"F{n}") for n, weight in enumerate(second)],
    }
    confidence, unexplained = posterior([hypothesis("H1"), hypothesis("H2")], evidence, temperature)
    assert math.isclose(sum(confidence.values()) + unexplained, 1.0)
    assert all(0 <= each <= 1 for each in confidence.values())


@given(WEIGHTS, st.floats(0.1, 5))
def test_more_support_never_lowers_a_confidence(weight: float, more: float) -> None:
    hypotheses = [hypothesis("H1"), hypothesis("H2")]
    before, _ = posterior(hypotheses, {"H1": [seen(weight)]})
    after, _ = posterior(hypotheses, {"H1": [seen(weight), seen(more, id="E2")]})
    assert after["H1"] >= before["H1"]
    assert after["H2"] <= before["H2"]


def test_without_evidence_the_priors_speak() -> None:
    confidence, unexplained = posterior([hypothesis("H1", 0.6), hypothesis("H2", 0.3)], {}, temperature=1.0)
    total = 0.6 + 0.3 + NONE_OF_THESE
    assert confidence["H1"] == pytest.approx(0.6 / total)
    assert unexplained == pytest.approx(NONE_OF_THESE / total)


def test_a_higher_temperature_is_less_sure() -> None:
    hypotheses, evidence = [hypothesis("H1"), hypothesis("H2")], {"H1": [seen(3.0)]}
    assert posterior(hypotheses, evidence, 2.0)[0]["H1"] < posterior(hypotheses, evidence, 1.0)[0]["H1"]


def test_a_branch_shares_its_parents_confidence() -> None:
    family = [hypothesis("H1"), hypothesis("H2"), hypothesis("H1.1"), hypothesis("H1.2")]
    confidence, _ = posterior(family, {"H1": [seen(3.0)], "H1.1": [seen(2.0)]})
    assert confidence["H1.1"] + confidence["H1.2"] < confidence["H1"]
    assert confidence["H1.1"] > confidence["H1.2"]


def test_a_pruned_one_is_left_next_to_nothing() -> None:
    pruned = hypothesis("H1", 0.9, HypothesisState.pruned)
    confidence, unexplained = posterior([pruned, hypothesis("H2", 0.05)], {"H1": [seen(9.0)]})
    assert confidence["H1"] <= unexplained / 9
    assert confidence["H2"] > confidence["H1"]


def test_nothing_proposed_is_all_unexplained() -> None:
    assert posterior([], {}) == ({}, 1.0)


def consequence(cause: FailureMode, id: str = "H2", **more: object) -> Hypothesis:
    """What `cause` is known to bring about in the same service."""
    mode = FailureMode.memory_exhaustion
    return hypothesis(id).model_copy(update={"failure_mode": mode, "explained_by": (cause,), **more})


SURGE, DEPLOYED = FailureMode.traffic_surge, FailureMode.bad_deployment


def test_what_a_shown_cause_explains_is_no_rival_of_it() -> None:
    cause = hypothesis("H1").model_copy(update={"failure_mode": SURGE})
    evidence = {"H1": [seen(3.0)], "H2": [seen(3.0)]}
    rivals, _ = posterior([cause, hypothesis("H2")], evidence)
    explained, _ = posterior([cause, consequence(SURGE)], evidence)
    assert rivals["H1"] == pytest.approx(rivals["H2"])
    assert explained["H1"] > 3 * explained["H2"]


def test_what_was_not_shown_explains_nothing_nor_does_what_is_elsewhere() -> None:
    cause = hypothesis("H1").model_copy(update={"failure_mode": SURGE})
    for first, other in [
        (0.5, consequence(SURGE)),
        (3.0, consequence(SURGE, service="another")),
        (3.0, consequence(FailureMode.disk_exhaustion)),
    ]:
        evidence = {"H1": [seen(first)], "H2": [seen(first)]}
        confidence, _ = posterior([cause, other], evidence)
        assert confidence["H1"] == pytest.approx(confidence["H2"])


def test_a_change_explains_only_what_began_with_it() -> None:
    change = hypothesis("H1")
    near = [seen(3.0, "changes")]
    alone, _ = posterior([change, consequence(DEPLOYED)], {"H1": near, "H2": [seen(3.0)]})
    assert alone["H1"] == pytest.approx(alone["H2"]), "nearness in time alone must not"
    together = [*near, seen(1.0, MECHANISM, id="E2")]
    tied, _ = posterior([change, consequence(DEPLOYED)], {"H1": together, "H2": [seen(4.0)]})
    assert tied["H1"] > 3 * tied["H2"]
