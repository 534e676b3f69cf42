"""The product as a person starts it: `runbook-bot …` in a process of its own, which can be killed."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from runbook_bot.playground.box import Box

FOREIGN = ("AWS_", "SLACK_", "RUNBOOK_", "REDIS_", "CHROMA_", "LOG_")
"""What a developer's machine may have set, and a story must not hear of."""
LONGEST_START = 90.0


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anybody's own configuration, and with the given one."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**own, **nothing, **environment}


class Program:
    """One process. `log` is where its output goes, for whoever reads a failed story."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    async def start(cls, *words: str, environment: Mapping[str, str], log: Path) -> Self:
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runbook_bot", *words, env=surroundings(environment), stdout=out, stderr=out
            )
        return cls(process, log)

    @classmethod
    async def serving(cls, box: Box, log: Path, *more: str, extra: Mapping[str, str] | None = None) -> Self:
        """`serve`, once it is connected to the box's Slack in addition to whoever is connected already."""
        before = len(box.slack.socket.connections)
        program = await cls.start("serve", *more, environment={**box.environment(), **(extra or {})}, log=log)

        def ready() -> bool:
            assert program.alive, f"the program ended by itself; it said:\n{program.said()[-2000:]}"
            return len(box.slack.socket.connections) > before

        await box.slack.wait_for(ready, LONGEST_START, "a connection of the bot")
        return program

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    async def kill(self) -> None:
        """SIGKILL: no farewell, no flush."""
        if self.alive:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        if self.alive:
            self._process.terminate()
        return await self._process.wait()

    async def ended(self) -> int:
        return await self._process.wait()
