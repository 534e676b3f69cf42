"""Has the cases of the suite examined by several processes at once, within a bounded time."""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.util import find_spec

from runbook_bot.errors import PlaygroundError
from runbook_bot.evaluation.worker import Job, Outcome
from runbook_bot.evaluation.worlds.case import Case

PATIENCE = timedelta(seconds=150)
"""For one world with its investigation; what takes longer counts as failed."""
_LONGEST_LINE = 64 * 1024 * 1024


def job_of(case: Case) -> Job:
    return Job(id=case.id, scenario=case.scenario, text=case.text, ago=case.ago, mapped=case.mapped)


def disturbed(outcome: Outcome) -> bool:
    """Whether the machine was too busy: many calls ran out of time. (What is not permitted is `denied`.)"""
    found = outcome.report["evidence"] if outcome.report else []
    return outcome.report is None or sum(each["status"] == "error" for each in found) > len(found) / 4


async def run(
    cases: Sequence[Case],
    *,
    workers: int,
    limit: timedelta,
    on_outcome: Callable[[Case, Outcome], None] = lambda _case, _outcome: None,
) -> dict[str, Outcome]:
    """Outcomes by case id. Cases that were not begun when the time was over are missing; one that the machine was too
    busy for is examined once more. Raises `PlaygroundError` where the simulated cloud is not installed.
    """
    if find_spec("moto") is None:
        raise PlaygroundError("moto is not installed; install the extra `demo`: pip install 'runbook-bot[demo]'")
    waiting = deque(cases)
    ends = time.monotonic() + limit.total_seconds()
    found: dict[str, Outcome] = {}

    async def work() -> None:
        worker = _Worker()
        try:
            while waiting and time.monotonic() < ends:
                case = waiting.popleft()
                outcome = await worker.put(job_of(case))
                if disturbed(outcome):
                    outcome = await worker.put(job_of(case))
                found[case.id] = outcome
                on_outcome(case, outcome)
        finally:
            await worker.end()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(cases))):
            group.create_task(work())
    return found


class _Worker:
    """A process that is started when it is needed, and again when it had to be killed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def put(self, job: Job) -> Outcome:
        process = await self._running()
        assert process.stdin
        assert process.stdout
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                process.stdin.write(job.model_dump_json().encode() + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        except TimeoutError:
            await self.end()
            return Outcome(id=job.id, problem=f"no verdict within {PATIENCE.total_seconds():.0f} s")
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        if not line:
            await self.end()
            return Outcome(id=job.id, problem="the process that examined it ended without a word")
        return Outcome.model_validate_json(line)

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()  # it ends by itself when nothing more comes
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to close it

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "runbook_bot.evaluation.worker"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    limit=_LONGEST_LINE,
                )
            except OSError as error:
                raise PlaygroundError(f"no process can be started: {error.strerror or error}") from error
        return self._process
