"""How far each column of a grid departs within a segment of a window, held against what normal windows do.

The scale of a departure is that of the very same difference in every window of the normal time (a conformal view: no
distribution is assumed), and at least what counting alone explains. Where there is no normal time apart, it is the
spread of what came before the segment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from runbook_bot.analysis.shift import Floats

SHORT = 12
"""Rows up to which every segment of a window is tried; in a longer one the common change is looked for first."""
WINDOWS = 400
"""Windows of the normal time that are looked at."""
ENOUGH = 20
"""Windows of the normal time below which they tell nothing."""
NEGLIGIBLE = 0.05
"""Share of the usual level below which a departure is no news to anybody."""


@dataclass(frozen=True)
class Segment:
    """Rows `[begins, ends)` of a window of `rows` rows."""

    begins: int
    ends: int
    rows: int

    @property
    def length(self) -> int:
        return self.ends - self.begins

    @property
    def early(self) -> int:
        """The first rows, where they are enough to be compared with; else 0, and what is outside is compared with."""
        return self.begins if self.begins >= max(3, self.rows // 4) else 0


@dataclass(frozen=True)
class Sums:
    """Running sums of the finite values of a grid, so that the mean of any rows costs nothing."""

    sums: Floats
    counts: Floats

    @classmethod
    def of(cls, values: Floats) -> "Sums":
        finite = np.isfinite(values)
        none = np.zeros((1, values.shape[1]))
        return cls(
            np.vstack([none, np.cumsum(np.where(finite, values, 0.0), axis=0)]),
            np.vstack([none, np.cumsum(finite, axis=0, dtype=np.float64)]),
        )

    def inside(self, starts: Floats, segment: Segment) -> Floats:
        """The mean within the segment of each window that starts there; NaN where there is nothing."""
        return _mean(*self._total(starts, segment.begins, segment.ends))

    def outside(self, starts: Floats, segment: Segment) -> Floats:
        """The mean before the segment, or around it where little is before; NaN below two points."""
        if segment.early:
            total, count = self._total(starts, 0, segment.early)
        else:
            total, count = self._total(starts, 0, segment.rows)
            own, own_count = self._total(starts, segment.begins, segment.ends)
            total, count = total - own, count - own_count
        return _mean(total, count, least=2)

    def _total(self, starts: Floats, begins: int, ends: int) -> tuple[Floats, Floats]:
        first, last = starts.astype(np.int64) + begins, starts.astype(np.int64) + ends
        return self.sums[last] - self.sums[first], self.counts[last] - self.counts[first]


def _mean(total: Floats, count: Floats, least: int = 1) -> Floats:
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)


def segments(rows: int, earliest: int) -> Iterator[Segment]:
    """All segments of a short window that begin no earlier and leave two rows, and at least as many as they take."""
    for begins in range(max(0, earliest), rows):
        for ends in range(begins + 1, rows + 1):
            if rows - (ends - begins) >= max(2, (ends - begins) - 1):
                yield Segment(begins, ends, rows)


def between(rows: int, moments: Sequence[int]) -> Iterator[Segment]:
    """From each moment of change to each later one, and to the end of the window."""
    for place, begins in enumerate(moments):
        for ends in [*moments[place + 1 :], rows]:
            yield Segment(begins, ends, rows)


def starts_of(rows: int, window: int) -> Floats:
    """Where windows of that length begin in so many rows: each row, or evenly spread ones."""
    every = max(0, rows - window + 1)
    if every <= WINDOWS:
        return np.arange(every, dtype=np.float64)
    return np.floor(np.linspace(0, every - 1, WINDOWS))


def scale(values: Floats) -> Floats:
    """A standard deviation for each column, which a few wild rows do not decide and a heavy tail does; 0 if unknown."""
    finite = np.isfinite(values)
    counts = finite.sum(axis=0)
    ordered = np.sort(np.where(finite, values, np.inf), axis=0)
    middle = quantile(ordered, counts, 0.5)
    distances = np.where(finite, np.abs(values - middle), np.inf)
    robust = 1.4826 * quantile(np.sort(distances, axis=0), counts, 0.5)
    held = np.where(finite, values - middle, 0.0)
    ordinary = np.sqrt((held**2).sum(axis=0) / np.maximum(counts, 1))
    # A metric that often leaps is no news when it leaps: one-sided quantiles, as of a normal distribution.
    tails = [(quantile(ordered, counts, share) - middle) / z for share, z in ((0.95, 1.645), (0.99, 2.326))]
    return np.asarray(np.maximum.reduce([robust, 0.3 * ordinary, *tails]), dtype=np.float64)


def quantile(ordered: Floats, counts: Floats, share: float) -> Floats:
    """Of sorted columns of which the first `counts` are values; 0 where there is none."""
    if not ordered.shape[0]:
        return np.zeros(ordered.shape[1])
    row = np.clip(np.ceil(share * counts).astype(np.int64) - 1, 0, ordered.shape[0] - 1)
    return np.where(counts > 0, ordered[row, np.arange(ordered.shape[1])], 0.0)
