"""An entry is bound to the one before it, reads back as what was written, and a newer version's is no trouble."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.journal import Body, Entry, Known, Noted, Queried, Scored, Unknown, intact, parse, seal
from runbook_bot.domain.noun import Json, digest
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal

AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def written(body: Body) -> Entry:
    raw = json.loads(seal(7, AT, "sha256:before", body).line())
    assert intact(raw)
    return parse(raw)


def queried(result: Result) -> Queried:
    return Queried(query_kind="read_metrics", query={}, key="k", result=result, seconds=0.1)


@given(st.text(st.characters()))
def test_any_text_is_written_and_read_back(text: str) -> None:
    assert written(Noted(text=text)).body == Noted(text=text)


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_any_json_of_a_vendor_leaves_the_entry_intact(asked: dict[str, object]) -> None:
    result = Result.model_validate({"status": "ok", "source": "aws", "where": "there", "asked": asked})
    assert isinstance(written(queried(result)).body, Queried)


def test_a_value_that_is_no_number_is_still_a_series_when_read_back() -> None:
    resource = Resource(type=ResourceType.ecs_service, name="checkout-api")
    values = (float("nan"), float("inf"), 1.5)
    series = Series(name="cpu", signal=Signal.cpu, resource=resource, times=(1, 2, 3), values=values)
    body = written(queried(Result(status=Status.ok, source="aws", where="there", series=(series,)))).body
    assert isinstance(body, Queried)
    assert [str(value) for value in body.result.series[0].values] == ["nan", "inf", "1.5"]


def test_an_entry_of_a_newer_version_is_written_as_it_came() -> None:
    raw: Json = {"kind": "dreamt", "of": {"sheep": 2}}
    entry = written(Unknown(kind="dreamt", raw=raw))
    assert entry.body == Unknown(kind="dreamt", raw=raw)
    assert json.loads(entry.line())["body"] == raw


def test_a_known_kind_in_another_form_is_kept_as_unknown() -> None:
    raw = json.loads(seal(1, AT, "", Noted(text="x")).line())
    raw["body"] = {"kind": "noted", "paragraphs": ["x"]}
    assert parse(raw).body == Unknown(kind="noted", raw=raw["body"])


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    raw = json.loads(seal(1, AT, "", Noted(text="x")).line())
    raw["body"]["mood"] = "bright"
    assert parse(raw).body == Noted(text="x")


@pytest.mark.parametrize("raw", [{}, {"body": None}, {"body": {}}, {"body": {"kind": 1}}, {"body": {"kind": "noted"}}])
def test_a_broken_envelope_is_an_error(raw: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # which words it uses is pydantic's affair in one of the cases
        parse(raw)  # type: ignore[arg-type]  # what a file may hold


@pytest.mark.parametrize("field", ["seq", "at", "previous", "hash", "body"])
def test_every_part_of_an_entry_is_under_its_hash(field: str) -> None:
    raw = json.loads(seal(7, AT, "sha256:before", Noted(text="x")).line())
    changed: Json = {
        "seq": 8,
        "at": "2026-03-01T12:00:01Z",
        "previous": "",
        "hash": "",
        "body": {"kind": "noted", "text": "y"},
    }
    assert not intact({**raw, field: changed[field]})
    assert not intact({key: value for key, value in raw.items() if key != field})


def test_an_entry_is_one_line_and_its_time_is_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    line = seal(1, AT.astimezone(berlin), "", Noted(text="a\nb\r\u2028")).line()
    assert "\n" not in line
    assert "\r" not in line
    assert json.loads(line)["at"] == "2026-03-01T12:00:00.000005Z"


def test_the_hash_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    first, second = (
        Scored(confidence={"H1": 0.5, "H2": 0.25}, unexplained=0.25),
        Scored(confidence={"H2": 0.25, "H1": 0.5}, unexplained=0.25),
    )
    assert seal(1, AT, "", first).hash == seal(1, AT, "", second).hash


def test_every_known_kind_is_its_own_word() -> None:
    kinds = [each.model_fields["kind"].default for each in Known.__origin__.__args__]  # type: ignore[attr-defined]  # the members of an annotated union
    assert len(set(kinds)) == len(kinds)
