"""Canvases: create, edit one operation at a time, look sections up, read, share, delete, and the channel's own canvas.

A section is one element of the page: a heading line, a paragraph, a list, a table. Replacing a heading leaves the
text below it as it was. Section ids change with every edit, as Slack's `temp:C:…` ids may.
"""

import html
import re

from runbook_bot.playground.slack.api.method import TIER_2, TIER_3, Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.state import Canvas, Channel

LONGEST = 1_048_576
MOST_CELLS = 300
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_OPERATIONS = frozenset(
    {"insert_after", "insert_before", "insert_at_start", "insert_at_end", "replace", "delete", "rename"}
)


def sections(markdown: str) -> list[str]:
    """The elements of a page: headings alone, everything else up to the next blank line; fences stay whole."""
    found: list[str] = []
    current: list[str] = []
    fenced = False

    def close() -> None:
        if current:
            found.append("\n".join(current))
            current.clear()

    for line in markdown.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if not fenced and _HEADING.match(line):
            close()
            found.append(line)
        elif not fenced and not line.strip():
            close()
        else:
            current.append(line)
    close()
    return found


def _content(args: Json, word: str) -> str:
    content = args.get("document_content")
    if content is None:
        return ""
    if (
        not isinstance(content, dict)
        or content.get("type") != "markdown"
        or not isinstance(content.get("markdown"), str)
    ):
        raise Refused.because("invalid_arguments", ["must be markdown [json-pointer:/document_content]"])
    markdown: str = content["markdown"]
    _check(markdown, word)
    return markdown


def _check(markdown: str, word: str) -> None:
    if len(markdown) > LONGEST:
        raise Refused(word, detail=f"content must be less than {LONGEST + 1} characters")
    for section in sections(markdown):
        rows = [line for line in section.splitlines() if line.lstrip().startswith("|")]
        cells = sum(len(line.strip().strip("|").split("|")) for line in rows)
        if cells > MOST_CELLS:
            raise Refused(word, detail=f"a table has {cells} cells, no more than {MOST_CELLS} are allowed")
        heading = _HEADING.match(section)
        if heading and len(heading.group(1)) > 3:
            raise Refused(word, detail=f"unsupported heading level: {section[:80]}")


def _new(desk: Desk, args: Arguments, channel: Channel | None, title: str) -> Canvas:
    raw = {"document_content": args.value("document_content")}
    canvas = Canvas(desk.state.new_id("F"), title, _content(raw, "canvas_creation_failed"))
    canvas.channel = channel.id if channel else None
    desk.state.canvases[canvas.id] = canvas
    desk.state.bulletin.publish("canvas", canvas.public())
    return canvas


def _create(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args, "channel_id") if args.text("channel_id") else None
    return {"canvas_id": _new(desk, args, channel, args.text("title") or "Untitled").id}


def _create_for_channel(desk: Desk, args: Arguments) -> Json:
    channel = desk.joined(args, "channel_id")
    if channel.canvas_id:
        raise Refused("channel_canvas_already_exists")
    canvas = _new(desk, args, channel, args.text("title") or channel.name)
    channel.canvas_id = canvas.id
    return {"canvas_id": canvas.id}


def _find(desk: Desk, args: Arguments) -> Canvas:
    canvas = desk.state.canvases.get(args.need("canvas_id", "canvas_not_found"))
    if canvas is None:
        raise Refused("canvas_not_found")
    return canvas


def _section_ids(canvas: Canvas) -> dict[str, int]:
    count = len(sections(canvas.markdown))
    return {f"temp:C:{canvas.id}{canvas.revision:04x}{index:04x}": index for index in range(count)}


def _lookup(desk: Desk, args: Arguments) -> Json:
    canvas = _find(desk, args)
    criteria = args.value("criteria")
    if not isinstance(criteria, dict) or not (criteria.get("section_types") or criteria.get("contains_text")):
        raise Refused.because(
            "invalid_arguments", ["section_types or contains_text is required [json-pointer:/criteria]"]
        )
    kinds = set(criteria.get("section_types") or [])
    if kinds - {"h1", "h2", "h3", "any_header"}:
        raise Refused.because(
            "invalid_arguments", ["must be a valid enum value [json-pointer:/criteria/section_types]"]
        )
    text = str(criteria.get("contains_text") or "").lower()
    found = []
    for name, section in zip(_section_ids(canvas), sections(canvas.markdown), strict=True):
        heading = _HEADING.match(section)
        level = {f"h{len(heading.group(1))}", "any_header"} if heading else set()
        if (not kinds or kinds & level) and text in section.lower():
            found.append({"id": name})
    return {"sections": found}


def _edit(desk: Desk, args: Arguments) -> Json:
    canvas = _find(desk, args)
    changes = args.value("changes")
    if not isinstance(changes, list) or len(changes) != 1 or not isinstance(changes[0], dict):
        raise Refused.because("invalid_arguments", ["exactly one change is allowed [json-pointer:/changes]"])
    change: Json = changes[0]
    if change.get("operation") not in _OPERATIONS:
        raise Refused.because("invalid_arguments", ["must be a valid enum value [json-pointer:/changes/0/operation]"])
    if change["operation"] == "rename":
        title = change.get("title_content")
        if not isinstance(title, dict) or not isinstance(title.get("markdown"), str):
            raise Refused.because(
                "invalid_arguments", ["missing required field: title_content [json-pointer:/changes/0]"]
            )
        canvas.title = title["markdown"]
    else:
        edited = _apply(canvas, change)
        _check(edited, "canvas_editing_failed")
        canvas.markdown = edited
    canvas.revision += 1
    desk.state.bulletin.publish("canvas", canvas.public())
    return {}


def _apply(canvas: Canvas, change: Json) -> str:
    operation, parts = change["operation"], sections(canvas.markdown)
    fresh = [] if operation == "delete" else sections(_content(change, "canvas_editing_failed"))
    if operation == "insert_at_start":
        return "\n\n".join([*fresh, *parts])
    if operation == "insert_at_end":
        return "\n\n".join([*parts, *fresh])
    if operation == "replace" and not change.get("section_id"):
        return "\n\n".join(fresh)
    index = _section_ids(canvas).get(str(change.get("section_id")))
    if index is None:
        raise Refused("canvas_editing_failed", detail=f"section not found: {change.get('section_id')}")
    before, after = parts[:index], parts[index + 1 :]
    if operation == "insert_before":
        return "\n\n".join([*before, *fresh, parts[index], *after])
    if operation == "insert_after":
        return "\n\n".join([*before, parts[index], *fresh, *after])
    return "\n\n".join([*before, *fresh, *after])


def _read(desk: Desk, args: Arguments) -> Json:
    canvas = _find(desk, args)
    if args.text("content_type", "markdown") == "html":
        return {"content": "".join(f"<p>{html.escape(one)}</p>" for one in sections(canvas.markdown))}
    return {"content": canvas.markdown}


def _share(desk: Desk, args: Arguments) -> Json:
    canvas = _find(desk, args)
    if args.need("access_level") not in {"read", "write", "owner"}:
        raise Refused.because("invalid_arguments", ["must be a valid enum value [json-pointer:/access_level]"])
    targets = args.words("channel_ids") + args.words("user_ids")
    if not targets or (args.has("channel_ids") and args.has("user_ids")):
        raise Refused.because("invalid_arguments", ["exactly one of channel_ids and user_ids is required"])
    failed = [one for one in targets if one not in desk.state.channels and one not in desk.state.people]
    if failed:
        raise Refused("failed_to_update", failed_to_update_channel_ids=failed)
    canvas.access.update(dict.fromkeys(targets, args.text("access_level")))
    return {}


def _delete(desk: Desk, args: Arguments) -> Json:
    canvas = _find(desk, args)
    del desk.state.canvases[canvas.id]
    for channel in desk.state.channels.values():
        if channel.canvas_id == canvas.id:
            channel.canvas_id = None
    return {}


METHODS = {
    "canvases.create": Method(_create, TIER_2, ("canvases:write",)),
    "canvases.edit": Method(_edit, TIER_3, ("canvases:write",)),
    "canvases.sections.lookup": Method(_lookup, TIER_3, ("canvases:read",)),
    "canvases.getContent": Method(_read, TIER_3, ("canvases:read",)),
    "canvases.access.set": Method(_share, TIER_3, ("canvases:write",)),
    "canvases.delete": Method(_delete, TIER_3, ("canvases:write",)),
    "conversations.canvases.create": Method(_create_for_channel, TIER_2, ("canvases:write",)),
}
