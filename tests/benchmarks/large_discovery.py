"""One discovery of whatever stands behind AWS_ENDPOINT_URL, in a process of its own.

    python -m tests.benchmarks.large_discovery REGION,REGION… NAME=ROLE…

Prints JSON: `seconds`, `services`, `resources`, `edges`, `unseen`; `megabytes`, the most that the process held; and
`blocked`, the longest that one callback kept the event loop, in its own time, and `by` which;
`collecting`, the longest collection of garbage, which falls into whichever callback is at work.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from runbook_bot.domain.ports import SystemClock
from runbook_bot.providers.aws.config import AwsAccount, AwsSettings
from runbook_bot.providers.aws.provider import AwsProvider
from tests.benchmarks.first_investigation import Stopwatch


class Pauses:
    """How long the collector of garbage stopped everybody."""

    def __init__(self) -> None:
        self.longest = self._began = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.longest = max(self.longest, time.thread_time() - self._began)


async def measured(settings: AwsSettings) -> dict[str, Any]:
    provider = AwsProvider(settings, SystemClock())
    stopwatch, pauses = Stopwatch(), Pauses()
    gc.callbacks.append(pauses)
    stopwatch.start()
    began = time.monotonic()
    graph = await provider.discover()
    took = time.monotonic() - began
    stopwatch.stop()
    return {
        "seconds": took,
        "services": len(graph.services),
        "resources": len({r.key for service in graph for r in service.resources}),
        "edges": len(graph.edges),
        "unseen": [each for look in graph.looks for each in look.unseen],
        "megabytes": _peak(),
        "blocked": stopwatch.busy,
        "by": stopwatch.by,
        "collecting": pauses.longest,
    }


def _peak() -> float:
    """The most memory this program held, in MB; the kernel's `ru_maxrss` counts what started it as well."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


if __name__ == "__main__":
    roles = dict(each.split("=", 1) for each in sys.argv[2:])
    accounts = tuple(AwsAccount(name=name, role_arn=role) for name, role in roles.items())
    settings = AwsSettings(regions=tuple(sys.argv[1].split(",")), accounts=accounts)
    print(json.dumps(asyncio.run(measured(settings))), flush=True)  # noqa: T201  # the result
