"""The rules of the house: what is true of the whole tree, and stays true."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from runbook_bot.cli.app import app
from runbook_bot.settings import Configuration

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "runbook_bot"
README = ROOT / "README.md"
TOP_LEVEL = {"pyproject.toml", "runbook_bot", "skills", "tests", "manifest.yml", "Procfile", "README.md"}

SDK_ROOMS = {
    "slack_sdk": ("slack",),
    "slack_bolt": ("slack",),
    "boto3": ("providers/aws", "playground/cloud"),
    "botocore": ("providers/aws", "playground/cloud"),
    "chromadb": ("knowledge",),
    "redis": ("state",),
    "docket": ("state",),
    "anthropic": ("model",),
    "moto": ("playground/cloud",),
}
"""Each vendor's SDK and the only rooms that may import it."""

LONGEST = 400
LONGER: dict[str, int] = {}
"""Files past 400 lines, with the length they may shrink from and not grow beyond."""

SAY_NOTHING = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "managers"}
THINKING = ("analysis", "reasoning", "investigation")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository, those not yet added included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def modules() -> list[Path]:
    return tracked("runbook_bot/**.py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_arrows_point_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_sdk_is_imported_in_its_room_alone() -> None:
    strangers = [
        f"{relative(path)} imports {name}"
        for path in modules()
        for name in imported(path)
        if (rooms := SDK_ROOMS.get(name.partition(".")[0])) is not None
        and not any(path.is_relative_to(PACKAGE / room) for room in rooms)
    ]
    assert strangers == []


def test_files_stay_short() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in tracked("**.py")}
    too_long = {name: length for name, length in lengths.items() if length > LONGER.get(name, LONGEST)}
    assert too_long == {}, "past 400 lines there is a second idea in a file: name it"
    shrunk = {name: length for name, length in LONGER.items() if lengths.get(name, 0) <= LONGEST}
    assert shrunk == {}, "these are short now: take them off the list"


def test_names_say_what_is_inside() -> None:
    parts = {part for path in tracked("**.py") for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert parts & SAY_NOTHING == set()


def test_every_module_has_a_sign_on_its_door() -> None:
    without = [
        relative(path)
        for path in tracked("**.py")
        if path.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert without == []


@pytest.mark.parametrize(
    "pattern",
    [
        "unittest" + r"[. ]+(import )?mock",
        r"monkeypatch\." + "setattr",
        r"pytest\.mark\." + "xfail",
        "py" + r"pi\.org",
        "python" + r"hosted\.org",
        "npm" + r"js\.(org|com)",
        "deb" + r"ian\.org",
    ],
)
def test_nowhere(pattern: str) -> None:
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix not in (".png", ".gif", ".jpg")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    marker = re.compile("# (?:no" + "qa|type: ig" + r"nore)(?:: ?[A-Z0-9, ]+|\[[a-z-]+(?:, ?[a-z-]+)*\])?(?P<rest>.*)")
    without = [
        f"{relative(path)}:{number}"
        for path in tracked("**.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := marker.search(line)) and not re.search(r"[a-z]{4,}", found["rest"])
    ]
    assert without == []


def test_the_top_level_is_what_was_agreed() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL
    assert [path.name for path in tracked() if path.name.endswith((".lock", "package-lock.json"))] == []


def leaves(model: type[BaseModel], way: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted configuration keys that hold a value, with their defaults."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{way}{name}.")
        else:
            yield f"{way}{name}", field.get_default(call_default_factory=True, validated_data={})


def fields(annotation: Any) -> Iterator[str]:
    """The names of all fields of all models inside."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if not (get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1):
                yield name  # where there is one choice, validation is what reads it
            yield from fields(field.annotation)
    else:
        for each in get_args(annotation):
            yield from fields(each)


def test_every_configuration_key_is_read_somewhere() -> None:
    read = {
        node.attr
        for path in modules()
        if path.name != "config.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert set(fields(Configuration)) - read == set()


def test_the_readme_lists_every_configuration_key_with_its_default() -> None:
    section = README.read_text(encoding="utf-8").partition("<!-- configuration -->")[2]
    rows = re.findall(r"^\| `([a-z_.]+)` \| `?([^|`]*)`? \|", section.partition("<!-- /configuration -->")[0], re.M)
    assert dict(rows) == {key: spoken(default) for key, default in leaves(Configuration)}


def spoken(default: Any) -> str:
    """A default as it would be written in config.yaml."""
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json", exclude_defaults=True)
    if isinstance(default, frozenset):
        default = sorted(default)
    if isinstance(default, tuple | list):
        default = [each.model_dump(mode="json") if isinstance(each, BaseModel) else str(each) for each in default]
    return yaml.safe_dump([default], default_flow_style=True, width=1000).strip()[1:-1]


def test_every_command_in_the_readme_and_the_procfile_exists() -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # the app is a group
    text = README.read_text(encoding="utf-8") + (ROOT / "Procfile").read_text(encoding="utf-8")
    told = re.findall(r"runbook-bot ([a-z]+)(?: ([a-z]+))?", text)
    assert told
    wrong = [
        f"{name} {verb}".strip()
        for name, verb in told
        if name not in commands or (verb and verb not in getattr(commands[name], "commands", [verb]))
    ]
    assert wrong == []


def test_the_thinking_knows_no_scenario() -> None:
    paths = list(PACKAGE.glob("playground/scenarios/*.yaml"))
    worlds = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    assert worlds
    names = {service["name"] for world in worlds for service in world["services"]} | {path.stem for path in paths}
    found = [
        f"{relative(path)}: {name}"
        for room in THINKING
        for path in tracked(f"runbook_bot/{room}/**")
        for name in sorted(names)
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", path.read_text(encoding="utf-8"))
    ]
    assert found == []
