"""Expressions over a window: one question to the server for each, and what came back as points."""

import math
from dataclasses import dataclass
from typing import Any

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.prometheus.api import Api, Unanswered

MOST_POINTS = 10_000
"""The server refuses more than 11,000 in one series."""


@dataclass(frozen=True)
class Line:
    """One series of an answer: labels, and the points that are numbers. Times are epoch seconds, ascending."""

    labels: dict[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]


def form(expression: str, window: TimeWindow, step: float) -> dict[str, str]:
    """The parameters of `query_range`."""
    return {
        "query": expression,
        "start": f"{window.start.timestamp():.3f}",
        "end": f"{window.end.timestamp():.3f}",
        "step": f"{max(step, math.ceil(window.length.total_seconds() / MOST_POINTS)):g}",
    }


async def lines(api: Api, asked: dict[str, str]) -> list[Line]:
    """Raises `Unanswered`."""
    data = await api.ask("/api/v1/query_range", asked)
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise Unanswered("the answer holds no series")
    return [found for each in data["result"] if (found := _line(each)).times]


def _line(told: Any) -> Line:
    labels = told.get("metric") if isinstance(told, dict) else None
    points = told.get("values") if isinstance(told, dict) else None
    kept = {}
    for point in points if isinstance(points, list) else ():
        try:
            at, value = float(point[0]), float(point[1])
        except (TypeError, ValueError, IndexError, KeyError):
            continue
        if math.isfinite(value) and math.isfinite(at):
            kept[at] = value
    times = tuple(sorted(kept))
    known = {str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {}
    return Line(known, times, tuple(kept[t] for t in times))


def highest(found: list[Line]) -> Line:
    """Of several series one: the highest value at each moment."""
    if len(found) == 1:
        return found[0]
    best: dict[float, float] = {}
    for line in found:
        for at, value in zip(line.times, line.values, strict=True):
            best[at] = max(value, best.get(at, value))
    times = tuple(sorted(best))
    return Line({}, times, tuple(best[t] for t in times))
