"""Writers are killed at random instants: what they were told is written is there, once, in order, and whole."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Noted, Opened
from runbook_bot.domain.ports import SystemClock
from runbook_bot.state.journals import FileJournal, FileJournals

WRITER = """
import sys
from pathlib import Path
from runbook_bot.domain.journal import Noted
from runbook_bot.domain.ports import SystemClock
from runbook_bot.state.journals import FileJournals
folder, name, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
journal = FileJournals(folder, SystemClock()).open("inv-1")
number = 0
while True:
    number += 1
    journal.append(Noted(text=f"{name} {number} " + "ü" * size))
    print(number, flush=True)
"""

CREATOR = """
import sys
from pathlib import Path
from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Opened
from runbook_bot.domain.ports import SystemClock
from runbook_bot.state.journals import FileJournals
journals = FileJournals(Path(sys.argv[1]), SystemClock())
print("ready", flush=True)
number = 0
while True:
    number += 1
    assert journals.create(f"inv-{number}", Opened(request=Request(text="x" * 50_000), reasoner="catalogue"))
    print(number, flush=True)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *(str(each) for each in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def killed(process: "subprocess.Popen[str]") -> list[str]:
    """Kill it; the complete lines that it had printed."""
    process.kill()
    out, _ = process.communicate()
    return [line for line in out.split("\n")[:-1] if line]


def new(folder: Path) -> FileJournal:
    journal = FileJournals(folder, SystemClock()).create("inv-1", Opened(request=Request(text="x"), reasoner="r"))
    assert journal is not None
    return journal


def numbers(journal: FileJournal, name: str) -> list[int]:
    return [int(note.text.split()[1]) for note in journal.refresh().notes if note.text.startswith(f"{name} ")]


@pytest.mark.parametrize(("seconds", "size"), [(0, 10), (0.007, 200_000), (0.031, 10), (0.09, 200_000), (0.2, 10)])
def test_a_writer_killed_at_any_instant_loses_nothing_it_was_told_is_written(
    tmp_path: Path, seconds: float, size: int
) -> None:
    journal = new(tmp_path)
    writer = start(WRITER, tmp_path, "a", size)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(seconds)
    told = 1 + len(killed(writer))
    found = numbers(journal, "a")
    assert found in (list(range(1, told + 1)), list(range(1, told + 2)))
    journal.append(Noted(text="after"))
    assert FileJournals(tmp_path, SystemClock()).verify("inv-1") == []
    assert numbers(journal, "a") == found


def test_two_writers_keep_one_chain_while_one_of_them_is_killed(tmp_path: Path) -> None:
    journal = new(tmp_path)
    first, second = start(WRITER, tmp_path, "a", 10), start(WRITER, tmp_path, "b", 10)
    for writer in (first, second):
        assert writer.stdout is not None
        writer.stdout.readline()
    until = time.monotonic() + 0.5
    mine = 0
    while time.monotonic() < until:
        mine += 1
        journal.append(Noted(text=f"c {mine}"))
    a = 1 + len(killed(first))
    journal.append(Noted(text=f"c {mine + 1}"))
    b = 1 + len(killed(second))
    assert FileJournals(tmp_path, SystemClock()).verify("inv-1") == []
    assert numbers(journal, "a") in (list(range(1, a + 1)), list(range(1, a + 2)))
    assert numbers(journal, "b") in (list(range(1, b + 1)), list(range(1, b + 2)))
    assert numbers(journal, "c") == list(range(1, mine + 2))


@pytest.mark.parametrize("seconds", [0, 0.03, 0.2])
def test_a_creator_killed_at_any_instant_leaves_no_journal_without_its_first_entry(
    tmp_path: Path, seconds: float
) -> None:
    creator = start(CREATOR, tmp_path)
    assert creator.stdout is not None
    creator.stdout.readline()
    time.sleep(seconds)
    told = len(killed(creator))
    journals = FileJournals(tmp_path, SystemClock())
    assert len(journals.ids()) in (told, told + 1)
    for id in journals.ids():
        assert journals.verify(id) == []
        assert journals.open(id).refresh().request.text
    again = journals.create(f"inv-{told + 2}", Opened(request=Request(text="x"), reasoner="catalogue"))
    assert again is not None
