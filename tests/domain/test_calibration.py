"""A posterior made honest: the leader gets the probability it earned, and all else stays what the evidence made it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.calibration import Calibration
from runbook_bot.domain.confidence import calibrated
from runbook_bot.domain.hypothesis import Hypothesis
from runbook_bot.domain.vocabulary import FailureMode

LESS_SURE = Calibration(slope=0.6, intercept=-0.4, cases=100)
SURER = Calibration(slope=1.8, intercept=0.3, cases=100)
WEIGHTS = st.lists(st.floats(0.01, 1), min_size=2, max_size=6)


def family(count: int, parent: str | None = None) -> list[Hypothesis]:
    return [
        Hypothesis(
            id=f"{parent}.{n}" if parent else f"H{n}",
            parent=parent,
            statement="it broke",
            failure_mode=FailureMode.bad_deployment,
            service="api",
            prior=0.1,
            proposed_by="catalogue",
        )
        for n in range(1, count + 1)
    ]


@given(WEIGHTS, st.sampled_from([LESS_SURE, SURER]))
def test_the_order_stays_and_all_shares_are_still_one(weights: list[float], calibration: Calibration) -> None:
    hypotheses = family(len(weights) - 1)
    *named, rest = [each / sum(weights) for each in weights]
    before = dict(zip([h.id for h in hypotheses], named, strict=True))
    after, unexplained = calibrated(hypotheses, before, rest, calibration)
    assert sum(after.values()) + unexplained == pytest.approx(1)
    assert all(share >= 0 for share in (*after.values(), unexplained))
    leader = max(before, key=lambda id: (before[id], id))
    assert after[leader] == pytest.approx(calibration.of(before[leader]))
    assert all(after[leader] >= share for share in after.values())


def test_a_parent_stays_the_sum_of_what_is_its_own_and_of_its_branches() -> None:
    hypotheses = [*family(2), *family(2, "H1")]
    before = {"H1": 0.9, "H1.1": 0.7, "H1.2": 0.15, "H2": 0.06}
    after, unexplained = calibrated(hypotheses, before, 0.04, LESS_SURE)
    assert after["H1.1"] == pytest.approx(LESS_SURE.of(0.7))
    assert (after["H1.2"], after["H2"]) == pytest.approx((0.15, 0.06))
    assert after["H1"] == pytest.approx(after["H1.1"] + 0.15 + 0.05)
    assert unexplained == pytest.approx(0.04 + 0.7 - after["H1.1"])


def test_what_the_leader_gains_all_others_give() -> None:
    after, unexplained = calibrated(family(2), {"H1": 0.8, "H2": 0.12}, 0.08, SURER)
    rest = (1 - SURER.of(0.8)) / 0.2
    assert after == pytest.approx({"H1": SURER.of(0.8), "H2": 0.12 * rest})
    assert unexplained == pytest.approx(0.08 * rest)


def test_what_would_pass_the_leader_is_unexplained_instead() -> None:
    after, unexplained = calibrated(family(2), {"H1": 0.52, "H2": 0.46}, 0.02, LESS_SURE)
    assert after["H2"] == after["H1"] == pytest.approx(LESS_SURE.of(0.52))
    assert unexplained == pytest.approx(1 - 2 * LESS_SURE.of(0.52))


def test_without_hypotheses_or_without_a_fit_nothing_changes() -> None:
    assert calibrated([], {}, 1.0, LESS_SURE) == ({}, 1.0)
    after, unexplained = calibrated(family(2), {"H1": 0.7, "H2": 0.1}, 0.2, Calibration())
    assert after == pytest.approx({"H1": 0.7, "H2": 0.1})
    assert unexplained == pytest.approx(0.2)
