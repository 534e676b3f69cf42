"""What each metric reads at each moment: a healthy level, the time of day, chance, and the fault."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from runbook_bot.playground.cloud.course import Array, Course
from runbook_bot.playground.cloud.plot import Blip, Effect, Moves, Silence
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.vitals import Vital

Datum = dict[str, Any]
"""One MetricDatum of PutMetricData, as it comes over the wire."""

_EDGES = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.88, 0.94, 0.97, 0.985, 0.995, 1.0)
_SHARES = [b - a for a, b in pairwise(_EDGES)]
_SCORES = [-1.645, -0.935, -0.454, -0.063, 0.319, 0.674, 0.994, 1.341, 1.695, 2.005, 2.326, 2.807]
"""Standard normal quantiles in the middle of each share."""


@dataclass(frozen=True)
class Season:
    """Traffic over the day, 1 on average."""

    peak_hour: float
    swing: float

    @classmethod
    def of(cls, scenario: Scenario, now: float) -> "Season":
        if scenario.peak_in is None:
            return cls(scenario.peak_hour, scenario.swing)
        return cls((now + scenario.peak_in.total_seconds()) / 3600 % 24, scenario.swing)

    def at(self, times: Array) -> Array:
        hours = np.asarray(times, dtype=float) / 3600 % 24
        turn = 2 * math.pi * (hours - self.peak_hour) / 24
        return 1 + self.swing * (np.cos(turn) + 0.18 * np.cos(2 * turn + 0.6))


class Gauge:
    """One metric, read at any moments."""

    def __init__(self, vital: Vital, scenario: Scenario, course: Course, now: float) -> None:
        self.vital = vital
        self.ceiling = vital.ceiling
        self._season = Season.of(scenario, now)
        self._course = course
        self._now = now
        self._effects = [e for e in (scenario.fault.effects if scenario.fault else ()) if _about(e, vital)]
        self._blips = [b for b in scenario.blips if _about(b, vital)]
        self._silences = [s for s in scenario.silences if _about(s, vital)]
        seed = hashlib.sha256(f"{scenario.seed}/{vital.on}/{vital.namespace}/{vital.name}".encode()).digest()
        self._dice = np.random.default_rng(int.from_bytes(seed[:8], "big"))
        self._phases = [byte / 255 * 2 * math.pi for byte in seed[8:11]]

    def heard(self, times: Array) -> Array:
        """Those of the moments at which the metric has data points."""
        times = np.asarray(times, dtype=float)
        for silence in self._silences:
            if silence.at is None:
                return times[:0]
            since = times - (self._now + silence.at.total_seconds())
            times = times[(since < 0) | (since >= silence.lasts.total_seconds())]
        return times

    def level(self, times: Array) -> Array:
        """The expected value at each moment, without chance."""
        times = np.asarray(times, dtype=float)
        vital = self.vital
        level = vital.baseline * (1 + vital.seasonal * (self._season.at(times) - 1))
        if vital.kind != "level":
            level = level * (1 + vital.noise * self._wander(times))
        for blip in self._blips:
            level = _moved(level, blip, self._bump(blip, times))
        for effect in self._effects:
            course = self._course.unmended() if effect.stays else self._course
            level = _moved(level, effect, course.severity(times, effect.delay, effect.rise))
        level = np.maximum(level, 0)
        return level if self.ceiling is None else np.minimum(level, self.ceiling)

    def data(self, times: Array, seconds: Array, followed: "Gauge | None", fine: Iterable[bool]) -> list[Datum]:
        """Data points over periods that start at `times` and last `seconds`; `fine` ones are high-resolution."""
        times, seconds = np.asarray(times, dtype=float), np.asarray(seconds, dtype=float)
        level = self.level(times + seconds / 2)
        many = followed.level(times + seconds / 2) * seconds / 60 if followed else seconds
        data = []
        for at, value, length, count, high in zip(times, level, seconds, many, fine, strict=True):
            reading = self._reading(float(value), float(length), float(count))
            if reading is not None:
                data.append(self._datum(float(at), 1 if high else 60, reading))
        return data

    def exact(self, at: float, value: float, fine: bool) -> Datum:
        """A data point that the world itself knows, such as the number of running tasks."""
        return self._datum(at, 1 if fine else 60, {"Value": value})

    def _datum(self, at: float, resolution: int, reading: Datum) -> Datum:
        return {
            "MetricName": self.vital.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.vital.dimensions],
            "Timestamp": at,
            "Unit": self.vital.unit,
            "StorageResolution": resolution,
            **reading,
        }

    def _reading(self, level: float, seconds: float, count: float) -> Datum | None:
        match self.vital.kind:
            case "count" | "zero_count":
                number = int(self._dice.poisson(level * seconds / 60)) if level > 0 else 0
                if number:
                    return {"Values": [1.0], "Counts": [float(number)]}
                return {"Value": 0.0} if self.vital.kind == "zero_count" else None
            case "level":
                return {"Value": float(round(level))}
            case "distribution":
                return self._distribution(level * (1 + self._chance(seconds) / 3), count)
        if self.ceiling is not None and level >= self.ceiling:  # at its limit it has no room to vary
            return {"Value": self.ceiling}
        value = level * (1 + self._chance(seconds))
        return {"Value": max(value, 0.0) if self.ceiling is None else min(max(value, 0.0), self.ceiling)}

    def _distribution(self, mean: float, count: float) -> Datum | None:
        number = int(self._dice.poisson(count)) if count > 0 else 0
        if number == 0:
            return None
        scores = np.array(_SCORES) + self._dice.normal(0, 0.04, len(_SCORES))
        shape = np.exp(self.vital.spread * scores)
        values = mean * shape / float(np.dot(shape, _SHARES))
        counts = self._dice.multinomial(number, _SHARES)
        kept = [(round(float(v), 6), float(c)) for v, c in zip(values, counts, strict=True) if c]
        return {"Values": [v for v, _ in kept], "Counts": [c for _, c in kept]}

    def _chance(self, seconds: float) -> float:
        """The vital sign's noise is that of ten seconds; the mean over a longer stretch has less of it."""
        return self.vital.noise * math.sqrt(10 / seconds) * float(self._dice.normal())

    def _wander(self, times: Array) -> Array:
        """A slow drift of less than one unit; seen from the start it is the same for the same seed."""
        a, b, c = self._phases
        times = times - self._now
        return 0.4 * np.sin(times / 1740 + a) + 0.3 * np.sin(times / 620 + b) + 0.2 * np.sin(times / 230 + c)

    def _bump(self, blip: Blip, times: Array) -> Array:
        """Up and down again, smoothly."""
        lasts = blip.lasts.total_seconds()
        through = (times - (self._now + blip.at.total_seconds())) / lasts
        return np.where((through > 0) & (through < 1), np.sin(np.clip(through, 0, 1) * math.pi) ** 0.5, 0)


def _about(moves: Moves | Silence, vital: Vital) -> bool:
    return moves.of == vital.on and moves.metric == vital.name


def _moved(level: Array, how: Moves | Effect, severity: Array) -> Array:
    if how.to is not None or (how.times is not None and how.times < 1):
        severity = np.minimum(severity, 1)  # what goes to a level, or to a share, goes no further
    if how.times is not None:
        moved = level * (1 + (how.times - 1) * severity)
    elif how.add is not None:
        moved = level + how.add * severity
    else:
        assert how.to is not None
        moved = level + (how.to - level) * severity
    if how.cap is not None:
        upward = (how.times or 0) > 1 or (how.add or 0) > 0 or (how.to is not None and how.cap >= how.to)
        moved = np.minimum(moved, np.maximum(how.cap, level)) if upward else np.maximum(moved, how.cap)
    return moved
