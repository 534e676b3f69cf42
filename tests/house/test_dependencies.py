"""What is imported is declared, and what is declared is imported."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

SPOKEN_THROUGH = {"botocore": "boto3", "pydantic-core": "pydantic", "yarl": "aiohttp"}
"""Packages that are the vocabulary of another one, which holds the version that fits."""

AHEAD_OF_USE = {"anthropic"}
"""Named for the model reasoner, which nothing here asks yet."""

RUN_NOT_IMPORTED = {"ruff", "mypy", "import-linter", "types-pyyaml", "runbook-bot"}
"""Programs, and types that only mypy reads; an extra that is made of another one."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]) for requirement in requirements}


homes = cache(packages_distributions)


def imported(folder: Path) -> set[str]:
    """The distributions that the folder's modules import, whatever a distribution calls its modules."""
    names = {name.partition(".")[0] for path in folder.rglob("*.py") for name in named_in(path)}
    ours = {"runbook_bot", "tests"}
    outside = {name for name in names - ours if name not in sys.stdlib_module_names}
    return {canonical(home) for name in outside for home in homes().get(name, [f"{name}, which is not installed"])[:1]}


def named_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("folder", ["runbook_bot", "tests"])
def test_what_is_imported_is_declared(folder: str) -> None:
    known = declared(PROJECT["dependencies"]) | declared(EXTRAS["demo"])
    if folder == "tests":
        known |= declared(EXTRAS["test"])
    assert {SPOKEN_THROUGH.get(name, name) for name in imported(ROOT / folder)} - known == set()


def test_the_simulated_cloud_alone_needs_the_demo_extra() -> None:
    rooms = [path for path in (ROOT / "runbook_bot").iterdir() if path.is_dir() and path.name != "playground"]
    needed = {name for room in rooms for name in imported(room)}
    assert needed & declared(EXTRAS["demo"]) == set()


def test_what_is_declared_is_imported() -> None:
    product, tests = imported(ROOT / "runbook_bot"), imported(ROOT / "tests")
    assert declared(PROJECT["dependencies"]) - product == AHEAD_OF_USE
    assert declared(EXTRAS["demo"]) - product == set()
    assert declared(EXTRAS["test"]) - tests - RUN_NOT_IMPORTED == set()
