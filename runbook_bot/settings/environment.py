"""The environment in the configuration: `${VARIABLES}` inside values, and variables that stand for a key."""

import re
from collections.abc import Mapping
from typing import Any

from runbook_bot.errors import SettingsError
from runbook_bot.settings.document import Document, Location, dotted

STANDING_FOR: dict[str, Location] = {
    "SLACK_BOT_TOKEN": ("incident", "slack", "bot_token"),
    "SLACK_APP_TOKEN": ("incident", "slack", "app_token"),
    "REDIS_URL": ("state", "redis_url"),
    "CHROMA_URL": ("knowledge", "store", "url"),
    "PROMETHEUS_URL": ("observability", "prometheus", "url"),
}
"""A variable that is set and not empty wins over its key in config.yaml."""

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|(\{[^}]*\}?))")


def substitute(document: Document, environ: Mapping[str, str], variables: dict[Location, str]) -> Any:
    """The document's value with `${NAME}` and `${NAME:-default}` filled in; `$$` is a dollar sign.

    Notes in `variables` which value came from which variable. Raises `SettingsError` for one that is not set.
    """

    def walk(value: Any, at: Location) -> Any:
        if isinstance(value, dict):
            return {key: walk(each, (*at, str(key))) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each, (*at, index)) for index, each in enumerate(value)]
        return _VARIABLE.sub(lambda found: fill(found, at), value) if isinstance(value, str) else value

    def fill(found: re.Match[str], at: Location) -> str:
        name, default, malformed = found.groups()
        if malformed:
            raise SettingsError(f"{document.where(at)}: {dotted(at)}: ${malformed} is no variable; write ${{NAME}}")
        if name is None:
            return "$"
        variables[at] = name
        value = environ.get(name) or default
        if value is None:
            raise SettingsError(
                f"{document.where(at)}: {dotted(at)} needs the environment variable {name}, which is not set"
            )
        return value

    return walk(document.value, ())


def overlay(value: Any, environ: Mapping[str, str], variables: dict[Location, str]) -> Any:
    """The value with the variables of `STANDING_FOR` laid over it."""
    laid = dict(value or {})
    for variable, location in STANDING_FOR.items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        section = laid
        for part in location[:-1]:
            inner = section.get(str(part))
            if inner is not None and not isinstance(inner, dict):
                break  # a section of the wrong shape: validation says so
            section[str(part)] = inner = dict(inner or {})
            section = inner
        else:
            section[str(location[-1])] = text
            variables[location] = variable
    return laid
