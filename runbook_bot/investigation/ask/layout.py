"""Text in lines of bounded width: aligned tables, wrapped sentences, and numbers as a row of little bars."""

import unicodedata
from collections.abc import Sequence

from runbook_bot.investigation.ask.answer import Table

_BARS = "▁▂▃▄▅▆▇█"
_GAP = "  "
_LONG = 20
"""A column up to this wide is no long one."""
_MOST_BELOW = 4
"""Lines under a row."""


def aligned(shown: Table, width: int = 118) -> list[str]:
    """The table in lines of at most `width` columns; what is too long for a column stands under its row."""
    heads = list(shown.columns)
    cells = [[_clean(each) for each in row] for row in shown.rows]
    wide = [max(_width(row[index]) for row in [heads, *cells]) for index in range(len(heads))]
    below: list[int] = []
    beside = list(range(len(heads)))
    while len(beside) > 1 and _total(wide, beside) > width:
        longest = max(beside[1:], key=lambda index: wide[index])
        if wide[longest] <= _LONG:
            beside.remove(beside[-1])
            below = sorted([*below, *(set(range(len(heads))) - {*beside, *below})])
            continue
        beside.remove(longest)
        below = sorted([*below, longest])
    if len(heads) == 2 and below:
        return [line for row in cells for line in _hanging(row, wide[0], width)]
    lines = [_row(heads, wide, beside, width)]
    for row in cells:
        lines.append(_row(row, wide, beside, width))
        told = [f"{heads[index]}: {row[index]}" for index in below if row[index]]
        lines += [f"    {each}" for each in _first(wrapped("; ".join(told), width - 4), width - 4)]
    return lines + ([f"… {shown.left_out} more"] if shown.left_out else [])


def _total(wide: Sequence[int], beside: Sequence[int]) -> int:
    return sum(wide[index] for index in beside) + len(_GAP) * (len(beside) - 1)


def _row(row: Sequence[str], wide: Sequence[int], beside: Sequence[int], width: int) -> str:
    return _GAP.join(_fit(row[index], min(wide[index], width)) for index in beside).rstrip()


def _hanging(row: Sequence[str], first: int, width: int) -> list[str]:
    """A row of two cells, the second one wrapped beside the first."""
    first = min(first, _LONG)
    told = wrapped(row[1], width - first - len(_GAP)) or [""]
    return [f"{_fit(row[0] if number == 0 else '', first)}{_GAP}{each}".rstrip() for number, each in enumerate(told)]


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of at most `width` columns, broken between words where it can be.

    `indent`: what every line but the first begins with.
    """
    lines: list[str] = []
    for word in text.split():
        if lines and _width(lines[-1]) + 1 + _width(word) <= width:
            lines[-1] += f" {word}"
            continue
        rest = word
        while rest:
            start = indent if lines else ""
            piece = _begin(rest, width - _width(start)) or rest[:1]
            lines.append(start + piece)
            rest = rest[len(piece) :]
    return lines


def _first(lines: list[str], width: int) -> list[str]:
    """As many lines as may stand under a row, with an ellipsis where there were more."""
    if len(lines) <= _MOST_BELOW:
        return lines
    return [*lines[: _MOST_BELOW - 1], _begin(lines[_MOST_BELOW - 1], width - 1) + "…"]


def sparkline(values: Sequence[float], length: int = 24) -> str:
    """The course of a series, lowest to highest, in at most `length` characters; empty where there is none."""
    if not values:
        return ""
    size = min(length, len(values))
    parts = [values[index * len(values) // size : (index + 1) * len(values) // size] for index in range(size)]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means), max(means)
    if high <= low:
        return _BARS[0] * size
    return "".join(_BARS[min(7, int((each - low) / (high - low) * 8))] for each in means)


def _clean(text: str) -> str:
    kept = (" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text
            if unicodedata.category(each) not in ("Cf", "Cs"))  # fmt: skip
    return " ".join("".join(kept).split())


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _begin(text: str, size: int) -> str:
    """As much of the beginning as fits into `size` columns."""
    used = 0
    for index, each in enumerate(text):
        used += _width(each)
        if used > size:
            return text[:index]
    return text


def _fit(text: str, size: int) -> str:
    if _width(text) > size:
        text = _begin(text, size - 1) + "…"
    return text + " " * (size - _width(text))
