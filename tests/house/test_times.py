"""Times as people type them."""

from datetime import UTC, datetime

import pytest

from runbook_bot.cli.times import moment, window
from runbook_bot.errors import UsageError

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-04T10:30:00Z", "2026-03-04T10:30:00+00:00"),
        ("2026-03-04 10:30", "2026-03-04T10:30:00+00:00"),
        ("2026-03-04T12:30+02:00", "2026-03-04T10:30:00+00:00"),
        ("2026-03-04", "2026-03-04T00:00:00+00:00"),
        ("10:30", "2026-03-04T10:30:00+00:00"),
        ("9:05", "2026-03-04T09:05:00+00:00"),
        ("09:05:07 UTC", "2026-03-04T09:05:07+00:00"),
        ("15m ago", "2026-03-04T11:45:00+00:00"),
        ("15 m ago", "2026-03-04T11:45:00+00:00"),
        ("2h", "2026-03-04T10:00:00+00:00"),
        ("1h30m", "2026-03-04T10:30:00+00:00"),
        ("1d", "2026-03-03T12:00:00+00:00"),
        ("now", "2026-03-04T12:00:00+00:00"),
    ],
)
def test_a_moment(text: str, expected: str) -> None:
    assert moment("--at", text, NOW).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "10:75", "15 parsecs", "999999w", "2026-13-01", "-5m", "10:30 CET"]
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"--since: .* is no time"):
        moment("--since", text, NOW)


@pytest.mark.parametrize(
    ("at", "since", "until", "said"),
    [
        (None, None, "11:00", "--until needs --since or --at"),
        (None, "11:00", "10:00", "--since: 2026-03-04 11:00 UTC is not before --until"),
        (None, "now", None, "--since: 2026-03-04 12:00 UTC is not before now"),
        ("13:00", None, None, r"--at: 2026-03-04 13:00 UTC lies in the future \(a time without a date is today's"),
        ("09:00", "10:00", "11:00", "--at: 2026-03-04 09:00 UTC lies before --since"),
        ("11:30", "10:00", "11:00", "--at: 2026-03-04 11:30 UTC lies after --until"),
    ],
)
def test_a_window_that_does_not_fit_together(at: str | None, since: str | None, until: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        window(at, since, until, NOW)


def test_a_window_that_does() -> None:
    assert window("10:30", "2h", "11:00", NOW) == (
        datetime(2026, 3, 4, 10, 30, tzinfo=UTC),
        datetime(2026, 3, 4, 10, 0, tzinfo=UTC),
        datetime(2026, 3, 4, 11, 0, tzinfo=UTC),
    )
