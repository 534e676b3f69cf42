"""The examination as a person starts it: real worlds, a real front, and numbers at the end."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.evaluation.running import disturbed, run
from runbook_bot.evaluation.scoring import MEASURES
from runbook_bot.evaluation.worker import Outcome
from runbook_bot.evaluation.worlds.dice import Part
from runbook_bot.evaluation.worlds.story import FAMILIES
from runbook_bot.evaluation.worlds.suite import make


def evaluate(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runbook_bot", "eval", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "RUNBOOK_HOME": str(home)},
    )


def test_two_worlds_are_examined_and_their_numbers_told(tmp_path: Path) -> None:
    ran = evaluate("scenarios", "--part", "seen", "--limit", "2", "--workers", "1", "--json", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["cases"], told["examined"]) == (2, 2)
    assert told["parts"].keys() == {"seen"}
    assert told["parts"]["seen"].keys() == MEASURES.keys()
    assert [each["problem"] for each in told["seen"]] == ["", ""]
    assert all(each["queries"] > 0 for each in told["seen"])
    assert ran.stderr.splitlines()[0].startswith("[1/2] ")


async def test_a_world_that_cannot_be_built_is_a_failed_case_and_the_next_one_is_examined() -> None:
    good = make(FAMILIES["threshold-tight"], "plain", Part.seen, "k")
    bad = make(FAMILIES["deploy-errors"], "plain", Part.seen, "k")
    bad.scenario["alarms"] = []
    told: list[str] = []
    found = await run(
        [bad, good], workers=1, limit=timedelta(hours=1), on_outcome=lambda case, _outcome: told.append(case.id)
    )
    assert told == [bad.id, good.id]
    assert "alarms" in found[bad.id].problem
    assert found[good.id].problem == ""
    assert found[good.id].report is not None


async def test_when_the_time_is_over_no_further_case_is_begun() -> None:
    case = make(FAMILIES["deploy-errors"], "plain", Part.seen, "k")
    assert await run([case], workers=1, limit=timedelta(0)) == {}


@pytest.mark.parametrize(("statuses", "again"), [([], False), (["ok", "denied"], False), (["ok", "error"], True)])
def test_a_case_is_examined_again_when_many_calls_ran_out_of_time(statuses: list[str], again: bool) -> None:
    outcome = Outcome(id="c", report={"evidence": [{"status": each} for each in statuses]})
    assert disturbed(outcome) is again
    assert disturbed(Outcome(id="c", problem="it ended without a word"))


def test_wrong_words_are_one_clear_line(tmp_path: Path) -> None:
    for words in (
        ("scenarios", "--part", "hidden"),
        ("scenarios", "--limit", "0"),
        ("public", "--data", str(tmp_path)),
    ):
        ran = evaluate(*words, home=tmp_path)
        assert ran.returncode == 2
        assert ran.stdout == ""
        assert "Traceback" not in ran.stderr
