"""The usual level is that of the hour and the weekday, where history reaches back far enough."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_bot.analysis.baseline import DAY, HOUR, WEEK, baseline

NOW = 1_772_600_000.0


def history(days: float) -> tuple[list[float], list[float]]:
    """Every five minutes: by day a wave, on every seventh day a job of an hour."""
    times = NOW - np.arange(1, days * 288) * 300.0
    back = np.mod(times - NOW, WEEK)
    values = 100 + 50 * np.sin(2 * np.pi * times / DAY) + np.where(back < HOUR, 400.0, 0.0)
    return times.tolist(), values.tolist()


def test_a_weekly_job_is_usual_at_its_hour_once_three_weeks_are_known() -> None:
    found = baseline(*history(29), NOW, NOW + HOUR)
    assert found is not None
    assert found.frame == "weekday and hour"
    assert found.holds(500)
    assert not found.holds(100)


def test_with_fewer_weeks_the_hour_is_known_and_the_weekday_is_not() -> None:
    found = baseline(*history(6), NOW, NOW + HOUR)
    assert found is not None
    assert found.frame == "hour"
    assert not found.holds(500)
    assert found.high - found.low < 60, "of a wave of 100 the hour takes a part"


def test_with_a_day_or_two_all_of_it_counts() -> None:
    found = baseline(*history(1), NOW, NOW + HOUR)
    assert found is not None
    assert (found.frame, found.points) == ("all", 287)
    assert found.holds(found.high + 5, slack=5)


def test_what_comes_later_is_no_history() -> None:
    times, values = history(1)
    assert baseline([t + 2 * DAY for t in times], values, NOW, NOW + HOUR) is None
    assert baseline([], [], NOW, NOW + HOUR) is None
    assert baseline(times[:3], values[:3], NOW, NOW + HOUR) is None


ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(ANY, ANY), max_size=40), st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
@settings(max_examples=80, deadline=None)
def test_no_history_is_too_strange(points: list[tuple[float, float]], start: float, end: float) -> None:
    found = baseline([t for t, _ in points], [v for _, v in points], start, end)
    assert found is None or found.low <= found.middle <= found.high
