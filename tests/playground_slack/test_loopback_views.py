"""Modals, Home and metadata as Slack enforces them, and an answer to any JSON at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.playground.slack import validate, validate_metadata, validate_view
from tests.playground_slack.block_kit import Block, chart, field, mrkdwn, plain, section

MODAL: Block = {"type": "modal", "title": plain("Reject"), "submit": plain("Go"), "blocks": [field()]}
VIEWS: dict[str, tuple[Block, str]] = {
    "long title": (
        {**MODAL, "title": plain("x" * 25)},
        "must be less than 25 characters [json-pointer:/view/title/text]",
    ),
    "long submit": ({**MODAL, "submit": plain("x" * 25)}, "must be less than 25 characters"),
    "long close": ({**MODAL, "close": plain("x" * 25)}, "must be less than 25 characters"),
    "mrkdwn title": ({**MODAL, "title": mrkdwn("x")}, "unsupported type: mrkdwn"),
    "long metadata": ({**MODAL, "private_metadata": "x" * 3001}, "must be less than 3001 characters"),
    "long callback": ({**MODAL, "callback_id": "x" * 256}, "must be less than 256 characters"),
    "no title": ({"type": "modal", "blocks": []}, "missing required field: title"),
    "no submit": ({"type": "modal", "title": plain("x"), "blocks": [field()]}, "missing required field: submit"),
    "home with title": ({"type": "home", "title": plain("x"), "blocks": []}, "invalid additional property: title"),
    "chart in home": ({"type": "home", "blocks": [chart()]}, "[json-pointer:/view/blocks/0/type]"),
    "kind": ({"type": "dialog", "blocks": []}, "unsupported type: dialog"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_slack_refuses_a_view(name: str) -> None:
    view, line = VIEWS[name]
    assert any(line in fault for fault in validate_view(view)), validate_view(view)


def test_slack_takes_a_view() -> None:
    assert validate_view(MODAL) == []
    assert validate_view({"type": "home", "blocks": [section()]}) == []


def test_metadata_is_a_type_and_an_object() -> None:
    assert validate_metadata({"event_type": "x", "event_payload": {"id": "1"}}) == []
    assert validate_metadata({"event_type": "x"}) == ["missing required field: event_payload [json-pointer:/metadata]"]
    assert validate_metadata({"event_type": "x", "event_payload": []}) == [
        "must be an object [json-pointer:/metadata/event_payload]"
    ]


WORDS = st.sampled_from(
    ["type", "text", "elements", "blocks", "rows", "section", "actions", "table", "plan", "x", "chart"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)


@given(JSON)
def test_any_json_gets_an_answer(value: Any) -> None:
    assert isinstance(validate([value], "message"), list)
    assert isinstance(validate(value, "home"), list)
    assert isinstance(validate_view({"type": "modal", "blocks": value}), list)
    assert validate_view(value)
    assert isinstance(validate_metadata(value), list)
