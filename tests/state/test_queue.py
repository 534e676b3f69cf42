"""A wake-up is never lost: not to a busy investigation, an error, a stop, a kill, or a Redis that went away."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from runbook_bot.domain.ports import Leases
from runbook_bot.errors import LeaseLost
from runbook_bot.state.leases import TTL, LocalLeases, RedisLeases
from runbook_bot.state.queue import DocketQueue, Run
from tests.state.server import RedisServer

Make = Callable[..., DocketQueue]


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return f"memory://{uuid4().hex}"
    request.getfixturevalue("redis")
    return str(request.getfixturevalue("redis_server").url)


@pytest.fixture
def leases(tmp_path: Path) -> LocalLeases:
    return LocalLeases(tmp_path / "leases")


async def until(met: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not met():  # noqa: ASYNC110  # what is waited for happens in another process or library
            await asyncio.sleep(0.01)


class Watched:
    """Leases that count how often one was refused."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.refused = 0

    @asynccontextmanager
    async def hold(self, name: str, *, ttl: timedelta = TTL) -> AsyncIterator[bool]:
        async with self._leases.hold(name, ttl=ttl) as mine:
            self.refused += not mine
            yield mine


def recorder(seen: list[str]) -> Run:
    async def run(investigation: str) -> datetime | None:
        seen.append(investigation)
        return None

    return run


async def test_an_investigation_is_advanced(url: str, leases: LocalLeases) -> None:
    seen: list[str] = []
    queue = DocketQueue(url, "docket-test", recorder(seen), 2, leases=leases)
    async with queue, queue.working():
        await queue.advance("inv-1")
        await until(lambda: seen == ["inv-1"])


async def test_every_wake_up_for_now_leads_to_a_look_that_began_after_it(url: str, leases: LocalLeases) -> None:
    """The wake-ups come while it runs: a click is journalled, then advance is called."""
    journalled = 0
    handled: list[int] = []
    began, told = asyncio.Event(), asyncio.Event()

    async def run(investigation: str) -> datetime | None:
        seen = journalled
        began.set()
        await told.wait()
        handled.append(seen)
        return None

    watched = Watched(leases)
    queue = DocketQueue(url, "docket-test", run, 4, leases=watched)
    async with queue, queue.working():
        await queue.advance("inv-1")
        await began.wait()
        for _ in range(20):
            journalled += 1
            await queue.advance("inv-1")
        await until(lambda: watched.refused >= 20)
        told.set()
        await until(lambda: 20 in handled)
        await asyncio.sleep(1.5)
    assert len(handled) < 8, "twenty wake-ups that wait for the same investigation are few looks"


async def test_two_investigations_run_at_once_and_one_never_twice(url: str, leases: LocalLeases) -> None:
    running: Counter[str] = Counter()
    most = 0
    both = asyncio.Event()
    done = 0

    async def run(investigation: str) -> datetime | None:
        nonlocal most, done
        running[investigation] += 1
        most = max(most, running[investigation])
        if len(+running) == 2:
            both.set()
        async with asyncio.timeout(30):
            await both.wait()
        await asyncio.sleep(0.1)
        running[investigation] -= 1
        done += 1
        return None

    queue = DocketQueue(url, "docket-test", run, 8, leases=leases)
    async with queue, queue.working():
        for _ in range(3):
            await queue.resume(["inv-1", "inv-2"])
        await until(lambda: done >= 4)
    assert most == 1


async def test_it_is_woken_at_the_time_it_asked_for(url: str, leases: LocalLeases) -> None:
    looks: list[datetime] = []
    wake = datetime.now(UTC) + timedelta(seconds=1)

    async def run(investigation: str) -> datetime | None:
        looks.append(datetime.now(UTC))
        return wake if len(looks) == 1 else None

    queue = DocketQueue(url, "docket-test", run, 1, leases=leases)
    async with queue, queue.working():
        await queue.advance("inv-1")
        await until(lambda: len(looks) == 2)
    assert looks[1] >= wake


async def test_many_wake_ups_for_one_future_moment_are_one(url: str, leases: LocalLeases) -> None:
    seen: list[str] = []
    queue = DocketQueue(url, "docket-test", recorder(seen), 2, leases=leases)
    async with queue, queue.working():
        for ahead in (2.3, 5, 15):  # a moment that is near is now, so the machine has to tell it before it is near
            at = datetime.now(UTC) + timedelta(seconds=ahead)
            told = f"inv-{ahead}"
            for _ in range(10):
                await queue.advance(told, at=at)
            if datetime.now(UTC) < at - timedelta(seconds=2):
                break
        await until(lambda: told in seen)
        await asyncio.sleep(0.5)
    assert seen.count(told) == 1


async def test_asking_to_be_woken_in_the_past_is_being_woken_now(url: str, leases: LocalLeases) -> None:
    looks = 0
    past = datetime.now(UTC) - timedelta(hours=1)

    async def run(investigation: str) -> datetime | None:
        nonlocal looks
        looks += 1
        return past if looks < 4 else None

    queue = DocketQueue(url, "docket-test", run, 1, leases=leases)
    async with queue, queue.working():
        await queue.advance("inv-1")
        await until(lambda: looks == 4)


async def test_an_error_is_tried_again_and_then_given_up_aloud(url: str, leases: LocalLeases) -> None:
    tries = 0
    given_up: list[tuple[str, str]] = []

    async def run(investigation: str) -> datetime | None:
        nonlocal tries
        tries += 1
        raise ZeroDivisionError(f"try {tries}")

    async def give_up(investigation: str, error: Exception) -> None:
        given_up.append((investigation, str(error)))

    backoff = (timedelta(milliseconds=50), timedelta(milliseconds=100))
    queue = DocketQueue(url, "docket-test", run, 1, leases=leases, given_up=give_up, backoff=backoff)
    async with queue, queue.working():
        await queue.advance("inv-1")
        await until(lambda: given_up != [])
        await asyncio.sleep(0.3)
    assert given_up == [("inv-1", "try 3")]
    assert tries == 3


async def test_an_error_of_one_does_not_hold_up_another(url: str, leases: LocalLeases) -> None:
    seen: list[str] = []

    async def run(investigation: str) -> datetime | None:
        if investigation == "inv-bad":
            raise ZeroDivisionError
        seen.append(investigation)
        return None

    queue = DocketQueue(url, "docket-test", run, 1, leases=leases, backoff=())
    async with queue, queue.working():
        await queue.resume(["inv-bad", "inv-good"])
        await until(lambda: seen == ["inv-good"])


async def test_who_lost_the_lease_stops_and_somebody_looks_again(url: str, leases: LocalLeases) -> None:
    looks = 0

    async def run(investigation: str) -> datetime | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise LeaseLost("the lease of inv-1 went to another worker")
        return None

    queue = DocketQueue(url, "docket-test", run, 1, leases=leases, backoff=())
    async with queue, queue.working():
        await queue.advance("inv-1")
        await until(lambda: looks == 2)


async def test_stopping_lets_a_short_job_finish_and_breaks_a_long_one_off(url: str, leases: LocalLeases) -> None:
    ends: list[str] = []
    started: list[str] = []
    nearly_done = asyncio.Event()

    async def run(investigation: str) -> datetime | None:
        started.append(investigation)
        try:
            await (nearly_done if investigation == "inv-short" else asyncio.Event()).wait()
        except asyncio.CancelledError:
            ends.append(f"{investigation} broken off")
            raise
        ends.append(f"{investigation} finished")
        return None

    queue = DocketQueue(url, "docket-test", run, 2, leases=leases, grace=timedelta(seconds=1))
    async with queue, queue.working():
        await queue.resume(["inv-short", "inv-long"])
        await until(lambda: len(started) == 2)
        asyncio.get_running_loop().call_soon(nearly_done.set)
    assert ends == ["inv-short finished", "inv-long broken off"]
    async with leases.hold("investigation:inv-long") as free:
        assert free


async def test_a_worker_that_stops_at_once_stops_cleanly(url: str, leases: LocalLeases) -> None:
    queue = DocketQueue(url, "docket-test", recorder([]), 1, leases=leases)
    async with queue:
        async with queue.working():
            pass
        async with queue.working():
            await asyncio.sleep(0.3)


async def test_a_process_without_a_worker_can_wake_one(redis: Redis, redis_server: RedisServer) -> None:
    seen: list[str] = []
    desk = DocketQueue(redis_server.url, "docket-test", recorder([]), 1, leases=RedisLeases(redis))
    worker = DocketQueue(redis_server.url, "docket-test", recorder(seen), 1, leases=RedisLeases(redis))
    async with desk, worker, worker.working():
        await desk.advance("inv-1")
        await until(lambda: seen == ["inv-1"])


WORKER = """
import asyncio, sys
from datetime import timedelta
from runbook_bot.state.config import StateSettings
from runbook_bot.state.connection import redis_client
from runbook_bot.state.leases import RedisLeases
from runbook_bot.state.queue import DocketQueue
async def run(investigation):
    print("began", flush=True)
    await asyncio.sleep(60)
async def main():
    leases = RedisLeases(redis_client(StateSettings(redis_url=sys.argv[1])))
    queue = DocketQueue(sys.argv[1], "docket-test", run, 1, leases=leases)
    async with queue, queue.working():
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_after_a_kill_the_boot_scan_of_another_worker_goes_on(redis: Redis, redis_server: RedisServer) -> None:
    """Within the life of the dead worker's lease, long before the queue itself delivers again."""
    seen: list[str] = []
    leases = Watched(RedisLeases(redis))
    queue = DocketQueue(redis_server.url, "docket-test", recorder(seen), 1, leases=leases)
    async with queue:
        await queue.advance("inv-1")
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, redis_server.url, stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"began\n"
        worker.kill()
        await worker.wait()
        await redis.pexpire("runbook:lease:investigation:inv-1", 60_000)
        async with queue.working():
            await queue.resume(["inv-1"])
            await until(lambda: leases.refused > 0)
            assert seen == []
            await redis.pexpire("runbook:lease:investigation:inv-1", 0)  # the test does not wait for it
            await until(lambda: seen == ["inv-1"])


async def test_a_redis_that_goes_away_and_comes_back_loses_no_wake_up(redis: Redis, redis_server: RedisServer) -> None:
    seen: list[str] = []
    queue = DocketQueue(redis_server.url, "docket-test", recorder(seen), 1, leases=RedisLeases(redis))
    async with queue, queue.working():
        await queue.advance("inv-before")
        await until(lambda: seen == ["inv-before"])
        redis_server.kill()
        try:
            async with asyncio.timeout(20):
                await queue.advance("inv-while-away")
            await asyncio.sleep(0.5)
        finally:
            redis_server.start()
        await queue.advance("inv-after")
        await until(lambda: {"inv-while-away", "inv-after"} <= set(seen), seconds=20)


async def test_a_queue_that_is_not_connected_says_so(leases: LocalLeases) -> None:
    queue = DocketQueue("memory://", "docket-test", recorder([]), 1, leases=leases)
    with pytest.raises(RuntimeError, match="outside"):
        await queue.advance("inv-1")
