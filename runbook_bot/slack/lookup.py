"""Finds a message that may have been posted before a crash or a broken connection, by the metadata it carries."""

from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.slack.message import Message
from runbook_bot.slack.refusals import NETWORK, meaning
from runbook_bot.slack.workspace import Workspace

PAGES = 10
_IDENTITY = {
    "runbook_investigation": ("id",),
    "runbook_hypothesis": ("investigation", "id"),
    "runbook_approval": ("proposal",),
    "runbook_message": ("investigation", "key"),
}
"""The part of each metadata payload that names the message; the rest of it changes."""


async def find(client: AsyncWebClient, workspace: Workspace, message: Message, since: datetime | None) -> str | None:
    """The timestamp of our own message with that identity in its channel or thread. Raises `DeskError`."""
    oldest = f"{since.timestamp() - 300:.6f}" if since else "0"
    cursor = ""
    method = "conversations.replies" if message.thread else "conversations.history"
    for _ in range(PAGES):
        arguments: dict[str, Any] = {
            "channel": message.channel,
            "oldest": oldest,
            "include_all_metadata": True,
            "limit": 100,
        }
        if cursor:
            arguments["cursor"] = cursor
        try:
            if message.thread:
                answer = await client.conversations_replies(ts=message.thread, **arguments)
            else:
                answer = await client.conversations_history(**arguments)
        except NETWORK as error:
            raise meaning(method, error) from error
        for found in answer.get("messages") or []:
            if _ours(found, workspace) and _same(found.get("metadata"), message.metadata):
                return str(found["ts"])
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return None


def _ours(found: dict[str, Any], workspace: Workspace) -> bool:
    """Anybody may post metadata like ours; only what this bot posted is taken over."""
    by_bot = bool(workspace.bot_id) and found.get("bot_id") == workspace.bot_id
    return by_bot or found.get("user") == workspace.bot_user


def _same(found: Any, wanted: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(wanted, dict):
        return False
    kind = wanted.get("event_type")
    if found.get("event_type") != kind:
        return False
    there, here = found.get("event_payload") or {}, wanted.get("event_payload") or {}
    return all(there.get(name) == here.get(name) for name in _IDENTITY.get(str(kind), ()))
