"""Bootstrap intervals, and cases split by their names into those that were looked at and those that were not."""

import hashlib
from collections.abc import Sequence

import numpy as np


def interval(scores: Sequence[float], seed: int = 0) -> str:
    """The mean and its bootstrap 95 % interval over cases."""
    values = np.asarray(scores, dtype=np.float64)
    drawn = np.random.default_rng(seed).choice(values, (2000, values.size)).mean(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}] of {values.size}"


def half(name: str) -> str:
    """`first` or `second`, by the name alone."""
    return ("first", "second")[hashlib.sha256(name.encode()).digest()[0] % 2]


def chance(k: int, candidates: int) -> float:
    """How often the one node at fault is among the first k of a random order."""
    return min(k, candidates) / candidates
