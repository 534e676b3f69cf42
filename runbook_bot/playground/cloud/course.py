"""The course of the fault: when it holds, how bad it is, and how it fades after the right repair."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from runbook_bot.playground.cloud.plot import Fault

Array = Any
"""A numpy array of floats, one per moment."""


@dataclass
class Course:
    """`began` and the spans in which the fault holds are epoch seconds; the last span may be open."""

    fault: Fault | None
    began: float = 0.0
    spans: list[tuple[float, float | None]] = field(default_factory=list)

    @classmethod
    def of(cls, fault: Fault | None, now: float) -> "Course":
        began = now + fault.onset.total_seconds() if fault else now
        over = began + fault.lasts.total_seconds() if fault and fault.lasts else None
        return cls(fault, began, [(began, over)] if fault else [])

    def unmended(self) -> "Course":
        """The same fault, had nobody done anything about it."""
        return Course(self.fault, self.began, [(since, None) for since, _ in self.spans[:1]])

    @property
    def active(self) -> bool:
        return bool(self.spans) and self.spans[-1][1] is None

    def mend(self, at: float) -> None:
        if self.active:
            self.spans[-1] = (self.spans[-1][0], at)

    def relapse(self, at: float) -> None:
        """The fault is back as bad as it would be by now, as when the bad revision is rolled out once more."""
        if self.fault and not self.active:
            self.spans.append((at, None))

    def severity(self, times: Array, delay: timedelta, rise: timedelta | None) -> Array:
        """0 where the fault does not touch, 1 in full, more where it has grown; per moment."""
        times = np.asarray(times, dtype=float)
        if self.fault is None:
            return np.zeros_like(times)
        climb = max((self.fault.rise if rise is None else rise).total_seconds(), 0.001)
        since = times - (self.began + delay.total_seconds())
        grown = np.clip(1 + self.fault.growth * np.maximum(since - climb, 0) / 60, 1, self.fault.worst)
        return np.clip(since / climb, 0.0, 1.0) * grown * self._hold(self.fault, times)

    def _hold(self, fault: Fault, times: Array) -> Array:
        """1 while it holds, falling in a straight line to 0 once it was mended."""
        fading = max(fault.recovery.total_seconds(), 0.001)
        held = np.zeros_like(times)
        for since, until in self.spans:
            left = np.ones_like(times) if until is None else np.clip(1 - (times - until) / fading, 0, 1)
            held = np.maximum(held, np.where(times >= since, left, 0))
        return held
