"""A complaint that was not there at first, and then came again and again: when nothing measured tells, it does."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_bot.analysis.complaints import _begun
from runbook_bot.domain.observation import LogLine

START = datetime(2026, 3, 4, 5, 0, tzinfo=UTC)


def at(minutes: float, text: str) -> LogLine:
    return LogLine(at=START + timedelta(minutes=minutes), text=text)


CHATTER = [at(n, f"GET /basket/{n} 200 in {n} ms") for n in range(180)]


def test_the_first_of_many_lines_is_when_it_began() -> None:
    (found,) = _begun(
        "shop", [*CHATTER, *(at(90 + n, f"login of user {n} failed: token has expired") for n in range(60))]
    )
    assert found.at == (START + timedelta(minutes=90)).timestamp()
    assert (found.service, found.lines) == ("shop", 60)
    assert "token has expired" in found.exemplar


@pytest.mark.parametrize(
    "complaints",
    [
        [at(n, f"retry {n} failed") for n in range(0, 180, 3)],  # it has always said so
        [at(100, "connection reset"), at(140, "connection reset"), at(170, "connection reset")],  # seldom
        [at(n, "all is well") for n in range(90, 180)],  # no complaint
        [at(2 + n / 60, "error: cache miss") for n in range(60)],  # nothing was read before it
    ],
)
def test_what_is_usual_rare_harmless_or_without_a_before_is_no_beginning(complaints: list[LogLine]) -> None:
    assert _begun("shop", [*CHATTER, *complaints]) == []


def test_order_and_number_of_kinds_do_not_matter() -> None:
    lines = [at(120 + n / 2, f"error {'abcdefgh'[n % 2]}: refused") for n in range(80)]
    found = _begun("shop", [*reversed(lines), *CHATTER])
    assert {each.at for each in found} == {START.timestamp() + 7200, START.timestamp() + 7230}
