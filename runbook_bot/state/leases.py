"""One worker at a time for one thing: by a lock on a file, or by a key in Redis that expires."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runbook_bot.errors import LeaseLost

TTL = timedelta(seconds=15)
"""How long a lease outlives a worker that died without a word."""
_log = structlog.get_logger()


class LocalLeases:
    """Leases within one machine. The kernel frees them the moment a process ends, so they need no time limit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def hold(self, name: str, *, ttl: timedelta = TTL) -> AsyncIterator[bool]:
        """Whether the lease was obtained; another holder may be in this process or in another one."""
        path = self._folder / f"{quote(name, safe='')[:200]}.lock"
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = _lock(path)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                path.unlink(missing_ok=True)
                os.close(descriptor)


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock of the file that has this name now; None where somebody else does.

    A holder removes its file as it leaves, so the one that was locked may have lost its name meanwhile.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except FileNotFoundError:
            pass
        os.close(descriptor)


_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisLeases:
    """Leases across machines. A holder that cannot renew in time is cancelled and sees `LeaseLost`."""

    def __init__(self, redis: Redis, prefix: str = "runbook") -> None:
        self._redis = redis
        self._prefix = prefix
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    @asynccontextmanager
    async def hold(self, name: str, *, ttl: timedelta = TTL) -> AsyncIterator[bool]:
        """Whether the lease was obtained; False too while Redis does not answer."""
        key, token = f"{self._prefix}:lease:{name}", uuid4().hex
        if not await self._take(key, token, ttl):
            yield False
            return
        holder = asyncio.current_task()
        assert holder is not None
        lost = asyncio.Event()
        renewal = asyncio.create_task(self._keep(key, token, ttl, holder, lost), name=f"renewal of {key}")
        try:
            yield True
        except asyncio.CancelledError:
            if lost.is_set() and holder.uncancel() == 0:
                raise LeaseLost(f"the lease of {name} went to another worker or could not be renewed") from None
            raise
        finally:
            renewal.cancel()
            if not lost.is_set():
                await self._give_back(key, token)
        if lost.is_set():
            raise LeaseLost(f"the lease of {name} went to another worker or could not be renewed")

    async def _take(self, key: str, token: str, ttl: timedelta) -> bool:
        try:
            return bool(await self._redis.set(key, token, nx=True, px=ttl))
        except RedisError as error:
            _log.warning("Redis does not answer, so no lease was taken", lease=key, error=str(error))
            return False

    async def _keep(
        self, key: str, token: str, ttl: timedelta, holder: "asyncio.Task[object]", lost: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        span = ttl.total_seconds()
        kept_until = loop.time() + span
        while True:
            await asyncio.sleep(span / 4)
            began = loop.time()
            try:
                async with asyncio.timeout(max(kept_until - began, 0.01)):
                    mine = bool(await self._renew(keys=[key], args=[token, round(span * 1000)]))
            except (RedisError, TimeoutError) as error:
                _log.warning("a lease could not be renewed", lease=key, error=str(error) or "no answer in time")
                if loop.time() + span / 4 < kept_until:
                    continue
                mine = False
            if not mine:
                lost.set()
                holder.cancel()
                return
            kept_until = began + span

    async def _give_back(self, key: str, token: str) -> None:
        try:
            await self._release(keys=[key], args=[token])
        except RedisError as error:
            _log.warning("a lease could not be given back and will expire", lease=key, error=str(error))
