"""CloudWatch Logs Insights: a query is started, asked after, and stopped when its time is up."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place

MOST_ROWS = 10_000
MOST_GROUPS = 50
USD_PER_GB = 0.005
"""Of scanned data, in us-east-1; some regions cost a little more."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 1.5
_STOP_SECONDS = 2.0
_ENDED = ("Complete", "Failed", "Cancelled", "Timeout", "Unknown")


@dataclass(frozen=True)
class Found:
    """What a query has brought when it ended or was stopped."""

    rows: tuple[dict[str, str], ...]
    complete: bool
    matched: int
    scanned: int
    """Log events."""
    scanned_bytes: int

    @property
    def cost(self) -> str:
        """What was scanned, and about what that costs."""
        size = self.scanned_bytes / 1e9
        shown = f"{size:.2f} GB" if size >= 0.01 else f"{self.scanned_bytes / 1e6:.2f} MB"
        return f"{self.scanned} events scanned, {shown}, about {size * USD_PER_GB:.4f} USD"


def escaped(words: str) -> str:
    """Words as they stand inside a regular expression between slashes."""
    return "".join(f"\\{c}" if c in r".^$*+?()[]{}|\/" else " " if not c.isprintable() else c for c in words)


async def run_query(
    place: Place, groups: Sequence[str], query: str, window: TimeWindow, *, limit: int, seconds: float
) -> Found:
    """Raises `CallFailed` where it cannot be started or fails; what it has after `seconds` is a partial answer."""
    which = "logGroupIdentifiers" if any(each.startswith("arn:") for each in groups) else "logGroupNames"
    span = {"startTime": int(window.start.timestamp()), "endTime": max(0, int(window.end.timestamp()) - 1)}
    started = await place.call(
        "logs", "StartQuery", queryString=query, limit=min(limit, MOST_ROWS), **{which: list(groups)}, **span
    )
    id = str(started.get("queryId") or "")
    if not id:
        raise CallFailed("failed", "CloudWatch Logs Insights gave the query no id", action="logs:StartQuery")
    told: Answer = {}
    try:
        told = await _awaited(place, id, seconds)
    finally:
        if told.get("status") not in _ENDED:  # also when whoever waited has given up
            await asyncio.shield(_stop(place, id))
    status = str(told.get("status"))
    if status in ("Failed", "Cancelled", "Unknown"):
        text = f"the Logs Insights query ended as {status.lower()}: {one_line(query, 120)}"
        raise CallFailed("failed", text, action="logs:GetQueryResults")
    return await asyncio.to_thread(_found, told, status == "Complete")


async def _awaited(place: Place, id: str, seconds: float) -> Answer:
    """The last answer before the time was up; a query that runs on has given part of its rows."""
    clock = asyncio.get_running_loop().time
    deadline, pause = clock() + seconds, _FIRST_PAUSE
    told: Answer = {}
    while True:
        told = await place.call("logs", "GetQueryResults", queryId=id)
        if told.get("status") in _ENDED or clock() + pause > deadline:
            return told
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.6)


async def _stop(place: Place, id: str) -> None:
    with suppress(CallFailed, TimeoutError):  # it ends by itself in the end; nobody waits for that
        await asyncio.wait_for(place.call("logs", "StopQuery", queryId=id), _STOP_SECONDS)


def _found(told: Answer, complete: bool) -> Found:
    rows = []
    for each in told.get("results") or []:
        cells = [cell for cell in each or [] if isinstance(cell, dict)]
        row = {str(cell.get("field")): str(cell.get("value") or "") for cell in cells if cell.get("field") != "@ptr"}
        if row:
            rows.append(row)
    statistics: Answer = told.get("statistics") or {}
    return Found(
        rows=tuple(rows),
        complete=complete,
        matched=max(int(statistics.get("recordsMatched") or 0), len(rows)),
        scanned=int(statistics.get("recordsScanned") or 0),
        scanned_bytes=int(statistics.get("bytesScanned") or 0),
    )


def moment_of(text: str) -> datetime | None:
    """A time as Insights writes it, `2026-03-01 10:00:00.000`, in UTC."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
