"""Layout blocks: one line in a table for each, with its shape and the surfaces on which Slack draws it."""

from typing import Literal, NamedTuple

from runbook_bot.playground.slack.blockkit.charts import DATA_VISUALIZATION
from runbook_bot.playground.slack.blockkit.composition import (
    BLOCK_ID,
    IMAGE_SOURCE,
    ONE_SOURCE,
    any_text,
    plain_text,
)
from runbook_bot.playground.slack.blockkit.elements import (
    ACCESSORIES,
    ACTION_ELEMENTS,
    BUTTON,
    CONTEXT_ELEMENTS,
    FEEDBACK_ELEMENTS,
    IMAGE,
    INPUT_ELEMENTS,
    URL_SOURCE,
)
from runbook_bot.playground.slack.blockkit.rich_text import RICH_TEXT
from runbook_bot.playground.slack.blockkit.rules import (
    Findings,
    Rule,
    at_least_one,
    boolean,
    by_type,
    integer,
    list_of,
    one_of,
    shape,
    string,
)
from runbook_bot.playground.slack.blockkit.tables import DATA_TABLE, TABLE

Surface = Literal["message", "modal", "home"]

EVERYWHERE: frozenset[str] = frozenset({"message", "modal", "home"})
MESSAGE: frozenset[str] = frozenset({"message"})
MODAL: frozenset[str] = frozenset({"modal"})
FORMS: frozenset[str] = frozenset({"modal", "home"})
PAGES: frozenset[str] = frozenset({"message", "home"})

_ID: dict[str, Rule] = {"block_id": BLOCK_ID}

SECTION = shape(
    {},
    {
        **_ID,
        "text": any_text(3000),
        "fields": list_of(any_text(2000), 10),
        "accessory": by_type(ACCESSORIES),
        "expand": boolean,
    },
    [at_least_one("text", "fields")],
    type="section",
)
HEADER = shape({"text": plain_text(150)}, {**_ID, "level": integer(1, 4)}, type="header")
CONTEXT = shape({"elements": list_of(by_type(CONTEXT_ELEMENTS), 10)}, _ID, type="context")
ACTIONS = shape({"elements": list_of(by_type(ACTION_ELEMENTS), 25)}, _ID, type="actions")
DIVIDER = shape({}, _ID, type="divider")
IMAGE_BLOCK = shape(
    {"alt_text": string(2000, 1)}, {**_ID, **IMAGE_SOURCE, "title": plain_text(2000)}, [ONE_SOURCE], type="image"
)
INPUT = shape(
    {"label": plain_text(2000), "element": by_type(INPUT_ELEMENTS)},
    {**_ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
    type="input",
)
MARKDOWN = shape({"text": string(12000, 1)}, _ID, type="markdown")
VIDEO = shape(
    {
        "alt_text": string(2000, 1),
        "title": plain_text(199),
        "thumbnail_url": string(3000, 1),
        "video_url": string(3000, 1),
    },
    {
        **_ID,
        "title_url": string(3000),
        "description": plain_text(2000),
        "author_name": string(49),
        "provider_name": string(2000),
        "provider_icon_url": string(3000),
    },
    type="video",
)
FILE = shape({"external_id": string(255, 1), "source": one_of("remote")}, _ID, type="file")

_TASK: dict[str, Rule] = {"task_id": string(255, 1), "title": string(256, 1)}
_TASK_MORE: dict[str, Rule] = {
    **_ID,
    "details": by_type({"rich_text": RICH_TEXT}),
    "output": by_type({"rich_text": RICH_TEXT}),
    "sources": list_of(by_type({"url": URL_SOURCE}), shortest=0),
}
_STATUS = one_of("pending", "in_progress", "complete", "error")
PLANNED_TASK = shape({**_TASK, "status": _STATUS}, _TASK_MORE, type="task_card")
TASK_CARD = shape({**_TASK, "status": one_of("in_progress", "complete", "error")}, _TASK_MORE, type="task_card")
"""A card of its own may not be pending (refused in a reported test); inside a plan it may."""


def _distinct_tasks(plan: object, at: str, findings: Findings) -> None:
    seen: set[str] = set()
    tasks = plan.get("tasks") if isinstance(plan, dict) else None
    for index, task in enumerate(tasks if isinstance(tasks, list) else []):
        name = task.get("task_id") if isinstance(task, dict) else None
        if isinstance(name, str):
            if name in seen:
                findings.note(f"{at}/tasks/{index}/task_id", f"task_id {name} already exists")
            seen.add(name)


PLAN = shape(
    {"title": string(256, 1)},
    {**_ID, "tasks": list_of(by_type({"task_card": PLANNED_TASK}), 50, 0)},
    [_distinct_tasks],
    type="plan",
)
CONTEXT_ACTIONS = shape({"elements": list_of(by_type(FEEDBACK_ELEMENTS), 5)}, _ID, type="context_actions")
ALERT = shape(
    {"text": any_text(200)}, {**_ID, "level": one_of("default", "info", "warning", "error", "success")}, type="alert"
)
CARD = shape(
    {},
    {
        **_ID,
        "hero_image": by_type({"image": IMAGE}),
        "icon": by_type({"image": IMAGE}),
        "title": any_text(150),
        "subtitle": any_text(150),
        "body": any_text(200),
        "actions": list_of(by_type({"button": BUTTON}), 5),
    },
    [at_least_one("hero_image", "title", "actions", "body")],
    type="card",
)
CAROUSEL = shape({"elements": list_of(by_type({"card": CARD}), 10)}, _ID, type="carousel")


def _divider_or_fold(container: object, at: str, findings: Findings) -> None:
    if not isinstance(container, dict):
        return
    folds = container.get("is_collapsible") is True
    if folds and container.get("has_header_divider") is True:
        findings.note(f"{at}/has_header_divider", "cannot be set when is_collapsible is true")
    if container.get("default_collapsed") is True and not folds:
        findings.note(f"{at}/default_collapsed", "requires is_collapsible to be true")


_CHILDREN: dict[str, Rule] = {
    "actions": ACTIONS,
    "context": CONTEXT,
    "divider": DIVIDER,
    "file": FILE,
    "header": HEADER,
    "image": IMAGE_BLOCK,
    "input": INPUT,
    "rich_text": RICH_TEXT,
    "section": SECTION,
    "table": TABLE,
    "video": VIDEO,
}
CONTAINER = shape(
    {"child_blocks": list_of(by_type(_CHILDREN), 10)},
    {
        **_ID,
        "title": plain_text(150),
        "rich_text_title": by_type({"rich_text": RICH_TEXT}),
        "subtitle": any_text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": by_type({"image": IMAGE}),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    [at_least_one("title", "rich_text_title"), _divider_or_fold],
    type="container",
)


class Kind(NamedTuple):
    """A block type: its shape, and where Slack accepts it."""

    rule: Rule
    surfaces: frozenset[str]


BLOCKS: dict[str, Kind] = {
    "section": Kind(SECTION, EVERYWHERE),
    "header": Kind(HEADER, EVERYWHERE),
    "context": Kind(CONTEXT, EVERYWHERE),
    "actions": Kind(ACTIONS, EVERYWHERE),
    "divider": Kind(DIVIDER, EVERYWHERE),
    "image": Kind(IMAGE_BLOCK, EVERYWHERE),
    "input": Kind(INPUT, FORMS),
    "rich_text": Kind(RICH_TEXT, EVERYWHERE),
    "markdown": Kind(MARKDOWN, MESSAGE),
    "video": Kind(VIDEO, EVERYWHERE),
    "file": Kind(FILE, MESSAGE),
    "table": Kind(TABLE, PAGES),
    "data_table": Kind(DATA_TABLE, PAGES),
    "data_visualization": Kind(DATA_VISUALIZATION, MESSAGE),
    "plan": Kind(PLAN, MESSAGE),
    "task_card": Kind(TASK_CARD, MESSAGE),
    "container": Kind(CONTAINER, PAGES),
    "card": Kind(CARD, EVERYWHERE),
    "carousel": Kind(CAROUSEL, EVERYWHERE),
    "context_actions": Kind(CONTEXT_ACTIONS, MESSAGE),
    "alert": Kind(ALERT, MODAL),
}
