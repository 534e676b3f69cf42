"""How soon the service is ready, beside the time it takes to import what it is made of, and how soon `--help` answers.

Each is measured beside its yardstick, in turns, and the medians are compared: a busy machine slows both down.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.processes import ROOT, connected

PACKAGES = (
    "runbook_bot.cli.app", "runbook_bot.bootstrap", "runbook_bot.slack.app", "runbook_bot.slack.board",
    "runbook_bot.state.queue", "docket", "runbook_bot.providers.aws.provider", "runbook_bot.providers.aws.actuator",
)  # fmt: skip
"""What `serve` is made of, where AWS is asked."""
READY_WITHIN = 2.0
"""Times the import of the packages."""
HELP_WITHIN = 0.35
"""Seconds longer than Python needs to do nothing."""
STRETCH = 2.0
"""What is tolerated where it is not a benchmark that is run: few rounds, on a machine that may be busy."""


def ran(*arguments: str) -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def served(home: Path) -> float:
    async def seconds() -> float:
        async with connected(home, "runbook_bot", "serve") as (_, took):
            return took

    return asyncio.run(seconds())


def compared(home: Path, rounds: int) -> float:
    imports = f"import {', '.join(PACKAGES)}"
    ran("-c", imports)  # once for the bytecode
    taken = [(ran("-c", imports), served(home)) for _ in range(rounds)]
    importing, serving = (median(each) for each in zip(*taken, strict=True))
    print(  # noqa: T201  # a report
        f"\nimporting the packages {importing:.2f} s, `serve` connected after {serving:.2f} s, "
        f"ratio {serving / importing:.2f}, promised {READY_WITHIN:g}"
    )
    return float(serving / importing)


def test_ready_within_twice_the_time_of_the_imports(
    tmp_path: Path, benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    ratio = benchmark.pedantic(compared, args=(tmp_path, 2 if benchmark.disabled else 7), rounds=1)  # type: ignore[no-untyped-call]  # as pytest-benchmark has it
    assert ratio <= READY_WITHIN * (STRETCH if benchmark.disabled else 1)


def test_help_answers_at_once(benchmark: BenchmarkFixture) -> None:
    def helped() -> tuple[float, float]:
        taken = [
            (ran("-c", "pass"), ran("-m", "runbook_bot", "--help")) for _ in range(3 if benchmark.disabled else 15)
        ]
        nothing, answering = (median(each) for each in zip(*taken, strict=True))
        return nothing, answering

    ran("-m", "runbook_bot", "--help")  # once for the bytecode
    nothing, answering = benchmark.pedantic(helped, rounds=1)  # type: ignore[no-untyped-call]  # as above
    print(  # noqa: T201  # a report
        f"\n`--help` {answering:.3f} s, Python doing nothing {nothing:.3f} s, {answering / nothing:.1f} times as long; "
        f"promised {HELP_WITHIN:g} s more at most"
    )
    assert answering - nothing <= HELP_WITHIN * (STRETCH if benchmark.disabled else 1)
