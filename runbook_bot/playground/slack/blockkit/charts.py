"""The data_visualization block: lines, bars, areas and pies that Slack draws itself."""

import math

from runbook_bot.playground.slack.blockkit.composition import BLOCK_ID
from runbook_bot.playground.slack.blockkit.rules import Findings, Rule, by_type, list_of, shape, string

MOST_SERIES = 6
"""Slack's June 2026 page says 6, a newer one 12; the smaller is safe under both."""

_LABEL = string(20, 1)


def finite(value: object, at: str, findings: Findings) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        findings.note(at, "must be a finite number")


def _positive(value: object, at: str, findings: Findings) -> None:
    finite(value, at, findings)
    if isinstance(value, int | float) and not value > 0:
        findings.note(at, "must be greater than 0")


def _distinct(items: object, key: str | None, at: str, findings: Findings) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item if key is None else item.get(key) if isinstance(item, dict) else None
        if isinstance(name, str):
            if name in seen:
                findings.note(f"{at}/{index}", f"must be unique: {name}")
            seen.add(name)


def _one_value_per_category(chart: object, at: str, findings: Findings) -> None:
    if not isinstance(chart, dict):
        return
    axis = chart.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    series = chart.get("series")
    if not isinstance(categories, list) or not isinstance(series, list):
        return
    _distinct(categories, None, f"{at}/axis_config/categories", findings)
    _distinct(series, "name", f"{at}/series", findings)
    for index, one in enumerate(series):
        data = one.get("data") if isinstance(one, dict) else None
        labels = [point.get("label") for point in data if isinstance(point, dict)] if isinstance(data, list) else []
        if sorted(map(str, labels)) != sorted(map(str, categories)):
            findings.note(f"{at}/series/{index}/data", "must have exactly one value for every category")


def _distinct_segments(chart: object, at: str, findings: Findings) -> None:
    if isinstance(chart, dict):
        _distinct(chart.get("segments"), "label", f"{at}/segments", findings)


_SERIES = shape({"name": _LABEL, "data": list_of(shape({"label": _LABEL, "value": finite}), 20)})
_AXIS = shape({"categories": list_of(_LABEL, 20)}, {"x_label": string(50), "y_label": string(50)})


def _on_axes(kind: str) -> Rule:
    return shape(
        {"series": list_of(_SERIES, MOST_SERIES), "axis_config": _AXIS}, {}, [_one_value_per_category], type=kind
    )


_PIE = shape(
    {"segments": list_of(shape({"label": _LABEL, "value": _positive}), MOST_SERIES)},
    {},
    [_distinct_segments],
    type="pie",
)

DATA_VISUALIZATION = shape(
    {
        "title": string(50, 1),
        "chart": by_type({"line": _on_axes("line"), "bar": _on_axes("bar"), "area": _on_axes("area"), "pie": _PIE}),
    },
    {"block_id": BLOCK_ID},
    type="data_visualization",
)
