"""The symptom as a native line chart, from the journal's own series."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Series
from runbook_bot.slack import words
from runbook_bot.slack.escaping import line

CATEGORIES = 20
LABEL = 20
TITLE = 50


def symptom_chart(case: Investigation) -> Json | None:
    """None where the symptom was not measured or the journal holds fewer than two points of it."""
    symptom = case.symptom
    series = _series_of(case, symptom) if symptom else None
    if symptom is None or series is None:
        return None
    points = _thinned(_around(series, symptom))
    labels = _labels([at for at, _ in points], symptom.onset)
    if len(labels) < 2:
        return None
    values: list[JsonValue] = [
        {"label": label, "value": _finite(value)} for label, (_, value) in zip(labels, points, strict=True)
    ]
    baseline: list[JsonValue] = [{"label": label, "value": _finite(symptom.baseline)} for label in labels]
    name = words.signal(symptom.signal)
    return {
        "type": "data_visualization",
        "title": line(f"{name}: {symptom.service or symptom.resource.name}", TITLE),
        "chart": {
            "type": "line",
            "series": [{"name": line(name, LABEL), "data": values}, {"name": "baseline", "data": baseline}],
            "axis_config": {
                "categories": list(labels),
                "x_label": "UTC" if symptom.onset is None else f"UTC, onset {symptom.onset:%H:%M}",
                "y_label": line(name, TITLE),
            },
        },
    }


def in_numbers(symptom: Symptom) -> str:
    """The chart in words, for those who cannot see it."""
    moved = {"rises": "rose", "falls": "fell", "steady": "stayed"}[symptom.moved]
    since = f" at {symptom.onset:%H:%M} UTC" if symptom.onset else ""
    change = f"from {words.number(symptom.baseline)} to {words.number(symptom.level)}"
    return f"{words.signal(symptom.signal)} of {symptom.resource.name} {moved} {change}{since}"


def _series_of(case: Investigation, symptom: Symptom) -> Series | None:
    """Of what was read of the symptom's own signal, the series that shows most of the time it began in.

    Others show the same hours of earlier days.
    """
    found = [
        series
        for answer in case.answers.values()
        for series in answer.series
        if series.signal is symptom.signal and series.resource.key == symptom.resource.key
    ]
    if symptom.onset is not None:
        onset = symptom.onset.timestamp()
        found = [series for series in found if series.times and series.times[0] <= onset <= series.times[-1]]
    elif case.incident is not None:
        window = case.incident.window
        start, end = window.start.timestamp(), window.end.timestamp()
        found = [series for series in found if series.times and start <= series.times[-1] <= end + series.step]
    return max(found, key=lambda s: len(s.times), default=None)


def _around(series: Series, symptom: Symptom) -> list[tuple[float, float]]:
    """The finite points, from three quarters of an hour before the onset on; all of them where that leaves few."""
    points = [(at, v) for at, v in zip(series.times, series.values, strict=True) if math.isfinite(v)]
    if symptom.onset is None:
        return points
    near = [p for p in points if p[0] >= symptom.onset.timestamp() - 45 * 60]
    return near if len(near) >= 4 else points


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most 20 points, each the mean of its stretch, labelled with the stretch's beginning."""
    size = max(1, math.ceil(len(points) / CATEGORIES))
    stretches = [points[at : at + size] for at in range(0, len(points), size)]
    return [(stretch[0][0], sum(v for _, v in stretch) / len(stretch)) for stretch in stretches]


def _labels(times: Sequence[float], onset: datetime | None) -> list[str]:
    """Unique labels in UTC; the stretch in which it began says so."""
    moments = [datetime.fromtimestamp(at, UTC) for at in times]
    days = {m.date() for m in moments}
    form = "%H:%M" if len(days) <= 1 else "%d %b %H:%M"
    labels = [m.strftime(form) for m in moments]
    if len(set(labels)) < len(labels):
        labels = [m.strftime("%d %H:%M:%S") for m in moments]
    begun = [n for n, m in enumerate(moments) if onset is not None and m <= onset]
    if begun and onset is not None and onset <= moments[-1]:
        labels[begun[-1]] = f"{labels[begun[-1]]} onset"
    return labels if len(set(labels)) == len(labels) else []


def _finite(value: float) -> float:
    return round(value, 4)
