"""How unusual each point of a series is against its own past, as it comes in; an episode is told once.

Two views, the larger counts: the point itself, and the mean of the last hour or so, for shifts too slight for a single
point. Both are robust z-scores against a sliding past, with the scale of `departure.scale`: where leaps are usual, a
leap is no surprise (one-sided quantiles, as in the conformal anomaly detectors of the Numenta benchmark, Burnaev and
Ishimtsev, "Conformalized density- and distance-based anomaly detection", 2016).
"""

import numpy as np

from runbook_bot.analysis.departure import scale
from runbook_bot.analysis.shift import Floats

PAST = 1000
"""Points of the past that count."""
RECENT = 12
"""Points whose mean is looked at."""
LEAST = 20
"""Points of the past below which nothing is a surprise."""
EVERY = 4
"""Points after which the past is looked at anew."""
QUIET = 100
"""Points for which an episode goes on being the same one, unless it becomes worse."""


def surprise(values: Floats) -> Floats:
    """Standard deviations by which each point is out of what came before it. `values` in order of time, finite.

    Linear in the points. A slow climb is no surprise: past and present go together.
    """
    return np.maximum(_against_past(values), _against_past(_recent(values)))


def told_once(surprises: Floats, quiet: int = QUIET) -> Floats:
    """Zero where the same was as bad within the last `quiet` points: what is left are the beginnings of episodes."""
    if not surprises.size:
        return surprises
    before = np.concatenate([np.zeros(quiet), surprises[:-1]])
    worst = np.lib.stride_tricks.sliding_window_view(before, quiet).max(axis=1)
    return np.where(surprises > worst[: surprises.size], surprises, 0.0)


def _recent(values: Floats) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, values.size + 1)
    starts = np.maximum(ends - RECENT, 0)
    means: Floats = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def _against_past(values: Floats) -> Floats:
    found = np.zeros(values.size)
    for now in range(LEAST, values.size, EVERY):
        past = values[max(0, now - PAST) : now]
        middle = float(np.median(past))
        # A fall is held against the falls of the past, a rise against its rises.
        width = np.maximum(scale(np.stack([past, -past], axis=1)), 1e-9 + 1e-6 * abs(middle))
        away = values[now : now + EVERY] - middle
        found[now : now + EVERY] = np.where(away > 0, away / width[0], -away / width[1])
    return found
