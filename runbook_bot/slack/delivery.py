"""What Slack delivered, read from the envelope: who, where, and the key by which a second copy is known.

Who pressed comes from the envelope alone, never from a button's value or from text.
"""

from dataclasses import dataclass
from typing import Any, Literal

from runbook_bot.domain.noun import Json, digest


@dataclass(frozen=True)
class Delivery:
    """One delivery that wants handling. Empty strings where the kind has no such thing."""

    kind: Literal["command", "action", "submission", "shortcut", "message"]
    key: str
    team: str
    user: str
    home: str
    """The team the user belongs to, where Slack says so; else `team`."""
    channel: str
    body: Json
    thread: str | None = None
    """Where an answer belongs."""
    message: str = ""
    """Timestamp of the message that was pressed or written."""
    text: str = ""
    action: str = ""
    value: str = ""
    trigger: str = ""
    response_url: str = ""
    outside: bool = False
    """The channel is shared with another company, says the envelope."""


def read(body: Json) -> Delivery | None:
    """The delivery in a payload; None for what nobody has to do anything about."""
    if body.get("command"):
        return _command(body)
    if body.get("event"):
        return _event(body)
    match body.get("type"):
        case "block_actions":
            return _action(body)
        case "view_submission":
            return _submission(body)
        case "message_action" | "shortcut":
            return _shortcut(body)
        case _:
            return None


def _command(body: Json) -> Delivery:
    trigger = _text(body, "trigger_id")
    return Delivery(
        kind="command",
        key=f"command:{trigger}",
        team=_text(body, "team_id"),
        user=_text(body, "user_id"),
        home=_text(body, "team_id"),
        channel=_text(body, "channel_id"),
        text=_text(body, "text"),
        trigger=trigger,
        response_url=_text(body, "response_url"),
        body=body,
    )


def _event(body: Json) -> Delivery | None:
    """A mention, or a person's direct message. Where a mention also arrives as a message, both have one key."""
    event = _object(body, "event")
    mention = event.get("type") == "app_mention"
    direct = event.get("type") == "message" and event.get("channel_type") == "im"
    written = not event.get("bot_id") and event.get("subtype") in (None, "file_share", "thread_broadcast")
    if not (mention or direct) or not written or not event.get("user"):
        return None
    channel, ts = _text(event, "channel"), _text(event, "ts")
    return Delivery(
        kind="message",
        key=f"message:{channel}:{ts}",
        team=_text(body, "team_id"),
        user=_text(event, "user"),
        home=_text(event, "user_team") or _text(event, "source_team") or _text(body, "team_id"),
        channel=channel,
        thread=_text(event, "thread_ts") or None,
        message=ts,
        text=_text(event, "text"),
        outside=bool(body.get("is_ext_shared_channel")),
        body=body,
    )


def _action(body: Json) -> Delivery | None:
    pressed = body.get("actions")
    if not isinstance(pressed, list) or not pressed or not isinstance(pressed[0], dict):
        return None
    action, container, user = pressed[0], _object(body, "container"), _object(body, "user")
    message = _text(container, "message_ts") or _text(_object(body, "message"), "ts")
    place = message or _text(_object(body, "view"), "id")
    name, who, when = _text(action, "action_id"), _text(user, "id"), _text(action, "action_ts")
    return Delivery(
        kind="action",
        key=f"action:{place}:{name}:{who}:{when}",
        team=_text(_object(body, "team"), "id"),
        user=who,
        home=_text(user, "team_id") or _text(_object(body, "team"), "id"),
        channel=_text(_object(body, "channel"), "id") or _text(container, "channel_id"),
        thread=_text(_object(body, "message"), "thread_ts") or _text(container, "thread_ts") or message or None,
        message=message,
        action=name,
        value=_text(action, "value"),
        trigger=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        body=body,
    )


def _submission(body: Json) -> Delivery:
    """Sent again after an inline error it has the same id and hash: what was typed is part of the key."""
    view, user = _object(body, "view"), _object(body, "user")
    typed = digest(_object(_object(view, "state"), "values"))[-16:]
    return Delivery(
        kind="submission",
        key=f"view:{_text(view, 'id')}:{_text(view, 'hash')}:{typed}",
        team=_text(_object(body, "team"), "id"),
        user=_text(user, "id"),
        home=_text(user, "team_id") or _text(_object(body, "team"), "id"),
        channel="",
        action=_text(view, "callback_id"),
        value=_text(view, "private_metadata"),
        body=body,
    )


def _shortcut(body: Json) -> Delivery:
    user, message = _object(body, "user"), _object(body, "message")
    trigger = _text(body, "trigger_id")
    return Delivery(
        kind="shortcut",
        key=f"shortcut:{trigger}",
        team=_text(_object(body, "team"), "id"),
        user=_text(user, "id"),
        home=_text(user, "team_id") or _text(_object(body, "team"), "id"),
        channel=_text(_object(body, "channel"), "id"),
        thread=_text(message, "thread_ts") or _text(message, "ts") or None,
        message=_text(message, "ts"),
        text=_text(message, "text"),
        action=_text(body, "callback_id"),
        trigger=trigger,
        response_url=_text(body, "response_url"),
        body=body,
    )


def typed(body: Json, field: str) -> str:
    """What was typed into an input whose block and action have this one name."""
    values = _object(_object(_object(body, "view"), "state"), "values")
    return _text(_object(_object(values, field), field), "value")


def _object(value: Any, key: str) -> Json:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Json, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
