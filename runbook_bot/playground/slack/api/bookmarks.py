"""Bookmarks at the top of a channel: bookmarks.add, list, edit, remove."""

import time

from runbook_bot.playground.slack.api.method import TIER_2, TIER_3, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Channel


def _add(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args, "channel_id")
    if args.need("type") != "link":
        raise Refused("invalid_bookmark_type")
    link = args.need("link", "invalid_link")
    if not link.startswith(("http://", "https://")):
        raise Refused("invalid_link")
    bookmark: Json = {
        "id": desk.state.new_id("Bk"),
        "channel_id": channel.id,
        "title": args.need("title"),
        "link": link,
        "emoji": args.text("emoji"),
        "icon_url": "",
        "type": "link",
        "date_created": int(time.time()),
        "app_id": desk.state.workspace.app_id,
    }
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


def _find(desk: Desk, args: Arguments) -> tuple[Channel, Json]:
    channel = desk.joined(args, "channel_id")
    name = args.need("bookmark_id")
    found = next((one for one in channel.bookmarks if one["id"] == name), None)
    if found is None:
        raise Refused("not_found")
    return channel, found


def _list(desk: Desk, args: Arguments) -> Json:
    return {"bookmarks": desk.joined(args, "channel_id").bookmarks}


def _edit(desk: Desk, args: Arguments) -> Json:
    _, bookmark = _find(desk, args)
    bookmark.update({key: args.text(key) for key in ("title", "link", "emoji") if args.has(key)})
    return {"bookmark": bookmark}


def _remove(desk: Desk, args: Arguments) -> Json:
    channel, bookmark = _find(desk, args)
    channel.bookmarks.remove(bookmark)
    return {}


METHODS = {
    "bookmarks.add": Method(_add, TIER_2, ("bookmarks:write",)),
    "bookmarks.list": Method(_list, TIER_3, ("bookmarks:read",)),
    "bookmarks.edit": Method(_edit, TIER_2, ("bookmarks:write",)),
    "bookmarks.remove": Method(_remove, TIER_2, ("bookmarks:write",)),
}
