"""Programs that are measured from outside, each in a process of its own, connected to a loopback Slack."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from runbook_bot.playground.slack import LoopbackSlack

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def connected(home: Path, *module: str) -> AsyncIterator[tuple[LoopbackSlack, float]]:
    """A Slack with `python -m module` connected to it, and the seconds from the process's start until it was.

    The process is killed at the end: what it still has to tell a paced Slack is not what is measured.
    """
    async with LoopbackSlack() as slack:
        environment = os.environ | {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "RUNBOOK_HOME": str(home),
        }
        began = time.monotonic()
        with (home / "stderr.log").open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *module, cwd=ROOT, env=environment, stdout=errors, stderr=errors
            )
        try:
            await slack.wait_for(lambda: slack.connected or process.returncode is not None, 60, "a connection")
            assert process.returncode is None, (home / "stderr.log").read_text()
            yield slack, time.monotonic() - began
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
