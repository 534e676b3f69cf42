"""One holder at a time, in one process, in two, and across machines; and no lease outlives its holder for long."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from runbook_bot.domain.ports import Leases
from runbook_bot.errors import LeaseLost
from runbook_bot.state.leases import LocalLeases, RedisLeases
from tests.state.server import RedisServer

HOLDER = """
import asyncio, sys
from pathlib import Path
from runbook_bot.state.leases import LocalLeases
async def main():
    async with LocalLeases(Path(sys.argv[1])).hold("inv-1") as mine:
        print("held" if mine else "refused", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.fixture(params=["local", "redis"])
def leases(request: pytest.FixtureRequest, tmp_path: Path) -> Leases:
    if request.param == "local":
        return LocalLeases(tmp_path / "leases")
    return RedisLeases(request.getfixturevalue("redis"))


async def test_a_lease_has_one_holder(leases: Leases) -> None:
    async with leases.hold("inv-1") as first, leases.hold("inv-1") as second, leases.hold("inv-2") as other:
        assert (first, second, other) == (True, False, True)
    async with leases.hold("inv-1") as again:
        assert again


async def test_a_lease_is_given_back_when_its_holder_fails(leases: Leases) -> None:
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("inv-1"):
            raise ZeroDivisionError
    async with leases.hold("inv-1") as again:
        assert again


async def test_of_many_at_once_one_holds(leases: Leases) -> None:
    holding = 0
    most = 0
    turns = 0

    async def worker() -> None:
        nonlocal holding, most, turns
        for _ in range(20):
            async with leases.hold("inv-1") as mine:
                if mine:
                    holding += 1
                    most = max(most, holding)
                    turns += 1
                    await asyncio.sleep(0)
                    holding -= 1
            await asyncio.sleep(0)

    await asyncio.gather(*(worker() for _ in range(10)))
    assert most == 1
    assert turns >= 5  # how many of the two hundred tries fall between two holders is up to the machine


def files_below(folder: Path) -> list[Path]:
    """Where they lie."""
    return [path.parent for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "é" * 90, ""])
async def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "leases"
    async with LocalLeases(folder).hold(name) as mine:
        assert mine
        assert files_below(tmp_path) == [folder]
    assert files_below(tmp_path) == []


def test_two_processes_exclude_each_other_and_a_kill_frees_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "refused\n"
            second.kill()
        first.kill()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as third:
        assert third.stdout is not None
        assert third.stdout.readline() == "held\n"
        third.kill()


async def test_a_lease_is_renewed_while_it_is_held(redis: Redis) -> None:
    leases = RedisLeases(redis)
    async with leases.hold("inv-1", ttl=timedelta(seconds=6)) as mine:
        assert mine
        await redis.persist("runbook:lease:inv-1")
        async with asyncio.timeout(30):
            while await redis.pttl("runbook:lease:inv-1") < 0:  # noqa: ASYNC110  # the server tells nobody of a renewal
                await asyncio.sleep(0.05)
        async with leases.hold("inv-1") as other:
            assert not other


async def test_a_dead_holders_lease_expires(redis: Redis) -> None:
    await redis.set("runbook:lease:inv-1", "of a process that was killed", px=60_000)
    async with RedisLeases(redis).hold("inv-1") as mine:
        assert not mine
    await redis.pexpire("runbook:lease:inv-1", 0)
    async with RedisLeases(redis).hold("inv-1") as mine:
        assert mine


async def test_who_lost_the_lease_is_stopped_and_leaves_the_new_holders_alone(redis: Redis) -> None:
    async def hold() -> None:
        async with RedisLeases(redis).hold("inv-1", ttl=timedelta(seconds=4)):
            await redis.set("runbook:lease:inv-1", "somebody else's", px=60_000)
            await asyncio.sleep(30)

    with pytest.raises(LeaseLost, match="inv-1"):
        await hold()
    assert await redis.get("runbook:lease:inv-1") == "somebody else's"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancelled_holder_is_cancelled_and_not_said_to_have_lost(redis: Redis) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        async with RedisLeases(redis).hold("inv-1"):
            held.set()
            await asyncio.sleep(30)

    task = asyncio.create_task(hold())
    await held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await redis.get("runbook:lease:inv-1") is None


async def test_without_redis_no_lease_is_had_and_a_held_one_is_lost_in_time(
    redis: Redis, redis_server: RedisServer
) -> None:
    async def hold() -> None:
        async with RedisLeases(redis).hold("inv-1", ttl=timedelta(seconds=1)):
            redis_server.kill()
            async with RedisLeases(redis).hold("inv-2") as mine:
                assert not mine
            await asyncio.sleep(30)

    try:
        with pytest.raises(LeaseLost):
            await hold()
    finally:
        redis_server.start()
