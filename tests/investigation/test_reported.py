"""What a person wrote, or an alarm said, as an incident: names, services, severity, and the window to look at."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.incident import Request, Severity, Source
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import Service, ServiceGraph
from runbook_bot.investigation.reported import alarm_names, named_services, plain, reported, window_of
from tests.investigation.town import NOW

HOUR = timedelta(hours=1)
GRAPH = ServiceGraph(
    services=tuple(Service(name=n) for n in ("checkout", "checkout-api", "billing-api", "orders", "orders-db", "api"))
)


def alarm(since: datetime | None) -> Alarm:
    return Alarm(name="checkout-5xx", state="alarm", since=since)


def asked(**times: datetime) -> Request:
    return Request.model_validate({"text": "x", **times})


@pytest.mark.parametrize(
    ("request_", "fired", "start", "end"),
    [
        (asked(), None, NOW - 3 * HOUR, NOW),
        (asked(since=NOW - 5 * HOUR), None, NOW - 5 * HOUR, NOW),
        (asked(until=NOW - 5 * HOUR), None, NOW - 8 * HOUR, NOW - 5 * HOUR),
        (asked(since=NOW - 9 * HOUR, until=NOW - 7 * HOUR), None, NOW - 9 * HOUR, NOW - 7 * HOUR),
        (asked(since=NOW - 7 * HOUR, until=NOW - 9 * HOUR), None, NOW - 12 * HOUR, NOW - 9 * HOUR),
        (asked(since=NOW + HOUR), None, NOW - 3 * HOUR, NOW),
        (asked(since=NOW - 90 * 24 * HOUR), None, NOW - 7 * 24 * HOUR, NOW),
        (asked(at=NOW - 30 * HOUR), None, NOW - 32 * HOUR, NOW - 29 * HOUR),
        (asked(at=NOW - HOUR / 2), None, NOW - 2.5 * HOUR, NOW),
        (asked(at=NOW + 9 * HOUR), None, NOW - 2 * HOUR, NOW),
        (asked(), NOW - HOUR / 6, NOW - 3 * HOUR, NOW),
        (asked(), NOW - 10 * HOUR, NOW - 12 * HOUR, NOW),
        (asked(), NOW - 60 * HOUR, NOW - 62 * HOUR, NOW - 59 * HOUR),
        (asked(), NOW + HOUR, NOW - 3 * HOUR, NOW),
        (asked(at=NOW - 30 * HOUR), NOW - HOUR, NOW - 32 * HOUR, NOW - 29 * HOUR),
    ],
)
def test_the_window(request_: Request, fired: datetime | None, start: datetime, end: datetime) -> None:
    window = window_of(request_, alarm(fired), NOW)
    assert (window.start, window.end) == (start, end)


MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, MOMENTS, MOMENTS, MOMENTS)
def test_whatever_times_are_given_there_is_a_window_that_can_be_read(
    at: datetime | None, since: datetime | None, until: datetime | None, fired: datetime | None
) -> None:
    window = window_of(Request(text="x", at=at, since=since, until=until), alarm(fired), NOW)
    assert window.end <= NOW
    assert timedelta(0) < window.length <= timedelta(days=7)


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("checkout is slow", ["checkout"]),
        ("checkout-api is slow", ["checkout-api"]),
        ("Orders, orders-db and CHECKOUT are down", ["orders-db", "checkout", "orders"]),
        ("billing does not work", ["billing-api"]),
        ("check out is slow", []),
        ("reorders fail", []),
        ("the database is down", []),
        ("", []),
    ],
)
def test_services_are_found_by_their_names(text: str, services: list[str]) -> None:
    assert named_services(text, GRAPH) == services


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("checkout-5xx", ["checkout-5xx"]),
        ("prod/Checkout:5xx is red.", ["prod/Checkout:5xx is red.", "prod/Checkout:5xx"]),
        ("look at HighLatency and at a-1, b-2x, c-3xx, d-4xx", None),
        ("", []),
        ("one\ntwo", []),
    ],
)
def test_what_may_be_the_name_of_an_alarm(text: str, names: list[str] | None) -> None:
    found = alarm_names(text)
    assert len(found) <= 4
    assert names is None or found == names


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("SEV1: checkout is down", Severity.critical),
        ("sev-2 checkout", Severity.high),
        ("P3 slow reports", Severity.medium),
        ("p4", Severity.low),
        ("severity: High, checkout", Severity.high),
        ("[LOW] disk of orders-db", Severity.low),
        ("critical: checkout is down", Severity.critical),
        ("high latency of checkout", Severity.unknown),
        ("low disk space on orders-db", Severity.unknown),
        ("p99 is up", Severity.unknown),
    ],
)
def test_the_severity(text: str, severity: Severity) -> None:
    assert reported("inv-1", Request(text=text), None, [], window_of(asked(), None, NOW)).severity is severity


def test_a_long_text_is_bounded_and_its_first_line_is_the_title() -> None:
    text = "checkout " * 2000 + "\nmore"
    incident = reported("inv-1", Request(text=text), None, ["checkout"], window_of(asked(), None, NOW))
    assert len(incident.description) <= 10_000
    assert len(incident.title) == 150
    assert incident.title.endswith("…")
    assert named_services(text, GRAPH) == ["checkout"]
    assert len(alarm_names(text)) <= 4


@given(st.text(st.characters(), max_size=300))
def test_no_control_character_is_left(text: str) -> None:
    clean = plain(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in clean)
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in clean)
    assert plain(clean) == clean


def test_what_belongs_to_the_text_is_left() -> None:
    assert plain("  Zahlung für 注文 ⚠️ 👩‍💻\tfailed\x00\x1b[31m\u202e\n") == "Zahlung für 注文 ⚠️ 👩‍💻\tfailed[31m"


def test_the_alarm_gives_its_name_where_the_text_has_none() -> None:
    window = window_of(asked(), None, NOW)
    assert reported("inv-1", Request(text="CHECKOUT-5xx"), alarm(None), [], window).title == "checkout-5xx"
    told = reported("inv-1", Request(text="shoppers complain", source=Source.slack), alarm(None), [], window)
    assert (told.title, told.source) == ("shoppers complain", Source.cloudwatch)
    assert reported("inv-1", Request(text=" \x00 "), None, [], window).title == "an incident"
