"""Where skills are found: the ones that come with the program, then the team's; a later one wins by name."""

import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from runbook_bot.errors import UsageError
from runbook_bot.skills.skill import Skill

SKILL_FILE = "SKILL.md"
STEPS_FILE = "steps.yaml"
LARGEST = 200_000
_FENCE = "---"
_KEYS = ("name", "description", "arguments", "allowed-tools", "license", "compatibility", "metadata")


def core() -> Path:
    """The skills that come with the program: beside the package in a clone, else where the installation put them."""
    clone = Path(__file__).parents[2] / "skills"
    return clone if clone.is_dir() else Path(sysconfig.get_path("data")) / "share" / "runbook-bot" / "skills"


@dataclass(frozen=True)
class Shelf:
    """The skills there are, and what is wrong with those that cannot be used."""

    skills: tuple[Skill, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def skill(self, name: str) -> Skill:
        """Raises `UsageError` with the nearest name."""
        wanted = name.strip().casefold()
        found = next((each for each in self.skills if each.name == wanted), None)
        if found is not None:
            return found
        names = [each.name for each in self.skills]
        near = get_close_matches(wanted, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names) or 'none'}"
        raise UsageError(f"there is no skill {name.strip()[:60]!r}; {hint}")


def shelf(folders: Iterable[Path]) -> Shelf:
    """Every skill below the folders. A folder that is not there holds none; a broken skill is a warning."""
    found: dict[str, Skill] = {}
    warnings: list[str] = []
    for folder in folders:
        for file in sorted(folder.glob(f"*/{SKILL_FILE}")) if folder.is_dir() else ():
            try:
                skill = read(file)
            except UsageError as problem:
                warnings.append(str(problem))
                continue
            if skill.name in found:
                warnings.append(f"{file} takes the place of {found[skill.name].folder / SKILL_FILE}")
            found[skill.name] = skill
    return Shelf(tuple(found[name] for name in sorted(found)), tuple(warnings))


def read(file: Path) -> Skill:
    """One skill. Raises `UsageError` naming the file and, where there is one, the line."""
    head, body = _parts(file, _text(file))
    steps = _steps(file.parent / STEPS_FILE)
    if head.get("name") != file.parent.name:
        raise UsageError(f"{file}: name must be that of its folder, {file.parent.name!r}, not {head.get('name')!r}")
    if unknown := [key for key in head if key not in _KEYS]:
        raise UsageError(f"{file}: {unknown[0]!r} is no key of a skill; there are {', '.join(_KEYS)}")
    tools = head.get("allowed-tools") or ()
    said = {key: head[key] for key in ("name", "description", "arguments") if head.get(key) is not None}
    try:
        return Skill.model_validate(
            {
                **said,
                "steps": steps,
                "allowed_tools": tools.split() if isinstance(tools, str) else tools,
                "body": body,
                "folder": file.parent,
            }
        )
    except ValidationError as error:
        raise UsageError(f"{file}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    return f"{key}: {problem['msg']}" if key else str(problem["msg"]).removeprefix("Value error, ")


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
        if len(raw) > LARGEST:
            raise UsageError(f"{file} is larger than {LARGEST // 1000} kB")
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as broken:
        raise UsageError(f"{file} is not UTF-8 text (byte {broken.start})") from None


def _parts(file: Path, text: str) -> tuple[dict[str, Any], str]:
    """The head and what follows it."""
    lines = text.split("\n")
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if lines[0].rstrip() != _FENCE or end is None:
        raise UsageError(f"{file} has to begin with a head between two lines of {_FENCE}")
    head = _yaml(file, "\n".join(lines[1:end]), first=2)
    if not isinstance(head, dict):
        raise UsageError(f"{file}: the head has to hold keys and values, such as name:")
    return head, "\n".join(lines[end + 1 :]).strip()


def _steps(file: Path) -> Sequence[object]:
    if not file.is_file():
        return ()
    steps = _yaml(file, _text(file), first=1)
    if not isinstance(steps, list):
        raise UsageError(f"{file} has to hold a list of steps")
    return steps


def _yaml(file: Path, text: str, first: int) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + first}, column {mark.column + 1})" if mark else ""
        raise UsageError(f"{file} is no YAML: {error.problem}{where}") from None
    except RecursionError:
        raise UsageError(f"{file} is nested too deeply") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # such as 2026-13-45, which looks like a date
        raise UsageError(f"{file} is no YAML: {' '.join(str(error).split())[:200]}") from None
