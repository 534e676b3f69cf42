"""Numenta's benchmark on its CloudWatch series, standard profile: above two of its own baselines.

Scores and baselines as published with the benchmark (Lavin and Ahmad, "Evaluating real-time anomaly detection
algorithms", ICMLA 2015): an alert early in a labelled window is worth most, each false one costs .11 at most, and
every detector's one threshold is the best one over the series scored. The windowed Gaussian has 6,400 points, renewed
by the hundred; the Bayesian change point (Adams and MacKay, 2007) a hazard of 1/250 and 500 run lengths, and its score
is the share by which the likeliest run length drops. Series are halved by a hash of their names.
"""

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from runbook_bot.analysis.surprise import surprise, told_once
from tests.benchmarks.intervals import half

NAB = Path(__file__).parents[3] / "shared" / "data" / "nab"
pytestmark = pytest.mark.skipif(not NAB.is_dir(), reason="no ../shared/data/nab beside this repository")
FALSE = 0.11
"""What a false alert costs in the standard profile."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class File:
    name: str
    values: Floats
    windows: tuple[tuple[int, int], ...]
    """First and last row of each labelled anomaly."""

    @property
    def probation(self) -> int:
        """Rows in which nothing counts."""
        return math.floor(0.15 * min(self.values.size, 5000))


def read(folder: str) -> list[File]:
    labelled = json.loads((NAB / "labels" / "combined_windows.json").read_text("utf-8"))
    found = []
    for path in sorted((NAB / "data" / folder).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            _, *lines = csv.reader(file)
        times = np.array([datetime.fromisoformat(line[0]).timestamp() for line in lines])
        spans = [
            [datetime.fromisoformat(at[:19]).timestamp() for at in span] for span in labelled[f"{folder}/{path.name}"]
        ]
        windows = tuple((int(np.searchsorted(times, a)), int(np.searchsorted(times, b))) for a, b in spans)
        found.append(File(path.name, np.array([float(line[1]) for line in lines]), windows))
    return found


def sigmoid(position: float) -> float:
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


def costs(file: File) -> Floats:
    """What a false alert at each row is worth, below zero: the nearer behind a window, the less it costs."""
    found = np.full(file.values.size, -FALSE)
    for (first, last), (following, _) in zip(file.windows, [*file.windows, (file.values.size, 0)][1:], strict=True):
        found[first : last + 1] = 0.0
        for row in range(last + 1, following):
            found[row] = FALSE * sigmoid((row - last) / max(last - first, 1))
    return found


def score(file: File, alerts: NDArray[np.bool_], false: Floats) -> float:
    alerts[: file.probation] = False
    total = float(false[alerts].sum())
    for first, last in file.windows:
        inside = np.flatnonzero(alerts[first : last + 1])
        total += sigmoid((first + inside[0] - last - 1) / (last - first + 1)) / sigmoid(-1) if inside.size else -1.0
    return total


def normalised(files: Sequence[File], scores: Sequence[Floats]) -> float:
    """0 for no alert at all, 100 for one at the start of every window and no other, at the best threshold."""
    false = [costs(file) for file in files]
    seen = np.unique(np.concatenate([each[file.probation :] for file, each in zip(files, scores, strict=True)]))
    places = np.unique(np.r_[np.linspace(0, 1, 100), 1 - np.logspace(-1, -5, 100)])
    best = max(
        sum(score(f, each >= threshold, cost) for f, each, cost in zip(files, scores, false, strict=True))
        for threshold in [*np.unique(np.quantile(seen, places)), seen[-1] + 1.0]
    )
    windows = sum(len(file.windows) for file in files)
    return 100 * (best + windows) / (2 * windows)


def windowed_gaussian(values: Floats, window: int = 6400, step: int = 100) -> Floats:
    found = np.zeros(values.size)
    for row in range(1, values.size):
        renewed = row if row <= window else window + (row - window) // step * step
        if row <= window or (row - window) % step == 0 or row == window + 1:
            past = values[max(0, renewed - window) : renewed]
            middle, width = float(past.mean()), float(past.std()) or 1e-6
        found[row] = 1 - 0.5 * math.erfc(abs(values[row] - middle) / width / math.sqrt(2))
    return found


def bayesian_change_point(values: Floats, hazard: float = 1 / 250, longest: int = 500) -> Floats:
    found = np.zeros(values.size)
    shape = 0.1 + 0.5 * np.arange(longest + 2)
    gammas = np.array([math.lgamma(each + 0.5) - math.lgamma(each) for each in shape])
    rate, mean, likely, before = np.array([0.001]), np.zeros(1), np.ones(1), 0
    for row, value in enumerate(values):
        n = likely.size
        a, k = shape[:n], 1.0 + np.arange(n)
        width = rate * (k + 1) / (a * k)
        log = (
            gammas[:n]
            - 0.5 * np.log(2 * a * np.pi * width)
            - (a + 0.5) * np.log1p((value - mean) ** 2 / (2 * a * width))
        )
        joint = likely * np.exp(log)
        grown = np.r_[joint.sum() * hazard, joint * (1 - hazard)]
        total = grown.sum()
        grown = grown / total if total > 0 else np.r_[1.0, np.zeros(n)]
        rate = np.r_[0.001, rate + k * (value - mean) ** 2 / (2 * (k + 1))][: longest + 1]
        mean = np.r_[0.0, (k * mean + value) / (k + 1)][: longest + 1]
        likely = grown[: longest + 1]
        run = int(np.argmax(likely))
        found[row] = 1 - run / before if 0 <= run < before else 0.0
        before = run
    return found


def ours(values: Floats) -> Floats:
    return told_once(surprise(values))


DETECTORS: dict[str, Callable[[Floats], Floats]] = {
    "surprise": ours,
    "windowed Gaussian": windowed_gaussian,
    "Bayesian change point": bayesian_change_point,
}


def test_nab(benchmark: BenchmarkFixture) -> None:
    files, others = read("realAWSCloudwatch"), read("realKnownCause")

    def all_of_them() -> dict[str, list[Floats]]:
        return {name: [detector(file.values) for file in files] for name, detector in DETECTORS.items()}

    scores = benchmark.pedantic(all_of_them, rounds=1, iterations=1)  # type: ignore[no-untyped-call]  # untyped there
    results = {}
    for name, each in scores.items():
        results[name] = normalised(files, each)
        parts = []
        for part in ("first", "second"):
            chosen = [place for place, file in enumerate(files) if half(file.name) == part]
            parts.append(f"{part} {normalised([files[p] for p in chosen], [each[p] for p in chosen]):.1f}")
        sys.stdout.write(f"{name:22} CloudWatch {results[name]:.1f} ({', '.join(parts)} half)\n")
    known = normalised(others, [ours(file.values) for file in others])
    sys.stdout.write(f"{'surprise':22} known causes {known:.1f}\n")
    assert results["surprise"] > results["windowed Gaussian"] + 5
    assert results["surprise"] > results["Bayesian change point"] + 5
