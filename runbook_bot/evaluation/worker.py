"""One process of the examination: builds one world after the other, has it investigated, tells the results.

Reads a job a line on standard input (`Job`), writes an `Outcome` a line on standard output.
"""

import asyncio
import os
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from runbook_bot.errors import RunbookError

if TYPE_CHECKING:
    from runbook_bot.playground.cloud.upstream import Upstream

PATIENCE = {"RUNBOOK_PATIENCE": "5"}
"""The clouds share the machine with whoever asks them."""


class Job(BaseModel):
    """What to do: a scenario file, and what is asked in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    scenario: dict[str, Any]
    text: str
    ago: timedelta | None = None
    mapped: bool = True


class Outcome(BaseModel):
    """What came of it: the result as `investigate --json` prints it, or why there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    report: dict[str, Any] | None = None
    problem: str = ""
    loading: float = Field(default=0.0, ge=0)
    """Seconds until the world was ready."""


async def examine(job: Job, upstream: "Upstream", home: Path) -> Outcome:
    """Raises nothing that a wrong world or a failed investigation brings: it is told in the outcome."""
    from runbook_bot import bootstrap
    from runbook_bot.domain.incident import Request, Source
    from runbook_bot.domain.ports import SystemClock
    from runbook_bot.investigation.report import report
    from runbook_bot.playground.cloud import Cloud, Scenario
    from runbook_bot.settings import Settings

    began = time.monotonic()
    loading = 0.0
    try:
        scenario = Scenario.model_validate({"name": job.id, **job.scenario})
        async with Cloud(upstream=upstream) as cloud:
            await cloud.start(scenario)
            loading = time.monotonic() - began
            os.environ.update(cloud.environment() | PATIENCE)
            if job.mapped:
                (home / "services.yaml").write_text(scenario.services_yaml(), encoding="utf-8")
            settings = Settings.load(home, os.environ)
            at = SystemClock().now() - job.ago if job.ago else None
            since = time.monotonic()
            request = Request(text=job.text, source=Source.manual, at=at)
            case = await bootstrap.investigate(settings, request)
            seconds = time.monotonic() - since
        journal = bootstrap.journals(settings).open(case.id).location
        return Outcome(id=job.id, report=report(case, journal, seconds), problem=case.failure or "", loading=loading)
    except (RunbookError, ValueError) as problem:
        return Outcome(id=job.id, problem=f"{type(problem).__name__}: {problem}"[:400], loading=loading)


async def _serve() -> None:
    from runbook_bot.playground.cloud.upstream import Upstream

    upstream = Upstream()
    await upstream.start()
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            with tempfile.TemporaryDirectory(prefix="runbook-eval-") as home:
                outcome = await examine(Job.model_validate_json(line), upstream, Path(home))
            sys.stdout.write(outcome.model_dump_json() + "\n")
            sys.stdout.flush()
    finally:
        await upstream.stop()


def main() -> None:
    from runbook_bot import log

    with tempfile.TemporaryDirectory(prefix="runbook-eval-log-") as folder:
        log.configure(os.environ, file=Path(folder) / log.LOG_FILE)
        asyncio.run(_serve())


if __name__ == "__main__":
    main()
