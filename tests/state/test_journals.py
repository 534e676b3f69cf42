"""A journal holds what it was told, whoever wrote it and however they died."""

import json
import os
import resource
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Concluded, Noted, Opened, Unknown
from runbook_bot.domain.ports import SystemClock
from runbook_bot.domain.verdict import Verdict
from runbook_bot.errors import JournalError
from runbook_bot.state.journals import FileJournal, FileJournals
from tests.state.clock import HandClock

OPENED = Opened(request=Request(text="checkout is slow"), reasoner="catalogue")


def new(journals: FileJournals, id: str = "inv-1") -> FileJournal:
    journal = journals.create(id, OPENED)
    assert journal is not None
    return journal


def elsewhere(journal: FileJournal) -> FileJournals:
    """The same folder, as another process sees it."""
    return FileJournals(Path(journal.location).parent, SystemClock())


def notes(journal: FileJournal) -> list[str]:
    return [note.text for note in journal.refresh().notes]


def test_a_new_journal_begins_with_its_first_entry_on_the_disk(journals: FileJournals) -> None:
    journal = new(journals)
    assert Path(journal.location).is_absolute()
    assert json.loads(Path(journal.location).read_text())["body"]["request"]["text"] == "checkout is slow"
    assert journal.refresh().request.text == "checkout is slow"


def test_an_id_is_created_once(journals: FileJournals) -> None:
    new(journals).append(Noted(text="first"))
    assert journals.create("inv-1", OPENED) is None
    assert notes(journals.open("inv-1")) == ["first"]


def test_of_many_threads_that_create_the_same_id_one_gets_it(journals: FileJournals) -> None:
    got: list[FileJournal | None] = []
    threads = [threading.Thread(target=lambda: got.append(journals.create("inv-1", OPENED))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(journal is not None for journal in got) == 1
    assert len(Path(got[0].location if got[0] else journals.open("inv-1").location).read_text().splitlines()) == 1


def test_a_crash_while_creating_does_not_block_the_id(journals: FileJournals, tmp_path: Path) -> None:
    (tmp_path / "scratchpad").mkdir()
    (tmp_path / "scratchpad" / ".inv-1.jsonl.new").write_text('{"seq":1,"at"')
    assert journals.ids() == []
    new(journals)
    assert journals.ids() == ["inv-1"]
    assert [path.name for path in (tmp_path / "scratchpad").iterdir()] == ["inv-1.jsonl"]


@pytest.mark.parametrize(
    "id", ["", "inv-", "../inv-1", "inv-a/b", "inv-a.P1", "inv-\u00e9", "inv-1\n", "x" * 200, "C:1"]
)
def test_an_id_is_no_path(journals: FileJournals, id: str) -> None:
    with pytest.raises(JournalError, match="is not the id of an investigation"):
        journals.create(id, OPENED)
    with pytest.raises(JournalError):
        journals.open(id)


def test_an_unknown_id_is_an_error_that_names_it(journals: FileJournals) -> None:
    with pytest.raises(JournalError, match="no investigation inv-nope"):
        journals.open("inv-nope")


def test_ids_are_newest_first(journals: FileJournals, clock: HandClock) -> None:
    for id in ("inv-b", "inv-a", "inv-c"):
        clock.pass_(timedelta(minutes=1))
        new(journals, id)
    journals.open("inv-b").append(Noted(text="an old one that is still written to stays old"))
    assert journals.ids() == ["inv-c", "inv-a", "inv-b"]


def test_what_another_process_appended_is_seen_and_continued(journals: FileJournals) -> None:
    mine = new(journals)
    theirs = elsewhere(mine).open("inv-1")
    mine.append(Noted(text="one"))
    theirs.append(Noted(text="two"), Noted(text="three"))
    [entry] = mine.append(Noted(text="four"))
    assert entry.seq == 5
    assert notes(mine) == notes(theirs) == ["one", "two", "three", "four"]
    assert journals.verify("inv-1") == []


def test_a_refresh_with_nothing_new_is_the_same_object(journals: FileJournals) -> None:
    journal = new(journals)
    assert journal.refresh() is journal.refresh()


@pytest.mark.parametrize("torn", [b'{"seq":3,"at":"20', '{"text":"é'.encode()[:-1], b"\x00\x00\x00", b"{"])
def test_a_torn_last_line_is_cut_and_reported(journals: FileJournals, torn: bytes) -> None:
    journal = new(journals)
    journal.append(Noted(text="before"))
    with Path(journal.location).open("ab") as file:
        file.write(torn)
    [complaint] = journals.verify("inv-1")
    assert f"inv-1.jsonl:3: torn after {len(torn)} bytes" in complaint
    reopened = elsewhere(journal).open("inv-1")
    assert notes(reopened) == ["before"]
    [entry] = reopened.append(Noted(text="after"))
    assert isinstance(entry.body, Noted)
    assert entry.body.text == "after"
    assert notes(journal) == ["before", f"a torn last line of {len(torn)} bytes was cut after a crash", "after"]
    assert journal.refresh().notes[1].level == "warning"
    assert journals.verify("inv-1") == []


def test_an_unreadable_line_in_the_middle_is_named_and_does_not_close_the_investigation(journals: FileJournals) -> None:
    journal = new(journals)
    journal.append(Noted(text="one"), Noted(text="two"))
    path = Path(journal.location)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"\xff not json", *lines[2:]]))
    reopened = elsewhere(journal).open("inv-1")
    assert notes(reopened) == ["two"]
    assert reopened.refresh().unknown == 1
    reopened.append(Noted(text="three"))
    assert notes(reopened) == ["two", "three"]
    assert [complaint.split(": ")[0][-8:] for complaint in journals.verify("inv-1")] == [".jsonl:2", ".jsonl:3"]


def test_an_unreadable_last_line_can_be_continued(journals: FileJournals) -> None:
    journal = new(journals)
    with Path(journal.location).open("ab") as file:
        file.write(b"[1, 2]\n")
    journal.append(Noted(text="on"))
    assert [complaint.split("inv-1.jsonl:")[1] for complaint in journals.verify("inv-1")] == ["2: is not an entry"]
    assert [entry.seq for entry in journal.entries()] == [1, 2, 3]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "soon", None])
def test_a_time_that_is_none_does_not_close_the_investigation(journals: FileJournals, at: str | None) -> None:
    journal = new(journals)
    body = {"kind": "opened", "request": {"text": "x", "at": at or "0001-01-01T00:00:00+10:00"}, "reasoner": "y"}
    line = json.dumps({"seq": 2, "at": at or "2026-01-01T00:00:00Z", "previous": "", "hash": "", "body": body})
    with Path(journal.location).open("a") as file:
        file.write(f"{line}\n")
    journal.append(Noted(text="on"))
    reopened = elsewhere(journal).open("inv-1").refresh()
    assert reopened.unknown == 1
    assert reopened.request.text == "checkout is slow"
    assert [note.text for note in reopened.notes] == ["on"]


def test_an_entry_of_a_newer_version_is_kept(journals: FileJournals) -> None:
    journal = new(journals)
    journal.append(Unknown(kind="dreamt", raw={"kind": "dreamt", "of": ["sheep"]}))
    assert elsewhere(journal).open("inv-1").refresh().unknown == 1
    assert '"of":["sheep"]' in Path(journal.location).read_text()
    assert journals.verify("inv-1") == []


def test_one_that_cannot_be_read_at_all_is_a_line_of_its_own(journals: FileJournals) -> None:
    new(journals)
    folder = Path(journals.open("inv-1").location).parent
    (folder / "inv-2.jsonl").mkdir()
    assert journals.verify("inv-1") == []
    assert journals.verify("inv-2") == [f"{folder / 'inv-2.jsonl'}: cannot be read: Is a directory"]


def tamper(lines: list[str], how: str) -> list[str]:
    match how:
        case "edit":
            return [*lines[:2], lines[2].replace("two", "tow"), *lines[3:]]
        case "remove":
            return [*lines[:2], *lines[3:]]
        case "reorder":
            return [*lines[:2], lines[3], lines[2], *lines[4:]]
        case "duplicate":
            return [*lines[:3], *lines[2:]]
        case _:
            return lines[1:]


@pytest.mark.parametrize("how", ["edit", "remove", "reorder", "duplicate", "behead"])
def test_tampering_is_found(journals: FileJournals, how: str) -> None:
    journal = new(journals)
    journal.append(*(Noted(text=text) for text in ("one", "two", "three", "four")))
    path = Path(journal.location)
    assert journals.verify("inv-1") == []
    path.write_text("\n".join(tamper(path.read_text().split("\n"), how)))
    assert journals.verify("inv-1")


def test_words_from_outside_survive(journals: FileJournals) -> None:
    texts = ["line\nbreak", "\u2028", "half a pair \ud800", "null \x00", "🙂" * 1000]
    journal = new(journals)
    journal.append(*(Noted(text=text) for text in texts))
    assert notes(elsewhere(journal).open("inv-1")) == texts
    assert journals.verify("inv-1") == []


def test_a_file_that_cannot_be_written_is_one_clear_line(journals: FileJournals) -> None:
    journal = new(journals)
    Path(journal.location).unlink()
    with pytest.raises(JournalError, match="cannot be appended to: No such file"):
        journal.append(Noted(text="lost"))
    with pytest.raises(JournalError, match="cannot be read"):
        journal.refresh()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """A size limit on files stands in for the full disk; in a child, because it binds the whole process."""
    journals = FileJournals(tmp_path, SystemClock())
    journal = new(journals)
    child = os.fork()
    if child == 0:  # never returns into the test run
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            size = Path(journal.location).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300, size + 300))
            journal.append(Noted(text="x" * 5000))
        except JournalError as error:
            code = 0 if "File too large" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journals.verify("inv-1") == []
    journal.append(Noted(text="room again"))
    assert notes(journal) == ["room again"]


def test_thousands_of_entries_stay_fast(journals: FileJournals) -> None:
    journal = new(journals)
    journal.append(*(Noted(text=f"note {n}") for n in range(5000)))
    began = time.perf_counter()
    reopened = elsewhere(journal).open("inv-1")
    assert len(reopened.refresh().notes) == 5000
    whole = time.perf_counter() - began
    one_more = min(seconds_for_one_more(journal, reopened) for _ in range(10))  # a busy machine is not held against it
    assert len(reopened.refresh().notes) == 5010
    assert one_more < whole / 10, f"{one_more:.3f} s for one more entry, {whole:.3f} s for all"


def seconds_for_one_more(writer: FileJournal, reader: FileJournal) -> float:
    """Of reading; writing waits for the disk."""
    writer.append(Noted(text="one more"))
    began = time.perf_counter()
    reader.refresh()
    return time.perf_counter() - began


def test_a_fold_stays_the_same_object_while_in_use(journals: FileJournals) -> None:
    first = new(journals, "inv-first")
    for number in range(150):
        new(journals, f"inv-{number}")
    assert journals.open("inv-first") is first


def test_a_conclusion_is_folded(journals: FileJournals, clock: HandClock) -> None:
    journal = new(journals)
    clock.pass_(timedelta(seconds=9))
    journal.append(Concluded(verdict=Verdict(status="inconclusive", root_cause=None, ranked=(), at=clock.now())))
    assert journal.refresh().status == "inconclusive"
    assert journal.refresh().concluded_at == clock.now()
