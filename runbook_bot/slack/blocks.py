"""Block Kit pieces, each within Slack's limits by construction."""

from collections.abc import Sequence
from typing import Literal

from pydantic import JsonValue

from runbook_bot.domain.noun import Json
from runbook_bot.slack.escaping import clip, line, tidy

SECTION = 3000
HEADER = 150
MESSAGE_BLOCKS = 50
MESSAGE_BUDGET = 10_000
"""Characters of blocks a message may hold: Slack was seen to refuse about 13,200, and documents no number."""


def header(text: str) -> Json:
    return {"type": "header", "text": {"type": "plain_text", "text": line(text, HEADER) or "…", "emoji": True}}


def _verbatim(text: str) -> Json:
    """Mrkdwn in which Slack makes no links of its own out of bare addresses and channel names."""
    return {"type": "mrkdwn", "text": clip(text, SECTION) or "…", "verbatim": True}


def section(text: str) -> Json:
    """`text` is mrkdwn whose untrusted parts were escaped already."""
    return {
        "type": "section",
        "text": _verbatim(text),
        "expand": True,
    }


def context(*texts: str) -> Json:
    """Up to ten small mrkdwn texts, escaped already."""
    elements: list[JsonValue] = [_verbatim(each) for each in texts[:10] if each]
    return {"type": "context", "elements": elements or [_verbatim("…")]}


def divider() -> Json:
    return {"type": "divider"}


def button(
    label: str,
    action: str,
    value: str,
    *,
    style: Literal["primary", "danger"] | None = None,
    spoken: str = "",
    url: str | None = None,
) -> Json:
    """`spoken` is what a screen reader says where several buttons bear the same label."""
    made: Json = {
        "type": "button",
        "text": {"type": "plain_text", "text": line(label, 75), "emoji": True},
        "action_id": action,
        "value": clip(value, 2000),
    }
    if style:
        made["style"] = style
    if spoken:
        made["accessibility_label"] = line(spoken, 75)
    if url:
        made["url"] = url
    return made


def actions(*buttons: Json) -> Json:
    return {"type": "actions", "elements": list(buttons[:25])}


def preformatted(text: str, limit: int = 1500) -> Json:
    """Untrusted lines as they are: nothing in a rich text is parsed."""
    shown = clip(tidy(text), limit) or "…"
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": shown}]}],
    }


def rich(text: str, limit: int = 300) -> Json:
    """One line of untrusted text as a rich text object."""
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": line(text, limit) or "…"}]},
        ],
    }


def steps(lines: Sequence[str], *, limit: int = 10, width: int = 240) -> Json:
    """Quoted lines as a numbered list: nothing in them is parsed."""
    items: list[JsonValue] = [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": line(each, width) or "…"}]}
        for each in lines[:limit]
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "ordered", "elements": items}]}


TaskStatus = Literal["pending", "in_progress", "complete", "error"]


def plan(title: str, tasks: Sequence[tuple[str, TaskStatus, str]]) -> Json:
    """The phases: (title, status, what came of it)."""
    cards: list[JsonValue] = []
    for number, (name, status, output) in enumerate(tasks, start=1):
        card: Json = {"type": "task_card", "task_id": f"phase{number}", "title": line(name, 100), "status": status}
        if output:
            card["output"] = rich(output)
        cards.append(card)
    return {"type": "plan", "title": line(title, HEADER), "tasks": cards}
