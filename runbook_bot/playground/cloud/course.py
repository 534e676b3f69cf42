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
    """Episodes of the fault as pairs of begin and end, in epoch seconds; the last one may be open."""

    fault: Fault | None
    episodes: list[tuple[float, float | None]] = field(default_factory=list)

    @classmethod
    def of(cls, fault: Fault | None, now: float) -> "Course":
        return cls(fault, [(now + fault.onset.total_seconds(), None)] if fault else [])

    def unmended(self) -> "Course":
        """The same fault, had nobody done anything about it."""
        return Course(self.fault, [(began, None) for began, _ in self.episodes[:1]])

    @property
    def active(self) -> bool:
        return bool(self.episodes) and self.episodes[-1][1] is None

    @property
    def mended_at(self) -> float | None:
        return self.episodes[-1][1] if self.episodes else None

    def mend(self, at: float) -> None:
        if self.active:
            self.episodes[-1] = (self.episodes[-1][0], at)

    def relapse(self, at: float) -> None:
        """The fault is back, as when the bad revision is rolled out once more."""
        if self.fault and not self.active:
            self.episodes.append((at, None))

    def severity(self, times: Array, delay: timedelta, rise: timedelta | None) -> Array:
        """0 where the fault does not touch, 1 in full, more where it has grown; per moment."""
        times = np.asarray(times, dtype=float)
        total = np.zeros_like(times)
        if self.fault is None:
            return total
        climb = max((self.fault.rise if rise is None else rise).total_seconds(), 0.001)
        for began, ended in self.episodes:
            since = times - (began + delay.total_seconds())
            level = np.clip(since / climb, 0.0, 1.0)
            level *= np.clip(1 + self.fault.growth * np.maximum(since - climb, 0) / 60, 1, self.fault.worst)
            if ended is not None:
                fading = max(self.fault.recovery.total_seconds(), 0.001)
                level = np.where(times <= ended, level, 0) + np.where(
                    times > ended, self._at(ended, began, delay, climb) * np.clip(1 - (times - ended) / fading, 0, 1), 0
                )
            total = np.maximum(total, level)
        return total

    def _at(self, moment: float, began: float, delay: timedelta, climb: float) -> float:
        assert self.fault
        since = moment - (began + delay.total_seconds())
        grown = min(max(1 + self.fault.growth * max(since - climb, 0) / 60, 1), self.fault.worst)
        return float(min(max(since / climb, 0), 1) * grown)
