"""How fast Slack may be called: one window a method, one bucket a channel, and what Slack itself asked for."""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MINUTE = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute, counted per method, workspace and app."""
METHODS = {
    "chat.update": 3,
    "chat.postEphemeral": 4,
    "conversations.open": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "views.open": 4,
    "views.publish": 4,
    "canvases.create": 2,
    "canvases.edit": 3,
    "canvases.access.set": 3,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
}
POSTS_AT_ONCE = 6
POSTS_PER_SECOND = 1.0

Now = Callable[[], float]


@dataclass
class Window:
    """At most `limit` calls in any minute. What is only progress is spread out and leaves a reserve for the rest."""

    limit: int
    now: Now = time.monotonic
    _calls: deque[float] = field(default_factory=deque)
    _closed_until: float = 0.0

    def wait(self, *, progress: bool = False) -> float:
        """Seconds until a call may be made; 0 when it may be made now."""
        now = self.now()
        while self._calls and self._calls[0] <= now - MINUTE:
            self._calls.popleft()
        waits = [self._closed_until - now]
        usable = self.limit - (self.limit // 5 if progress else 0)
        if len(self._calls) >= usable:
            waits.append(self._calls[-usable] + MINUTE - now)
        burst = self.limit * 2 // 5
        if progress and len(self._calls) >= burst:  # so that what is left lasts until the burst leaves the window
            waits.append(self._calls[-1] + MINUTE / (usable - burst) - now)
        return max(0.0, *waits)

    def count(self) -> None:
        self._calls.append(self.now())

    def close_for(self, seconds: float) -> None:
        """Slack said `Retry-After`."""
        self._closed_until = max(self._closed_until, self.now() + seconds)


@dataclass
class Turns:
    """One at a time, and of those who wait the lowest rank first; first come, first served within a rank."""

    _waiting: list[tuple[int, int, "asyncio.Future[None]"]] = field(default_factory=list)
    _came: int = 0
    _taken: bool = False

    @asynccontextmanager
    async def take(self, rank: int) -> AsyncIterator[None]:
        if self._taken:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, self._came, turn))
            self._came += 1
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():  # it was called up just as it left
                    self._next()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._taken = False


@dataclass
class Bucket:
    """A few posts at once into one channel, then one a second."""

    size: int = POSTS_AT_ONCE
    rate: float = POSTS_PER_SECOND
    now: Now = time.monotonic
    _level: float = -1.0
    _at: float = 0.0
    _closed_until: float = 0.0

    def wait(self) -> float:
        now = self.now()
        if self._level < 0:
            self._level = float(self.size)
        else:
            self._level = min(float(self.size), self._level + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, self._closed_until - now, (1.0 - self._level) / self.rate)

    def count(self) -> None:
        self._level -= 1.0

    def close_for(self, seconds: float) -> None:
        self._closed_until = max(self._closed_until, self.now() + seconds)
