"""The queue that wakes a worker up: docket, in this process or over Redis.

It delivers "go on with that investigation" and nothing else. What is to be done stands in the journal; a wake-up that
comes twice costs a look, and one that is lost with the machine is made up for by `resume` at the next start.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import structlog

from runbook_bot.domain.noun import iso
from runbook_bot.domain.ports import Leases
from runbook_bot.errors import LeaseLost, RunbookError

if TYPE_CHECKING:
    from docket import Docket

Run = Callable[[str], Awaitable[datetime | None]]
"""Goes on with an investigation as far as it can; returns when it wants to be woken next, or None."""
GiveUp = Callable[[str, Exception], Awaitable[None]]

BUSY = timedelta(milliseconds=500)
"""How soon to look again at an investigation that another worker holds."""
BACKOFF = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30))
"""Pauses before `run` is tried again after an unexpected error; then it is given up, loudly."""
GRACE = timedelta(seconds=10)
"""How long a stopping worker waits for what it is doing before it breaks off; the journal makes that safe."""
_log = structlog.get_logger()


class DocketQueue:
    """Implements `Queue`. `async with queue:` connects; `async with queue.working():` inside it also runs the jobs."""

    def __init__(
        self,
        url: str,
        name: str,
        run: Run,
        concurrency: int,
        *,
        leases: Leases,
        given_up: GiveUp | None = None,
        backoff: tuple[timedelta, ...] = BACKOFF,
        grace: timedelta = GRACE,
    ) -> None:
        """`url` is `memory://…` or that of a Redis; `run` is called with the investigation's lease held.

        `given_up` hears of an investigation whose `run` failed once more than `backoff` has pauses.
        """
        self._url = url
        self._name = name
        self._run = run
        self._concurrency = concurrency
        self._leases = leases
        self._given_up = given_up
        self._backoff = backoff
        self._grace = grace
        self._docket: Docket | None = None
        self._busy: set[asyncio.Task[object]] = set()
        self._unsent: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        from docket import Docket  # 0.2 s that only a process with a queue should pay

        self._stack = AsyncExitStack()
        docket = Docket(name=self._name, url=self._url, execution_ttl=timedelta(minutes=15))
        self._docket = await self._stack.enter_async_context(docket)
        docket.register(self._job, names=["advance"])
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._unsent:
            task.cancel()
        await asyncio.gather(*self._unsent, return_exceptions=True)
        self._docket = None
        await self._stack.aclose()

    async def advance(self, investigation: str, *, at: datetime | None = None) -> None:
        """See `Queue`. While Redis is away this returns at once and goes on trying in the background."""
        await self._wake(investigation, at=at, key=_key(investigation, at))

    async def resume(self, investigations: Iterable[str]) -> None:
        """Wake a worker for each: at the start, for every investigation whose journal says that it is not done."""
        for investigation in investigations:
            await self.advance(investigation)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Jobs are run for as long as the body runs; at its end those in progress have a few seconds to finish."""
        from docket import Worker  # see above

        worker = Worker(
            self._connected(),
            concurrency=self._concurrency,
            redelivery_timeout=timedelta(seconds=30),
            reconnection_delay=timedelta(seconds=1),
            minimum_check_interval=timedelta(milliseconds=100),
            scheduling_resolution=timedelta(milliseconds=100),
            schedule_automatic_tasks=False,
        )
        async with AsyncExitStack() as afterwards, worker:  # the worker's end waits for the jobs in progress
            loop = asyncio.create_task(_kept_running(worker.run_forever), name=f"{self._name} worker")
            afterwards.push_async_callback(_ended, loop)
            try:
                yield
            finally:
                breaking_off = asyncio.get_running_loop().call_later(self._grace.total_seconds(), self._break_off)
                afterwards.callback(breaking_off.cancel)

    async def _job(self, investigation: str, attempt: int = 0) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            with structlog.contextvars.bound_contextvars(investigation=investigation):
                await self._attempt(investigation, attempt)
        finally:
            self._busy.discard(task)

    async def _attempt(self, investigation: str, attempt: int) -> None:
        try:
            async with self._leases.hold(f"investigation:{investigation}") as mine:
                if not mine:
                    await self._look_again(investigation, attempt)
                    return
                wake = await self._run(investigation)
        except LeaseLost as error:
            _log.info("this worker stops, another one has taken over", reason=str(error))
            await self._look_again(investigation, attempt)
        except Exception as error:  # noqa: BLE001  # the worker's outer edge: one investigation must not end the others
            await self._failed(investigation, attempt, error)
        else:
            if wake is not None:
                await self.advance(investigation, at=wake)

    async def _look_again(self, investigation: str, attempt: int) -> None:
        """One waiting look an investigation and tick, however many were told to wait."""
        tick = BUSY.total_seconds()
        turn = ceil(datetime.now(UTC).timestamp() / tick) + 1
        at = datetime.fromtimestamp(turn * tick, UTC)
        await self._wake(investigation, at=at, key=f"{investigation}:again:{turn}", attempt=attempt)

    async def _failed(self, investigation: str, attempt: int, error: Exception) -> None:
        if attempt < len(self._backoff):
            pause = self._backoff[attempt] * random.uniform(0.8, 1.2)  # noqa: S311  # spreads retries, guards nothing
            _log.warning(
                "an investigation stopped on an error and is tried again",
                error=str(error),
                seconds=round(pause.total_seconds(), 1),
                exc_info=not isinstance(error, RunbookError),
            )
            await self._wake(
                investigation, at=datetime.now(UTC) + pause, key=f"{investigation}:{uuid4().hex}", attempt=attempt + 1
            )
            return
        _log.error("an investigation is given up after repeated errors", error=str(error), exc_info=error)
        if self._given_up is not None:
            await self._given_up(investigation, error)

    async def _wake(self, investigation: str, *, at: datetime | None, key: str, attempt: int = 0) -> None:
        if await self._sent(investigation, at=at, key=key, attempt=attempt):
            return
        task = asyncio.create_task(self._send_later(investigation, at=at, key=key, attempt=attempt))
        self._unsent.add(task)
        task.add_done_callback(self._unsent.discard)

    async def _sent(self, investigation: str, *, at: datetime | None, key: str, attempt: int) -> bool:
        from redis.exceptions import RedisError  # comes with docket

        try:
            await self._connected().add("advance", when=at, key=key)(investigation, attempt)
        except (RedisError, OSError) as error:
            _log.warning(
                "the queue cannot be reached and is tried again", investigation=investigation, error=str(error)
            )
            return False
        return True

    async def _send_later(self, investigation: str, *, at: datetime | None, key: str, attempt: int) -> None:
        pause = 0.5
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
            if await self._sent(investigation, at=at, key=key, attempt=attempt):
                _log.info("the queue is reached again", investigation=investigation)
                return

    def _break_off(self) -> None:
        for task in self._busy:
            task.cancel()

    def _connected(self) -> "Docket":
        if self._docket is None:
            raise RuntimeError("the queue is used outside `async with queue:`")
        return self._docket


def _key(investigation: str, at: datetime | None) -> str:
    """Wake-ups for one moment in the future are one; a wake-up for now is always its own.

    A key that is running swallows a second wake-up of the same key, so none is used twice for what is due already.
    """
    if at is None or at <= datetime.now(UTC) + timedelta(seconds=2):
        return f"{investigation}:{uuid4().hex}"
    return f"{investigation}:at:{iso(at)}"


async def _kept_running(run: Callable[[], Awaitable[None]]) -> None:
    """docket rides out a lost Redis by itself; anything else that ends its loop is logged, and the loop begun anew."""
    while True:
        try:
            await run()
            return
        except Exception:  # noqa: BLE001  # the edge: a worker that stopped working must not look alive
            _log.exception("the worker loop ended on an error and is started again")
            await asyncio.sleep(1)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
