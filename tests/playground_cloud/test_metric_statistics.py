"""Statistics and metric math over samples, held against numpy and against plain arithmetic."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.playground.cloud.metric_math import Formula, MathError, Points
from runbook_bot.playground.cloud.metric_store import MetricStore, Track

METRIC = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "D", "Value": "x"}]}


def track_of(*data: dict[str, Any]) -> Track:
    store = MetricStore()
    store.put("N", [{"MetricName": "M", "Dimensions": METRIC["Dimensions"], **datum} for datum in data], 0.0)
    found = store.track(METRIC)
    assert found
    return found


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 40)), min_size=1, max_size=30),
    st.sampled_from([1, 50, 90, 95, 99, 99.9]),
)
def test_percentiles_are_those_of_numpy_over_all_values(pairs: list[tuple[float, int]], percent: float) -> None:
    track = track_of({"Timestamp": 60.0, "Values": [v for v, _ in pairs], "Counts": [float(c) for _, c in pairs]})
    expanded = np.repeat([v for v, _ in pairs], [c for _, c in pairs])
    [value] = track.points(f"p{percent:g}", 0, 120, 60).values()
    assert value == pytest.approx(float(np.percentile(expanded, percent)), rel=1e-9, abs=1e-9)


def test_samples_fall_into_the_period_in_which_they_begin() -> None:
    track = track_of(
        {"Timestamp": 125.0, "Value": 4.0},
        {"Timestamp": 60.0, "Value": 1.0},
        {"Timestamp": 119.0, "Values": [2.0, 6.0], "Counts": [3.0, 1.0]},
        {"Timestamp": 180.0, "StatisticValues": {"Sum": 9.0, "SampleCount": 3.0, "Minimum": 1.0, "Maximum": 5.0}},
    )
    assert track.points("Sum", 60, 240, 60) == {60: 13.0, 120: 4.0, 180: 9.0}
    assert track.points("SampleCount", 60, 240, 60) == {60: 5.0, 120: 1.0, 180: 3.0}
    assert track.points("Average", 60, 240, 60) == {60: 2.6, 120: 4.0, 180: 3.0}
    assert track.points("Minimum", 60, 240, 60) == {60: 1.0, 120: 4.0, 180: 1.0}
    assert track.points("Maximum", 60, 180, 120) == {0: 6.0, 120: 4.0}
    assert track.points("p50", 180, 240, 60) == {}, "a statistic set has no percentiles"


SERIES: dict[str, Points] = {"m1": {0: 4.0, 60: 6.0}, "m2": {0: 8.0, 60: 0.0, 120: 5.0}}


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("m1 / m2 * 100", {0: 50.0}),
        ("SUM([m1, m2])", {0: 12.0, 60: 6.0, 120: 5.0}),
        ("SUM(METRICS())", {0: 12.0, 60: 6.0, 120: 5.0}),
        ("FILL(m1, 0) + m2", {0: 12.0, 60: 6.0, 120: 5.0}),
        ("FILL(m1, REPEAT)", {0: 4.0, 60: 6.0, 120: 6.0}),
        ("-m1 ** 2", {0: -16.0, 60: -36.0}),
        ("IF(m1 > 5, m1, 0)", {0: 0.0, 60: 6.0}),
        ("m1 / PERIOD(m1)", {0: 4 / 60, 60: 0.1}),
        ("MAX(m2) - m1", {0: 4.0, 60: 2.0}),
        ("RATE(m1)", {60: 2 / 60}),
        ("7", {0: 7.0, 60: 7.0, 120: 7.0}),
    ],
)
def test_metric_math(text: str, points: Points) -> None:
    assert Formula(text, SERIES, 0, 180, 60).points() == points


@pytest.mark.parametrize(
    "text",
    [
        "m3 + 1",
        "__import__('os').system('id')",
        "m1.__class__",
        "[m1, m2]",
        "lambda: 1",
        "m1 +",
        "9 " * 2000,
        "SUM(1, 2)",
    ],
)
def test_what_is_not_metric_math_is_refused(text: str) -> None:
    with pytest.raises(MathError):
        Formula(text, SERIES, 0, 180, 60).points()


def test_a_tower_of_powers_ends_without_a_point() -> None:
    assert Formula("9 ** 9 ** 9 ** 9 + m1", SERIES, 0, 120, 60).points() == {}
