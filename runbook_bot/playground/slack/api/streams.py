"""Streamed answers: chat.startStream, appendStream, stopStream, which die five minutes after their start."""

import time

from runbook_bot.playground.slack.api.chat import own_message
from runbook_bot.playground.slack.api.method import TIER_2, TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.blockkit import validate
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import (
    LONGEST_MARKDOWN,
    number_blocks,
    post_as_bot,
    read_content,
    thread_fields,
)
from runbook_bot.playground.slack.state import Channel


def _start(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args)
    fields = thread_fields(channel, args.need("thread_ts", "thread_not_found"), broadcast=False)
    if not channel.is_im:
        args.need("recipient_team_id", "missing_recipient_team_id")
        args.need("recipient_user_id", "missing_recipient_user_id")
    parts = _chunks(args)
    message = post_as_bot(desk, channel, {"text": "", "blocks": [], "streaming": True, **fields})
    desk.state.streams[channel.id, message["ts"]] = time.monotonic() + desk.faults.stream_life
    _append_parts(desk, channel, message, parts)
    return {"channel": channel.id, "ts": message["ts"]}


def _live(desk: Desk, args: Arguments) -> tuple[Channel, Json]:
    channel = desk.joined(args)
    message = own_message(desk, channel, args.need("ts", "message_not_found"), "message_not_owned_by_app")
    ends = desk.state.streams.get((channel.id, message["ts"]))
    if ends is None or time.monotonic() >= ends:
        raise Refused("message_not_in_streaming_state")
    return channel, message


def _chunks(args: Arguments) -> list[Json]:
    parts: list[Json] = []
    if args.has("markdown_text"):
        parts.append({"type": "markdown_text", "text": args.text("markdown_text")})
    chunks = args.value("chunks", "invalid_chunks") or []
    if not isinstance(chunks, list) or not all(isinstance(one, dict) for one in chunks):
        raise Refused("invalid_chunks")
    for chunk in [*parts, *chunks]:
        kind = chunk.get("type")
        if kind not in {"markdown_text", "plan_update", "task_update", "blocks"}:
            raise Refused.because("invalid_chunks", [f"unsupported type: {kind} [json-pointer:/chunks]"])
        if kind == "markdown_text" and len(str(chunk.get("text", ""))) > LONGEST_MARKDOWN:
            raise Refused("msg_too_long")
        if kind == "blocks" and (faults := validate(chunk.get("blocks"), "message", "/chunks/blocks")):
            raise Refused.because("invalid_blocks", faults)
    return [*parts, *chunks]


def _append_parts(desk: Desk, channel: Channel, message: Json, parts: list[Json]) -> None:
    for part in parts:
        if part["type"] == "markdown_text":
            message["text"] += str(part.get("text", ""))
            _block(message, "markdown")["text"] = message["text"]
        elif part["type"] == "plan_update":
            _block(message, "plan")["title"] = str(part.get("title", ""))
        elif part["type"] == "task_update":
            _put_task(_block(message, "plan"), part)
        else:
            message["blocks"].extend(number_blocks(part["blocks"]))
    desk.state.put_message(channel, message)


def _block(message: Json, kind: str) -> Json:
    found: Json | None = next((one for one in message["blocks"] if one["type"] == kind), None)
    if found is None:
        found = {"type": kind, "block_id": f"stream-{kind}"}
        if kind == "plan":
            found |= {"title": "", "tasks": []}
        message["blocks"].append(found)
    return found


def _put_task(plan: Json, part: Json) -> None:
    task: Json = {
        "type": "task_card",
        "task_id": str(part.get("id", "")),
        **{k: part[k] for k in ("title", "status") if k in part},
    }
    for name in ("details", "output"):
        if part.get(name):
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(part[name])}]}
            task[name] = {"type": "rich_text", "elements": [section]}
    for index, one in enumerate(plan["tasks"]):
        if one["task_id"] == task["task_id"]:
            plan["tasks"][index] = {**one, **task}
            return
    plan["tasks"].append(task)


def _append(desk: Desk, args: Arguments) -> Json:
    channel, message = _live(desk, args)
    _append_parts(desk, channel, message, _chunks(args))
    return {"channel": channel.id, "ts": message["ts"]}


def _stop(desk: Desk, args: Arguments) -> Json:
    channel, message = _live(desk, args)
    parts = _chunks(args)
    content = read_content(desk, Arguments({key: args.raw[key] for key in ("blocks", "metadata") if key in args.raw}))
    _append_parts(desk, channel, message, parts)
    message["blocks"].extend(content.get("blocks", []))
    message.pop("streaming", None)
    if content.get("metadata"):
        message["metadata"] = content["metadata"]
    del desk.state.streams[channel.id, message["ts"]]
    if status := args.text("session_status"):
        desk.state.sessions.setdefault((channel.id, message.get("thread_ts", "")), {})["status"] = status
    desk.state.put_message(channel, message)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


METHODS = {
    "chat.startStream": Method(_start, TIER_2, ("chat:write",)),
    "chat.appendStream": Method(_append, TIER_4, ("chat:write",)),
    "chat.stopStream": Method(_stop, TIER_2, ("chat:write",)),
}
