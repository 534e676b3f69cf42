"""All that the loopback Slack remembers, in memory: channels, messages, views, files, canvases, one-time keys."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from runbook_bot.playground.slack.bulletin import Bulletin
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.workspace import Person, Workspace

TRIGGER_LIFE = 3.0
RESPONSE_URL_LIFE = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass
class Channel:
    """A channel or direct message, its members and its messages by ts (replies among them)."""

    id: str
    name: str
    members: list[str]
    topic: str = ""
    is_im: bool = False
    user: str | None = None
    private: bool = False
    shared: bool = False
    canvas_id: str | None = None
    created: int = field(default_factory=lambda: int(time.time()))
    messages: dict[str, Json] = field(default_factory=dict)
    bookmarks: list[Json] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Slack's `channel_type`: channel, group or im."""
        return "im" if self.is_im else "group" if self.private else "channel"

    def thread(self, ts: str) -> list[Json]:
        """The parent and its replies, oldest first, ephemerals left out."""
        return [
            one
            for one in self.messages.values()
            if (one["ts"] == ts or one.get("thread_ts") == ts) and "ephemeral_to" not in one
        ]


@dataclass
class Canvas:
    """A canvas and its markdown; `revision` is part of every section id, which makes those ids short-lived."""

    id: str
    title: str
    markdown: str
    channel: str | None = None
    revision: int = 0
    access: Json = field(default_factory=dict)

    def public(self) -> Json:
        """The canvas as the page sees it."""
        return {"id": self.id, "title": self.title, "markdown": self.markdown, "channel": self.channel}


@dataclass
class StoredFile:
    """An uploaded file; `complete` once completeUploadExternal has named it."""

    id: str
    name: str
    length: int
    mimetype: str
    title: str = ""
    alt_txt: str = ""
    content: bytes | None = None
    complete_at: float | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    def public(self) -> Json:
        """The file as the page sees it."""
        return {
            "id": self.id,
            "name": self.name,
            "mimetype": self.mimetype,
            "title": self.title or self.name,
            "alt_txt": self.alt_txt,
            "url": f"/files/{self.id}",
        }


@dataclass
class Trigger:
    """A trigger_id: who may be shown a view with it, until when, and whether it was used."""

    user: str
    expires: float
    used: bool = False
    view_id: str | None = None


@dataclass
class ResponseUrl:
    """Where a response_url leads: the person, the channel, and the message that may be replaced."""

    channel: str
    user: str
    message_ts: str | None
    expires: float
    uses: int = 0


class State:
    """The memory of the server. What it publishes is what the page shows."""

    def __init__(self, workspace: Workspace, bulletin: Bulletin) -> None:
        self.workspace = workspace
        self.bulletin = bulletin
        self.people: dict[str, Person] = {one.id: one for one in workspace.people}
        self.groups: dict[str, list[str]] = {one.id: list(one.users) for one in workspace.groups}
        self.channels: dict[str, Channel] = {
            room.id: Channel(
                room.id, room.name, list(room.members), room.topic, private=room.private, shared=room.shared
            )
            for room in workspace.rooms
        }
        self.canvases: dict[str, Canvas] = {}
        self.files: dict[str, StoredFile] = {}
        self.modals: dict[str, list[Json]] = {}
        self.homes: dict[str, Json] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.sessions: dict[tuple[str, str], Json] = {}
        self.streams: dict[tuple[str, str], float] = {}
        self.triggers: dict[str, Trigger] = {}
        self.trigger_life = TRIGGER_LIFE
        self.response_urls: dict[str, ResponseUrl] = {}
        self.note = workspace.note
        self._last_ts = 0
        self._last_id = 0

    # ids and clocks

    def next_ts(self) -> str:
        """A message ts: seconds with six decimals, never twice and never backwards."""
        self._last_ts = max(self._last_ts + 1, int(time.time() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, letter: str) -> str:
        """An id in Slack's manner: a letter and capitals."""
        self._last_id += 1
        return f"{letter}0{self._last_id:04d}{secrets.token_hex(3).upper()}"

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """A trigger_id for one view, good for three seconds unless `trigger_life` says otherwise."""
        now = time.monotonic()
        self.triggers = {key: one for key, one in self.triggers.items() if now - one.expires < RESPONSE_URL_LIFE}
        key = f"{self.next_ts()}.{self._last_id}.{secrets.token_hex(16)}"
        self.triggers[key] = Trigger(user, now + self.trigger_life, view_id=view_id)
        return key

    def new_response_url(self, channel: str, user: str, message_ts: str | None) -> str:
        """The secret part of a response_url."""
        key = secrets.token_urlsafe(18)
        self.response_urls[key] = ResponseUrl(channel, user, message_ts, time.monotonic() + RESPONSE_URL_LIFE)
        return key

    # channels and messages

    def channel_named(self, name: str) -> Channel | None:
        """A channel by id, by name with or without #, or the direct message with a person by the person's id."""
        if name in self.channels:
            return self.channels[name]
        if name in self.people:
            return self.open_im(name)
        bare = name.removeprefix("#")
        return next((one for one in self.channels.values() if not one.is_im and one.name == bare), None)

    def open_im(self, user: str) -> Channel:
        """The direct message between the bot and a person, made when first needed."""
        found = next((one for one in self.channels.values() if one.is_im and one.user == user), None)
        if found is None:
            found = Channel(self.new_id("D"), "", [user, self.workspace.bot], is_im=True, user=user)
            self.channels[found.id] = found
            self.bulletin.publish("channel", self.public_channel(found))
        return found

    def put_message(self, channel: Channel, message: Json) -> None:
        """Store a new or changed message, refresh its parent's reply counts, and tell the pages."""
        channel.messages[message["ts"]] = message
        self.publish_message(channel, message)
        parent_ts = message.get("thread_ts")
        if parent_ts and parent_ts != message["ts"]:
            self.count_replies(channel, parent_ts)

    def publish_message(self, channel: Channel, message: Json) -> None:
        """Tell the pages that a message is new or has changed."""
        self.bulletin.publish("message", {"channel": channel.id, "message": message})

    def remove_message(self, channel: Channel, ts: str) -> Json | None:
        """Forget a message and tell the pages."""
        message = channel.messages.pop(ts, None)
        if message is not None:
            self.bulletin.publish("gone", {"channel": channel.id, "ts": ts})
            parent_ts = message.get("thread_ts")
            if parent_ts and parent_ts != ts:
                self.count_replies(channel, parent_ts)
        return message

    def count_replies(self, channel: Channel, parent_ts: str) -> None:
        """Write the reply counts that Slack keeps on a thread's parent."""
        parent = channel.messages.get(parent_ts)
        if parent is None:
            return
        replies = [one for one in channel.thread(parent_ts) if one["ts"] != parent_ts]
        for key in ("reply_count", "reply_users_count", "latest_reply", "reply_users"):
            parent.pop(key, None)
        if replies:
            users = list(dict.fromkeys(one.get("user") or one.get("bot_id", "") for one in replies))
            parent.update(
                thread_ts=parent_ts,
                reply_count=len(replies),
                reply_users_count=len(users),
                latest_reply=replies[-1]["ts"],
                reply_users=users,
            )
        self.publish_message(channel, parent)

    # views

    def views(self) -> Iterator[tuple[str, Json]]:
        """Every open view with its owner: modals from the lowest up, then Homes."""
        for user, stack in self.modals.items():
            for view in stack:
                yield user, view
        yield from self.homes.items()

    def find_view(self, view_id: str) -> tuple[str, Json] | None:
        """The owner and the view with this id."""
        return next(((user, view) for user, view in self.views() if view["id"] == view_id), None)

    # what the page gets

    def public_channel(self, channel: Channel) -> Json:
        """A channel as the page sees it."""
        return {
            "id": channel.id,
            "name": channel.name,
            "topic": channel.topic,
            "members": channel.members,
            "is_im": channel.is_im,
            "user": channel.user,
        }

    def snapshot(self, connected: bool) -> Json:
        """The whole state, as the first event of a page's feed."""
        space = self.workspace
        command, hint = next(iter(space.commands.items()))
        return {
            "team": {"id": space.team_id, "name": space.team_name},
            "bot": {"user_id": space.bot, "bot_id": space.bot_id, "name": self.people[space.bot].name},
            "users": [
                {
                    "id": one.id,
                    "name": one.name,
                    "real_name": one.real_name,
                    "title": one.title,
                    "is_bot": one.is_bot,
                    "is_restricted": one.is_restricted,
                    "deleted": one.deleted,
                    "color": one.color,
                }
                for one in self.people.values()
            ],
            "usergroups": [
                {"id": one.id, "handle": one.handle, "name": one.name, "users": self.groups[one.id]}
                for one in space.groups
            ],
            "channels": [self.public_channel(one) for one in self.channels.values()],
            "messages": {one.id: list(one.messages.values()) for one in self.channels.values()},
            "canvases": [one.public() for one in self.canvases.values()],
            "files": [one.public() for one in self.files.values() if one.complete_at is not None],
            "homes": self.homes,
            "modals": [{"user": user, "view": view} for user, stack in self.modals.items() for view in stack],
            "statuses": [
                {"channel": channel, "thread_ts": thread, "status": status}
                for (channel, thread), status in self.statuses.items()
            ],
            "command": {"name": command, "usage_hint": hint},
            "connected": connected,
            "note": self.note,
        }
