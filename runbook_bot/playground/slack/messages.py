"""Messages as Slack accepts and stores them: what the text, blocks and metadata may be, and what is filled in."""

import secrets
import time
from typing import Any

from runbook_bot.playground.slack.api.method import Arguments, Desk, Refused
from runbook_bot.playground.slack.blockkit import MOST_TEXT, total_text, validate, validate_metadata
from runbook_bot.playground.slack.blockkit.elements import INTERACTIVE
from runbook_bot.playground.slack.blockkit.totals import walk
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel, State

LONGEST_TEXT = 40_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100


def number_blocks(blocks: list[Json]) -> list[Json]:
    """A copy without nulls, in which every block and interactive element has an id, made up where none was given."""
    numbered: list[Json] = _without_nulls(blocks)
    for block in numbered:
        if not block.get("block_id"):
            block["block_id"] = secrets.token_urlsafe(4)
        for found, _ in walk(block, ""):
            if found.get("type") in INTERACTIVE and not found.get("action_id"):
                found["action_id"] = secrets.token_urlsafe(4)
    return numbered


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def check_files(desk: Desk, blocks: list[Json], at: str = "/blocks") -> list[str]:
    """One line for each image whose `slack_file` is unknown or not ready yet."""
    return [
        f"invalid slack file [json-pointer:{where}/slack_file]"
        for found, where in walk(blocks, at)
        if found.get("type") == "image" and isinstance(found.get("slack_file"), dict)
        if not _ready(desk, found["slack_file"])
    ]


def _ready(desk: Desk, reference: Json) -> bool:
    name = reference.get("id") or str(reference.get("url", "")).rpartition("/")[2]
    file = desk.state.files.get(name)
    return (
        file is not None and file.complete_at is not None and time.time() >= file.complete_at + desk.faults.file_delay
    )


def read_content(desk: Desk, args: Arguments) -> Json:
    """The `text`, `blocks`, `attachments` and `metadata` given in a call, checked; only those that were given."""
    content: Json = {}
    if args.has("markdown_text"):
        if args.has("text") or args.has("blocks"):
            raise Refused("markdown_text_conflict")
        markdown = args.text("markdown_text")
        if len(markdown) > LONGEST_MARKDOWN:
            raise Refused("msg_too_long")
        content["text"] = markdown
        content["blocks"] = number_blocks([{"type": "markdown", "text": markdown}]) if markdown else []
    if args.has("text"):
        content["text"] = args.text("text")
        if len(content["text"]) > LONGEST_TEXT:
            raise Refused("msg_too_long")
    if args.has("blocks"):
        content["blocks"] = _read_blocks(desk, args)
    if args.has("attachments"):
        content["attachments"] = _read_attachments(args)
    if args.has("metadata"):
        content["metadata"] = _read_metadata(args)
    return content


def is_empty(content: Json) -> bool:
    """Whether there is nothing to show: no words, no blocks, no attachments."""
    return not (str(content.get("text", "")).strip() or content.get("blocks") or content.get("attachments"))


def _read_blocks(desk: Desk, args: Arguments) -> list[Json]:
    blocks = args.value("blocks", "invalid_blocks_format")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    faults = validate(blocks, "message") or check_files(desk, blocks)
    if faults:
        raise Refused.because("invalid_blocks", faults)
    if total_text(blocks) > MOST_TEXT:
        raise Refused("msg_blocks_too_long")
    return number_blocks(blocks)


def _read_attachments(args: Arguments) -> list[Json]:
    attachments = args.value("attachments")
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise Refused.because("invalid_attachments", ["must be an array of objects [json-pointer:/attachments]"])
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    kept: list[Json] = []
    for index, one in enumerate(attachments):
        where = f"/attachments/{index}/blocks"
        faults = validate(one["blocks"], "message", where) if one.get("blocks") is not None else []
        if faults:
            raise Refused.because("invalid_attachments", faults)
        kept.append({"id": index + 1, **one, **({"blocks": number_blocks(one["blocks"])} if one.get("blocks") else {})})
    return kept


def _read_metadata(args: Arguments) -> Json:
    metadata = args.value("metadata", "invalid_metadata_format")
    if metadata == {}:
        return {}
    faults = validate_metadata(metadata)
    if faults or not isinstance(metadata, dict):
        raise Refused.because("invalid_metadata_format", faults)
    return metadata


def signature(state: State) -> Json:
    """The fields by which a message of the bot is known."""
    space = state.workspace
    name = state.people[space.bot].real_name
    return {
        "type": "message",
        "user": space.bot,
        "bot_id": space.bot_id,
        "app_id": space.app_id,
        "team": space.team_id,
        "bot_profile": {
            "id": space.bot_id,
            "app_id": space.app_id,
            "user_id": space.bot,
            "name": name,
            "icons": {},
            "deleted": False,
            "updated": 0,
            "team_id": space.team_id,
        },
    }


def thread_fields(channel: Channel, thread_ts: str, broadcast: bool) -> Json:
    """What makes a message a reply; refuses a parent that is not there or is a reply itself."""
    parent = channel.messages.get(thread_ts)
    if parent is None or "ephemeral_to" in parent:
        raise Refused("thread_not_found")
    if parent.get("thread_ts", thread_ts) != thread_ts:
        raise Refused("cannot_reply_to_message")
    fields: Json = {"thread_ts": thread_ts, "parent_user_id": parent.get("user", "")}
    if broadcast:
        fields |= {
            "subtype": "thread_broadcast",
            "root": {key: parent[key] for key in ("ts", "text", "user") if key in parent},
        }
    return fields


def post_as_bot(desk: Desk, channel: Channel, message: Json) -> Json:
    """Store a message of the bot, tell pages and the app, and clear the status line it answers."""
    stored = {**signature(desk.state), **message, "ts": desk.state.next_ts()}
    desk.state.put_message(channel, stored)
    clear_status(desk.state, channel.id, stored.get("thread_ts") or stored["ts"])
    desk.events.message(channel, stored)
    return stored


def post_ephemeral(desk: Desk, channel: Channel, user: str, message: Json) -> Json:
    """Show a message to one person; Slack keeps no record of it beyond the open page."""
    stored = {**signature(desk.state), **message, "ts": desk.state.next_ts(), "ephemeral_to": user}
    desk.state.put_message(channel, stored)
    return stored


def clear_status(state: State, channel: str, thread_ts: str) -> None:
    """Take the status line away, as the next message in its thread does."""
    if state.statuses.pop((channel, thread_ts), None) is not None:
        state.bulletin.publish("status", {"channel": channel, "thread_ts": thread_ts, "status": ""})
