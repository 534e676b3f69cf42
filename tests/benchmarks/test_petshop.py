"""Root causes of PetShop's incidents: top-1, top-3, and how often nothing is blamed in normal time.

All visible incidents have the same node at fault, so the method was made on faults put into normal time at every node
that the complaining one waits for (`injected`, other seeds); the incidents were then looked at. Published, on all 52:
ranked correlation .654/.827 at a specificity of .625 on its test part; chance .025/.075.
"""

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_bot.analysis.callers import reached
from runbook_bot.analysis.grid import Metric
from runbook_bot.analysis.ranking import Ranking, rank
from tests.benchmarks.intervals import chance, half, interval

PETSHOP = Path(__file__).parents[3] / "shared" / "data" / "petshop"
pytestmark = pytest.mark.skipif(not PETSHOP.is_dir(), reason="no ../shared/data/petshop beside this repository")
SCENARIOS = ("low_traffic", "high_traffic")
WINDOW = 5
STEP = 300.0
COMPLAINING = "PetSite"
IN_PARALLEL = "StateMachine"
"""What is started and not waited for: a fault in it is not felt by its caller."""
INJECTED = 25
"""Incidents of each kind and scenario that are put into normal time."""
Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Told:
    name: str
    place: int
    """Of the node at fault, from 1; beyond all where it is not named, or nothing is."""
    nodes: int


@dataclass(frozen=True)
class Period:
    """Means and sums by node and kind."""

    times: Floats
    values: Mapping[tuple[str, str], Floats]

    def metrics(self, rows: Rows) -> list[Metric]:
        return [Metric(*key, self.times[rows], values[rows]) for key, values in self.values.items()]


def read(path: Path) -> Period:
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.reader(file) if line]
    nodes, kinds, statistics = lines[:3]
    points = [line for line in lines[3:] if line[0] != "unix_timestamp"]
    table = np.array([[float(cell) if cell else np.nan for cell in line] for line in points])
    columns = [c for c in range(1, len(nodes)) if statistics[c] in ("Average", "Sum")]
    return Period(table[:, 0], {(nodes[c], kinds[c]): table[:, c] for c in columns})


@cache
def normal(scenario: str) -> Period:
    return read(PETSHOP / scenario / "normal" / "metrics.csv")


@cache
def graph(scenario: str) -> dict[str, list[str]]:
    with (PETSHOP / scenario / "graph.csv").open(newline="", encoding="utf-8") as file:
        head, *lines = csv.reader(file)
    return {row[0]: [called for called, calls in zip(head[1:], row[1:], strict=True) if float(calls)] for row in lines}


def everything(period: Period) -> list[Metric]:
    return period.metrics(np.ones(period.times.size, dtype=np.bool_))


def told(name: str, found: Ranking, truth: str, nodes: int) -> Told:
    return Told(name, found.blamed.index(truth) + 1 if truth in found.blamed else nodes + 1, nodes)


def incidents(*, onset_given: bool) -> Iterator[Told]:
    for scenario in SCENARIOS:
        usual = everything(normal(scenario))
        for folder in sorted((PETSHOP / scenario).glob("issue_*")):
            target = json.loads((folder / "target.json").read_text("utf-8"))
            hurts = target["target"]
            found = rank(
                everything(read(folder / "metrics.csv")),
                graph(scenario),
                symptom=(hurts["node"], hurts["metric"]),
                onset=hurts["timestamp"] if onset_given else None,
                normal=usual,
            )
            nodes = len(reached(graph(scenario), hurts["node"]))
            yield told(f"{scenario}/{folder.name}", found, target["root_cause"]["node"], nodes)


def calm_windows() -> Iterator[tuple[str, bool]]:
    """Each window of the normal time that overlaps no other, against the rest of it, and whether nothing is blamed."""
    for scenario in SCENARIOS:
        period = normal(scenario)
        for kind in ("latency", "availability"):
            for start in range(0, period.times.size - WINDOW, WINDOW):
                inside: Rows = np.zeros(period.times.size, dtype=np.bool_)
                inside[start : start + WINDOW] = True
                found = rank(
                    period.metrics(inside),
                    graph(scenario),
                    symptom=(COMPLAINING, kind),
                    onset=float(period.times[start + 2]),
                    normal=period.metrics(~inside),
                )
                yield f"{scenario} {kind} {start}", not found.blamed


def injected(seed: int) -> Iterator[Told]:
    """Faults in normal windows, at a random node, handed on to its callers up to the one that complains."""
    rng = np.random.default_rng(seed)
    for scenario in SCENARIOS:
        period, calls = normal(scenario), graph(scenario)
        usual = everything(period)
        nodes = reached(calls, COMPLAINING)
        waiting = {caller: [c for c in called if IN_PARALLEL not in c] for caller, called in calls.items()}
        for kind in ("latency", "availability"):
            places = [n for n in reached(waiting, COMPLAINING) if measured(period, n, kind)]
            for number in range(INJECTED):
                truth = str(rng.choice(places))
                start = int(rng.integers(0, period.times.size - WINDOW))
                values, onset = faulty(period, waiting, kind, truth, start, rng)
                window = [Metric(*key, period.times[start : start + WINDOW], each) for key, each in values.items()]
                found = rank(window, calls, symptom=(COMPLAINING, kind), onset=onset, normal=usual)
                yield told(f"{scenario} {kind} {number}", found, truth, len(nodes))


def measured(period: Period, node: str, kind: str) -> bool:
    values, requests = period.values.get((node, kind)), period.values.get((node, "requests"))
    return (
        values is not None
        and requests is not None
        and bool(np.isfinite(values).mean() > 0.9 and np.median(np.nan_to_num(requests)) >= 3)
    )


def faulty(
    period: Period, calls: Mapping[str, list[str]], kind: str, truth: str, start: int, rng: np.random.Generator
) -> tuple[dict[tuple[str, str], Floats], float]:
    """The window with a fault of two to ten times the complaining node's usual fluctuation, and when it is noticed."""
    rows = slice(start, start + WINDOW)
    values = {key: each[rows].copy() for key, each in period.values.items()}
    begins, length = 2, int(rng.integers(1, 3))
    own = period.values[COMPLAINING, kind]
    fluctuation = max(float(np.median(np.abs(np.diff(own)))), 0.3 if kind == "availability" else 0.0)
    load = np.nan_to_num(values[COMPLAINING, "requests"])
    excess = np.zeros(WINDOW)
    hurting = slice(begins, begins + length)
    excess[hurting] = rng.uniform(2, 10) * fluctuation * load[hurting] * rng.uniform(0.6, 1.4, length)
    suffered = {truth: excess}
    for node in upwards(calls, truth):
        callers = [caller for caller in reached(calls, COMPLAINING) if node in calls.get(caller, ())]
        shares: Floats = rng.dirichlet([2.0] * len(callers)) if callers else np.empty(0)
        for caller, share in zip(callers, shares, strict=True):
            handed = suffered[node] * share * rng.uniform(0.7, 1.1)
            suffered[caller] = suffered.get(caller, np.zeros(WINDOW)) + handed
        requests = np.nan_to_num(values[node, "requests"])
        each = np.where(requests > 0, suffered[node] / np.maximum(requests, 1), 0.0)
        there = values[node, kind]
        values[node, kind] = np.maximum(there - each, 0.0) if kind == "availability" else there + each
    return values, float(period.times[start] + STEP * begins + rng.uniform(-STEP / 2, STEP / 2))


def upwards(calls: Mapping[str, list[str]], truth: str) -> list[str]:
    """The node and all that reach it, called before caller."""
    within = [node for node in reached(calls, COMPLAINING) if truth in reached(calls, node)]
    return sorted(within, key=lambda node: sum(each in within for each in reached(calls, node)))


def shown(title: str, cases: list[Told]) -> None:
    first, third = [float(c.place == 1) for c in cases], [float(c.place <= 3) for c in cases]
    by_chance = (np.mean([chance(1, c.nodes) for c in cases]), np.mean([chance(3, c.nodes) for c in cases]))
    sys.stdout.write(
        f"{title:34} top-1 {interval(first)}  top-3 {interval(third)}  chance {by_chance[0]:.3f}/{by_chance[1]:.3f}\n"
    )


def share(cases: list[Told], k: int) -> float:
    return float(np.mean([each.place <= k for each in cases]))


def test_petshop(benchmark: BenchmarkFixture) -> None:
    def all_of_it() -> tuple[list[Told], list[Told], list[tuple[str, bool]]]:
        return list(incidents(onset_given=True)), list(incidents(onset_given=False)), list(calm_windows())

    given, found, calm = benchmark.pedantic(all_of_it, rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    for part in ("first", "second"):
        shown(f"PetShop, {part} half by hash", [each for each in given if half(each.name) == part])
        theirs = [float(nothing) for name, nothing in calm if half(name) == part]
        sys.stdout.write(f"{'':34} specificity {interval(theirs)}\n")
    shown("PetShop, all", given)
    shown("PetShop, all, onset not given", found)
    quiet = float(np.mean([nothing for _, nothing in calm]))
    sys.stdout.write(f"specificity in all normal time {quiet:.3f}\n")
    assert share(given, 1) >= 0.75
    assert share(given, 3) >= 0.90
    assert share(found, 1) >= 0.75
    assert quiet >= 0.80


def test_faults_put_into_normal_time_at_any_node(benchmark: BenchmarkFixture) -> None:
    cases: list[Told] = benchmark.pedantic(lambda: list(injected(20)), rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    shown("PetShop, injected faults", cases)
    assert share(cases, 1) >= 0.70, "the slightest of them are not felt at all"
    assert share(cases, 3) >= 0.75
