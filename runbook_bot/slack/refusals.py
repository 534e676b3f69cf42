"""How a call to Slack can fail, and what each failure means for the caller."""

import asyncio
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from runbook_bot.errors import DeskError

CHANNEL_GONE = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "channel_is_archived", "restricted_action_read_only_channel"}
)
TOO_YOUNG = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Slack did not understand a block; the message is sent once more without the kinds it is still rolling out."""
DOUBTFUL = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})


class Refused(DeskError):
    """Slack said no for good. `word` is Slack's own error word."""

    def __init__(self, method: str, word: str) -> None:
        super().__init__(f"Slack refused {method}: {word}")
        self.method = method
        self.word = word


class ChannelGone(Refused):
    """The channel is archived, deleted, or the bot is not in it."""


class SlackAway(DeskError):
    """No connection could be made; the call took no effect and may be made again."""


class AnswerLost(DeskError):
    """The connection broke or Slack stumbled; whether the call took effect has to be looked up."""


class RateLimited(DeskError):
    """Slack asked to wait. The call took no effect."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"Slack asked to wait {seconds:g} s before {method}")
        self.seconds = seconds


NETWORK = (SlackApiError, SlackClientError, aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""Everything the Web API client raises for a call that did not come through."""


def meaning(method: str, error: Exception) -> DeskError:
    """Our word for an exception of the Web API client."""
    if isinstance(error, SlackApiError):
        return _answered(method, error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return SlackAway(f"Slack cannot be reached at {error.host}:{error.port} for {method}")
    if isinstance(error, ConnectionRefusedError):
        return SlackAway(f"Slack cannot be reached for {method}")
    return AnswerLost(f"the answer to {method} was lost ({type(error).__name__})")


def _answered(method: str, error: SlackApiError) -> DeskError:
    response: Any = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    word = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or word == "ratelimited":
        headers = getattr(response, "headers", None) or {}
        after = next((value for name, value in headers.items() if name.lower() == "retry-after"), "30")
        return RateLimited(method, float(after) if str(after).replace(".", "", 1).isdigit() else 30.0)
    if status >= 500 or word in DOUBTFUL or not word:
        return AnswerLost(f"Slack answered {method} with {word or status or 'nothing readable'}")
    return ChannelGone(method, word) if word in CHANNEL_GONE else Refused(method, word)
