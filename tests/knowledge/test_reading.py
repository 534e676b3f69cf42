"""From files to documents: heads, passages, steps; nothing in a file can make the reader raise."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.knowledge.chunker import LARGEST
from runbook_bot.knowledge.document import Document, Problem
from runbook_bot.knowledge.reading import read
from runbook_bot.knowledge.terms import terms


def document(file: str, text: str) -> Document:
    found = read(file, text.encode())
    assert isinstance(found, Document)
    return found


def test_the_head_says_what_it_is_about() -> None:
    text = (
        "---\ntitle: Slow\nkind: known_issue\nservices: [a, b]\nfailure_modes: slow_queries\ntags: [x]\n"
        "updated: 2026-03-04\n---\n# Other title\n"
    )
    found = document("a.md", text)
    assert (found.title, found.kind, found.services, found.tags) == ("Slow", "known_issue", ("a", "b"), ("x",))
    assert found.failure_modes == (FailureMode.slow_queries,)
    assert found.updated == datetime(2026, 3, 4, tzinfo=UTC)
    assert found.parts[0].line == 9
    assert found.problems == ()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("a.md", "runbook"),
        ("post-mortems/a.md", "postmortem"),
        ("Postmortem_x.md", "postmortem"),
        ("known issues/a.txt", "known_issue"),
        ("architecture.md", "architecture"),
    ],
)
def test_the_path_says_the_kind_where_the_head_does_not(file: str, kind: str) -> None:
    assert document(file, "# A\n\n1. do\n").kind == kind


@pytest.mark.parametrize(
    ("head", "line", "said"),
    [
        ("title: [a", 3, "not valid YAML"),
        ("title: 'x\nkind: y", 4, "not valid YAML"),
        ("- a\n- b", 2, "the head is not a list of `key: value` lines"),
        ("title: {a: b}", 2, "title must be text"),
        ("kind: 7", 2, "unknown kind '7'"),
        ("x: 1\nservices: {a: b}", 3, "services must be a list of words"),
        ("updated: soon", 2, "updated must be a date"),
        ("updated: 2026-13-45", 2, "not valid YAML: month must be in 1..12"),
        ("a: " + "[" * 3000, 2, "not valid YAML"),
        ("a: &a [x]\nb: !!python/object:os.system {}", 3, "not valid YAML"),
    ],
)
def test_what_is_wrong_with_a_head_is_named_with_its_line(head: str, line: int, said: str) -> None:
    found = document("a.md", f"---\n{head}\n---\n# Body\n\n1. step\n")
    (problem,) = found.errors
    assert (problem.line, problem.message[: len(said)]) == (line, said)
    assert "# Body" in found.parts[0].text


def test_a_head_without_an_end_is_named() -> None:
    assert (
        document("a.md", "---\ntitle: A\n\n# Body\n\n1. step\n").errors[0].message.startswith("the head has no closing")
    )
    assert document("a.md", "---\n\nA text below a line.\n\n1. step\n").errors == ()


def test_a_yaml_bomb_stays_small() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    found = document("bomb.yaml", bomb)
    assert sum(len(part.text) for part in found.parts) <= len(bomb)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("# T\n\n## Steps\n\n1. one\n2. two\n", ("one", "two")),
        ("# T\n\n## Checks\n\n1. look\n\n## Fix\n\n1. one\n", ("one",)),
        ("# Roll back\n\n## Checks\n\n1. look\n\n## Mitigation\n\nFirst:\n\n1. one\n", ("one",)),
        ("# T\n\n## Solution\n\n1. one\n   ```sh\n   run it\n   ```\n", ("one `run it`",)),
        ("T\n=\n\nResolution\n----------\n\n* one\n* two\n", ("one", "two")),
        ("# T\n\n## Steps\n\n### 1. Stop\n\ntext\n\n### Step 2: Start\n\ntext\n", ("Stop", "Start")),
        ("# T\n\n## Remediation\n\n### Database\n\n1. one\n   - part\n2. two\n", ("one part", "two")),
        ("# T\n\n1. one\n2. two\n", ("one", "two")),
        ("# T\n\n## Diagnosis\n\n1. look\n", ()),
        ("# T\n\nNothing to do.\n", ()),
    ],
)  # fmt: skip
def test_steps_are_found_where_runbooks_have_them(text: str, steps: tuple[str, ...]) -> None:
    assert document("a.md", text).steps == steps


def test_steps_are_bounded() -> None:
    steps = document("a.md", "## Steps\n\n" + "".join(f"{n}. {'word ' * 200}\n" for n in range(1, 90))).steps
    assert len(steps) == 20
    assert {len(step) for step in steps} == {400}


def test_a_yaml_runbook_has_parts_and_steps() -> None:
    text = (
        "title: Disk full\nkind: runbook\nfailure_modes: [disk_exhaustion]\nsymptoms: |\n  writes fail\n"
        "steps:\n  - stop the import\n  - title: grow\n    command: aws rds modify-db-instance\n"
    )
    found = document("disk.yaml", text)
    assert (found.title, found.failure_modes) == ("Disk full", (FailureMode.disk_exhaustion,))
    assert [(part.heading, part.line) for part in found.parts] == [("symptoms", 4), ("steps", 6)]
    assert found.steps == ("stop the import", "grow – aws rds modify-db-instance")


def test_a_broken_yaml_document_is_named_and_still_searchable() -> None:
    found = document("disk.yml", "title: Disk\nsteps: [a, b\nsymptoms: writes fail\n")
    assert found.errors[0].line == 3
    assert "writes fail" in found.parts[0].text


def test_a_plain_text_has_its_first_line_for_a_title() -> None:
    found = document("notes.txt", "\nHow we moved the database\n\nIt took a night.\n")
    assert (found.title, found.parts[0].line) == ("How we moved the database", 2)


def test_steps_stay_together_and_long_sections_are_cut() -> None:
    steps = "".join(f"{n}. {'do this and that ' * 6}\n" for n in range(1, 30))
    text = f"# T\n\n{'Long story. ' * 60}\n\n## Steps\n\n{steps}\n## Notes\n\n" + "A paragraph of words.\n\n" * 300
    parts = document("a.md", text).parts
    (whole,) = [part for part in parts if part.heading == "Steps"]
    assert whole.text.count("do this") == 29 * 6
    assert len([part for part in parts if part.heading == "Notes"]) > 3
    assert max(len(part.text) for part in parts) <= LARGEST


def test_headings_in_code_are_no_headings() -> None:
    text = "# T\n\n## Steps\n\n```sh\n# not a heading\nrun\n```\n"
    assert {part.heading for part in document("a.md", text).parts} <= {"", "Steps"}


def test_control_characters_go_and_lines_stay() -> None:
    found = document("a.md", "# T\r\n\r\nred \x1b[31m alert\x07\r\n\r\n## Steps\r\n\r\n1. one\r\n")
    text = "\n".join(part.text for part in found.parts)
    assert not set("\x1b\x07\r") & set(text)
    assert found.steps == ("one",)


@given(
    st.lists(
        st.sampled_from(
            ["# A", "## Steps", "## B", "text words", "", "1. one", "   more", "- point", "```", "> quote", "    code",
             "a | b", "word " * 400, "---", "===", "[a]: b", "<!-- x", "x" * 5000]
        ),
        max_size=40,
    ),
)  # fmt: skip
def test_no_word_of_a_document_is_lost_and_lines_are_right(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = read("a.md", text.encode())
    if isinstance(found, Problem):
        assert not text.strip()
        return
    rows = text.split("\n")
    for part in found.parts:
        assert rows[part.line - 1].startswith(part.text.split("\n")[0][:100])
    shown = "\n".join(part.text for part in found.parts)
    for word in ("text words", "point", "quote", "code"):
        if not text.startswith("---"):
            assert shown.count(word) == text.count(word)


@given(st.binary(max_size=300), st.sampled_from(["a.md", "a.yaml", "a.txt"]))
def test_any_bytes_are_a_document_or_a_problem(raw: bytes, file: str) -> None:
    found = read(file, raw)
    assert isinstance(found, Document | Problem)


@given(st.text(max_size=300), st.sampled_from(["a.md", "a.yaml", "a.txt"]), st.booleans())
def test_any_text_is_a_document_or_a_problem(text: str, file: str, headed: bool) -> None:
    raw = f"---\n{text}\n---\n# A\n" if headed else text
    found = read(file, raw.encode("utf-8", "replace"))
    if isinstance(found, Document):
        assert all(problem.line >= 1 and "\n" not in str(problem) for problem in found.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KubePodNotReady", ["kube", "pod", "ready"]),
        ("kube_pod_not_ready", ["kube", "pod", "ready"]),
        ("checkout-api", ["checkout", "api"]),
        ("HTTPCode_Target_5XX_Count", ["http", "code", "target", "xx", "count"]),
        ("OOMKilled tasks, classes", ["oom", "killed", "task", "classe"]),
        ("i-0abc12 a 7", ["abc", "12"]),
        ("Привет мир", ["привет", "мир"]),
        ("\udcff\x00 ", []),
    ],
)
def test_identifiers_are_taken_apart(text: str, expected: list[str]) -> None:
    assert terms(text) == expected
