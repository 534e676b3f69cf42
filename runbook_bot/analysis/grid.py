"""Metrics of many nodes on one grid of time: gaps stay gaps, whatever their steps, order and doubles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from runbook_bot.analysis.shift import Floats, clean

MOST = 720
"""Rows of a grid; a longer window is put on a coarser one."""
KEPT = 5000
"""Rows of a grid whose step is given; of a longer one the end is kept."""


@dataclass(frozen=True)
class Metric:
    """One measure of one node.

    `times` are epoch seconds in any order, `values` as many; what is not finite is a gap. `kind` says what is measured:
    `latency` (seconds a request takes), `requests` (count a step), `errors` (count a step), `error_rate` (0 to 1) and
    `availability` (percent, or 0 to 1) are understood; any other word is a measure of which only its moves are known.
    """

    node: str
    kind: str
    times: ArrayLike
    values: ArrayLike


@dataclass(frozen=True)
class Grid:
    """`values[row, column]`: the mean of metric `column` in the step that begins at `times[row]`; NaN where nothing.

    Steps in which nothing at all was measured have no row.
    """

    times: Floats
    step: float
    values: Floats


def usual_step(metrics: Sequence[Metric]) -> float:
    """Seconds between points as most of them have it; a minute where nothing tells."""
    steps = []
    for each in metrics:
        times, _ = clean(each.times, each.values)
        if times.size > 1:
            steps.append(float(np.median(np.diff(times))))
    return max(float(np.median(steps)), 1e-3) if steps else 60.0


def gridded(metrics: Sequence[Metric], step: float | None = None) -> Grid:
    """All metrics over the time that any of them covers, or its end. Cost is linear in the points, but for sorting."""
    cleaned = [clean(each.times, each.values) for each in metrics]
    own = step or usual_step(metrics)
    origin = min((float(times[0]) for times, _ in cleaned if times.size), default=0.0)
    steps = [np.floor((times - origin) / own + 1e-9) for times, _ in cleaned]
    covered = np.unique(np.concatenate(steps)) if steps else np.empty(0)
    together = -(-covered.size // MOST) if step is None else 1
    covered = covered[-KEPT * together :]
    rows = -(-covered.size // together) if covered.size else 0
    values = np.full((rows, len(metrics)), np.nan)
    for column, (at, (_, points)) in enumerate(zip(steps, cleaned, strict=True)):
        kept = at >= covered[0] if covered.size else np.zeros(0, dtype=bool)
        place = np.searchsorted(covered, at[kept]) // max(together, 1)
        counts = np.bincount(place, minlength=rows)
        sums = np.bincount(place, weights=points[kept], minlength=rows)
        filled = counts > 0
        values[filled, column] = sums[filled] / counts[filled]
    return Grid(origin + covered[:: max(together, 1)] * own, own * max(together, 1), values)


@dataclass(frozen=True)
class Table:
    """A grid whose columns are found by node and kind."""

    grid: Grid
    columns: Mapping[tuple[str, str], int]

    @property
    def rows(self) -> int:
        return int(self.grid.times.size)

    def of(self, nodes: Sequence[str], kind: str) -> Floats:
        """That kind of those nodes, a column each; NaN where it is not measured."""
        found = np.full((self.rows, len(nodes)), np.nan)
        for place, node in enumerate(nodes):
            column = self.columns.get((node, kind))
            if column is not None:
                found[:, place] = self.grid.values[:, column]
        return found


def tabled(metrics: Sequence[Metric], step: float | None = None) -> Table:
    """The first metric of each node and kind, on a grid of that step (the usual one, or coarser, without)."""
    first: dict[tuple[str, str], Metric] = {}
    for each in metrics:
        first.setdefault((each.node, each.kind), each)
    return Table(gridded(list(first.values()), step), {key: place for place, key in enumerate(first)})
