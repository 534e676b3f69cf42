"""One node at fault explains the trouble of all who call it; where nothing is wrong nobody is blamed."""

import warnings
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from runbook_bot.analysis.callers import edges, reached
from runbook_bot.analysis.grid import MOST, Metric, gridded, tabled
from runbook_bot.analysis.ranking import rank
from runbook_bot.analysis.together import split

Floats = NDArray[np.float64]
SHOP = {"front": ["cart", "search"], "cart": ["orders", "db"], "orders": ["db"], "search": ["index"]}
NODES = ("front", "cart", "orders", "db", "search", "index")
USUAL = {"front": 0.20, "cart": 0.10, "orders": 0.06, "db": 0.01, "search": 0.05, "index": 0.02}
LOAD = {"front": 500.0, "cart": 300.0, "orders": 200.0, "db": 900.0, "search": 200.0, "index": 200.0}
WINDOW, NORMAL = 6, 300
HURTS = ("front", "latency")


def shop(rows: int, seed: int, extra: Mapping[str, float] | None = None, *, start: float = 0.0) -> list[Metric]:
    """Latency and requests of all; `extra` seconds of each request from the middle of the window on."""
    rng = np.random.default_rng(seed)
    times = start + 300.0 * np.arange(rows)
    found = []
    for node in NODES:
        latency = USUAL[node] * (1 + 0.05 * rng.standard_normal(rows))
        latency[rows // 2 :] += (extra or {}).get(node, 0.0)
        found.append(Metric(node, "latency", times, latency))
        found.append(Metric(node, "requests", times, rng.poisson(LOAD[node], rows)))
    return found


NORMAL_TIME = shop(NORMAL, seed=7)


def passed_on(seconds: float) -> dict[str, float]:
    """What each caller of the database feels when it is slower by so many seconds, half of the calls from each."""
    half = seconds * LOAD["db"] / 2
    cart = (half + half) / LOAD["cart"]
    return {"db": seconds, "orders": half / LOAD["orders"], "cart": cart, "front": cart * LOAD["cart"] / LOAD["front"]}


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_database_is_told_from_all_who_wait_for_it(seed: int) -> None:
    window = shop(WINDOW, seed, passed_on(0.1), start=1e6)
    found = rank(window, SHOP, symptom=HURTS, onset=1e6 + 900, normal=NORMAL_TIME)
    assert found.changed
    assert found.blamed[0] == "db"
    assert found.onset == 1e6 + 900
    assert found.suspects[0].departure > 10
    assert rank(window, SHOP, symptom=HURTS, normal=NORMAL_TIME).blamed[0] == "db", "the onset need not be given"
    assert rank(window, SHOP, normal=NORMAL_TIME).blamed[0] == "db", "nor where it hurts"


@pytest.mark.parametrize("node", ["front", "cart", "search"])
def test_who_is_slow_by_itself_has_no_callee_to_explain_it(node: str) -> None:
    own = 0.15
    extra = {node: own} | ({"front": own * LOAD[node] / LOAD["front"]} if node != "front" else {})
    found = rank(shop(WINDOW, 3, extra), SHOP, symptom=HURTS, normal=NORMAL_TIME)
    assert found.blamed[0] == node


def test_in_normal_time_nobody_is_blamed() -> None:
    quiet = [not rank(shop(WINDOW, seed), SHOP, symptom=HURTS, normal=NORMAL_TIME).blamed for seed in range(100, 140)]
    assert sum(quiet) >= 34
    apart = [not rank(shop(WINDOW, seed), SHOP, normal=NORMAL_TIME).blamed for seed in range(100, 140)]
    assert sum(apart) >= 34
    alone = [not rank(shop(120, seed)).blamed for seed in range(100, 140)]
    assert sum(alone) >= 36


def test_who_calls_whom_need_not_be_known() -> None:
    found = rank(shop(WINDOW, 1, passed_on(0.1)), symptom=HURTS, normal=NORMAL_TIME)
    assert found.changed
    assert "db" in found.blamed[:3]
    elsewhere = rank(shop(WINDOW, 1, passed_on(0.1)), {"other": ["thing"]}, symptom=HURTS, normal=NORMAL_TIME)
    assert elsewhere == found, "a graph that does not know the place says nothing"


def test_what_nothing_calls_from_there_is_no_suspect() -> None:
    found = rank(shop(WINDOW, 1, {"index": 5.0}), SHOP, symptom=("cart", "latency"), normal=NORMAL_TIME)
    assert "index" not in [each.node for each in found.suspects]
    assert not found.changed


def test_errors_and_availability_keep_the_same_books() -> None:
    rng = np.random.default_rng(0)

    def service(rows: int, lost: Mapping[str, float], kind: str) -> list[Metric]:
        times, found = 60.0 * np.arange(rows), []
        for node in NODES:
            requests = rng.poisson(LOAD[node], rows).astype(float)
            errors = rng.poisson(0.5, rows).astype(float)
            errors[rows // 2 :] += lost.get(node, 0.0)
            told = {"errors": errors, "error_rate": errors / requests, "availability": 100 * (1 - errors / requests)}
            found += [Metric(node, "requests", times, requests), Metric(node, kind, times, told[kind])]
        return found

    for kind in ("errors", "error_rate", "availability"):
        lost = {"front": 40.0, "search": 42.0, "index": 45.0}
        found = rank(service(6, lost, kind), SHOP, symptom=("front", kind), normal=service(300, {}, kind))
        assert found.blamed[0] == "index", kind


def test_what_was_never_called_before_is_the_doing_of_its_caller() -> None:
    window = shop(WINDOW, 4, {"search": 0.2, "front": 0.08})
    later = 300.0 * np.arange(WINDOW // 2, WINDOW)
    window += [Metric("new", "latency", later, [0.2] * 3), Metric("new", "requests", later, [200.0] * 3)]
    found = rank(window, SHOP | {"search": ["index", "new"]}, symptom=HURTS, normal=NORMAL_TIME)
    assert found.blamed[0] == "search"


def test_what_is_not_waited_for_is_not_to_blame() -> None:
    rng = np.random.default_rng(5)
    calls = SHOP | {"front": ["cart", "search", "workflow"]}

    def workflow(rows: int, level: float) -> list[Metric]:
        times = 300.0 * np.arange(rows)
        wandering = level + 1.0 * rng.standard_normal(rows)
        return [Metric("workflow", "latency", times, wandering), Metric("workflow", "requests", times, [100.0] * rows)]

    window = shop(WINDOW, 4, passed_on(0.05)) + workflow(WINDOW, 5.0)
    found = rank(window, calls, symptom=HURTS, normal=NORMAL_TIME + workflow(NORMAL, 3.0))
    assert found.blamed[0] == "db"


def test_in_a_long_window_the_common_change_is_found_and_the_first_mover_told() -> None:
    rows, at = 180, 110
    rng = np.random.default_rng(2)
    times = 60.0 * np.arange(rows)
    moved = {"db": at, "cart": at + 4, "front": at + 5}
    metrics = []
    for node in NODES:
        values = 50 + rng.standard_normal(rows)
        values[moved.get(node, rows) :] += 30
        metrics.append(Metric(node, "cpu", times, values))
    found = rank(metrics)
    assert found.changed
    assert found.onset is not None
    assert abs(found.onset / 60 - at) <= 5
    began = {each.node: each.began for each in found.suspects if each.node in moved}
    assert began == {node: 60.0 * row for node, row in moved.items()}
    late = rank(metrics, onset=60.0 * (at + 20))
    assert late.onset == found.onset, "an onset noticed late is put right"


def test_a_change_that_is_over_says_when() -> None:
    rows = 180
    values = 50 + np.random.default_rng(2).standard_normal(rows)
    values[60:90] += 30
    found = rank([Metric("db", "cpu", 60.0 * np.arange(rows), values)])
    assert found.changed
    assert found.onset == 3600.0
    assert found.ended is not None
    assert found.ended < 60.0 * 110


def test_circles_are_walked_once_and_explain_nothing() -> None:
    circle = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": []}
    assert reached(circle, "b") == ["b", "c", "d", "a"]
    assert edges(circle, ["a", "b", "c", "d"]) == {3: [1]}
    chain = {str(n): [str(n + 1)] for n in range(5000)}
    assert len(edges(chain, [str(n) for n in range(5001)])) == 5000


def test_the_common_change_of_many_columns() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((100, 12))
    values[40:, :3] += 2.0
    values[::7, 4] = np.nan
    values[:, 5] = 3.0
    found = split(values)
    assert found is not None
    assert abs(found - 40) <= 2
    assert split(values, 60, 80) is not None
    assert split(values[:4]) is None
    assert split(np.empty((50, 0))) is None


def test_a_grid_leaves_out_the_time_in_which_nothing_was_measured() -> None:
    times = np.r_[np.arange(100.0), 1e6 + np.arange(100.0)]
    grid = gridded([Metric("a", "cpu", times, times), Metric("b", "cpu", times[::-1], times[::-1])])
    assert grid.step == 1.0
    assert grid.times.tolist() == times.tolist()
    assert (grid.values[:, 0] == grid.values[:, 1]).all()
    coarse = gridded([Metric("a", "cpu", np.arange(5000.0), np.arange(5000.0))])
    assert coarse.times.size <= MOST
    assert coarse.values[0, 0] == np.mean(np.arange(coarse.step))


def test_of_two_of_a_kind_the_first_counts() -> None:
    table = tabled([Metric("a", "cpu", [0.0], [1.0]), Metric("a", "cpu", [0.0], [9.0])])
    assert table.of(["a", "b"], "cpu")[0].tolist()[0] == 1.0


ANY = st.floats(allow_nan=True, allow_infinity=True)
POINTS = st.lists(st.tuples(ANY, ANY), max_size=30)
NAMES = st.sampled_from(["a", "b", "c", "d"])
KINDS = st.sampled_from(["latency", "requests", "errors", "error_rate", "availability", "cpu", ""])
SERIES = st.builds(
    lambda node, kind, points: Metric(node, kind, [t for t, _ in points], [v for _, v in points]), NAMES, KINDS, POINTS
)
GRAPHS = st.none() | st.dictionaries(NAMES, st.lists(NAMES, max_size=4), max_size=4)


@given(
    st.lists(SERIES, max_size=6),
    GRAPHS,
    st.none() | st.tuples(NAMES, KINDS),
    st.none() | ANY,
    st.lists(SERIES, max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_no_metrics_are_too_strange(
    metrics: list[Metric],
    graph: dict[str, list[str]] | None,
    symptom: tuple[str, str] | None,
    onset: float | None,
    normal: list[Metric],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rank(metrics, graph, symptom=symptom, onset=onset, normal=normal)
    assert all(np.isfinite(each.score) and each.score > 0 for each in found.suspects)
    assert [each.score for each in found.suspects] == sorted((each.score for each in found.suspects), reverse=True)
    assert not found.blamed or found.changed


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 60.0, 120.0, 1e9, 1e12]), st.floats(-1e99, 1e99)), min_size=3, max_size=40)
)
@settings(max_examples=50, deadline=None)
def test_odd_clocks_and_units_make_no_numbers_that_are_none(points: list[tuple[float, float]]) -> None:
    times, values = [t for t, _ in points], [v for _, v in points]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rank([Metric("a", "latency", times, values), Metric("b", "cpu", times, values[::-1])])
    assert all(np.isfinite(each.score) for each in found.suspects)
