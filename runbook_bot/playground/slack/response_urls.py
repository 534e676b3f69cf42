"""The other end of a response_url: five answers within thirty minutes, ephemeral unless they say otherwise."""

import json
import time

from aiohttp import web

from runbook_bot.playground.slack.api.method import Arguments, Desk, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import is_empty, post_as_bot, post_ephemeral, read_content, thread_fields
from runbook_bot.playground.slack.state import RESPONSE_URL_USES, Channel, ResponseUrl


async def receive_response(desk: Desk, request: web.Request) -> web.Response:
    """Answer one POST to a response_url."""
    target = desk.state.response_urls.get(request.match_info["key"])
    if target is None:
        return _refuse(404, "invalid_url")
    if time.monotonic() > target.expires:
        return _refuse(404, "expired_url")
    if target.uses >= RESPONSE_URL_USES:
        return _refuse(404, "used_url")
    try:
        body = json.loads(await request.text())
    except ValueError:
        return _refuse(400, "invalid_payload")
    if not isinstance(body, dict):
        return _refuse(400, "invalid_payload")
    try:
        _apply(desk, target, Arguments(body))
    except Refused as refusal:
        return _refuse(400, refusal.word, **refusal.more)
    target.uses += 1
    return web.Response(text="ok")


def _refuse(status: int, word: str, **more: object) -> web.Response:
    return web.json_response({"ok": False, "error": word, **more}, status=status)


def _apply(desk: Desk, target: ResponseUrl, args: Arguments) -> None:
    channel = desk.state.channels[target.channel]
    original = channel.messages.get(target.message_ts or "")
    if original is not None and original.get("bot_id") != desk.state.workspace.bot_id:
        original = None  # what a person wrote is not the app's to replace
    if args.flag("delete_original"):
        if original is None:
            raise Refused("message_not_found")
        desk.state.remove_message(channel, original["ts"])
        return
    content = read_content(desk, args)
    if is_empty(content):
        raise Refused("no_text")
    if args.flag("replace_original") and original is not None:
        _replace(desk, channel, original, content)
        return
    if thread_ts := args.text("thread_ts"):
        content |= thread_fields(channel, thread_ts, broadcast=False)
    if args.text("response_type") == "in_channel":
        target.message_ts = post_as_bot(desk, channel, {"text": "", **content})["ts"]
    else:
        target.message_ts = post_ephemeral(desk, channel, target.user, {"text": "", **content})["ts"]


def _replace(desk: Desk, channel: Channel, original: Json, content: Json) -> None:
    kept = {key: one for key, one in original.items() if key not in {"blocks", "attachments"}}
    changed = {**kept, **content}
    desk.state.put_message(channel, changed)
    if "ephemeral_to" not in changed:
        desk.events.message_changed(channel, changed, original)
