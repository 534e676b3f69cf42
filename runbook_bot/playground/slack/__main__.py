"""The loopback Slack as a process of its own, so that a test may kill the bot and keep the workspace."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from runbook_bot.errors import RunbookError
from runbook_bot.playground.slack.server import LoopbackSlack
from runbook_bot.playground.slack.workspace import Workspace


async def _serve(port: int, manifest: Path | None) -> None:
    slack = LoopbackSlack(Workspace.demo(manifest))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    await slack.start(port)
    ready = {
        "api_url": slack.api_url,
        "page_url": slack.page_url,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await stopped.wait()
    await slack.stop()


def main() -> int:
    """Print one JSON line with the urls and tokens, then serve until a signal."""
    parser = argparse.ArgumentParser(prog="runbook_bot.playground.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--manifest", type=Path, help="the app's manifest.yml: its scopes, events and commands")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.port, options.manifest))
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
