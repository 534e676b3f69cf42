"""Slack's cursors: a page of a list and where the next one starts."""

import base64
import binascii
from typing import TypeVar

from runbook_bot.playground.slack.api.method import Arguments, Refused
from runbook_bot.playground.slack.json_value import Json

T = TypeVar("T")

MOST_ITEMS = 1000


def page(items: list[T], args: Arguments, default: int) -> tuple[list[T], Json]:
    """The items of the asked page, and the `response_metadata` that goes with it."""
    limit = args.number("limit", default) or default
    if not 1 <= limit <= MOST_ITEMS:
        raise Refused("invalid_limit")
    start = _start(args.text("cursor"))
    chosen = items[start : start + limit]
    more = start + limit < len(items)
    following = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
    return chosen, {"response_metadata": {"next_cursor": following}}


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise Refused("invalid_cursor") from None
