"""The simulated cloud as a process of its own: prints one JSON line when it is ready, serves until it is stopped."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys

from runbook_bot.errors import RunbookError
from runbook_bot.playground.cloud import Cloud, Scenario


async def _serve(name: str, port: int) -> None:
    scenario = Scenario.load(name)
    cloud = Cloud()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await cloud.start(scenario, port=port)
    try:
        ready = {
            "endpoint": cloud.endpoint_url,
            "scenario": scenario.name,
            "environment": cloud.environment(),
            "expected": scenario.expected.model_dump(mode="json"),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await cloud.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m runbook_bot.playground.cloud", description=__doc__)
    parser.add_argument("--scenario", required=True, help="name of a shipped scenario, or the path of a file")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    asked = parser.parse_args()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(asked.scenario, asked.port))
    except RunbookError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
