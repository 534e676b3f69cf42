"""What changed, told to whoever listens: the pages over Server-Sent Events, and tests that wait for something."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from runbook_bot.playground.slack.json_value import Json

T = TypeVar("T")


class Bulletin:
    """Publishes increments of the state in the order in which they happened."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[tuple[str, Json]]] = set()
        self._change = asyncio.Event()

    def publish(self, event: str, data: Json) -> None:
        """Tell every reader, and wake whoever waits for a condition."""
        for reader in self._readers:
            reader.put_nowait((event, data))
        self.touch()

    def touch(self) -> None:
        """Wake whoever waits for a condition, without telling the pages anything."""
        self._change.set()
        self._change = asyncio.Event()

    @contextlib.contextmanager
    def reader(self) -> Iterator["asyncio.Queue[tuple[str, Json]]"]:
        """A queue of (event, data) pairs from now on."""
        queue: asyncio.Queue[tuple[str, Json]] = asyncio.Queue()
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float, what: str) -> T:  # noqa: ASYNC109 - the seconds are part of the error's sentence
        """The first true value of `predicate`, tried after every change; TimeoutError names what did not come."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            changed = self._change
            if value := predicate():
                return value
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise TimeoutError(f"{what} did not happen within {timeout:g} s")
            with contextlib.suppress(TimeoutError):
                # Nothing may be published for what a predicate reads outside this server, hence the small step.
                await asyncio.wait_for(changed.wait(), min(left, 0.2))
