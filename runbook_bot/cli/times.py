"""Times as people type them: ISO 8601, `14:30` (today, UTC), `15m ago`, `2h`."""

from datetime import datetime

from runbook_bot.domain import moments
from runbook_bot.errors import UsageError

FORMS = "write 2026-01-31T14:30Z, 14:30 (today, UTC) or 15m ago"


def moment(option: str, text: str, now: datetime) -> datetime:
    """The moment in UTC; a time without a zone is UTC. Raises `UsageError` naming the option."""
    try:
        return moments.moment(text, now)
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: {text[:60]!r} is no time; {FORMS}") from None


def window(
    at: str | None, since: str | None, until: str | None, now: datetime
) -> tuple[datetime | None, datetime | None, datetime | None]:
    """`--at`, `--since` and `--until` as moments that fit together. Raises `UsageError` naming the option."""
    spoken = {"--at": at, "--since": since, "--until": until}
    found = {option: moment(option, text, now) for option, text in spoken.items() if text is not None}
    for option, when in found.items():
        if when > now:
            hint = " (a time without a date is today's, in UTC)" if len(str(spoken[option])) <= 8 else ""
            raise UsageError(f"{option}: {when:%Y-%m-%d %H:%M} UTC lies in the future{hint}")
    begin, end, middle = found.get("--since"), found.get("--until"), found.get("--at")
    if end and not (begin or middle):
        raise UsageError("--until needs --since or --at to say where the window begins")
    if begin and begin >= (end or now):
        raise UsageError(f"--since: {begin:%Y-%m-%d %H:%M} UTC is not before {'--until' if end else 'now'}")
    if middle and begin and middle < begin:
        raise UsageError(f"--at: {middle:%Y-%m-%d %H:%M} UTC lies before --since")
    if middle and end and middle > end:
        raise UsageError(f"--at: {middle:%Y-%m-%d %H:%M} UTC lies after --until")
    return middle, begin, end
