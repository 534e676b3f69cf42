"""The numbers, on examples that can be worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.evaluation.scoring import MEASURES, brier, expected_calibration_error, scores, selective_accuracy
from tests.evaluation.marks import mark

FORECASTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def test_brier_and_calibration_error_of_two_forecasts() -> None:
    forecasts = [(0.9, True), (0.6, False)]
    assert brier(forecasts) == pytest.approx((0.01 + 0.36) / 2)
    assert expected_calibration_error(forecasts) == pytest.approx((0.1 + 0.6) / 2)


def test_who_is_right_as_often_as_they_say_has_no_calibration_error() -> None:
    forecasts = [(0.75, True)] * 3 + [(0.75, False)]
    assert expected_calibration_error(forecasts) == pytest.approx(0)


def test_the_surest_half_is_counted_by_confidence() -> None:
    forecasts = [(0.5, False), (0.9, True), (0.4, False), (0.8, True)]
    assert selective_accuracy(forecasts, 0.5) == 1
    assert selective_accuracy(forecasts, 1.0) == 0.5


@given(FORECASTS)
def test_every_score_lies_between_none_and_all(forecasts: list[tuple[float, bool]]) -> None:
    assert 0 <= brier(forecasts) <= 1
    assert 0 <= expected_calibration_error(forecasts) <= 1 + 1e-9
    assert 0 <= selective_accuracy(forecasts, 0.5) <= 1


def test_every_measure_counts_its_own_cases() -> None:
    marks = [
        mark(),
        mark(right=False, first_right=False, got="code_defect", confidence=0.8),
        mark(named=False, right=False, got=None, confidence=0.4),
        mark(answerable=False, named=False, got=None, right=True, first_right=False, confidence=0.2),
        mark(mode="none", service=None, got="none"),
    ]
    found = scores(marks)
    assert found.keys() == MEASURES.keys()
    assert (found["top-1"].value, found["top-1"].of) == (0.5, 4)
    assert found["wrong and confident (>= 0.7)"].value == 0.2
    assert (found["abstained"].value, found["abstained"].of) == (0.25, 4)
    assert (found["abstained where nothing can be known"].value, found["abstained where nothing can be known"].of) == (
        1,
        1,
    )
    assert (found["no fault recognised"].value, found["no fault recognised"].of) == (1, 1)
    assert found["fault taken for none"].value == 0


def test_an_interval_holds_its_number_and_a_part_without_such_cases_has_none() -> None:
    found = scores([mark(), mark(right=False), mark()])
    top = found["top-1"]
    assert top.low is not None
    assert top.value is not None
    assert top.high is not None
    assert top.low <= top.value <= top.high
    assert found["no fault recognised"].value is None
    assert scores([mark(), mark(right=False), mark()]) == found
