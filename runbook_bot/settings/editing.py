"""One key of config.yaml shown or changed, with the comments around it left where they are."""

import copy
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from runbook_bot.errors import SettingsError
from runbook_bot.settings.complaint import keys, unknown_key
from runbook_bot.settings.configuration import CONFIG_FILE, Configuration, Settings
from runbook_bot.settings.document import Document, Location, parse, read


def shown(settings: Settings, key: str | None) -> Any:
    """The value in force as JSON, secrets as asterisks. Raises `SettingsError` for an unknown key."""
    value: Any = settings.model_dump(mode="json", include=set(Configuration.model_fields))
    for part in _location(key) if key else ():
        value = value.get(str(part)) if isinstance(value, dict) else None
    return value


def change(home: Path, key: str, value: str, environ: Mapping[str, str]) -> bool:
    """Write one key into config.yaml, once the whole would be valid. Returns whether all comments were kept.

    The value is YAML: `5`, `true`, `[a, b]`, or plain text. Raises `SettingsError` and leaves the file as it was.
    """
    location = _location(key)
    home = home.expanduser().absolute()
    document = read(home / CONFIG_FILE)
    try:
        wanted = yaml.safe_load(value)
    except yaml.YAMLError:
        wanted = value
    if document.value is not None and not isinstance(document.value, dict):
        raise SettingsError(f"{document.path} must hold keys and values at its top, such as `agent:`")
    whole = _with(document.value or {}, location, wanted)
    text, kept = _spliced(document, location, wanted, whole)
    Settings.assembled(parse(document.path, text), home, environ)
    _write(document.path, text)
    return kept


def _location(key: str) -> Location:
    location: Location = tuple(key.split("."))
    if key not in set(keys(Configuration)):
        raise SettingsError(unknown_key(location, Configuration))
    return location


def _with(whole: dict[str, Any], location: Location, value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(whole)
    section = whole
    for part in location[:-1]:
        if not isinstance(section.get(str(part)), dict):
            section[str(part)] = {}
        section = section[str(part)]
    section[str(location[-1])] = value
    return whole


def _spliced(document: Document, location: Location, value: Any, whole: dict[str, Any]) -> tuple[str, bool]:
    """The text with the one value put in its place; written anew, without comments, where that cannot be done."""
    if document.root is None:
        return document.text + _block(whole), True
    text = _splice(document.text, document.root, location, value)
    try:
        if yaml.safe_load(text) == whole:
            return text, text.count("#") >= document.text.count("#")
    except yaml.YAMLError:
        pass
    return _block(whole), "#" not in document.text


def _splice(text: str, root: yaml.Node, location: Location, value: Any) -> str:
    node, rest = root, list(location)
    while rest and isinstance(node, yaml.MappingNode):
        inner = next((v for k, v in node.value if k.value == rest[0]), None)
        if inner is None:
            break
        node, rest = inner, rest[1:]
    for part in reversed(rest[1:] if isinstance(node, yaml.MappingNode) else rest):
        value = {part: value}
    start, end = node.start_mark.index, node.end_mark.index
    if not rest or not isinstance(node, yaml.MappingNode):
        end = start + len(text[start:end].rstrip())  # a block ends where the next key begins, on another line
        return f"{text[:start].rstrip()} {_flow(value)}{text[end:]}"
    if node.flow_style:
        comma = ", " if node.value else ""
        return f"{text[: start + 1]}{rest[0]}: {_flow(value)}{comma}{text[start + 1 :]}"
    indent = " " * node.start_mark.column
    return f"{text[:start]}{rest[0]}: {_flow(value)}\n{indent}{text[start:]}"


def _flow(value: Any) -> str:
    """One line of YAML that can stand after a colon, inside braces too."""
    return yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10_000).strip()[1:-1]


def _block(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _write(path: Path, text: str) -> None:
    """Readable by its owner alone, and whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error
