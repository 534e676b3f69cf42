"""Events as Slack wraps them, sent only when the app subscribed to them."""

import secrets
import time

from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.socket import Socket
from runbook_bot.playground.slack.state import Channel, State

_MESSAGE_EVENTS = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


class Events:
    """Tells the app what happened in channels it can see."""

    def __init__(self, state: State, socket: Socket) -> None:
        self.state = state
        self.socket = socket

    def emit(self, event: Json, subscription: str | None = None, channel: Channel | None = None) -> None:
        """Wrap and send one event; silently nothing when the app did not subscribe or is not in the channel."""
        space = self.state.workspace
        if space.events is not None and (subscription or event["type"]) not in space.events:
            return
        if channel is not None and space.bot not in channel.members:
            return
        self.socket.send_event(
            {
                "token": "loopback-verification-token",
                "team_id": space.team_id,
                "context_team_id": space.team_id,
                "context_enterprise_id": None,
                "api_app_id": space.app_id,
                "event": event,
                "type": "event_callback",
                "event_id": f"Ev{secrets.token_hex(5).upper()}",
                "event_time": int(time.time()),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": space.team_id,
                        "user_id": space.bot,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": bool(channel and channel.shared),
                "event_context": f"4-{secrets.token_urlsafe(24)}",
            }
        )

    def message(self, channel: Channel, message: Json) -> None:
        """A new message, as every app in the channel gets it."""
        event = {
            **{key: one for key, one in message.items() if key != "metadata"},
            "channel": channel.id,
            "event_ts": message["ts"],
            "channel_type": channel.kind,
        }
        self.emit(event, _MESSAGE_EVENTS[channel.kind], channel)

    def message_changed(self, channel: Channel, message: Json, previous: Json) -> None:
        """A message that was edited."""
        ts = self.state.next_ts()
        self.emit(
            {
                "type": "message",
                "subtype": "message_changed",
                "message": message,
                "previous_message": previous,
                "channel": channel.id,
                "hidden": True,
                "ts": ts,
                "event_ts": ts,
                "channel_type": channel.kind,
            },
            _MESSAGE_EVENTS[channel.kind],
            channel,
        )

    def message_deleted(self, channel: Channel, previous: Json) -> None:
        """A message that was deleted."""
        ts = self.state.next_ts()
        self.emit(
            {
                "type": "message",
                "subtype": "message_deleted",
                "previous_message": previous,
                "channel": channel.id,
                "hidden": True,
                "deleted_ts": previous["ts"],
                "ts": ts,
                "event_ts": ts,
                "channel_type": channel.kind,
            },
            _MESSAGE_EVENTS[channel.kind],
            channel,
        )

    def app_mention(self, channel: Channel, message: Json) -> None:
        """The bot was named in a channel; comes beside the message event, never instead of it."""
        kept = ("user", "ts", "client_msg_id", "text", "blocks", "thread_ts", "parent_user_id", "team")
        event = {key: message[key] for key in kept if key in message}
        self.emit({"type": "app_mention", **event, "channel": channel.id, "event_ts": message["ts"]}, None, channel)
