"""When many series changed together, told without knowing the onset.

Each series is put into ranks, so that no unit, no outlier and no skew counts; its CUSUM of ranks (Pettitt, "A
non-parametric approach to the change-point problem", Applied Statistics 28, 1979) is standardised for every split and
the squares are added over the series, as in the multivariate test of Lung-Yut-Fong, Lévy-Leduc and Cappé
("Homogeneity and change-point detection tests for multivariate data using rank statistics", 2011).
"""

import numpy as np

from runbook_bot.analysis.shift import Floats

EDGE = 3
"""Rows at either end that are too few to be a side."""


def ranks(values: Floats) -> Floats:
    """Columns as mid-ranks of mean 0 and variance 1; gaps and constant columns are 0."""
    found = np.zeros(values.shape)
    for column in range(values.shape[1]):
        there = np.isfinite(values[:, column])
        if there.sum() < 2:
            continue
        _, inverse, counts = np.unique(values[there, column], return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        middle = ((ends - counts + 1 + ends) / 2)[inverse]
        middle = middle - middle.mean()
        scale = middle.std()
        found[there, column] = middle / scale if scale > 0 else 0.0
    return found


def split(values: Floats, lowest: int | None = None, highest: int | None = None) -> int | None:
    """The row from which on the columns differ most from before, within the bounds; None where there are too few."""
    rows = values.shape[0]
    lowest, highest = max(EDGE, lowest or 0), min(rows - EDGE, rows if highest is None else highest)
    if lowest > highest or not values.shape[1]:
        return None
    sums = np.cumsum(ranks(values), axis=0)[:-1]
    before = np.arange(1, rows)[:, None]
    strength = (sums**2 / (before * (rows - before) / rows)).sum(axis=1)
    return lowest + int(np.argmax(strength[lowest - 1 : highest]))


def splits(values: Floats, lowest: int | None = None, highest: int | None = None) -> list[int]:
    """The strongest split and, an episode having two ends, the strongest on either side of it; ascending."""
    first = split(values, lowest, highest)
    if first is None:
        return []
    before, after = split(values[:first]), split(values[first:])
    around = [before, None if after is None else first + after]
    return sorted({first, *(each for each in around if each is not None)})
