"""Messages: chat.postMessage, update, delete, postEphemeral, getPermalink."""

import copy

from runbook_bot.playground.slack.api.method import SPECIAL, TIER_3, TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import (
    is_empty,
    post_as_bot,
    post_ephemeral,
    read_content,
    thread_fields,
)
from runbook_bot.playground.slack.state import Channel


def _need_something(content: Json) -> None:
    if is_empty(content):
        raise Refused("no_text")


def _post(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args)
    content = read_content(desk, args)
    _need_something(content)
    if thread_ts := args.text("thread_ts"):
        content |= thread_fields(channel, thread_ts, args.flag("reply_broadcast"))
    if args.has("username"):
        desk.require("chat:write.customize")
        content["username"] = args.text("username")
    message = post_as_bot(desk, channel, {"text": "", **content})
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def own_message(desk: Desk, channel: Channel, ts: str, word: str) -> Json:
    """A message of the bot that is still there and not ephemeral."""
    message = channel.messages.get(ts)
    if message is None or "ephemeral_to" in message:
        raise Refused("message_not_found")
    if message.get("bot_id") != desk.state.workspace.bot_id:
        raise Refused(word)
    return message


def _update(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args)
    message = own_message(desk, channel, args.need("ts", "message_not_found"), "cant_update_message")
    content = read_content(desk, args)
    _need_something({**message, **content})
    previous = copy.deepcopy(message)
    changed = {**message, **content, "edited": {"user": desk.state.workspace.bot, "ts": desk.state.next_ts()}}
    changed = {key: one for key, one in changed.items() if not (key in content and one in ([], {}))}
    if args.flag("reply_broadcast") and changed.get("thread_ts", changed["ts"]) != changed["ts"]:
        changed["subtype"] = "thread_broadcast"
    desk.state.put_message(channel, changed)
    desk.events.message_changed(channel, changed, previous)
    return {"channel": channel.id, "ts": changed["ts"], "text": changed.get("text", ""), "message": changed}


def _delete(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args)
    message = own_message(desk, channel, args.need("ts", "message_not_found"), "cant_delete_message")
    delete_message(desk, channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


def delete_message(desk: Desk, channel: Channel, message: Json) -> None:
    """Remove a message; the parent of a thread leaves Slack's tombstone behind."""
    if message.get("reply_count"):
        kept = {key: message[key] for key in message if key.startswith("reply_") or key in {"ts", "thread_ts", "type"}}
        gone = {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "hidden": True}
        desk.state.put_message(channel, {**kept, **gone})
    else:
        desk.state.remove_message(channel, message["ts"])
    desk.events.message_deleted(channel, message)


def _post_ephemeral(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args)
    user = args.need("user", "user_not_in_channel")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    content = read_content(desk, args)
    _need_something(content)
    if thread_ts := args.text("thread_ts"):
        content |= thread_fields(channel, thread_ts, broadcast=False)
    message = post_ephemeral(desk, channel, user, {"text": "", **content})
    return {"message_ts": message["ts"]}


def _permalink(desk: Desk, args: Arguments) -> Json:
    channel = desk.channel(args)
    ts = args.need("message_ts", "message_not_found")
    message = channel.messages.get(ts)
    if message is None:
        raise Refused("message_not_found")
    link = f"{desk.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.get("thread_ts", ts) != ts:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(_post, SPECIAL, ("chat:write",), per_channel=True),
    "chat.update": Method(_update, TIER_3, ("chat:write",)),
    "chat.delete": Method(_delete, TIER_3, ("chat:write",)),
    "chat.postEphemeral": Method(_post_ephemeral, TIER_4, ("chat:write",)),
    "chat.getPermalink": Method(_permalink, SPECIAL),
}
