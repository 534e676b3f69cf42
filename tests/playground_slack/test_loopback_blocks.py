"""Block Kit as Slack enforces it: what passes, and for each limit the line that names it."""

from typing import Any

import pytest

from runbook_bot.playground.slack import validate
from tests.playground_slack.block_kit import (
    CARD,
    FEEDBACK,
    IMAGE,
    Block,
    actions,
    button,
    chart,
    container,
    data_table,
    field,
    mrkdwn,
    option,
    pie,
    plain,
    raw,
    rich,
    section,
    select,
    table,
    task,
)

GOOD: dict[str, tuple[list[Block], str]] = {
    "section": ([section(fields=[plain("a")], accessory=button(), expand=True)], "message"),
    "fields alone": ([{"type": "section", "fields": [mrkdwn("a")] * 10}], "home"),
    "header": ([{"type": "header", "text": plain("x" * 150), "level": 2}], "modal"),
    "context": ([{"type": "context", "elements": [mrkdwn("a"), IMAGE]}], "message"),
    "actions": ([actions(button("a", style="primary", value="1"), select(), button("b", style="danger"))], "message"),
    "confirm": (
        [
            actions(
                button(confirm={"title": plain("T"), "text": mrkdwn("x"), "confirm": plain("Y"), "deny": plain("N")})
            )
        ],
        "message",
    ),
    "users": ([actions({"type": "users_select", "placeholder": plain("Who")})], "message"),
    "image": ([{**IMAGE, "title": plain("t")}], "message"),
    "slack file": ([{"type": "image", "alt_text": "x", "slack_file": {"id": "F1"}}], "message"),
    "input": ([field(multiline=True, min_length=3, max_length=100)], "modal"),
    "rich text": ([rich("a", "b")], "message"),
    "markdown": ([{"type": "markdown", "text": "x" * 12_000}], "message"),
    "table": ([table([[raw(), {"type": "raw_number", "value": 3, "text": "3"}, rich()]])], "message"),
    "data table": ([data_table(page_size=10, row_header_column_index=0)], "message"),
    "plan": ([{"type": "plan", "title": "Looking", "tasks": [task(status="pending", output=rich())]}], "message"),
    "task": ([task(sources=[{"type": "url", "url": "https://example.com", "text": "console"}])], "message"),
    "container": ([container(section(), table(), is_collapsible=True, default_collapsed=True)], "message"),
    "line": ([chart()], "message"),
    "pie": ([pie(("a", 1), ("b", 2.5))], "message"),
    "card": ([CARD, {"type": "carousel", "elements": [CARD]}], "message"),
    "feedback": ([{"type": "context_actions", "elements": [FEEDBACK]}], "message"),
    "alert": ([{"type": "alert", "text": plain("x"), "level": "error"}], "modal"),
    "fifty": ([{"type": "divider"}] * 50, "message"),
    "a hundred": ([{"type": "divider"}] * 100, "home"),
}

WIDE = [[raw()] * 21]
BAD: dict[str, tuple[list[Any], str, str]] = {
    "unknown type": ([{"type": "banner"}], "message", "unsupported type: banner [json-pointer:/blocks/0/type]"),
    "no type": ([{}], "message", "unsupported type: None [json-pointer:/blocks/0/type]"),
    "no object": (["x"], "message", "must be an object [json-pointer:/blocks/0]"),
    "surplus key": ([section(colour="red")], "message", "invalid additional property: colour [json-pointer:/blocks/0]"),
    "too many": ([{"type": "divider"}] * 51, "message", "no more than 50 items allowed [json-pointer:/blocks]"),
    "too many in a modal": ([{"type": "divider"}] * 101, "modal", "no more than 100 items allowed"),
    "empty section": ([{"type": "section"}], "message", "at least one of these fields is required: text, fields"),
    "empty text": (
        [section(text=mrkdwn(""))],
        "message",
        "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
    ),
    "long text": ([section(text=mrkdwn("x" * 3001))], "message", "must be less than 3001 characters"),
    "bare text": ([section(text="x")], "message", "must be an object [json-pointer:/blocks/0/text]"),
    "emoji in mrkdwn": (
        [section(text={**mrkdwn("x"), "emoji": True})],
        "message",
        "invalid additional property: emoji",
    ),
    "eleven fields": ([section(fields=[plain("x")] * 11)], "message", "no more than 10 items allowed"),
    "long field": ([section(fields=[plain("x" * 2001)])], "message", "must be less than 2001 characters"),
    "mrkdwn header": ([{"type": "header", "text": mrkdwn("x")}], "message", "unsupported type: mrkdwn"),
    "long header": ([{"type": "header", "text": plain("x" * 151)}], "message", "must be less than 151 characters"),
    "header level": ([{"type": "header", "text": plain("x"), "level": 5}], "message", "must be at most 4"),
    "context of eleven": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "message", "no more than 10 items"),
    "button in context": ([{"type": "context", "elements": [button()]}], "message", "unsupported type: button"),
    "no actions": ([actions()], "message", "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "26 actions": ([actions(*(button(f"a{n}") for n in range(26)))], "message", "no more than 25 items allowed"),
    "input in actions": ([actions(field()["element"])], "message", "unsupported type: plain_text_input"),
    "long button": ([actions(button(text=plain("x" * 76)))], "message", "must be less than 76 characters"),
    "mrkdwn button": ([actions(button(text=mrkdwn("x")))], "message", "unsupported type: mrkdwn"),
    "button style": ([actions(button(style="default"))], "message", "must be a valid enum value"),
    "long value": ([actions(button(value="x" * 2001))], "message", "must be less than 2001 characters"),
    "value of a number": ([actions(button(value=7))], "message", "must be a string"),
    "long url": ([actions(button(url="x" * 3001))], "message", "must be less than 3001 characters"),
    "long label": ([actions(button(accessibility_label="x" * 76))], "message", "must be less than 76 characters"),
    "long action_id": ([actions(button("x" * 256))], "message", "must be less than 256 characters"),
    "confirm": (
        [
            actions(
                button(
                    confirm={"title": plain("x" * 101), "text": plain("x"), "confirm": plain("x"), "deny": plain("x")}
                )
            )
        ],
        "message",
        "must be less than 101 characters",
    ),
    "confirm without deny": (
        [actions(button(confirm={"title": plain("x"), "text": plain("x"), "confirm": plain("x")}))],
        "message",
        "missing required field: deny",
    ),
    "overflow of six": (
        [section(accessory={"type": "overflow", "options": [option(str(n)) for n in range(6)]})],
        "message",
        "no more than 5 items allowed",
    ),
    "101 options": (
        [actions(select(options=[option(str(n)) for n in range(101)]))],
        "message",
        "no more than 100 items",
    ),
    "long option": ([actions(select(options=[option(text="x" * 76)]))], "message", "must be less than 76 characters"),
    "long option value": (
        [actions(select(options=[option("x" * 151)]))],
        "message",
        "must be less than 151 characters",
    ),
    "equal options": ([actions(select(options=[option(), option()]))], "message", "duplicate option value: v"),
    "no options": ([actions({"type": "static_select"})], "message", "exactly one of these fields is required: options"),
    "duplicate block_id": (
        [section(block_id="b"), section(block_id="b")],
        "message",
        "block_id b already exists [json-pointer:/blocks/1/block_id]",
    ),
    "duplicate action_id": ([actions(button(), button())], "message", "action_id a already exists in this block"),
    "image without alt": ([{"type": "image", "image_url": "x"}], "message", "missing required field: alt_text"),
    "image of two sources": (
        [{**IMAGE, "slack_file": {"id": "F1"}}],
        "message",
        "exactly one of these fields is required",
    ),
    "input in a message": ([field()], "message", "unsupported type on this surface (message): input"),
    "long placeholder": ([field(placeholder=plain("x" * 151))], "modal", "must be less than 151 characters"),
    "alert in a message": ([{"type": "alert", "text": plain("x")}], "message", "unsupported type on this surface"),
    "long alert": ([{"type": "alert", "text": plain("x" * 201)}], "modal", "must be less than 201 characters"),
    "alert level": ([{"type": "alert", "text": plain("x"), "level": "fatal"}], "modal", "must be a valid enum value"),
    "markdown in a modal": ([{"type": "markdown", "text": "x"}], "modal", "unsupported type on this surface (modal)"),
    "markdown total": (
        [{"type": "markdown", "text": "x" * 7000}] * 2,
        "message",
        "markdown blocks must be less than 12001 characters in total",
    ),
    "plan with a text object": (
        [{"type": "plan", "title": plain("x")}],
        "message",
        "must be a string [json-pointer:/blocks/0/title]",
    ),
    "plan in a modal": ([{"type": "plan", "title": "x"}], "modal", "unsupported type on this surface (modal): plan"),
    "equal tasks": ([{"type": "plan", "title": "x", "tasks": [task(), task()]}], "message", "task_id t already exists"),
    "task output of a string": ([task(output="x")], "message", "must be an object [json-pointer:/blocks/0/output]"),
    "pending task": ([task(status="pending")], "message", "must be a valid enum value"),
    "task status": (
        [{"type": "plan", "title": "x", "tasks": [task(status="done")]}],
        "message",
        "must be a valid enum",
    ),
    "chart in a modal": ([chart()], "modal", "unsupported type on this surface (modal): data_visualization"),
    "three charts": ([chart()] * 3, "message", "no more than 2 data_visualization blocks allowed"),
    "long chart title": ([{**chart(), "title": "x" * 51}], "message", "must be less than 51 characters"),
    "21 categories": ([chart([f"c{n}" for n in range(21)])], "message", "no more than 20 items allowed"),
    "equal categories": ([chart(["a", "a"])], "message", "must be unique: a"),
    "long category": ([chart(["x" * 21])], "message", "must be less than 21 characters"),
    "a value too few": (
        [chart(axis_config={"categories": ["12:00", "12:05", "12:10"]})],
        "message",
        "must have exactly one value for every category [json-pointer:/blocks/0/chart/series/0/data]",
    ),
    "no number": (
        [
            chart(
                series=[
                    {"name": "a", "data": [{"label": "12:00", "value": float("nan")}, {"label": "12:05", "value": 1}]}
                ]
            )
        ],
        "message",
        "must be a finite number",
    ),
    "seven series": (
        [
            chart(
                series=[
                    {"name": f"s{n}", "data": [{"label": "12:00", "value": 1}, {"label": "12:05", "value": 1}]}
                    for n in range(7)
                ]
            )
        ],
        "message",
        "no more than 6 items allowed",
    ),
    "negative slice": ([pie(("a", -1))], "message", "must be greater than 0"),
    "equal slices": ([pie(("a", 1), ("a", 1))], "message", "must be unique: a"),
    "two tables": ([table(), table()], "message", "no more than 1 table blocks allowed"),
    "21 columns": ([table(WIDE)], "message", "no more than 20 items allowed"),
    "101 rows": ([table([[raw()]] * 101)], "message", "no more than 100 items allowed"),
    "uneven rows": ([table([[raw()], [raw(), raw()]])], "message", "must have 1 cells as the first row has"),
    "table total": ([table([[raw("x" * 1000)]] * 11)], "message", "tables must be less than 10001 characters in total"),
    "empty cell": ([table([[raw("")]])], "message", "must be more than 0 characters"),
    "table in a modal": ([table()], "modal", "unsupported type on this surface (modal): table"),
    "data table without caption": (
        [{"type": "data_table", "rows": [[raw()], [raw()]]}],
        "message",
        "missing required field: caption",
    ),
    "header cell": ([data_table([[rich()], [raw()]])], "message", "unsupported type in a header row: rich_text"),
    "page size": ([data_table(page_size=101)], "message", "must be at most 100"),
    "container of eleven": ([container(*[{"type": "divider"}] * 11)], "message", "no more than 10 items allowed"),
    "markdown in a container": (
        [container({"type": "markdown", "text": "x"})],
        "message",
        "unsupported type: markdown [json-pointer:/blocks/0/child_blocks/0/type]",
    ),
    "chart in a container": ([container(chart())], "message", "unsupported type: data_visualization"),
    "untitled container": (
        [{"type": "container", "child_blocks": [section()]}],
        "message",
        "at least one of these fields is required: title, rich_text_title",
    ),
    "folding divider": (
        [container(section(), is_collapsible=True, has_header_divider=True)],
        "message",
        "cannot be set when is_collapsible is true",
    ),
    "collapsed for good": ([container(section(), default_collapsed=True)], "message", "requires is_collapsible"),
    "container in a modal": ([container(section())], "modal", "unsupported type on this surface (modal): container"),
    "card body": ([{**CARD, "body": plain("x" * 201)}], "message", "must be less than 201 characters"),
    "empty card": ([{"type": "card", "subtitle": plain("x")}], "message", "at least one of these fields is required"),
    "eleven cards": ([{"type": "carousel", "elements": [CARD] * 11}], "message", "no more than 10 items allowed"),
    "icon": (
        [{"type": "context_actions", "elements": [{"type": "icon_button", "icon": "star", "text": plain("x")}]}],
        "message",
        "must be a valid enum value: trash",
    ),
    "eleven viewers": (
        [actions(button(visible_to_user_ids=[f"U{n}" for n in range(11)]))],
        "message",
        "no more than 10 items allowed",
    ),
    "rich text piece": (
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "bold"}]}]}],
        "message",
        "unsupported type: bold",
    ),
    "empty rich text": ([rich("")], "message", "must be more than 0 characters"),
}


@pytest.mark.parametrize("name", GOOD)
def test_slack_takes(name: str) -> None:
    blocks, surface = GOOD[name]
    assert validate(blocks, surface) == []  # type: ignore[arg-type]  # the table holds surfaces as plain strings


@pytest.mark.parametrize("name", BAD)
def test_slack_refuses(name: str) -> None:
    blocks, surface, line = BAD[name]
    faults = validate(blocks, surface)  # type: ignore[arg-type]  # likewise
    assert any(line in fault for fault in faults), faults
    assert all("[json-pointer:/blocks" in fault for fault in faults)


def test_blocks_that_are_no_list() -> None:
    assert validate({"type": "divider"}, "message") == ["must be an array [json-pointer:/blocks]"]
