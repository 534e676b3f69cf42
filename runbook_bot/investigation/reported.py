"""What was reported, read from a person's words and the alarm behind them: names, services, the window."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from unicodedata import category

from runbook_bot.domain.incident import Incident, Request, Severity, Source
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import Service, ServiceGraph
from runbook_bot.domain.window import TimeWindow

USUAL = timedelta(hours=3)
"""How far back is looked when no time is given."""
LONGEST = timedelta(hours=24)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before it there was nothing to measure."""
LONGEST_TITLE = 150
LONGEST_TEXT = 10_000
_LEVELS = "critical|high|medium|low"
"""Alone they say nothing of urgency: "high latency", "low disk space"."""
_INVISIBLE = ("Cc", "Cf", "Cs")
"""Unicode categories: control characters, marks that turn the direction of a text, halves of surrogate pairs."""
_JOINER = "\u200d"
"""It holds emoji together."""


def plain(text: str) -> str:
    """Without control characters, bounded."""
    kept = (c for c in text[:LONGEST_TEXT] if c in "\n\t" + _JOINER or category(c) not in _INVISIBLE)
    return "".join(kept).strip()


def alarm_names(text: str) -> list[str]:
    """What may be an alarm's name: the whole text if it is short, and words that look like names (at most four)."""
    clean = plain(text)
    found = [clean] if clean and len(clean) <= 255 and "\n" not in clean else []
    words = [w.rstrip(".:/-") for w in re.findall(r"[A-Za-z0-9][\w./:-]{3,}", clean)]
    found += [w for w in words if re.search(r"[-_./:]", w) or re.search(r"[a-z][A-Z]", w)]
    return list(dict.fromkeys(found))[:4]


def named_services(text: str, graph: ServiceGraph) -> list[str]:
    """Services whose name stands in the text, longest first; `billing` finds `billing-api` where no other fits."""
    lowered = plain(text).casefold()
    if exact := spelled_out(text, graph):
        return exact
    words = set(re.findall(r"[a-z][a-z0-9]{3,}", lowered))
    partly = {s.name: _alike(words, s) for s in graph}
    best = max(partly.values(), default=0)
    matching = [name for name, count in partly.items() if count == best] if best else []
    return matching if len(matching) == 1 else []


def spelled_out(text: str, graph: ServiceGraph) -> list[str]:
    """Services whose whole name stands in the text, longest first, at most three."""
    lowered = plain(text).casefold()
    exact = [s.name for s in graph if re.search(rf"(?<![\w-]){re.escape(s.name.casefold())}(?![\w-])", lowered)]
    return sorted(exact, key=lambda name: (-len(name), name))[:3]


def _alike(words: set[str], service: Service) -> int:
    """How many words of the text are parts of the service's names, or nearly (`resized` for `resizer`)."""
    names = (service.name, *(resource.name for resource in service.resources))
    parts = {part for name in names for part in re.split(r"[-_./ ]", name.casefold()) if len(part) >= 4}
    return sum(1 for word in words if any(_near(word, part) for part in parts))


def _near(word: str, part: str) -> bool:
    if word == part:
        return True
    common = next((n for n, (a, b) in enumerate(zip(word, part, strict=False)) if a != b), min(len(word), len(part)))
    return common >= 5 and common >= min(len(word), len(part)) - 2


def window_of(request: Request, alarm: Alarm | None, now: datetime) -> TimeWindow:
    """The window to look at: as asked for, or around the alarm's own time, or the last three hours.

    A window that would lie in the future is moved to end now.
    """
    now = now.replace(microsecond=0)
    if request.since or request.until:
        end = max(min(request.until or now, now), EARLIEST)
        start = request.since or end - USUAL
        if start >= end:
            start = end - USUAL
        return TimeWindow(start=max(start, end - timedelta(days=7)), end=end)
    if request.at is not None:
        at = max(min(request.at, now), EARLIEST)
        return TimeWindow(start=at - timedelta(hours=2), end=min(now, at + timedelta(hours=1)))
    since = alarm.since if alarm else None
    quiet = alarm is not None and alarm.state != "alarm" and since is not None and now - since > LONGEST
    # Quiet for long: what is asked about now is not what the alarm said then.
    if quiet or since is None or since > now or since < EARLIEST:
        return TimeWindow(start=now - USUAL, end=now)
    if now - since > LONGEST - timedelta(hours=2):
        return TimeWindow(start=since - timedelta(hours=2), end=since + timedelta(hours=1))
    return TimeWindow(start=min(now - USUAL, since - timedelta(hours=2)), end=now)


def reported(id: str, request: Request, alarm: Alarm | None, services: Sequence[str], window: TimeWindow) -> Incident:
    """The incident as it stands before anything was measured."""
    text = plain(request.text)
    first = text.splitlines()[0] if text else ""
    title = first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1] + "…"
    if alarm is not None and title.casefold() in ("", alarm.name.casefold()):
        title = alarm.name
    return Incident(
        id=id,
        source=Source.cloudwatch if alarm is not None else request.source,
        title=title or "an incident",
        description=text,
        severity=_severity(text),
        services=tuple(services),
        alarm=alarm,
        window=window,
    )


def _severity(text: str) -> Severity:
    found = re.search(r"\b(sev|p)-?([0-4])\b", text, re.IGNORECASE)
    if found:
        return (Severity.critical, Severity.critical, Severity.high, Severity.medium, Severity.low)[int(found[2])]
    word = re.search(rf"\b(?:severity|priority|urgency)\W{{0,3}}({_LEVELS})\b|\[({_LEVELS})\]", text, re.IGNORECASE)
    if word:
        return Severity((word[1] or word[2]).lower())
    return Severity.critical if re.search(r"\bcritical\b", text, re.IGNORECASE) else Severity.unknown
