"""Did a series change, when, and by how much: told without knowing the onset.

The segment that differs most from the rest is found by the scan statistic for an epidemic change (Levin and Kline,
"The CUSUM test of homogeneity with an application in spontaneous abortion epidemiology", Statistics in Medicine 4,
1985; as circular binary segmentation in Olshen et al., Biostatistics 5, 2004). Level and spread are medians and
median absolute deviations, so that a few wild points decide nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Moved = Literal["rises", "falls", "steady"]

FEWEST = 8
"""Points below which nothing is said."""
LONGEST = 480
"""Points above which the series is averaged in blocks before the scan: the scan is quadratic."""
EFFECT = 4.0
"""Robust standard deviations below which a difference is noise."""
RELATIVE = 0.15
"""Share of the baseline below which a difference does not matter to anybody."""
SHORT = 2700.0
"""Seconds up to which a series may hold nothing but the trouble."""
TREND = 0.8
"""Share by which pairs of points that agree with a trend outnumber those that do not."""
LARGEST = 1e100
"""Values beyond are no measurements; the squares of those below are still numbers."""


@dataclass(frozen=True)
class Shift:
    """How a series moved. Times are epoch seconds; `effect` is in robust standard deviations of the baseline."""

    moved: Moved
    enough: bool
    """Whether there were points enough to tell."""
    onset: float | None = None
    ended: float | None = None
    """When it came back, if it did before the last point."""
    baseline: float = 0.0
    level: float = 0.0
    """Median while it is moved (of the last third for a climb, so that a climb is told at its height)."""
    peak: float = 0.0
    effect: float = 0.0
    points: int = 0

    @property
    def ratio(self) -> float:
        """Level over baseline; infinite from a baseline of zero."""
        if self.baseline:
            return self.level / self.baseline
        return float("inf") if self.level else 1.0


def clean(times: object, values: object) -> tuple[Floats, Floats]:
    """Finite points only, in order of time, one for each time (the last one given)."""
    t = np.asarray(times, dtype=np.float64)
    v = np.asarray(values, dtype=np.float64)
    finite = (np.abs(t) < LARGEST) & (np.abs(v) < LARGEST)
    t, v = t[finite], v[finite]
    order = np.argsort(t, kind="stable")
    t, v = t[order], v[order]
    if t.size:
        last = np.append(t[1:] != t[:-1], True)
        t, v = t[last], v[last]
    return t, v


def filled(times: Floats, values: Floats, start: float, end: float, step: float) -> tuple[Floats, Floats]:
    """A count series with zeros where nothing was counted: vendors leave out the minutes in which nothing happened."""
    grid = np.arange(np.ceil(start / step) * step, end, step)
    if not grid.size:
        return times, values
    counts = np.zeros_like(grid)
    index = np.round((times - grid[0]) / step).astype(np.int64)
    inside = (index >= 0) & (index < grid.size)
    np.add.at(counts, index[inside], values[inside])
    return grid, counts


def spread(values: Floats) -> float:
    """A robust standard deviation: 1.4826 MAD, floored so that a flat baseline does not make noise look like news."""
    if not values.size:
        return 1.0
    middle = float(np.median(values))
    mad = 1.4826 * float(np.median(np.abs(values - middle)))
    ordinary = float(np.std(values))
    return max(mad, 0.3 * ordinary, 0.02 * abs(middle), 1e-9)


def shift(times: object, values: object, *, counts: bool = False) -> Shift:
    """The largest change of a series. `counts` adds Poisson noise to the spread.

    A segment at the end is an onset that lasts; one inside is an episode that ended; one at the start is read as the
    old level, since an incident is a departure from what was before.
    """
    t, v = clean(times, values)
    if t.size < FEWEST:
        return Shift("steady", enough=False, points=int(t.size))
    first, last = _segment(v)
    begins, ends = (last, t.size) if first == 0 else (first, last)
    begins = min(_walk_back(v, begins, counts), ends - 1)
    before = v[:begins] if begins >= 3 else v[: max(3, begins)]
    baseline = float(np.median(before))
    noise = _noise(before, counts)
    during = v[begins:ends]
    level = _level(during, baseline)
    effect = (level - baseline) / noise
    # Two wild points in hundreds are likely by chance alone: a short segment has to stand out further.
    needed = EFFECT if during.size >= 4 else 2 * EFFECT
    moved = _verdict(effect, level, baseline, needed)
    if moved == "steady" or begins < 3:
        trend = _trend(t, v, counts)
        if trend is not None:
            return trend
        usual = float(np.median(v))
        return Shift("steady", True, baseline=usual, level=usual, peak=float(v.max()), points=int(t.size))
    peak = float(during.max() if moved == "rises" else during.min())
    ended = float(t[ends]) if _is_back(v[ends:], baseline, level) else None
    return Shift(moved, True, float(t[begins]), ended, baseline, level, peak, float(effect), int(t.size))


def _trend(t: Floats, v: Floats, counts: bool) -> Shift | None:
    """A climb or fall that fills a short series from its first point: under way before anybody looked.

    Kendall's tau against time (Mann, "Nonparametric tests against trend", Econometrica 13, 1945). In a long series
    such a trend is the time of day.
    """
    if t[-1] - t[0] > SHORT:
        return None
    pairs = np.sign(v[None, :] - v[:, None])[np.triu_indices(v.size, 1)]
    baseline, level = float(np.median(v[:3])), float(np.median(v[-max(3, v.size // 3) :]))
    effect = (level - baseline) / _noise(np.diff(v) + baseline, counts)
    if abs(float(pairs.mean())) < TREND:
        return None
    moved = _verdict(effect, level, baseline, EFFECT / 2)
    if moved == "steady":
        return None
    peak = float(v.max() if moved == "rises" else v.min())
    return Shift(moved, True, float(t[0]), None, baseline, level, peak, float(effect), int(t.size))


def _level(during: Floats, baseline: float) -> float:
    """One wild point, alone or beside a calm one, is no episode: of so few the second most distant counts."""
    if during.size <= 2:
        distant = sorted(during, key=lambda value: -abs(value - baseline))
        return float(distant[1]) if during.size == 2 else baseline
    return float(np.median(during[-max(3, during.size // 3) :]))


def _is_back(after: Floats, baseline: float, level: float) -> bool:
    """A single calm point at the end is not the end of it."""
    return after.size >= 2 and abs(float(np.median(after[:5])) - baseline) < 0.5 * abs(level - baseline)


def onset_between(times: object, values: object, found: Shift) -> tuple[float, float] | None:
    """The earliest and latest moment that fit as the onset of a shift found in that series; None where it has none.

    Moments at which two levels explain the points up to the end of the shift about as well as at the best one: within
    the 95 % quantile of twice the logarithm of the likelihood ratio (Hinkley, "Inference about the change-point in a
    sequence of random variables", Biometrika 57, 1970).
    """
    if found.onset is None:
        return None
    t, v = clean(times, values)
    kept = t < found.ended if found.ended is not None else np.ones(t.size, dtype=bool)
    t, v = t[kept], v[kept]
    if t.size < FEWEST:
        return found.onset, found.onset
    middle, scale = float(np.median(v)), spread(v)
    v = np.clip(v, middle - 12 * scale, middle + 12 * scale) - middle
    sums, before = np.cumsum(v)[:-1], np.arange(1, v.size)
    explained = sums**2 / before + (v.sum() - sums) ** 2 / (v.size - before)
    left = np.maximum(float((v**2).sum()) - explained, 1e-12 * scale**2)
    fitting = np.flatnonzero(v.size * np.log(left / left.min()) <= 3.84) + 1
    return min(float(t[fitting[0]]), found.onset), max(float(t[fitting[-1]]), found.onset)


def around(times: object, values: object, onset: float, *, counts: bool = False) -> Shift:
    """How a series differs before and after a moment that is known from elsewhere; same units as `shift`."""
    t, v = clean(times, values)
    before, after = v[t < onset], v[t >= onset]
    if before.size < 3 or after.size < 2:
        return Shift("steady", enough=False, points=int(t.size))
    baseline, level = float(np.median(before)), float(np.median(after))
    effect = (level - baseline) / _noise(before, counts)
    moved = _verdict(effect, level, baseline)
    return Shift(moved, True, onset if moved != "steady" else None, None, baseline, level,
                 float(after.max() if level >= baseline else after.min()), float(effect), int(t.size))  # fmt: skip


def _verdict(effect: float, level: float, baseline: float, needed: float = EFFECT) -> Moved:
    if abs(effect) < needed or abs(level - baseline) < RELATIVE * abs(baseline):
        return "steady"
    return "rises" if effect > 0 else "falls"


def _noise(before: Floats, counts: bool) -> float:
    noise = spread(before)
    return max(noise, float(np.sqrt(max(np.median(before), 0.0))), 0.5) if counts else noise


def _segment(v: Floats) -> tuple[int, int]:
    """First and one-past-last index of the segment whose mean differs most from the rest."""
    block = max(1, int(np.ceil(v.size / LONGEST)))
    short = v if block == 1 else _blocks(v, block)
    # Winsorised: a single spike is no episode.
    middle, scale = float(np.median(short)), spread(short)
    short = np.clip(short, middle - 12 * scale, middle + 12 * scale)
    n = short.size
    sums = np.concatenate([[0.0], np.cumsum(short - short.mean())])
    allowed, norm = _places(n)
    gain = np.full(allowed.shape, -1.0)
    differences = sums[None, :] - sums[:, None]
    gain[allowed] = np.abs(differences[allowed]) / norm
    first, last = np.unravel_index(int(np.argmax(gain)), gain.shape)
    return int(first) * block, min(int(last) * block, v.size)


@lru_cache(maxsize=16)
def _places(n: int) -> tuple[NDArray[np.bool_], Floats]:
    """Which segments of n points are long and short enough, and what their sums are divided by: the same for all."""
    lengths = np.arange(n + 1)[None, :] - np.arange(n + 1)[:, None]
    shortest = max(2, n // 60)
    allowed = (lengths >= shortest) & (lengths <= n - shortest)
    share = lengths[allowed] / n
    return allowed, np.sqrt(n * share * (1 - share))


def _blocks(v: Floats, block: int) -> Floats:
    whole = v.size - v.size % block
    means = v[:whole].reshape(-1, block).mean(axis=1)
    return np.append(means, v[whole:].mean()) if whole < v.size else means


def _walk_back(v: Floats, begins: int, counts: bool) -> int:
    """The first index of an unbroken departure that leads to `begins`: a climb starts before its middle."""
    for _ in range(3):
        calm = v[: max(3, int(begins * 0.6))]
        middle, band = float(np.median(calm)), 3.0 * _noise(calm, counts)
        outside = np.abs(v - middle) > band
        index = begins
        while index > 3 and (outside[index - 1] or outside[index - 2]):
            index -= 1
        if index == begins:
            break
        begins = index
    calm = v[: max(3, begins)]
    middle, band = float(np.median(calm)), _noise(calm, counts)
    while begins < v.size - 1 and abs(v[begins] - middle) < band:
        begins += 1
    return begins
