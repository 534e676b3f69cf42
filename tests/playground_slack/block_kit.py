"""Blocks as an app would write them, in as few words as a table of limits needs."""

from typing import Any

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Block:
    return {"type": "section", "text": mrkdwn("x"), **more}


def button(action_id: str = "a", **more: Any) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain("Go"), **more}


def actions(*elements: Block, **more: Any) -> Block:
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str = "v", text: str = "Text") -> Block:
    return {"text": plain(text), "value": value}


def select(**more: Any) -> Block:
    return {"type": "static_select", "action_id": "s", "options": [option()], **more}


def rich(*texts: str) -> Block:
    parts = [{"type": "text", "text": text} for text in texts or ("x",)]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


def task(task_id: str = "t", status: str = "complete", **more: Any) -> Block:
    return {"type": "task_card", "task_id": task_id, "title": "Look", "status": status, **more}


def chart(categories: list[str] | None = None, **more: Any) -> Block:
    names = categories or ["12:00", "12:05"]
    data = [{"label": name, "value": 1.5} for name in names]
    axis = {"categories": names, "x_label": "UTC", "y_label": "5xx"}
    return {
        "type": "data_visualization",
        "title": "5xx",
        "chart": {"type": "line", "series": [{"name": "5xx", "data": data}], "axis_config": axis, **more},
    }


def pie(*segments: tuple[str, float]) -> Block:
    parts = [{"label": label, "value": value} for label, value in segments]
    return {"type": "data_visualization", "title": "Share", "chart": {"type": "pie", "segments": parts}}


def raw(text: str = "x") -> Block:
    return {"type": "raw_text", "text": text}


def table(rows: list[list[Block]] | None = None, **more: Any) -> Block:
    return {"type": "table", "rows": rows or [[raw(), raw()]], **more}


def data_table(rows: list[list[Block]] | None = None, **more: Any) -> Block:
    return {"type": "data_table", "caption": "Evidence", "rows": rows or [[raw()], [raw()]], **more}


def container(*children: Block, **more: Any) -> Block:
    return {"type": "container", "title": plain("Evidence"), "child_blocks": list(children), **more}


def field(**element: Any) -> Block:
    inner = {"type": "plain_text_input", "action_id": "i", **element}
    return {"type": "input", "label": plain("Why?"), "element": inner}


IMAGE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "p99 rises"}
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}
CARD = {"type": "card", "title": mrkdwn("t"), "body": plain("b"), "actions": [button()]}
