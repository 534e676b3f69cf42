"""Durations as people write them in a scenario: `-20m`, `90s`, `3h`, `6d`, `1h30m`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SHAPE = re.compile(r"(?P<sign>-?)(?P<parts>(?:\d+(?:\.\d+)?[smhd])+)")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def parse_span(value: object) -> timedelta:
    """`-1h30m` → minus ninety minutes. Raises `ValueError` for anything else but a timedelta or a plain 0."""
    if isinstance(value, timedelta):
        return value
    if value == 0:
        return timedelta(0)
    found = _SHAPE.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is not a duration; write one like -20m, 90s, 3h or 6d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(found["parts"]))
    return timedelta(seconds=-seconds if found["sign"] else seconds)


Span = Annotated[timedelta, BeforeValidator(parse_span)]
