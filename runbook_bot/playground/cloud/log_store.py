"""Every log event that went through PutLogEvents, by group, ascending in time."""

import bisect
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, order=True)
class Event:
    at: int
    """Milliseconds since the epoch."""
    number: int
    stream: str = field(compare=False)
    message: str = field(compare=False)
    taken: int = field(compare=False)

    @property
    def id(self) -> str:
        return f"{self.at:020d}{int(hashlib.sha256(self.message.encode()).hexdigest()[:12], 16):015d}{self.number:021d}"


class LogStore:
    def __init__(self) -> None:
        self.groups: dict[str, list[Event]] = {}
        self._number = 0

    def put(self, group: str, stream: str, events: Iterable[Mapping[str, Any]], now: float) -> None:
        kept = self.groups.setdefault(group, [])
        for event in events:
            self._number += 1
            added = Event(int(event["timestamp"]), self._number, stream, event["message"], int(now * 1000))
            if not kept or kept[-1].at <= added.at:
                kept.append(added)
            else:
                bisect.insort(kept, added)

    def between(self, group: str, start: int, end: int) -> Iterator[Event]:
        """Milliseconds; both ends inclusive, as FilterLogEvents has it."""
        kept = self.groups.get(group, [])
        first = bisect.bisect_left(kept, start, key=lambda event: event.at)
        last = bisect.bisect_right(kept, end, key=lambda event: event.at)
        return iter(kept[first:last])
