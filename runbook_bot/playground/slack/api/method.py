"""What every method shares: its arguments, the things it may touch, its tier and scopes, and how it refuses."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from runbook_bot.playground.slack.events import Events
from runbook_bot.playground.slack.faults import Faults
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.socket import Socket
from runbook_bot.playground.slack.state import Channel, State

TIER_1, TIER_2, TIER_3, TIER_4, SPECIAL = 1, 20, 50, 100, 600
"""Calls a minute, method and app. Slack publishes no numbers for special methods; 600 stands for "hundreds"."""


class Refused(Exception):
    """A call that Slack answers with `{"ok": false, "error": word}`."""

    def __init__(self, word: str, **more: Any) -> None:
        super().__init__(word)
        self.word = word
        self.more = more

    @classmethod
    def because(cls, word: str, faults: list[str]) -> "Refused":
        """A refusal that lists what was wrong, as Slack does for blocks and views."""
        return cls(word, errors=faults, response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]})


class Arguments:
    """The arguments of one call, whether they came as JSON, as a form or in the query."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers are written out."""
        value = self.raw.get(name)
        return default if value is None else str(value)

    def need(self, name: str, word: str = "invalid_arguments") -> str:
        """A string that may not be missing or empty."""
        value = self.text(name)
        if not value:
            raise Refused.because(word, [f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """A boolean in any of the ways clients write it."""
        return str(self.raw.get(name, "")).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.text(name)
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise Refused.because("invalid_arguments", [f"must be an integer [json-pointer:/{name}]"]) from None

    def value(self, name: str, word: str = "invalid_arguments") -> Any:
        """A JSON value that may itself be written as a string."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused.because(word, [f"must be valid JSON [json-pointer:/{name}]"]) from None

    def words(self, name: str) -> list[str]:
        """A list, or a string with commas."""
        value = self.raw.get(name)
        parts = value if isinstance(value, list) else self.text(name).split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def has(self, name: str) -> bool:
        """Whether the argument was given at all; an empty list counts as given."""
        return self.raw.get(name) is not None


@dataclass
class Desk:
    """What methods work on."""

    state: State
    socket: Socket
    events: Events
    faults: Faults
    base_url: str = ""

    def channel(self, args: Arguments, name: str = "channel") -> Channel:
        """The channel an argument names; channel_not_found when the bot cannot see it."""
        found = self.state.channel_named(args.need(name, "channel_not_found"))
        hidden = found is not None and (found.private or found.is_im) and self.state.workspace.bot not in found.members
        if found is None or hidden:
            raise Refused("channel_not_found")
        return found

    def joined(self, args: Arguments, name: str = "channel") -> Channel:
        """The same, and the bot is a member."""
        found = self.channel(args, name)
        if self.state.workspace.bot not in found.members:
            raise Refused("not_in_channel")
        return found

    def require(self, *scopes: str) -> None:
        """Refuse unless the app has one of these scopes; without a manifest it has all."""
        provided = self.state.workspace.scopes
        if scopes and provided is not None and not provided.intersection(scopes):
            raise Refused("missing_scope", needed=scopes[0], provided=",".join(sorted(provided)))


Handler = Callable[[Desk, Arguments], Awaitable[Json] | Json]


@dataclass(frozen=True)
class Method:
    """A method: what it does, how often a minute, with which scope (any of several), and whose token opens it."""

    run: Handler
    tier: int
    scopes: tuple[str, ...] = ()
    by: Literal["bot", "app", "anyone"] = "bot"
    per_channel: bool = False
