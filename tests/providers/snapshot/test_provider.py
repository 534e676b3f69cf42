"""A snapshot answers every neutral question from what it holds, and says what it lacks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, ReadMetrics, ReadState, SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.snapshot.provider import SnapshotProvider, Stopped
from runbook_bot.providers.snapshot.reading import read_snapshot
from tests.providers.snapshot.test_layouts import own

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
WINDOW = TimeWindow(start=NOON - timedelta(hours=1), end=NOON + timedelta(hours=1))
CHECKOUT = Resource(type=ResourceType.ecs_service, cluster="prod", name="checkout")
OTHER = Resource(type=ResourceType.ecs_service, cluster="prod", name="other")


@pytest.fixture
def provider(tmp_path: Path) -> SnapshotProvider:
    return SnapshotProvider(read_snapshot(own(tmp_path / "one")))


async def test_what_it_holds(provider: SnapshotProvider) -> None:
    metrics = await provider.ask(ReadMetrics(resources=(CHECKOUT, OTHER), signals=(Signal.cpu,), window=WINDOW))
    assert metrics.series[0].values == (40.0, 90.0)
    assert (await provider.ask(SearchLogs(resource=CHECKOUT, window=WINDOW, any_of=("error",)))).lines
    assert (await provider.ask(ListChanges(resources=(CHECKOUT,), window=WINDOW))).changes
    assert (await provider.ask(ReadState(resource=CHECKOUT))).fact("desired_count") == 4
    assert [alarm.name for alarm in (await provider.ask(FindAlarms())).alarms] == ["slow"]
    assert [service.name for service in await provider.discover()] == ["checkout"]


async def test_what_it_lacks_is_said(provider: SnapshotProvider) -> None:
    early = TimeWindow(start=NOON - timedelta(days=2), end=NOON - timedelta(days=1))
    for query in (
        ReadMetrics(resources=(OTHER,), window=WINDOW),
        ReadMetrics(resources=(CHECKOUT,), window=early),
        SearchLogs(resource=CHECKOUT, window=WINDOW, any_of=("absent",)),
        ListEvents(resource=CHECKOUT, window=WINDOW),
        ListChanges(resources=(OTHER,), window=WINDOW),
        ReadState(resource=OTHER),
        FindAlarms(name="other"),
    ):
        result = await provider.ask(query)
        assert result.status is Status.no_data
        assert "holds no" in result.message


async def test_of_too_many_lines_those_nearest_to_the_onset_are_kept(tmp_path: Path) -> None:
    folder = own(tmp_path / "one")
    row = '{{"time": "2026-05-01T{at}Z", "resource": "ecs_service:prod/checkout", "text": "{at}"}}\n'
    rows = [row.format(at=f"11:{minute:02}:00") for minute in range(60)]
    (folder / "logs.ndjson").write_text("".join(rows), "utf-8")
    provider = SnapshotProvider(read_snapshot(folder))
    window = WINDOW.with_onset(NOON - timedelta(minutes=30))
    result = await provider.ask(SearchLogs(resource=CHECKOUT, window=window, limit=3))
    assert result.status is Status.truncated
    assert [line.text for line in result.lines] == ["11:29:00", "11:30:00", "11:31:00"]
    assert "57 more lines" in result.message


def test_its_clock_stands(tmp_path: Path) -> None:
    clock = Stopped(read_snapshot(own(tmp_path / "one")))
    assert clock.now() == clock.now()
    assert clock.now() > NOON
