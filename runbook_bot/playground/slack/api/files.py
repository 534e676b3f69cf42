"""Files: getUploadURLExternal, the upload itself, completeUploadExternal, info."""

import mimetypes
import secrets
import time

from aiohttp import web

from runbook_bot.playground.slack.api.method import TIER_4, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.messages import post_as_bot, thread_fields
from runbook_bot.playground.slack.state import StoredFile

LONGEST_FILE = 50 * 1024 * 1024


def file_object(desk: Desk, file: StoredFile) -> Json:
    """A file as files.info answers and as messages carry it."""
    kind = file.name.rpartition(".")[2].lower() if "." in file.name else "text"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": desk.state.workspace.bot,
        "mode": "hosted" if file.mimetype.startswith("image/") else "snippet",
        "size": file.length,
        "alt_txt": file.alt_txt,
        "is_external": False,
        "url_private": f"{desk.base_url}/files/{file.id}",
        "url_private_download": f"{desk.base_url}/files/{file.id}",
        "permalink": f"{desk.base_url}/files/{file.id}",
    }


def _upload_url(desk: Desk, args: Arguments) -> Json:
    name, length = args.need("filename"), args.number("length", 0)
    if length <= 0:
        raise Refused.because("invalid_arguments", ["must be greater than 0 [json-pointer:/length]"])
    if length > LONGEST_FILE:
        raise Refused("file_upload_size_restricted")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    file = StoredFile(desk.state.new_id("F"), name, length, kind, alt_txt=args.text("alt_txt"))
    desk.state.files[file.id] = file
    return {"upload_url": f"{desk.base_url}/upload/{file.id}/{secrets.token_hex(8)}", "file_id": file.id}


async def receive_upload(desk: Desk, request: web.Request) -> web.Response:
    """The POST to an upload_url: a raw body or a multipart form with one file."""
    file = desk.state.files.get(request.match_info["file_id"])
    if file is None or file.content is not None:
        return web.Response(status=404, text="no such upload")
    content = b""
    if request.content_type.startswith("multipart/"):
        async for part in await request.multipart():
            content = bytes(await part.read())  # type: ignore[union-attr]  # nested multipart has no read
            break
    else:
        content = await request.read()
    if len(content) != file.length:
        return web.Response(status=400, text=f"expected {file.length} bytes, got {len(content)}")
    file.content = content
    return web.Response(text=f"OK - {len(content)}")


def _complete(desk: Desk, args: Arguments) -> Json:
    asked = args.value("files")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, dict) for one in asked):
        raise Refused.because("invalid_arguments", ["must be an array of objects [json-pointer:/files]"])
    files = [desk.state.files.get(str(one.get("id"))) for one in asked]
    known = [one for one in files if one is not None and one.content is not None]
    if len(known) != len(files):
        raise Refused("file_not_found")
    targets = [args.raw["channel_id"]] if args.text("channel_id") else args.words("channels")
    channels = [desk.joined(Arguments({"channel": one})) for one in targets]
    fields = [
        thread_fields(one, args.text("thread_ts"), broadcast=False) if args.text("thread_ts") else {}
        for one in channels
    ]
    for file, wish in zip(known, asked, strict=True):
        file.title = str(wish.get("title") or file.name)
        file.complete_at = time.time()
        desk.state.bulletin.publish("file", file.public())
    objects = [file_object(desk, one) for one in known]
    for channel, thread in zip(channels, fields, strict=True):
        message = {"text": args.text("initial_comment"), "files": objects, "subtype": "file_share", "upload": True}
        post_as_bot(desk, channel, {**message, **thread})
    return {"files": objects}


def _info(desk: Desk, args: Arguments) -> Json:
    file = desk.state.files.get(args.need("file", "file_not_found"))
    if file is None or file.complete_at is None:
        raise Refused("file_not_found")
    return {"file": file_object(desk, file), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "files.getUploadURLExternal": Method(_upload_url, TIER_4, ("files:write",)),
    "files.completeUploadExternal": Method(_complete, TIER_4, ("files:write",)),
    "files.info": Method(_info, TIER_4, ("files:read",)),
}
