"""In the source text: one place makes an approval, one place runs with it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import runbook_bot

ROOT = Path(runbook_bot.__file__).parent
GATE, NOUN = "approval/gate.py", "domain/approval.py"


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def calls() -> Iterator[tuple[str, ast.Call]]:
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield file, node


def arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def test_one_call_makes_an_approval() -> None:
    assert [file for file, call in calls() if name(call.func) == "Approval"] == [GATE]


def test_one_room_holds_the_seal() -> None:
    holders = set()
    for file, tree in sources():
        for node in ast.walk(tree):
            imported = isinstance(node, ast.ImportFrom) and any(alias.name == "_SEAL" for alias in node.names)
            used = isinstance(node, ast.Name | ast.Attribute) and name(node) == "_SEAL"
            if imported or used:
                holders.add(file)
    assert holders == {GATE, NOUN}


def test_one_call_runs_a_change() -> None:
    """A call of `.run(…)` that is handed an approval."""
    runs = [
        file
        for file, call in calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "run"
        and any("approval" in name(argument) for argument in arguments(call))
    ]
    assert runs == [GATE]


def test_no_approval_is_copied_into_another() -> None:
    """`dataclasses.replace` would carry the seal along."""
    copies = [
        file
        for file, call in calls()
        if name(call.func) in ("replace", "copy", "deepcopy") and call.args and "approval" in name(call.args[0]).lower()
    ]
    assert copies == []
