"""A journal folder, a clock that can be moved, and a real Redis where a test asks for one."""

import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from runbook_bot.state.config import StateSettings
from runbook_bot.state.connection import redis_client
from runbook_bot.state.journals import FileJournals
from tests.state.clock import HandClock
from tests.state.server import RedisServer


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def journals(tmp_path: Path, clock: HandClock) -> FileJournals:
    return FileJournals(tmp_path / "scratchpad", clock)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    server = RedisServer(binary, free_port(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """An empty database; whatever a test leaves without a time limit, docket's own keys apart, fails it."""
    client = redis_client(StateSettings(redis_url=SecretStr(redis_server.url)))
    assert client is not None
    await client.flushall()
    yield client
    forever = [key async for key in client.scan_iter() if await client.ttl(key) == -1 and not key.startswith("docket")]
    await client.aclose()
    assert forever == [], "these keys never expire"
