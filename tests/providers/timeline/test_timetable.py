"""When a timetable fires, in the words of EventBridge: six fields, Sunday is 1, time zones of their own."""

from datetime import UTC, datetime

import pytest

from runbook_bot.providers.aws.timeline.timetable import fires

START, END = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("expression", "zone", "times"),
    [
        ("cron(0 2 * * ? *)", "UTC", ["02:00"]),
        ("cron(30 2 ? * TUE *)", "UTC", ["02:30"]),
        ("cron(30 2 ? * 3 *)", "UTC", ["02:30"]),
        ("cron(30 2 ? * MON-FRI *)", "UTC", ["02:30"]),
        ("cron(30 2 ? * SAT,SUN *)", "UTC", []),
        ("cron(0 */8 * * ? *)", "UTC", ["00:00", "08:00", "16:00"]),
        ("cron(0/20 9 24 11 ? 2026)", "UTC", ["09:00", "09:20", "09:40"]),
        ("cron(0 2 * * ? *)", "Europe/Berlin", ["01:00"]),
        ("cron(0 1 L * ? *)", "UTC", []),
        ("cron(0 1 ? * 3#4 *)", "UTC", ["01:00"]),
        ("cron(0 1 ? * 3L *)", "UTC", ["01:00"]),
        ("cron(0 1 24W * ? *)", "UTC", ["01:00"]),
        ("at(2026-11-24T13:00:00)", "UTC", ["13:00"]),
        ("at(2026-11-23T13:00:00)", "UTC", []),
        ("rate(5 minutes)", "UTC", []),
        ("cron(nonsense)", "UTC", []),
        ("cron(0 2 * * ? *)", "Atlantis/Middle", []),
        ("", "", []),
    ],
)
def test_it_fires_at(expression: str, zone: str, times: list[str]) -> None:
    assert [f"{at:%H:%M}" for at in fires(expression, START, END, zone)] == times


def test_the_end_of_the_window_is_not_in_it() -> None:
    assert fires("cron(0 0 * * ? *)", START, END) == [START]


def test_the_last_day_of_a_month() -> None:
    november = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert [f"{at:%d %H}" for at in fires("cron(0 6 L * ? *)", *november)] == ["30 06"]
