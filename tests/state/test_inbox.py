"""A delivery is accepted once a day, remembered until it is done, and survives the process that took it."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from runbook_bot.domain.ports import Inbox
from runbook_bot.errors import RunbookError
from runbook_bot.state.inbox import RedisInbox, SqliteInbox
from tests.state.clock import HandClock
from tests.state.server import RedisServer


@pytest.fixture(params=["sqlite", "redis", "redis in Python"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> Iterator[Inbox]:
    if request.param == "redis":
        yield RedisInbox(request.getfixturevalue("redis"), clock=clock)
        return
    if request.param == "redis in Python":  # its Lua is another one, and so is its reading of the manual
        yield RedisInbox(FakeAsyncRedis(), clock=clock)
        return
    box = SqliteInbox(tmp_path / "state" / "inbox.sqlite", clock)
    yield box
    box.close()


async def test_the_same_delivery_is_accepted_once(inbox: Inbox) -> None:
    assert await inbox.accept("Ev1", "{}")
    assert not await inbox.accept("Ev1", "{}")
    assert await inbox.accept("Ev2", "{}")


async def test_what_is_not_done_is_pending_oldest_first(inbox: Inbox, clock: HandClock) -> None:
    for key in ("Ev3", "Ev1", "Ev2"):
        await inbox.accept(key, f'{{"text": "{key} ü"}}')
        clock.pass_(timedelta(seconds=1))
    await inbox.done("Ev1")
    assert await inbox.pending() == [("Ev3", '{"text": "Ev3 ü"}'), ("Ev2", '{"text": "Ev2 ü"}')]
    assert not await inbox.accept("Ev1", "again, after it was done")


async def test_after_a_day_what_was_never_finished_is_let_go(inbox: Inbox, clock: HandClock) -> None:
    await inbox.accept("Ev1", "old")
    clock.pass_(timedelta(hours=23, minutes=59))
    await inbox.accept("Ev2", "young")
    clock.pass_(timedelta(minutes=2))
    assert await inbox.pending() == [("Ev2", "young")]


async def test_of_many_at_once_one_is_accepted(inbox: Inbox) -> None:
    accepted = await asyncio.gather(*(inbox.accept("Ev1", str(number)) for number in range(50)))
    assert accepted.count(True) == 1


async def test_a_key_may_come_again_after_a_day(tmp_path: Path, clock: HandClock) -> None:
    inbox = SqliteInbox(tmp_path / "inbox.sqlite", clock)
    await inbox.accept("Ev1", "first")
    await inbox.done("Ev1")
    clock.pass_(timedelta(hours=23, minutes=59))
    assert not await inbox.accept("Ev1", "second")
    clock.pass_(timedelta(minutes=1))
    assert await inbox.accept("Ev1", "third")
    assert await inbox.pending() == [("Ev1", "third")]
    inbox.close()


def test_an_accepted_delivery_survives_the_death_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    code = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from runbook_bot.state.inbox import SqliteInbox\n"
        "assert asyncio.run(SqliteInbox(Path(sys.argv[1])).accept('Ev1', 'kept'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    inbox = SqliteInbox(path)
    assert asyncio.run(inbox.pending()) == [("Ev1", "kept")]
    inbox.close()


async def test_two_processes_share_one_inbox(tmp_path: Path) -> None:
    first, second = SqliteInbox(tmp_path / "inbox.sqlite"), SqliteInbox(tmp_path / "inbox.sqlite")
    assert await first.accept("Ev1", "{}")
    assert not await second.accept("Ev1", "{}")
    await second.done("Ev1")
    assert await first.pending() == []
    first.close()
    second.close()


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    path.write_bytes(b"not a database, but quite long enough to be looked at as one" * 20)
    with pytest.raises(RunbookError, match=r"inbox\.sqlite cannot be used: file is not a database") as caught:
        SqliteInbox(path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(RunbookError, match="cannot be used"):
        SqliteInbox(tmp_path / "state" / "inbox.sqlite")


async def test_without_redis_an_inbox_says_so(redis: Redis, redis_server: RedisServer) -> None:
    inbox = RedisInbox(redis)
    try:
        redis_server.kill()
        with pytest.raises(RunbookError, match="the inbox in Redis cannot be used"):
            await inbox.accept("Ev1", "{}")
    finally:
        redis_server.start()
    assert await inbox.accept("Ev1", "{}")


async def test_every_key_of_the_inbox_expires(redis: Redis) -> None:
    inbox = RedisInbox(redis)
    await inbox.accept("Ev1", "{}")
    keys = [key async for key in redis.scan_iter()]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.ttl(key) <= 86400


async def test_accepting_takes_microseconds(tmp_path: Path) -> None:
    """It is called inline, before an acknowledgement: as a ratio to what a durable write costs here."""
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    loop = asyncio.get_running_loop()
    rounds = []
    for batch in range(25):
        began = loop.time()
        for number in range(20):
            await inbox.accept(f"Ev{batch}.{number}", "{}")
        rounds.append((loop.time() - began) / 20)
    each = min(rounds)  # a busy machine is not held against it
    descriptor = os.open(tmp_path / "probe", os.O_WRONLY | os.O_CREAT)
    began = loop.time()
    for _ in range(50):
        os.write(descriptor, b"x")
        os.fsync(descriptor)
    durable = (loop.time() - began) / 50
    os.close(descriptor)
    inbox.close()
    assert each < max(durable, 0.002), f"{each * 1e6:.0f} µs each, a fsync takes {durable * 1e6:.0f} µs"


async def test_what_is_done_is_remembered_by_its_key_alone(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    await inbox.accept("Ev1", "what somebody wrote")
    await inbox.done("Ev1")

    assert not await inbox.accept("Ev1", "again")
    with sqlite3.connect(tmp_path / "inbox") as database:
        assert database.execute("SELECT key, delivery FROM deliveries").fetchall() == [("Ev1", "")]
    database.close()
    inbox.close()
