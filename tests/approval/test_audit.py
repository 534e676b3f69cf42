"""The audit notices every edit, removal, move and cut, and goes on after a crash."""

import csv
import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook_bot.approval.audit import Audit
from runbook_bot.errors import RunbookError

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    audit = Audit(tmp_path / "audit")
    for number in range(1, 6):
        audit.record(
            "clicked", AT + timedelta(minutes=number), proposal=f"inv-1.P{number}", user="U1", outcome="denied"
        )
    return audit


def tamper(lines: list[str], how: str) -> list[str]:
    match how:
        case "edit":
            return [*lines[:2], lines[2].replace("U1", "U2"), *lines[3:]]
        case "remove":
            return [*lines[:2], *lines[3:]]
        case "reorder":
            return [*lines[:2], lines[3], lines[2], *lines[4:]]
        case "duplicate":
            return [*lines[:3], *lines[2:]]
        case "cut off the end":
            return [*lines[:3], ""]
        case "cut off everything":
            return []
        case _:
            return lines[1:]


@pytest.mark.parametrize(
    "how", ["edit", "remove", "reorder", "duplicate", "behead", "cut off the end", "cut off everything"]
)
def test_tampering_is_found(audit: Audit, how: str) -> None:
    assert audit.verify() == []
    audit.path.write_text("\n".join(tamper(audit.path.read_text().split("\n"), how)))
    assert audit.verify()
    assert Audit(audit.path.parent).verify()


def test_a_removed_file_is_found(audit: Audit) -> None:
    audit.path.unlink()
    [complaint] = audit.verify()
    assert "is gone" in complaint


def test_an_edit_with_its_hashes_made_to_fit_is_found_by_the_head(audit: Audit) -> None:
    folder = audit.path.parent
    head = (folder / "approvals.head").read_text()
    audit.path.unlink()
    forged = Audit(folder)
    for number in range(1, 6):
        forged.record("clicked", AT + timedelta(minutes=number), proposal=f"inv-1.P{number}", user="U2")
    (folder / "approvals.head").write_text(head)
    [complaint] = Audit(folder).verify()
    assert "approvals.jsonl:5: is not the record that was written there" in complaint


def test_a_missing_head_is_said(audit: Audit) -> None:
    (audit.path.parent / "approvals.head").write_text("?")
    [complaint] = audit.verify()
    assert "a cut-off end would not be noticed" in complaint


def test_nothing_recorded_is_nothing_wrong(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit")
    assert audit.verify() == []
    assert list(audit.export()) == []


def test_a_torn_last_line_is_cut_and_recorded(audit: Audit) -> None:
    with audit.path.open("ab") as file:
        file.write(b'{"seq":6,"at":"2026')
    assert "approvals.jsonl:6: torn" in audit.verify()[0]
    audit.record("clicked", AT, proposal="inv-1.P6")
    assert [record.kind for record in audit.records()][-2:] == ["repaired", "clicked"]
    assert audit.verify() == []


def test_two_processes_see_and_continue_each_other(audit: Audit) -> None:
    other = Audit(audit.path.parent)
    other.record("spent", AT, proposal="inv-1.P1")
    audit.record("spent", AT, proposal="inv-1.P2")
    assert audit.register().spent == other.register().spent == {"inv-1.P1", "inv-1.P2"}
    assert audit.verify() == []


def spend_a_hundred(folder: Path) -> int:
    audit = Audit(folder)
    won = 0
    for number in range(100):
        id = f"inv-1.P{number}"
        refused = audit.record_unless(
            lambda register, id=id: True if id in register.spent else None,  # type: ignore[misc]  # mypy cannot infer a default
            "spent",
            AT,
            investigation="inv-1",
            proposal=id,
        )
        won += refused is None
    return won


def test_of_several_processes_one_spends_each_approval(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        won = pool.map(spend_a_hundred, [tmp_path] * 3)
    assert sum(won) == 100
    assert len(Audit(tmp_path).records()) == 100
    assert Audit(tmp_path).verify() == []


def test_export_as_json_lines_from_a_moment_on(audit: Audit) -> None:
    lines = [json.loads(line) for line in audit.export(since=AT + timedelta(minutes=4))]
    assert [(line["proposal"], line["facts"]["user"]) for line in lines] == [("inv-1.P4", "U1"), ("inv-1.P5", "U1")]


def test_export_as_csv_that_no_spreadsheet_runs(audit: Audit) -> None:
    audit.record("ruled", AT, proposal="=HYPERLINK(1)", user="@U1", outcome="denied", why='a "quoted", long\nreason')
    rows = list(csv.DictReader(audit.export(format="csv")))
    assert len(rows) == 6
    assert rows[0] | {"seq": "1"} == rows[0]
    assert (rows[5]["proposal"], rows[5]["user"], rows[5]["outcome"]) == ("'=HYPERLINK(1)", "'@U1", "denied")
    assert json.loads(rows[5]["facts"]) == {"why": 'a "quoted", long\nreason'}


def test_secrets_and_odd_words_are_no_trouble(audit: Audit) -> None:
    audit.record(
        "proposed", AT, proposal="inv-1.P7", environment={"DB_PASSWORD": "hunter2"}, why="password=hunter2 \ud800"
    )
    assert "hunter2" not in audit.path.read_text()
    assert audit.verify() == []
    assert len(list(audit.export())) == 6


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file in the way")
    with pytest.raises(RunbookError, match=r"the audit .* cannot be used: File exists"):
        Audit(tmp_path / "audit").record("clicked", AT)
