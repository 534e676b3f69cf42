"""One point in time as people type it: ISO 8601, `14:30` (today, UTC), `15m ago`, `2h`, `now`."""

import re
from datetime import UTC, datetime, time, timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(?:\d{1,6}\s*[smhdw]\s*){1,5}(?:ago)?")
_PART = re.compile(r"(\d+)\s*([smhdw])")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\s*(?:z|utc))?")


def moment(text: str, now: datetime) -> datetime:
    """One point in time, in UTC: ISO 8601, `14:30` (today), `15m ago`, `now`. Raises `ValueError`, `OverflowError`."""
    said = text.strip().casefold()
    if said == "now":
        return now
    if _AGO.fullmatch(said):
        return now - timedelta(**_durations(said))
    if _CLOCK.fullmatch(said):
        clock = time.fromisoformat(re.sub(r"\s*(z|utc)$", "", said).zfill(5 if said.count(":") == 1 else 8))
        return datetime.combine(now.date(), clock, tzinfo=UTC)
    parsed = datetime.fromisoformat(text.strip())
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _durations(said: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for count, unit in _PART.findall(said):
        found[UNITS[unit]] = found.get(UNITS[unit], 0) + int(count)
    return found
