"""Log events become lines, whatever is in them; of too many lines those are kept that tell most."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runbook_bot.analysis.templates import TROUBLE, template
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.place import Answer

LONGEST = 4000
"""Characters of a line that are kept."""
_MOST_CHARACTERS = 32_000_000
_LATEST_MS = 32_503_680_000_000


def line_of(event: Answer) -> LogLine | None:
    """None for what has no time that could be one."""
    told = event.get("timestamp")
    if not isinstance(told, int | float):
        told = event.get("ingestionTime")
    if not isinstance(told, int | float) or not 0 <= told < _LATEST_MS:
        return None
    at = datetime.fromtimestamp(told / 1000, UTC)
    return LogLine(at=at, text=readable(event.get("message")), stream=readable(event.get("logStreamName")))


def readable(message: object) -> str:
    """Text of bounded length that can be stored: half a character pair, as binary leaves it, is replaced."""
    text = ("" if message is None else str(message))[:LONGEST].rstrip()
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def matcher(any_of: Sequence[str]) -> Callable[[str], bool]:
    """Whether a line has one of these words, in any case; every line where there are none."""
    wanted = [words.casefold() for words in any_of if words.strip()]

    def matches(text: str) -> bool:
        folded = text.casefold()
        return any(words in folded for words in wanted)

    return matches if wanted else lambda _: True


@dataclass
class Lines:
    """The lines of one log group, and whether there are more."""

    lines: list[LogLine] = field(default_factory=list)
    more: bool = False
    scanned: int = 0
    most: int = 24_000
    """Lines that are kept at all."""
    _characters: int = 0
    _seen: set[str] = field(default_factory=set)

    def take(self, events: Iterable[object], matches: Callable[[str], bool]) -> None:
        """Each event once. Blocking: ten thousand events take a tenth of a second."""
        for event in events:
            if not isinstance(event, dict):
                continue
            self.scanned += 1
            id = str(event.get("eventId") or "")
            if id and id in self._seen:
                continue
            line = line_of(event)
            if line is None or not matches(line.text):
                continue
            if len(self.lines) >= self.most or self._characters > _MOST_CHARACTERS:
                self.more = True
                return
            self._seen.add(id)
            self._characters += len(line.text)
            self.lines.append(line)


def chosen(lines: Sequence[LogLine], limit: int, window: TimeWindow, *, filtered: bool) -> tuple[list[LogLine], int]:
    """At most `limit` lines in order of time, and how many were left out. Blocking.

    All that complain (of those that were asked for by a word, all), as evenly thinned as need be, so that what came
    before the onset and what came after it keep their proportion; then the nearest to the onset, or the newest.
    """
    ordered = sorted(lines, key=lambda line: line.at)
    if len(ordered) <= limit:
        return ordered, 0
    telling = ordered if filtered else [line for line in ordered if TROUBLE.search(line.text)]
    kept = thinned(telling, limit) if len(telling) > limit else telling
    room = limit - len(kept)
    others = [] if filtered or not room else [line for line in ordered if not TROUBLE.search(line.text)]
    kept += nearest(others, room, window)
    return sorted(kept, key=lambda line: line.at), len(ordered) - len(kept)


def nearest(lines: Sequence[LogLine], limit: int, window: TimeWindow) -> list[LogLine]:
    """Those nearest to the onset; the newest where there is none."""
    if not limit:
        return []
    onset = window.onset
    if onset is None:
        return list(lines[-limit:])
    return sorted(lines, key=lambda line: abs(line.at - onset))[:limit]


def thinned(lines: Sequence[LogLine], limit: int) -> list[LogLine]:
    """Every kind of line in its proportion of before and after: rare kinds whole, frequent ones each so many-th."""
    kinds: dict[str, list[LogLine]] = {}
    for line in lines:
        kinds.setdefault(template(line.text), []).append(line)
    room, kept = limit, []
    waiting = sorted(kinds.values(), key=len)
    for index, kind in enumerate(waiting):
        share = max(1, room // (len(waiting) - index))
        picked = kind if len(kind) <= share else [kind[i * len(kind) // share] for i in range(share)]
        kept += picked[:room]
        room -= len(picked[:room])
        if room <= 0:
            break
    return kept
