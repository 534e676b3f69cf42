"""Deliveries from outside, on the disk or in Redis before they are acknowledged, each accepted once in 24 hours."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from runbook_bot.domain.ports import Clock, SystemClock
from runbook_bot.errors import RunbookError

REMEMBERED = timedelta(hours=24)
_SYSTEM_CLOCK = SystemClock()

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    key TEXT PRIMARY KEY, delivery TEXT NOT NULL, at REAL NOT NULL, done INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_at ON deliveries (at);
"""
_ACCEPT = """
INSERT INTO deliveries (key, delivery, at) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET delivery = excluded.delivery, at = excluded.at, done = 0 WHERE deliveries.at <= ?
"""


class SqliteInbox:
    """One machine's deliveries.

    With a write-ahead log and `synchronous=NORMAL` a commit survives the death of the process, not that of the
    machine, and takes some ten microseconds: it is made inline, without a thread.
    Every method raises `RunbookError` where the file is no database, or cannot be written.
    """

    def __init__(self, path: Path, clock: Clock = _SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock
        self._guard = threading.Lock()
        self._prune_after = 0.0
        with self._clearly():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)

    async def accept(self, key: str, delivery: str) -> bool:
        now = self._clock.now().timestamp()
        forgotten = now - REMEMBERED.total_seconds()
        with self._guard, self._clearly():
            if now >= self._prune_after:
                self._db.execute("DELETE FROM deliveries WHERE at <= ?", (forgotten,))
                self._prune_after = now + 60
            return self._db.execute(_ACCEPT, (key, delivery, now, forgotten)).rowcount == 1

    async def done(self, key: str) -> None:
        with self._guard, self._clearly():
            self._db.execute("UPDATE deliveries SET done = 1, delivery = '' WHERE key = ?", (key,))

    async def pending(self) -> Sequence[tuple[str, str]]:
        forgotten = self._clock.now().timestamp() - REMEMBERED.total_seconds()
        with self._guard, self._clearly():
            rows = self._db.execute(
                "SELECT key, delivery FROM deliveries WHERE done = 0 AND at > ? ORDER BY at, key", (forgotten,)
            )
            return [(str(key), str(delivery)) for key, delivery in rows]

    def close(self) -> None:
        with self._guard:
            self._db.close()

    @contextmanager
    def _clearly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise RunbookError(f"the inbox {self._path} cannot be used: {error}") from error


_ACCEPT_ONCE = """
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[3]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
"""


class RedisInbox:
    """Deliveries of several processes: a key that expires for each one seen, and a hash of those not finished.

    Every method raises `RunbookError` while Redis does not answer.
    """

    def __init__(self, redis: Redis, prefix: str = "runbook", clock: Clock = _SYSTEM_CLOCK) -> None:
        self._redis = redis
        self._clock = clock
        self._seen = f"{prefix}:seen:"
        self._pending = f"{prefix}:pending"
        self._accept = redis.register_script(_ACCEPT_ONCE)

    async def accept(self, key: str, delivery: str) -> bool:
        record = json.dumps([self._clock.now().timestamp(), delivery])
        seconds = round(REMEMBERED.total_seconds())
        with self._clearly():
            accepted = await self._accept(keys=[self._seen + key, self._pending], args=[key, record, seconds])
        return bool(accepted)

    async def done(self, key: str) -> None:
        with self._clearly():
            await self._redis.hdel(self._pending, key)

    async def pending(self) -> Sequence[tuple[str, str]]:
        """Also forgets what is older than a day: the hash as a whole lives on while new deliveries arrive."""
        forgotten = self._clock.now().timestamp() - REMEMBERED.total_seconds()
        with self._clearly():
            found = await self._redis.hgetall(self._pending)
            records = {_text(key): json.loads(value) for key, value in found.items()}
            stale = [key for key, (at, _) in records.items() if at <= forgotten]
            if stale:
                await self._redis.hdel(self._pending, *stale)
        waiting = sorted((at, key, delivery) for key, (at, delivery) in records.items() if at > forgotten)
        return [(key, delivery) for _, key, delivery in waiting]

    @contextmanager
    def _clearly(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise RunbookError(f"the inbox in Redis cannot be used: {error}") from error


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
