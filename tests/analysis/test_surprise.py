"""A point is a surprise against its own past, and an episode is told once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_bot.analysis.surprise import LEAST, surprise, told_once


def test_a_spike_and_a_slight_lasting_shift_are_surprises() -> None:
    values = 50 + np.random.default_rng(0).standard_normal(600)
    calm = surprise(values)
    spiked = values.copy()
    spiked[400] += 20
    assert surprise(spiked)[400] > 3 * calm.max()
    shifted = values.copy()
    shifted[400:] += 2.5
    assert surprise(shifted)[405:415].max() > 1.5 * calm.max(), "no point of it stands out alone, their mean does"


def test_where_leaps_are_usual_a_leap_is_no_surprise() -> None:
    values = 50 + np.random.default_rng(0).standard_normal(600)
    values[::20] += 30
    assert surprise(values)[300:].max() < 6


def test_the_future_does_not_count() -> None:
    values = 50 + np.random.default_rng(1).standard_normal(300)
    later = values.copy()
    later[200:] += 100
    assert (surprise(values)[:200] == surprise(later)[:200]).all()


def test_an_episode_is_told_once_unless_it_becomes_worse() -> None:
    found = told_once(np.array([0.0, 5, 4, 5, 6, 0, 0, 0, 0, 5]), quiet=4)
    assert found.tolist() == [0, 5, 0, 0, 6, 0, 0, 0, 0, 5]
    assert told_once(np.empty(0)).size == 0


@given(st.lists(st.floats(-1e9, 1e9), max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_series_has_finite_surprises(values: list[float]) -> None:
    found = surprise(np.array(values))
    assert found.shape == (len(values),)
    assert np.isfinite(found).all()
    assert (found[:LEAST] == 0).all()
