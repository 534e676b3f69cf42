"""Fitting a monotone calibration, and what it does to a verdict."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.calibration import FILE, Calibration, committed
from runbook_bot.errors import RunbookError
from runbook_bot.evaluation.calibrating import compared, fit, shares, write
from tests.evaluation.marks import mark

SHARES = st.floats(0.01, 0.99)
SOME = Calibration(slope=0.6, intercept=-0.3, cases=100)


def too_sure(number: int) -> list[tuple[float, bool]]:
    """Says nine times of ten and is right six times of ten; what it thinks unlikely is so as often as it says."""
    return [(0.9, n % 10 < 6) for n in range(number)] + [(0.2, n % 10 < 2) for n in range(number)]


def test_who_is_too_sure_is_made_less_so() -> None:
    fitted = fit(too_sure(400), seed=9)
    assert fitted.of(0.9) == pytest.approx(0.6, abs=0.06)
    assert fitted.of(0.2) == pytest.approx(0.2, abs=0.06)
    assert (fitted.cases, fitted.seed) == (800, 9)
    numbers = compared(too_sure(400), fitted)
    assert all(after < before for before, after in numbers.values())


def test_it_never_turns_the_order_round() -> None:
    contrary = [(0.9, False)] * 40 + [(0.1, True)] * 40
    assert fit(contrary, 0).slope > 0


def test_a_few_cases_are_not_fitted_on() -> None:
    with pytest.raises(RunbookError, match="too few"):
        fit([(0.5, True)] * 5, 0)


@given(SHARES, SHARES)
def test_the_surer_answer_stays_the_surer_one(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert SOME.of(low) <= SOME.of(high)


@given(SHARES)
def test_it_can_be_undone(share: float) -> None:
    assert SOME.undone(SOME.of(share)) == pytest.approx(share, abs=1e-6)


def test_an_unfitted_one_changes_nothing() -> None:
    assert Calibration().of(0.37) == 0.37
    assert Calibration().undone(1.0) == 1.0


def test_shares_are_those_before_the_calibration_that_was_applied() -> None:
    told = [mark(confidence=SOME.of(0.7)), mark(confidence=0.5, problem="no verdict")]
    [(share, right)] = shares(told, SOME)
    assert share == pytest.approx(0.7)
    assert right


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "calibration.yaml"
    write(SOME, file)
    assert Calibration.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))) == SOME
    with pytest.raises(RunbookError, match="cannot be written"):
        write(SOME, tmp_path / "nowhere" / "calibration.yaml")


def test_the_committed_one_is_package_data_that_can_be_read() -> None:
    assert FILE.is_file()
    assert 0 < committed().of(0.5) < 1
