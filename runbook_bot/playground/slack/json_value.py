"""The one name for what travels in this room: Slack's JSON objects, kept as Slack keeps them."""

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
