"""How long the event loop kept others waiting while something was done."""

import asyncio
from contextlib import suppress


class Waits:
    """`async with` watches; afterwards `longest` is the second longest wait, in seconds: one may be the machine's."""

    def __init__(self) -> None:
        self._waits: list[float] = []

    @property
    def longest(self) -> float:
        return sorted(self._waits)[-2] if len(self._waits) > 1 else 0.0

    async def __aenter__(self) -> "Waits":
        self._watching = asyncio.ensure_future(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            await asyncio.sleep(0.005)
            self._waits.append(clock() - began - 0.005)
