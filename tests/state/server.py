"""A redis-server of the tests' own, on a free port of the loopback, that can be killed and brought back."""

import subprocess
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError


class RedisServer:
    def __init__(self, binary: str, port: int, folder: Path) -> None:
        self._binary = binary
        self._port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Returns once it answers. Everything is in its append-only file, so that a kill loses little."""
        where = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [self._binary, *where, "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        with Redis.from_url(self.url) as probe:
            while time.monotonic() < until:
                try:
                    probe.ping()
                    return
                except RedisError:
                    time.sleep(0.02)
        raise AssertionError("redis-server did not answer within 10 s")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
