"""What is wrong with a configuration, said in one line that names the key and offers the nearest known one."""

import difflib
import types
from collections.abc import Iterator, Mapping
from enum import EnumType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook_bot.domain.redaction import redact
from runbook_bot.errors import SettingsError
from runbook_bot.settings.document import Document, Location, dotted

SHOWN = 3
"""More wrong keys than this are counted, not listed."""

LATER = ("llm", "observability", "incident.pagerduty", "incident.opsgenie", "providers.kubernetes")
"""Keys of the full configuration schema that nothing in this version reads."""


_SHAPES = {
    "model_type": "must hold keys and values", "model_attributes_type": "must hold keys and values",
    "dict_type": "must hold keys and values", "mapping_type": "must hold keys and values",
    "tuple_type": "must be a list", "list_type": "must be a list",
    "set_type": "must be a list", "frozen_set_type": "must be a list",
}  # fmt: skip
"""Where pydantic would name a type of Python's, which nobody writes in YAML."""


def complain(
    error: ValidationError, model: type[BaseModel], document: Document, variables: Mapping[Location, str]
) -> SettingsError:
    """One error for everything that validation found. `variables` says which values came from the environment."""
    found = list(dict.fromkeys(_sentence(each, model, document, variables) for each in error.errors()))
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return SettingsError("; ".join(found[:SHOWN]) + more)


def _sentence(
    error: ErrorDetails, model: type[BaseModel], document: Document, variables: Mapping[Location, str]
) -> str:
    location = _in_document(error["loc"], document)
    key = dotted(location)
    if error["type"] == "extra_forbidden":
        return f"{document.where(location)}: {unknown_key(location, model)}"
    said = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    said = _SHAPES.get(error["type"]) or redact(said[:1].lower() + said[1:])
    if location in variables:
        return f"{variables[location]} (for {key}): {said}"
    if error["type"] == "missing":
        return f"{document.where(location)}: {key} is missing"
    return f"{document.where(location)}: {key}: {said}" if key else f"{document.path.name}: {said}"


def _in_document(location: Location, document: Document) -> Location:
    """Without the names of union members that pydantic mixes into the way to a value."""
    kept: Location = ()
    for part in location:
        if part != "[key]" and ((*kept, part) in document.lines or part == location[-1] or not document.lines):
            kept = (*kept, part)
    return kept


def unknown_key(location: Location, model: type[BaseModel]) -> str:
    """`agent.max_iteration is not a known key; did you mean agent.max_iterations?`"""
    key = dotted(location) or "''"
    if any(key == later or key.startswith(f"{later}.") for later in LATER):
        return f"{key} is not supported by this version; take it out"
    known = {dotted((*location[:-1], name)): name for name in _siblings(location[:-1], model)}
    everywhere = {way.rpartition(".")[2]: way for way in keys(model)}
    name = str(location[-1])
    near = difflib.get_close_matches(name, known.values(), n=1, cutoff=0.6)
    if near:
        return f"{key} is not a known key; did you mean {dotted((*location[:-1], near[0]))}?"
    if name in everywhere:
        return f"{key} is not a known key; did you mean {everywhere[name]}?"
    return f"{key} is not a known key; known here: {', '.join(sorted(known.values())) or 'none'}"


def _siblings(location: Location, model: type[BaseModel]) -> tuple[str, ...]:
    at: list[Any] = [model]
    for part in location:
        inner = (pair for each in at for pair in (_items(each) if isinstance(part, int) else _parts(each)))
        at = [annotation for name, annotation in inner if name in (part, None)]
    return tuple(dict.fromkeys(name for each in at for name, _ in _parts(each)))


def _parts(annotation: Any) -> Iterator[tuple[str, Any]]:
    """What can be named inside a value of that type: fields of a model, keys of a mapping from an enumeration."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield field.alias or name, field.annotation
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _parts(each)
    elif get_origin(annotation) in (dict, Mapping):
        key, value = get_args(annotation)
        if isinstance(key, EnumType):
            members: list[Any] = list(key)
            yield from ((str(member.value), value) for member in members)


def _items(annotation: Any) -> Iterator[tuple[None, Any]]:
    yield from ((None, each) for each in get_args(annotation) if each is not Ellipsis)


def keys(annotation: Any, way: Location = ()) -> Iterator[str]:
    """Every dotted key of a configuration model, sections before what is in them."""
    for name, inner in _parts(annotation):
        yield dotted((*way, name))
        yield from keys(inner, (*way, name))
