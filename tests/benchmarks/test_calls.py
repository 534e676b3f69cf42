"""How many calls to AWS an investigation makes: bounded in the first minute, and few in the one right after it."""

import json
import subprocess
import sys

import pytest

from runbook_bot.playground.cloud.scenario import Scenario, names
from tests.benchmarks.processes import ROOT

ONE_SERVICE = 25
"""Calls of a triage; its alarm concerns one service, beside which others may be seen to be in trouble."""


@pytest.mark.parametrize("scenario", names())
def test_a_triage_makes_few_calls_and_a_second_investigation_half_of_them(scenario: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.counted_calls", scenario],
        cwd=ROOT, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    print(  # noqa: T201  # a report
        f"\n{scenario}: {first['triage']} calls before the first hypothesis, {first['all']} in all; "
        f"right after it {second['triage']} and {second['all']}; {first['troubled']} services in trouble"
    )
    assert first["root_cause"] == second["root_cause"] == Scenario.load(scenario).expected.failure_mode.value
    assert first["triage"] <= ONE_SERVICE
    assert second["triage"] <= first["triage"] / 2
    assert second["all"] <= (first["all"] + 1) // 2
