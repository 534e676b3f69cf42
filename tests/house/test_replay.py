"""`audit replay`: a journal leads to its verdict once more, and whoever changes what was answered is found out."""

import asyncio
import json
from pathlib import Path

from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Opened
from runbook_bot.state.journals import FileJournals
from tests.house.terminal import runbook
from tests.investigation import troubles
from tests.investigation.running import ID, Running


def investigated(home: Path) -> Path:
    running = Running(troubles.memory_exhaustion())
    journal = FileJournals(home / "scratchpad", running.clock).create(
        ID, Opened(request=Request(text="cart"), reasoner="catalogue")
    )
    assert journal is not None
    asyncio.run(running.go_on(journal))
    return Path(journal.location)


def test_a_journal_replays_to_its_verdict(tmp_path: Path) -> None:
    investigated(tmp_path)
    ran = runbook("audit", "replay", ID, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("Identical: ")
    told = json.loads(runbook("audit", "replay", ID, "--json", home=tmp_path).stdout)
    assert told["identical"] is True
    assert told["verdict"]["root_cause"]["failure_mode"] == "memory_exhaustion"


def test_answers_that_were_altered_no_longer_lead_to_it(tmp_path: Path) -> None:
    written = investigated(tmp_path)
    text = written.read_text()
    assert "OutOfMemoryError" in text
    lines = [line.replace("OutOfMemoryError", "task was drained") if '"queried"' in line else line
             for line in text.splitlines()]  # fmt: skip
    written.write_text("\n".join(lines) + "\n")
    ran = runbook("audit", "replay", ID, home=tmp_path)
    assert ran.returncode == 1
    assert ran.stdout
    assert f"{ID} does not replay" in ran.stderr


def test_an_unknown_investigation_is_named(tmp_path: Path) -> None:
    ran = runbook("audit", "replay", "inv-nobody", home=tmp_path)
    assert ran.returncode == 1
    assert "inv-nobody" in ran.stderr
