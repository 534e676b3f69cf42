"""The threads that boto3 is called in: bounded, and one that hangs takes no place that is not its own."""

import asyncio
import contextvars
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

_T = TypeVar("_T")


class Threads:
    """A pool that all places share."""

    def __init__(self, workers: int = 16) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="aws")
        self._free = asyncio.Semaphore(workers)

    async def run(self, work: Callable[[], _T], seconds: float, rooms: Iterable[asyncio.Semaphore] = ()) -> _T:
        """Do it in a thread, in the caller's context, when there is a place in every one of `rooms` and in the pool.

        Raises TimeoutError after `seconds` of work; waiting for a place does not count. The places are given back when
        the thread has really ended, which boto3's own time-outs see to: a silent region can use up its own places only.
        """
        with ExitStack() as taken:
            for room in (*rooms, self._free):
                await room.acquire()
                taken.callback(room.release)
            context = contextvars.copy_context()
            future = asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)
            kept = taken.pop_all()

        def ended(done: "asyncio.Future[Any]") -> None:
            kept.close()
            if not done.cancelled():
                done.exception()  # who waited may be gone, and then nobody else looks at it

        future.add_done_callback(ended)
        return await asyncio.wait_for(asyncio.shield(future), seconds)
