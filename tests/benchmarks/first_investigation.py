"""One investigation, the first of its process, in the world in a box: how long until people saw what of it.

    python -m tests.benchmarks.first_investigation SCENARIO

Prints JSON: seconds from the command to the first `hypothesis` and to the `verdict`, the `root_cause`; the longest that
one callback kept the event loop (`blocked` by the clock, `busy` in the thread's own time, and `by` which); and
`stretch`, how much longer than its own time a computation took on this machine just then.
"""

import asyncio
import json
import logging
import os
import sys
import time
from typing import Any

from runbook_bot import bootstrap, log
from runbook_bot.playground.box import Box
from runbook_bot.settings import Settings

FINAL = ("concluded", "inconclusive", "failed")
PATIENCE = 60.0
SPIN = 0.15


class Stopwatch:
    """Times every callback of the loop. asyncio's debug mode does so too, and makes each of them many times slower."""

    def __init__(self) -> None:
        self.blocked, self.busy, self.by = 0.0, 0.0, ""
        self._run = asyncio.Handle._run

    def start(self) -> None:
        stopwatch = self

        def timed(handle: asyncio.Handle) -> None:
            began, own = time.perf_counter(), time.thread_time()
            stopwatch._run(handle)
            stopwatch.blocked = max(stopwatch.blocked, time.perf_counter() - began)
            if (took := time.thread_time() - own) > stopwatch.busy:
                stopwatch.busy, stopwatch.by = took, repr(handle)[:300]

        asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]  # the loop has no other place to measure at

    def stop(self) -> None:
        asyncio.Handle._run = self._run  # type: ignore[method-assign]  # as above


def stretch() -> float:
    began, own = time.perf_counter(), time.thread_time()
    while time.thread_time() - own < SPIN:
        pass
    return (time.perf_counter() - began) / SPIN


def shown(box: Box, kind: str) -> list[dict[str, Any]]:
    """The payloads of the messages of that kind."""
    found = (message.get("metadata") or {} for message in box.slack.messages("incidents"))
    return [each["event_payload"] for each in found if each.get("event_type") == kind]


def verdict(box: Box) -> dict[str, Any] | None:
    return next((each for each in shown(box, "runbook_investigation") if each["status"] in FINAL), None)


async def measured(scenario: str) -> dict[str, Any]:
    stopwatch = Stopwatch()
    async with Box(scenario) as box:
        os.environ.update(box.environment())
        stretched = [stretch()]
        async with bootstrap.running(Settings.load(box.home, os.environ), desk=True, worker=True) as service:
            await service.warming  # as the demo does before it says that it is open
            channel = box.slack.channel("incidents").id
            text = f"investigate {box.scenario.expected.alarm}"
            stopwatch.start()
            began = time.monotonic()
            await box.slack.act({"do": "command", "user": "U0ROSA", "channel": channel, "text": text})
            await box.slack.wait_for(lambda: shown(box, "runbook_hypothesis"), PATIENCE, "a hypothesis")
            hypothesis = time.monotonic() - began
            found = await box.slack.wait_for(lambda: verdict(box), PATIENCE, "the verdict")
            took = {"hypothesis": hypothesis, "verdict": time.monotonic() - began}
            stopwatch.stop()
            stretched.append(stretch())
            loop = {"blocked": stopwatch.blocked, "busy": stopwatch.busy, "by": stopwatch.by}
            print(json.dumps({**found, **took, **loop, "stretch": sum(stretched) / 2}), flush=True)  # noqa: T201  # the result
            os._exit(0)  # what is still to be told to a paced Slack is not what is measured


if __name__ == "__main__":
    log.configure(os.environ, level=logging.ERROR)
    asyncio.run(measured(sys.argv[1]))
