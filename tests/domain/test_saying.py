"""Measured things as people say them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.saying import clock, quantity, symptom
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType, Signal

AT = datetime(2026, 3, 4, 14, 38, tzinfo=UTC)


@pytest.mark.parametrize(
    ("signal", "value", "said"),
    [
        (Signal.latency, 4.137, "4.14 s"),
        (Signal.latency, 0.0832, "83.2 ms"),
        (Signal.latency, 0.0, "0 s"),
        (Signal.duration, 123.4, "123 s"),
        (Signal.errors, 212.4, "212/min"),
        (Signal.requests, 12345.6, "12,346/min"),
        (Signal.errors, 0.25, "0.25/min"),
        (Signal.cpu, 97.44, "97.4%"),
        (Signal.memory_free, 1.234e9, "1.23 GB"),
        (Signal.disk_free, -2.5e6, "-2.5 MB"),
        (Signal.swap, 4096, "4.1 kB"),
        (Signal.swap, 12, "12 B"),
        (Signal.connections, 198, "198"),
        (Signal.value, 3.14159, "3.14"),
    ],
)
def test_a_quantity(signal: Signal, value: float, said: str) -> None:
    assert quantity(signal, value) == said


@given(st.sampled_from(Signal), st.floats(allow_nan=False, allow_infinity=False))
def test_any_value_of_any_signal_can_be_said(signal: Signal, value: float) -> None:
    assert quantity(signal, value)


def test_a_time_of_day_is_in_utc() -> None:
    assert clock(AT.timestamp()) == "14:38 UTC"


def said(moved: str, onset: datetime | None = AT, ended: datetime | None = None) -> str:
    resource = Resource(type=ResourceType.target_group, name="orders-tg")
    fields = {"resource": resource, "signal": "errors", "moved": moved, "baseline": 2, "level": 212}
    return symptom(Symptom.model_validate({**fields, "onset": onset, "ended": ended}))


def test_a_symptom() -> None:
    assert said("rises") == "errors of orders-tg rose from 2/min to 212/min from 14:38 UTC"
    assert said("falls", None) == "errors of orders-tg fell from 2/min to 212/min"
    assert said("steady") == "errors of orders-tg stayed at about 2/min: no change in the window"
    assert said("rises", AT, AT.replace(minute=50)).endswith("from 14:38 UTC, back to normal at 14:50 UTC")
