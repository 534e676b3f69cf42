"""A change of a series is told from noise: whether, which way, since when, and whether it is over."""

import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from runbook_bot.analysis.shift import Shift, around, clean, filled, onset_between, shift

POINTS = 180
MINUTES = np.arange(POINTS) * 60.0
SEEDS = range(60)
Floats = NDArray[np.float64]


def noise(seed: int, scale: float = 5.0) -> Floats:
    return 100 + scale * np.random.default_rng(seed).standard_normal(POINTS)


def onsets(after: int = 20, before: int = 150) -> list[tuple[int, int]]:
    """Seeds, each with the minute in which something begins."""
    return [(seed, int(np.random.default_rng(1000 + seed).integers(after, before))) for seed in SEEDS]


def minutes_off(found: Shift, at: int) -> float:
    assert found.onset is not None
    return found.onset / 60 - at


@pytest.mark.parametrize("size", [60.0, -60.0])
def test_a_step_is_found_where_it_is(size: float) -> None:
    for seed, at in onsets():
        values = noise(seed)
        values[at:] += size
        found = shift(MINUTES, values)
        assert found.moved == ("rises" if size > 0 else "falls")
        assert abs(minutes_off(found, at)) <= 2
        assert found.ended is None
        assert found.baseline == pytest.approx(100, abs=5)
        assert found.level == pytest.approx(100 + size, abs=8)


def test_a_climb_is_found_in_its_first_half() -> None:
    for seed, at in onsets(before=140):
        found = shift(MINUTES, noise(seed) + 80 * np.clip((np.arange(POINTS) - at) / 30, 0, 1))
        assert found.moved == "rises"
        assert -3 <= minutes_off(found, at) <= 15


def test_a_climb_that_still_goes_on_is_told_at_its_height() -> None:
    values = noise(1) + np.clip(np.arange(POINTS) - 60, 0, None)
    found = shift(MINUTES, values)
    assert found.moved == "rises"
    assert found.level > 180
    assert found.peak == values[60:].max()


def test_a_bump_that_is_over_says_when_it_ended() -> None:
    for seed, at in onsets(before=140):
        values = noise(seed)
        values[at : at + 15] += 60
        found = shift(MINUTES, values)
        assert found.moved == "rises"
        assert abs(minutes_off(found, at)) <= 3
        assert found.ended is not None
        assert abs(found.ended / 60 - (at + 15)) <= 2


def test_a_single_spike_is_no_episode() -> None:
    for seed, at in onsets():
        values = noise(seed)
        values[at] += 1000
        assert shift(MINUTES, values).moved == "steady"


def test_two_wild_points_on_their_own_need_to_stand_out_further() -> None:
    values = noise(3)
    values[90:92] += 25
    assert shift(MINUTES, values).moved == "steady"
    values[90:92] += 200
    assert shift(MINUTES, values).moved == "rises"


def test_steady_noise_is_rarely_taken_for_a_change() -> None:
    alarms = {
        "even": sum(shift(MINUTES, noise(seed)).moved != "steady" for seed in range(200)),
        "skewed": sum(
            shift(MINUTES, 100 * np.exp(0.2 * np.random.default_rng(seed).standard_normal(POINTS))).moved != "steady"
            for seed in range(200)
        ),
    }
    for rate in (0.1, 2.0, 50.0):
        counted = (np.random.default_rng(seed).poisson(rate, POINTS) for seed in range(200))
        alarms[f"{rate} a minute"] = sum(shift(MINUTES, each, counts=True).moved != "steady" for each in counted)
    assert max(alarms.values()) <= 10, f"of 200 each: {alarms}"


def test_sparse_counts_that_become_many() -> None:
    for seed, at in onsets():
        rate = np.full(POINTS, 0.2)
        rate[at:] = 20
        found = shift(MINUTES, np.random.default_rng(seed).poisson(rate), counts=True)
        assert found.moved == "rises"
        assert abs(minutes_off(found, at)) <= 2
        assert found.ended is None


def test_from_nothing_to_something_is_an_infinite_ratio() -> None:
    found = shift(MINUTES, np.r_[np.zeros(90), np.full(90, 12.0)], counts=True)
    assert (found.moved, found.onset, found.baseline, found.ratio) == ("rises", 90 * 60.0, 0.0, float("inf"))


@pytest.mark.parametrize(
    "values",
    [
        np.full(POINTS, 5.0),
        np.zeros(POINTS),
        100 + 0.05 * np.arange(POINTS) + noise(2, 2) - 100,
        100 + 30 * np.sin(np.arange(POINTS) / POINTS * 2 * np.pi) + noise(4, 2) - 100,
        np.r_[np.full(90, 1.0), np.full(90, 1.0001)],
    ],
    ids=["constant", "zero", "slow drift", "one wave", "clear and negligible"],
)
def test_what_is_no_incident(values: Floats) -> None:
    found = shift(MINUTES, values)
    assert found.moved == "steady"
    assert found.enough
    assert found.onset is None
    assert found.effect == 0


def test_a_departure_from_the_very_first_point_on_is_the_old_level() -> None:
    values = noise(5)
    values[:60] += 60
    found = shift(MINUTES, values)
    assert found.moved == "falls", "it came down; that it was up before the window is not known here"
    assert abs(minutes_off(found, 60)) <= 2


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 7, [float("nan")] * 50, [float("inf")] * 50])
def test_too_few_points_say_nothing(values: list[float]) -> None:
    found = shift(np.arange(len(values)), values)
    assert not found.enough
    assert found.moved == "steady"


def test_gaps_duplicates_disorder_and_no_numbers_do_not_matter() -> None:
    values = noise(6)
    values[100:] += 60
    whole = shift(MINUTES, values)
    rng = np.random.default_rng(0)
    order = rng.permutation(POINTS)
    assert shift(MINUTES[order], values[order]) == whole
    twice = np.r_[values - 500, values]
    assert shift(np.r_[MINUTES, MINUTES], twice) == whole, "the last one given counts"
    spoilt = np.r_[values, np.full(30, np.nan)]
    assert shift(np.r_[MINUTES, MINUTES[:30] + 1], spoilt) == whole
    kept = rng.random(POINTS) > 0.4
    gappy = shift(MINUTES[kept], values[kept])
    assert gappy.moved == "rises"
    assert abs(minutes_off(gappy, 100)) <= 5


def test_a_hundred_thousand_points_take_no_quadratic_time() -> None:
    def seconds(points: int) -> float:
        values = np.r_[np.zeros(points // 2), np.full(points - points // 2, 9.0)]
        values += np.random.default_rng(0).standard_normal(points)
        began = time.process_time()
        found = shift(np.arange(points), values)
        assert found.onset is not None
        assert abs(found.onset - points / 2) <= points / 400
        return time.process_time() - began

    small = min(seconds(10_000) for _ in range(3))
    assert seconds(100_000) <= 20 * small + 0.5


ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(ANY, ANY), max_size=60), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_series_is_too_strange(points: list[tuple[float, float]], counts: bool) -> None:
    times, values = [t for t, _ in points], [v for _, v in points]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = shift(times, values, counts=counts)
    assert found.enough == (found.points >= 8)
    if found.moved != "steady":
        assert found.onset in times
        assert found.ended is None or (found.ended in times and found.ended > found.onset)


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_mirrored_series_moves_the_other_way(values: list[float]) -> None:
    times = np.arange(len(values))
    there, back = shift(times, values), shift(times, [-v for v in values])
    turned = {"rises": "falls", "falls": "rises", "steady": "steady"}
    assert back.moved == turned[there.moved]
    assert back.onset == there.onset


def test_before_and_after_a_moment_known_from_elsewhere() -> None:
    values = noise(7)
    values[100:] += 30
    found = around(MINUTES, values, 100 * 60.0)
    assert (found.moved, found.onset) == ("rises", 6000.0)
    assert around(MINUTES, noise(7), 100 * 60.0).moved == "steady"
    assert not around(MINUTES, values, 60.0).enough, "two points before it are too few"
    assert not around(MINUTES, values, 179 * 60.0).enough, "one point after it is too few"
    assert not around([], [], 0.0).enough


def test_cleaning_keeps_the_finite_in_order_of_time() -> None:
    times, values = clean([3, 1, 2, 1, float("nan"), 4], [30, 10, float("inf"), 11, 1, -1e300])
    assert times.tolist() == [1, 3]
    assert values.tolist() == [11, 30]


def test_absent_counts_are_zeros_on_the_grid_of_the_source() -> None:
    times, values = filled(np.array([120.0, 300.0]), np.array([4.0, 7.0]), 30.0, 420.0, 60.0)
    assert times.tolist() == [60, 120, 180, 240, 300, 360]
    assert values.tolist() == [0, 4, 0, 0, 7, 0]
    nothing, none = filled(np.array([]), np.array([]), 0.0, 0.0, 60.0)
    assert nothing.size == none.size == 0


def test_a_climb_that_fills_a_short_series_was_under_way_before() -> None:
    found = shift(np.arange(15) * 60.0, [312, 341, 368, 392, 411, 429, 444, 458, 469, 477, 484, 489, 492, 493, 494])
    assert found.moved == "rises"
    assert found.onset == 0
    assert found.level > 1.3 * found.baseline


def test_a_slow_climb_over_hours_is_the_time_of_day() -> None:
    values = 500 + np.arange(180) * 0.4 + np.random.default_rng(3).normal(0, 30, 180)
    assert shift(np.arange(180) * 60.0, values).moved == "steady"


def test_the_onset_lies_within_its_interval_and_a_clear_one_is_known_to_the_point() -> None:
    inside = 0
    for seed, at in onsets():
        values = noise(seed)
        values[at:] += 30
        found = shift(MINUTES, values)
        between = onset_between(MINUTES, values, found)
        assert between is not None
        inside += between[0] <= 60 * at <= between[1]
        assert between[1] - between[0] <= 1800
    assert inside >= 0.9 * len(SEEDS)
    values = np.r_[np.full(90, 5.0), np.full(90, 50.0)]
    assert onset_between(MINUTES, values, shift(MINUTES, values)) == (5400.0, 5400.0)
    assert onset_between(MINUTES, noise(1), shift(MINUTES, noise(1))) is None


@given(st.lists(st.tuples(ANY, ANY), max_size=60))
@settings(max_examples=60, deadline=None)
def test_an_interval_is_around_its_onset(points: list[tuple[float, float]]) -> None:
    times, values = [t for t, _ in points], [v for _, v in points]
    found = shift(times, values)
    between = onset_between(times, values, found)
    assert (between is None) == (found.onset is None)
    if between is not None:
        assert found.onset is not None
        assert between[0] <= found.onset <= between[1]
