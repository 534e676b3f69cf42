"""A change fits as a cause by its nearness in time, and never when it came later."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.analysis.proximity import nearest, proximity
from runbook_bot.domain.observation import Change

ONSET = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def change(minutes_before: float, summary: str = "went out") -> Change:
    return Change(at=ONSET - timedelta(minutes=minutes_before), kind="deployment", summary=summary)


@pytest.mark.parametrize(("minutes_before", "fit"), [(0, 1.0), (4, 1.0), (-2, 1.0), (-4, 0.0), (-600, 0.0)])
def test_near_is_one_and_later_is_nothing(minutes_before: float, fit: float) -> None:
    assert proximity(change(minutes_before).at, ONSET) == fit


@given(st.floats(0, 10_000), st.floats(0, 1000))
def test_the_fit_never_grows_with_distance(near: float, more: float) -> None:
    first, second = (proximity(ONSET - timedelta(minutes=m), ONSET) for m in (near, near + more))
    assert 0 <= second <= first <= 1


def test_the_nearest_change_wins_and_one_too_far_back_is_none() -> None:
    found = nearest([change(50, "earlier"), change(8, "near"), change(-30, "after")], ONSET)
    assert found is not None
    assert found[0].summary == "near"
    assert nearest([change(-30), change(60 * 24)], ONSET) is None
    assert nearest([], ONSET) is None


def test_of_two_that_fit_alike_the_later_is_taken() -> None:
    found = nearest([change(3, "first"), change(1, "second")], ONSET)
    assert found is not None
    assert found[0].summary == "second"
