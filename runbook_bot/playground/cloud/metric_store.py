"""Every metric sample that went through PutMetricData, ready to be read back by period and statistic."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, metric name, dimensions sorted by name."""

STATISTICS = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


@dataclass(frozen=True)
class Sample:
    """One datum. `values` and `counts` are empty for a statistic set, which has no percentiles."""

    at: float
    total: float
    count: float
    low: float
    high: float
    values: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()


@dataclass
class Track:
    """The samples of one metric, ascending in time."""

    unit: str = "None"
    times: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        if not self.times or sample.at >= self.times[-1]:
            self.times.append(sample.at)
            self.samples.append(sample)
            return
        place = bisect_right(self.times, sample.at)
        self.times.insert(place, sample.at)
        self.samples.insert(place, sample)

    def points(self, statistic: str, start: float, end: float, period: float) -> dict[float, float]:
        """Start of each period that has samples → its statistic; `start` inclusive, `end` exclusive."""
        first = math.floor(start / period) * period
        buckets: dict[float, list[Sample]] = {}
        for i in range(bisect_left(self.times, first), bisect_left(self.times, end)):
            sample = self.samples[i]
            buckets.setdefault(math.floor(sample.at / period) * period, []).append(sample)
        computed = ((at, measure(statistic, samples)) for at, samples in buckets.items())
        return {at: value for at, value in computed if value is not None}


class MetricStore:
    """All tracks of one account and region."""

    def __init__(self) -> None:
        self.tracks: dict[Key, Track] = {}

    def put(self, namespace: str, data: Iterable[Mapping[str, Any]], now: float) -> None:
        """Take the `MetricData` of one PutMetricData call; a datum without a timestamp is of now."""
        for datum in data:
            dimensions = tuple(sorted((d["Name"], d["Value"]) for d in datum.get("Dimensions", ())))
            track = self.tracks.setdefault((namespace, datum["MetricName"], dimensions), Track())
            track.unit = datum.get("Unit", track.unit)
            track.add(_sample(datum, now))

    def track(self, metric: Mapping[str, Any]) -> Track | None:
        """By the `Metric` structure of the API (Namespace, MetricName, Dimensions)."""
        return self.tracks.get(key(metric))


def key(metric: Mapping[str, Any]) -> Key:
    dimensions = tuple(sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions") or ()))
    return metric.get("Namespace", ""), metric.get("MetricName", ""), dimensions


def known_statistic(name: str) -> bool:
    return name in STATISTICS or _PERCENTILE.fullmatch(name) is not None


def measure(statistic: str, samples: list[Sample]) -> float | None:
    """A statistic over the samples of one period; None where it has none (a percentile of statistic sets)."""
    count = sum(s.count for s in samples)
    match statistic:
        case "Sum":
            return sum(s.total for s in samples)
        case "SampleCount":
            return count
        case "Minimum":
            return min(s.low for s in samples)
        case "Maximum":
            return max(s.high for s in samples)
        case "Average":
            return sum(s.total for s in samples) / count if count else None
    found = _PERCENTILE.fullmatch(statistic)
    return _percentile(samples, float(found[1])) if found else None


def _percentile(samples: list[Sample], percent: float) -> float | None:
    """Linear interpolation between closest ranks over all values with their counts, as numpy's default does."""
    pairs = sorted((v, c) for s in samples for v, c in zip(s.values, s.counts, strict=True) if c > 0)
    if not pairs:
        return None
    rank = (sum(c for _, c in pairs) - 1) * percent / 100
    below, above = math.floor(rank), math.ceil(rank)
    low = high = pairs[-1][0]
    seen, found_low = 0.0, False
    for value, weight in pairs:
        seen += weight
        if not found_low and seen > below:
            low, found_low = value, True
        if seen > above:
            high = value
            break
    return low + (high - low) * (rank - below)


def _sample(datum: Mapping[str, Any], now: float) -> Sample:
    at = float(datum.get("Timestamp", now))
    if values := datum.get("Values"):
        floats = tuple(float(v) for v in values)
        counts = tuple(float(c) for c in datum.get("Counts") or [1.0] * len(values))
        total = sum(v * c for v, c in zip(floats, counts, strict=True))
        return Sample(at, total, sum(counts), min(floats), max(floats), floats, counts)
    if (stats := datum.get("StatisticValues")) is not None:
        return Sample(at, stats["Sum"], stats["SampleCount"], stats["Minimum"], stats["Maximum"])
    value = float(datum["Value"])
    return Sample(at, value, 1.0, value, value, (value,), (1.0,))
