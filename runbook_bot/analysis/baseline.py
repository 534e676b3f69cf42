"""What is usual at a time: by weekday and hour where history reaches back far enough, by hour, or altogether.

The finest frame is taken in which enough different days are seen (hour of the week as in the seasonal profiles of
Holt-Winters and of CloudWatch's own anomaly bands), its range by quantiles, so that one odd day decides nothing alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from runbook_bot.analysis.shift import Floats, clean

Frame = Literal["weekday and hour", "hour", "all"]
HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
DAYS = 3
"""Different days, or weeks, that a frame has to have seen."""
TOLERANCE = 1800.0
"""Seconds around the time of day that count as the same time."""
POINTS = 5
"""Points below which nothing is usual."""


@dataclass(frozen=True)
class Baseline:
    """The usual range and middle, and how well the time of day is known."""

    low: float
    middle: float
    high: float
    frame: Frame
    points: int

    def holds(self, level: float, slack: float = 0.0) -> bool:
        """Whether a level is nothing unusual, with that much slack on either side."""
        return self.low - slack <= level <= self.high + slack


def baseline(times: object, values: object, start: float, end: float) -> Baseline | None:
    """What the history says of the time from `start` to `end` (epoch seconds); None where it says nothing.

    Only points before `start` count. Times of day and weekdays are those of UTC: what repeats does so in any zone.
    """
    t, v = clean(times, values)
    t, v = t[t < start], v[t < start]
    if t.size < POINTS:
        return None
    length = max(end - start, 0.0)
    for period, frame in ((WEEK, "weekday and hour"), (DAY, "hour")):
        if length + 2 * TOLERANCE >= period:
            continue
        back = np.mod(t - start + TOLERANCE, period)
        same = back <= length + 2 * TOLERANCE
        seen = np.unique(np.floor((t[same] - start + TOLERANCE) / period))
        if seen.size >= DAYS and same.sum() >= POINTS:
            return _of(v[same], "weekday and hour" if frame == "weekday and hour" else "hour")
    return _of(v, "all")


def _of(values: Floats, frame: Frame) -> Baseline:
    low, middle, high = (float(each) for each in np.quantile(values, (0.02, 0.5, 0.98)))
    return Baseline(low, middle, high, frame, int(values.size))
