"""Two investigations of the same alarm, one right after the other, in one process: how many calls each makes.

    python -m tests.benchmarks.counted_calls SCENARIO

Prints JSON: for each of the two the calls of its `triage` (before its first hypothesis) and in `all`, its
`root_cause`, and for how many services triage read logs or events (`troubled`). The service graph is there before the
first, as it is in a service that has been up for a moment.
"""

import asyncio
import json
import logging
import os
import secrets
import sys
from typing import Any

from runbook_bot import log
from runbook_bot.bootstrap import parts
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Entry, KnowledgeFound, Opened
from runbook_bot.playground.box import Box
from runbook_bot.settings import Settings


async def counted(scenario: str) -> list[dict[str, Any]]:
    async with Box(scenario) as box:
        os.environ.update(box.environment())
        settings = Settings.load(box.home, os.environ)
        memory = parts.knowledge(settings)
        at_triage: list[int] = []

        def total() -> int:
            return sum(box.cloud.calls().values())

        def noted(entry: Entry) -> None:
            if isinstance(entry.body, KnowledgeFound):
                at_triage.append(total())

        mind = parts.thinking(settings, memory, on_entry=noted)
        await mind.world.discover()
        found = []
        for _ in range(2):
            before = total()
            id = f"inv-{secrets.token_hex(5)}"
            request = Request(text=box.scenario.expected.alarm)
            mind.journals.create(id, Opened(request=request, reasoner="catalogue"))
            await mind.advance(id)
            case = mind.journals.open(id).refresh()
            cause = case.verdict.root_cause if case.verdict else None
            found.append({
                "triage": at_triage[-1] - before,
                "all": total() - before,
                "root_cause": cause.failure_mode.value if cause else None,
                "troubled": len(troubled(case)),
            })  # fmt: skip
        if mind.atlas is not None:
            await mind.atlas.close()
        await memory.close()
        return found


def troubled(case: Investigation) -> set[str]:
    """What triage read the logs or the events of."""
    first = next((i for i, asked in enumerate(case.asked) if asked.hypotheses), len(case.asked))
    return {
        str(asked.query["resource"]["name"]).rpartition("/")[2]  # type: ignore[index,call-overload]  # JSON of a query
        for asked in case.asked[:first]
        if asked.query_kind in ("search_logs", "list_events")
    }


if __name__ == "__main__":
    log.configure(os.environ, level=logging.ERROR)
    print(json.dumps(asyncio.run(counted(sys.argv[1]))))  # noqa: T201  # the result
