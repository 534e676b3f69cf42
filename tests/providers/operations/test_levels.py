"""What a metric came to over a window, and that what could not be read is never a zero."""

from datetime import timedelta

import pytest

from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import Asked, Gauge, Over, last, read_levels, rounded, share
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
from tests.providers.conftest import NOW
from tests.providers.shop import Shop
from tests.providers.stand_in import StandIn

WINDOW = TimeWindow(start=NOW - timedelta(hours=1), end=NOW)
HERE = {"Queue": "größe/7"}


@pytest.fixture
def place(aws: StandIn) -> Place:
    return Places(AwsSettings()).all[0]


@pytest.mark.parametrize(
    ("over", "level"), [("total", 12), ("peak", 7), ("mean", 4), ("least", 2), ("first", 3), ("latest", 2)]
)
async def test_each_way_to_put_a_series_in_one_number(shop: Shop, place: Place, over: Over, level: float) -> None:
    shop.points("Own", "Depth", HERE, [3.0, 7.0, 2.0])
    gauge = Gauge("depth", "Own", "Depth", "Average", over)
    levels, failures = await read_levels(place, [Asked("q", HERE, (gauge,))], WINDOW, NOW)
    assert not failures
    assert levels == {"q": {"depth": level}}


async def test_no_point_is_nothing_known_but_where_none_means_none(shop: Shop, place: Place) -> None:
    gauges = (Gauge("age", "Own", "Age", "Maximum", "peak"), Gauge("lost", "Own", "Lost", "Sum", "total", sparse=True))
    levels, _ = await read_levels(place, [Asked("q", HERE, gauges)], WINDOW, NOW)
    assert levels == {"q": {"lost": 0}}


async def test_what_could_not_be_read_is_no_zero(aws: StandIn, place: Place) -> None:
    aws.breaks("GetMetricData", 403, "<Error><Code>AccessDenied</Code></Error>")
    gauge = Gauge("lost", "Own", "Lost", "Sum", "total", sparse=True)
    levels, failures = await read_levels(place, [Asked("q", HERE, (gauge,))], WINDOW, NOW)
    assert levels == {"q": {}}
    assert [each.kind for each in failures] == ["denied"]


async def test_many_things_are_few_calls_and_too_many_are_told(aws: StandIn, place: Place) -> None:
    gauge = Gauge("lost", "Own", "Lost", "Sum", "total", sparse=True)
    asked = [Asked(str(number), {"Queue": str(number)}, (gauge,)) for number in range(2600)]
    levels, failures = await read_levels(place, asked, WINDOW, NOW)
    assert len(levels) == 2600
    assert len(aws.asked("GetMetricData")) == 5
    assert [str(each) for each in failures] == ["100 metrics were not read: too many things at once"]


async def test_nothing_asked_is_no_call(aws: StandIn, place: Place) -> None:
    assert await read_levels(place, [], WINDOW, NOW) == ({}, [])
    assert not aws.calls


def test_a_window_ends_in_the_present() -> None:
    ahead = TimeWindow(start=NOW - timedelta(minutes=5), end=NOW + timedelta(minutes=5))
    assert last(1, NOW, ahead).end == NOW
    past = TimeWindow(start=NOW - timedelta(days=2), end=NOW - timedelta(days=1))
    assert last(1, NOW, past) == past
    assert last(3, NOW).length == timedelta(hours=3)


@pytest.mark.parametrize(("value", "text"), [(2.0, "2"), (0.123456, "0.123"), (99.96, "100.0"), (12345.6, "12345")])
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert str(rounded(value)) == text


def test_a_share_of_nothing_known_is_not_known() -> None:
    assert (share(1, 4), share(None, 4), share(1, None), share(1, 0)) == (25, None, None, None)


async def test_what_is_gone_is_skipped_and_what_fails_is_named_twice_at_most() -> None:
    async def look(number: int) -> int:
        if number == 0:
            raise CallFailed("missing", "gone", action="x:Get")
        if number > 2:
            raise CallFailed("denied", f"no {number}", action="x:Get")
        return number * 10

    found, failures = await for_each(range(9), look)
    assert found == [(1, 10), (2, 20)]
    assert [str(each) for each in failures] == ["no 3", "no 4", "4 more calls needing x:Get ended so"]
    assert failures[-1].kind == "denied"
    assert few([]) == []
