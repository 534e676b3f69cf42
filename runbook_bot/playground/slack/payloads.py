"""The payloads of commands, clicks, shortcuts and submissions, in Slack's shape."""

import secrets

from runbook_bot.playground.slack.api.method import Desk
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel

VERIFICATION = "loopback-verification-token"


def response_url(desk: Desk, channel: Channel, user: str, message_ts: str | None = None) -> str:
    """A response_url for this occasion: five uses, thirty minutes."""
    return f"{desk.base_url}/response/{desk.state.new_response_url(channel.id, user, message_ts)}"


def slash_command(desk: Desk, channel: Channel, user: str, command: str, text: str) -> Json:
    """A slash command; Slack leaves `enterprise_id` out on a workspace of its own."""
    space = desk.state.workspace
    return {
        "token": VERIFICATION,
        "team_id": space.team_id,
        "team_domain": space.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.is_im else channel.name,
        "user_id": user,
        "user_name": desk.state.people[user].name,
        "command": command,
        "text": text,
        "api_app_id": space.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(desk, channel, user),
        "trigger_id": desk.state.new_trigger(user),
    }


def _interaction(desk: Desk, kind: str, user: str) -> Json:
    space = desk.state.workspace
    person = desk.state.people[user]
    team = person.team or space.team_id
    return {
        "type": kind,
        "user": {"id": user, "username": person.name, "name": person.name, "team_id": team},
        "api_app_id": space.app_id,
        "token": VERIFICATION,
        "team": {"id": space.team_id, "domain": space.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _place(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name}


def click_in_message(desk: Desk, user: str, channel: Channel, message: Json, action: Json) -> Json:
    """block_actions of an element in a message; an ephemeral message does not come along."""
    hidden = "ephemeral_to" in message
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": hidden,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    payload = {
        **_interaction(desk, "block_actions", user),
        "container": container,
        "trigger_id": desk.state.new_trigger(user),
        "channel": _place(channel),
        "state": {"values": {}},
        "response_url": response_url(desk, channel, user, message["ts"]),
        "actions": [action],
    }
    return payload if hidden else {**payload, "message": public_message(message)}


def click_in_view(desk: Desk, user: str, view: Json, action: Json) -> Json:
    """block_actions of an element in a modal or on the Home tab."""
    return {
        **_interaction(desk, "block_actions", user),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": desk.state.new_trigger(user, view["id"]),
        "view": view,
        "actions": [action],
    }


def view_submission(desk: Desk, user: str, view: Json) -> Json:
    """A submitted modal with what was typed."""
    return {
        **_interaction(desk, "view_submission", user),
        "trigger_id": desk.state.new_trigger(user, view["id"]),
        "view": view,
        "response_urls": [],
    }


def view_closed(desk: Desk, user: str, view: Json) -> Json:
    """A modal that was closed, for views that asked to be told."""
    return {**_interaction(desk, "view_closed", user), "view": view, "is_cleared": False}


def global_shortcut(desk: Desk, user: str, callback_id: str) -> Json:
    """A shortcut from the composer or search."""
    return {
        **_interaction(desk, "shortcut", user),
        "action_ts": desk.state.next_ts(),
        "callback_id": callback_id,
        "trigger_id": desk.state.new_trigger(user),
    }


def message_shortcut(desk: Desk, user: str, callback_id: str, channel: Channel, message: Json) -> Json:
    """A shortcut from a message's menu."""
    return {
        **_interaction(desk, "message_action", user),
        "action_ts": desk.state.next_ts(),
        "callback_id": callback_id,
        "trigger_id": desk.state.new_trigger(user),
        "response_url": response_url(desk, channel, user, message["ts"]),
        "message_ts": message["ts"],
        "channel": _place(channel),
        "message": public_message(message),
    }


def public_message(message: Json) -> Json:
    """A message without what only this server knows about it."""
    return {key: one for key, one in message.items() if key not in {"ephemeral_to", "streaming"}}


def new_message_id() -> str:
    """A client_msg_id."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
