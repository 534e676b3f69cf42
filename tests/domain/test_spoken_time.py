"""Times in a sentence: which stretch is meant, and what is left of the sentence."""

from datetime import UTC, datetime

import pytest

from runbook_bot.domain.noun import iso
from runbook_bot.domain.spoken_time import spoken

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("what changed in cart since 10:00", "03-04T10:00", "03-04T12:00", "what changed in cart"),
        ("since 23:30 what broke?", "03-03T23:30", "03-04T12:00", "what broke?"),
        ("errors of cart in the last 2 hours", "03-04T10:00", "03-04T12:00", "errors of cart"),
        ("errors over the past hour please", "03-04T11:00", "03-04T12:00", "errors please"),
        ("errors last 90m", "03-04T10:30", "03-04T12:00", "errors"),
        ("errors during the last 1h 30m", "03-04T10:30", "03-04T12:00", "errors"),
        ("who deployed yesterday", "03-03T00:00", "03-04T00:00", "who deployed"),
        ("who deployed since yesterday", "03-03T00:00", "03-04T12:00", "who deployed"),
        ("deployments today", "03-04T00:00", "03-04T12:00", "deployments"),
        ("from 9:00 to 10:30 cpu", "03-04T09:00", "03-04T10:30", "cpu"),
        ("between 23:00 and 01:00 cpu", "03-03T23:00", "03-04T01:00", "cpu"),
        ("cpu at 10:40", "03-04T10:10", "03-04T11:10", "cpu"),
        ("cpu 2 hours ago", "03-04T09:30", "03-04T10:30", "cpu"),
        ("cpu since 2 hours ago", "03-04T10:00", "03-04T12:00", "cpu"),
        ("cpu since monday", "03-02T00:00", "03-04T12:00", "cpu"),
        ("cpu since 3pm", "03-03T15:00", "03-04T12:00", "cpu"),
        ("cpu since 2026-03-04T08:15Z until 09:00 UTC", "03-04T08:15", "03-04T09:00", "cpu"),
        ("changes on 2026-03-02", "03-02T00:00", "03-03T00:00", "changes"),
        ("changes last week", "02-25T12:00", "03-04T12:00", "changes"),
        ("changes in an hour since an hour ago", "03-04T11:00", "03-04T12:00", "changes in an hour"),
    ],
)
def test_a_stretch_of_time(text: str, start: str, end: str, rest: str) -> None:
    found = spoken(text, NOW)
    assert found.window is not None, found
    assert (iso(found.window.start)[5:16], iso(found.window.end)[5:16], found.rest) == (start, end, rest)


@pytest.mark.parametrize("text", ["what's running?", "the last deployment of cart", "", "i-0123 at risk", "İ" * 50])
def test_no_time_is_said(text: str) -> None:
    found = spoken(text, NOW)
    assert (found.window, found.rest, found.problem) == (None, text, "")


@pytest.mark.parametrize(
    "text", ["since 2031-01-01", "since 25:00", "since 2026-13-41", "at 13pm", "last 999999 weeks"]
)
def test_a_time_that_cannot_be_meant_is_said_to_be_one(text: str) -> None:
    assert spoken(text, NOW).problem


def test_ten_thousand_characters_take_no_time() -> None:
    for text in ("since " * 1700, "1h" * 5000, "last " * 2000, "from 10:00 to " * 700, "9" * 10_000, " " * 10_000):
        spoken(text, NOW)
