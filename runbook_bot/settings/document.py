"""A YAML file with the line of every key in it, so that an error can say where."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from runbook_bot.errors import SettingsError

_KEYS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
Location = tuple[str | int, ...]
"""The way to a value: keys and list indices, outermost first."""


def dotted(location: Location) -> str:
    """`providers.aws.accounts[0].name`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Document:
    """What a YAML file says. `value` is None for a file that is empty or not there."""

    path: Path
    text: str = ""
    value: Any = None
    root: yaml.Node | None = None
    lines: dict[Location, int] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """`config.yaml:12`, the line of the key or of the innermost part of its way that is in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.path.name}:{self.lines[location]}" if location else self.path.name


def read(path: Path) -> Document:
    """The document in a file; an empty one where there is no file. Raises `SettingsError` with line and column."""
    try:
        return parse(path, path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Document(path)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def parse(path: Path, text: str) -> Document:
    """The document in a text that stands, or will stand, in the file `path`."""
    root: yaml.Node | None = None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return Document(path, text)
        lines = dict(_lines(path, root, ()))
        value = yaml.safe_load(text)
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{path}{at}: no valid YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SettingsError(f"{path}, line {line}: no valid YAML: the character {error.character!r}") from error
    except ValueError as error:  # a scalar such as 2026-13-45, which looks like a date and is none
        raise SettingsError(f"{path}{_culprit(root)}: no valid YAML: {error}") from error
    return Document(path, text, value, root, lines)


def _culprit(node: yaml.Node | None) -> str:
    """`, line 3, column 7`, of the first scalar that is not what it looks like."""
    if node is None:
        return ""
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return f", line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
        return ""
    inner = [each for pair in node.value for each in (pair if isinstance(pair, tuple) else (pair,))]
    return next((found for each in inner if (found := _culprit(each))), "")


def _lines(path: Path, node: yaml.Node, at: Location) -> Iterator[tuple[Location, int]]:
    """The line of each key and list item, counted from 1. A key that stands twice is an error: one would win unseen."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag not in _KEYS:
                raise SettingsError(f"{path}, line {line}: a key has to be text; write it in quotes")
            name = str(key.value)
            if name in seen and name != "<<":
                raise SettingsError(f"{path}, line {line}: the key {dotted((*at, name))} stands there twice")
            seen.add(name)
            yield (*at, name), line
            yield from _lines(path, value, (*at, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*at, index), item.start_mark.line + 1
            yield from _lines(path, item, (*at, index))
