"""Who people are, asked of Slack at the moment it matters."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from runbook_bot.domain.ports import Person
from runbook_bot.errors import DeskError
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.refusals import NETWORK, Refused, meaning

FRESH = 60.0
"""Seconds a user group or a channel's nature is believed."""
PATIENCE = 15.0
"""Seconds a question may take, with Slack's own waits; then it cannot be told."""


class SlackDirectory:
    """The `Directory` of one workspace. Raises `DeskError` where it cannot be told; the gate then says no."""

    def __init__(self, connection: Connection, *, now: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._now = now
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._shared: dict[str, tuple[float, bool]] = {}

    async def person(self, user: str) -> Person | None:
        try:
            answer = await self._ask("users.info", self._connection.reading.users_info, user=user)
        except Refused as refused:
            if refused.word in ("user_not_found", "user_not_visible"):
                return None
            raise
        workspace = await self._connection.workspace()
        return _person(answer["user"], workspace.team)

    async def group(self, usergroup: str) -> frozenset[str]:
        known = self._groups.get(usergroup)
        if known and self._now() - known[0] < FRESH:
            return known[1]
        asked = self._now()
        answer = await self._ask(
            "usergroups.users.list", self._connection.reading.usergroups_users_list, usergroup=usergroup
        )
        members = frozenset(str(each) for each in answer.get("users") or [])
        self._groups[usergroup] = (asked, members)
        return members

    async def in_channel(self, user: str, channel: str) -> bool:
        cursor = ""
        while True:
            arguments: dict[str, Any] = {"channel": channel, "limit": 1000}
            if cursor:
                arguments["cursor"] = cursor
            answer = await self._ask(
                "conversations.members", self._connection.reading.conversations_members, **arguments
            )
            if user in (answer.get("members") or []):
                return True
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return False

    async def shared(self, channel: str) -> bool:
        """Whether another company is in that channel, or about to be. A channel the bot cannot see is not."""
        known = self._shared.get(channel)
        if known and self._now() - known[0] < FRESH:
            return known[1]
        asked = self._now()
        try:
            answer = await self._ask("conversations.info", self._connection.reading.conversations_info, channel=channel)
        except Refused as refused:
            if refused.word == "channel_not_found":
                return False
            raise
        info = answer["channel"]
        found = bool(info.get("is_ext_shared") or info.get("is_pending_ext_shared"))
        self._shared[channel] = (asked, found)
        return found

    def forget_group(self, usergroup: str) -> None:
        """Slack said that it changed."""
        self._groups.pop(usergroup, None)

    async def _ask(
        self, method: str, send: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any
    ) -> AsyncSlackResponse:
        try:
            async with asyncio.timeout(PATIENCE):
                return await send(**arguments)
        except TimeoutError as error:
            raise DeskError(f"Slack did not answer {method} within {PATIENCE:g} s") from error
        except NETWORK as error:
            raise meaning(method, error) from error


def _person(found: dict[str, Any], home: str) -> Person:
    profile = found.get("profile") or {}
    team = str(found.get("team_id") or "")
    return Person(
        id=str(found["id"]),
        team=team,
        name=str(profile.get("display_name") or found.get("real_name") or found.get("name") or found["id"]),
        deactivated=bool(found.get("deleted")),
        bot=bool(found.get("is_bot")),
        guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
        stranger=bool(found.get("is_stranger")) or team != home,
    )
