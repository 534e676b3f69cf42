"""What moved where: counts that are absent are zeros, blips and trifles are left out, and who moved first is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import numpy as np
import pytest

from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.vitals import (
    Anomaly,
    anomalies,
    compared,
    first_movers,
    lasting,
    measured,
    points,
    reading,
    trouble,
)
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Series
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from tests.investigation import troubles
from tests.investigation.running import Running
from tests.investigation.town import NOW, Effect, Town, market, minutes_ago

TARGETS = Resource(type=ResourceType.target_group, name="cart-tg")
WINDOW = TimeWindow(start=NOW - timedelta(hours=1), end=NOW)
START, END = WINDOW.start.timestamp(), WINDOW.end.timestamp()


def series(signal: Signal, times: list[float], values: list[float], resource: Resource = TARGETS) -> Series:
    return Series(name=signal, signal=signal, resource=resource, times=tuple(times), values=tuple(values))


def custom(statistic: str) -> Resource:
    return Resource(type=ResourceType.metric, name="Declined", namespace="Shop", statistic=statistic)


async def triaged(town: Town, complaint: str = "storefront is failing") -> Investigation:
    return (await Running(town).triaged(complaint)).refresh()


@pytest.mark.parametrize(
    ("sparse", "filled"),
    [
        (series(Signal.errors, [START + 600], [3.0]), True),
        (series(Signal.throttles, [START + 600], [3.0]), True),
        (series(Signal.value, [START + 600], [3.0], custom("Sum")), True),
        (series(Signal.value, [START + 600], [3.0], custom("Average")), False),
        (series(Signal.cpu, [START + 600], [3.0]), False),
        (series(Signal.requests, [START + 600], [3.0]), False),
    ],
)
def test_where_absence_means_zero_it_is_filled(sparse: Series, filled: bool) -> None:
    _, values = points(sparse, WINDOW)
    assert values.size == (59 if filled else 1)
    assert values.sum() == 3.0


def test_the_unfinished_minute_of_a_count_is_left_out() -> None:
    now = TimeWindow(start=WINDOW.start, end=WINDOW.end + timedelta(seconds=20))
    times = [START + 60 * n for n in range(61)]
    assert points(series(Signal.requests, times, [900.0] * 60 + [4.0]), now)[1].min() == 900
    assert points(series(Signal.errors, times, [900.0] * 60 + [4.0]), now)[1].min() == 900
    assert points(series(Signal.cpu, times, [30.0] * 60 + [4.0]), now)[1].min() == 4


def test_counts_out_of_nothing_are_a_rise_even_where_only_they_are_reported() -> None:
    times = [END - 60 * n for n in range(20, 1, -1)]
    assert measured(series(Signal.errors, times, [40.0] * 19), WINDOW).moved == "rises"


def test_a_slight_move_is_seen_where_its_moment_is_known() -> None:
    rng = np.random.default_rng(1)
    times = [START + 60 * n for n in range(60)]
    slight = [100 + 6 * rng.standard_normal() + (28 if n >= 45 else 0) for n in range(60)]
    assert compared(series(Signal.cpu, times, slight), WINDOW, START + 45 * 60).moved == "rises"


async def test_what_moved_is_found_with_its_owner_and_trifles_are_not() -> None:
    town = market()
    town.effects |= {
        ("cart-tg", Signal.errors): Effect(80, minutes_ago(20)),
        ("cart-tg", Signal.latency): Effect(0.09, minutes_ago(20)),
        ("search", Signal.cpu): Effect(41, minutes_ago(20)),
    }
    found = [(a.service, a.signal) for a in anomalies(await triaged(town))]
    assert found == [("cart", Signal.errors)], "90 instead of 80 ms and six percent of a processor are none"


async def test_the_same_question_at_another_time_is_no_reading_of_the_incident() -> None:
    case = await triaged(troubles.bad_deployment(), "orders errors")
    assert case.symptom is not None
    days = {asked.query["window"]["start"] for asked in case.asked if asked.query_kind == "read_metrics"}  # type: ignore[index,call-overload]  # a query's window is an object
    assert len(days) == 2, "the day before was read as well"
    found = reading(case, case.symptom.resource, case.symptom.signal)
    assert found is not None
    assert case.incident is not None
    assert found.window.start == case.incident.window.start


def anomaly(service: str, signal: Signal, onset: float, ended: float | None = None, moved: str = "rises") -> Anomaly:
    way: Literal["rises", "falls"] = "rises" if moved == "rises" else "falls"
    level = 200.0 if way == "rises" else 1.0
    change = Shift(way, True, onset=onset, ended=ended, baseline=10, level=level, peak=level, effect=20, points=60)
    return Anomaly(service, Resource(type=ResourceType.ecs_service, name=service), signal, change)


def case_of(graph: ServiceGraph) -> Investigation:
    return replace(Investigation(id="inv-1"), graph=graph)


GRAPH = market().graph


@pytest.mark.parametrize(
    ("found", "service", "first"),
    [
        ([("cart", 100), ("storefront", 400)], "storefront", ["cart"]),
        ([("orders", 100), ("storefront", 400)], "storefront", ["cart"]),
        ([("cart", 500), ("storefront", 400)], "storefront", ["cart"]),
        ([("cart", 900), ("storefront", 400)], "storefront", []),
        ([("search", 50), ("cart", 100), ("storefront", 400)], "storefront", ["search", "cart"]),
        ([("storefront", 100), ("cart", 400)], "cart", []),
        ([("cart", 100)], "storefront", ["cart"]),
        ([("storefront", 100)], "storefront", []),
    ],
    ids=[
        "before",
        "through one in between",
        "together",
        "long after",
        "in order",
        "callers do not count",
        "alone",
        "none",
    ],
)
def test_who_moved_first(found: list[tuple[str, float]], service: str, first: list[str]) -> None:
    moved = [anomaly(name, Signal.errors, at) for name, at in found]
    assert first_movers(case_of(GRAPH), moved, service) == first


def test_what_was_over_before_or_was_a_blip_moved_nothing() -> None:
    own = anomaly("storefront", Signal.errors, 4000)
    over = anomaly("cart", Signal.errors, 100, ended=2000)
    blip = anomaly("cart", Signal.errors, 3900, ended=4100)
    still = anomaly("cart", Signal.errors, 3000, ended=9000)
    assert first_movers(case_of(GRAPH), [own, over, blip], "storefront") == []
    assert first_movers(case_of(GRAPH), [own, still], "storefront") == ["cart"]
    assert lasting(still, 4000)
    assert not lasting(blip, None)


def test_being_used_more_or_less_is_no_suffering() -> None:
    own = anomaly("storefront", Signal.errors, 400)
    for signal, moved in [(Signal.requests, "rises"), (Signal.requests, "falls"), (Signal.cpu, "falls"),
                          (Signal.healthy_hosts, "rises")]:  # fmt: skip
        assert first_movers(case_of(GRAPH), [own, anomaly("cart", signal, 100, moved=moved)], "storefront") == []
    fewer = anomaly("cart", Signal.healthy_hosts, 100, moved="falls")
    assert first_movers(case_of(GRAPH), [own, fewer], "storefront") == ["cart"]


def test_what_suffers_under_the_callers_own_surge_is_not_its_cause() -> None:
    surge = [anomaly("storefront", Signal.requests, 100), anomaly("storefront", Signal.latency, 160)]
    swamped = [anomaly("cart", Signal.requests, 100), anomaly("cart", Signal.cpu, 100)]
    assert first_movers(case_of(GRAPH), [*surge, *swamped], "storefront") == []
    assert first_movers(case_of(GRAPH), [*surge, anomaly("cart", Signal.cpu, 100)], "storefront") == ["cart"]


def test_a_ring_of_services_has_an_end_and_nobody_is_their_own_cause() -> None:
    services = tuple(
        service.model_copy(update={"depends_on": (*service.depends_on, "storefront")}) for service in GRAPH
    )
    ring = ServiceGraph(services=services)
    moved = [anomaly("storefront", Signal.errors, 100)]
    assert first_movers(case_of(ring), moved, "storefront") == []


def test_an_unknown_service_and_an_unknown_graph_have_no_first_movers() -> None:
    moved = [anomaly("storefront", Signal.errors, 100)]
    assert first_movers(Investigation(id="inv-1"), moved, "storefront") == []
    assert first_movers(case_of(GRAPH), moved, "nobody") == []
    assert anomalies(Investigation(id="inv-1")) == []


def test_what_users_feel() -> None:
    found = [
        anomaly("cart", Signal.cpu, 1),
        anomaly("cart", Signal.errors, 2),
        anomaly("cart", Signal.healthy_hosts, 3, moved="falls"),
        anomaly("cart", Signal.latency, 4, moved="falls"),
        anomaly("orders", Signal.errors, 5),
    ]
    assert {a.signal for a in trouble(found, "cart")} == {Signal.errors, Signal.healthy_hosts}
