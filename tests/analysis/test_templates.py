"""Log lines fall into kinds; a kind of complaint that is new after a moment is news."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.analysis.templates import MOST, novel, template, templates
from runbook_bot.domain.observation import LogLine

ONSET = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)


def lines(text: str, *, before: int = 0, after: int = 0) -> list[LogLine]:
    early = [LogLine(at=ONSET - timedelta(seconds=n + 1), text=text) for n in range(before)]
    return early + [LogLine(at=ONSET + timedelta(seconds=n), text=text) for n in range(after)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("took 31ms", "took 4.5ms"),
        ("2026-03-04T14:00:00Z ready", "2026-03-04 09:12:33,123 ready"),
        ("peer 10.0.3.4:5432 gone", "peer 192.168.0.1 gone"),
        ("request 9f1b2c3d-0000-4000-8000-0123456789ab failed", "request 00000000-1111-2222-3333-444444444444 failed"),
        ("object 0xdeadbeef01", "object 0123456789abcdef"),
        ("task-7f3 stopped", "task-001 stopped"),
    ],
)
def test_lines_that_differ_in_their_variable_parts_are_of_one_kind(first: str, second: str) -> None:
    assert template(first) == template(second)


def test_lines_that_differ_in_their_words_are_of_two_kinds() -> None:
    assert template("connection refused by 10.0.0.1") != template("connection reset by 10.0.0.1")
    assert template("HTTP2 enabled") == "HTTP2 enabled"


def test_only_the_beginning_of_a_line_counts() -> None:
    assert template("x" * 400 + "one") == template("x" * 400 + "two")


@pytest.mark.parametrize(
    "hostile", ["a-" * 200, "1-" * 200, "a1" * 200, "-" * 400, "0x" * 200, "1.1." * 100, "f" * 400]
)
def test_no_line_takes_long(hostile: str) -> None:
    began = time.process_time()
    for _ in range(20):
        template(hostile * 400)
    assert time.process_time() - began < 1.0


@given(st.text(st.characters(), max_size=600))
def test_any_text_has_a_kind(text: str) -> None:
    assert len(template(text)) < 8 * 400


def test_kinds_are_counted_before_and_after_and_the_largest_change_comes_first() -> None:
    mixed = lines("GET /items 200 in 31ms", before=10, after=11) + lines("ERROR timed out after 5s", before=1, after=9)
    first, second = templates(mixed, ONSET.timestamp())
    assert (first.before, first.after, first.trouble) == (1, 9, True)
    assert (second.before, second.after, second.trouble) == (10, 11, False)
    assert first.exemplar == "ERROR timed out after 5s"


def test_what_is_news() -> None:
    known = templates(
        lines("ERROR old trouble", before=20, after=22)
        + lines("ERROR new trouble", after=3)
        + lines("ERROR surging trouble", before=2, after=40)
        + lines("ERROR twice is chance", after=2)
        + lines("INFO cache warmed", after=50),
        ONSET.timestamp(),
    )
    news = [each.exemplar for each in novel(known, before_minutes=30, after_minutes=30)]
    assert sorted(news) == ["ERROR new trouble", "ERROR surging trouble"]


def test_a_rate_is_what_counts_and_not_a_number() -> None:
    known = templates(lines("ERROR trouble", before=10, after=10), ONSET.timestamp())
    assert not novel(known, before_minutes=10, after_minutes=10)
    assert novel(known, before_minutes=100, after_minutes=10)


def test_memory_is_bounded_by_the_kinds_that_are_kept() -> None:
    many = [
        LogLine(at=ONSET, text="word " + "".join("abcdefghij"[int(d)] for d in f"{n:05d}")) for n in range(MOST + 200)
    ]
    found = templates(many, ONSET.timestamp())
    assert len(found) == MOST + 1
    assert sum(each.after for each in found) == MOST + 200
    assert next(each for each in found if each.text == "…").after == 200


def test_no_lines_have_no_kinds() -> None:
    assert templates([], 0.0) == []


def test_a_flood_of_harmless_kinds_does_not_drown_a_new_complaint() -> None:
    words = ["".join("abcdefghij"[int(d)] for d in f"{n:05d}") for n in range(MOST + 10)]
    flood = [LogLine(at=ONSET, text=f"word {word}") for word in words]
    found = templates([*flood, *lines("ERROR connection refused", after=5)], ONSET.timestamp())
    news = novel(found, before_minutes=10, after_minutes=10)
    assert [each.exemplar for each in news] == ["ERROR connection refused"]


def test_binary_and_half_characters_are_lines_like_others() -> None:
    odd = "\x00\x01\ufffd\ud800 error \u202e"
    assert novel(templates(lines(odd, after=4), ONSET.timestamp()), before_minutes=1, after_minutes=1)
