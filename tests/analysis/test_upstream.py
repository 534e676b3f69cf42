"""Of services that are in trouble at once, the one that explains the others has most against it."""

from datetime import UTC, datetime

import numpy as np

from runbook_bot.analysis.shift import Floats
from runbook_bot.analysis.upstream import scores
from runbook_bot.domain.incident import Symptom
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType, Signal

GRAPH = ServiceGraph(
    services=(
        Service(name="front", depends_on=("cart", "search")),
        Service(name="cart", depends_on=("db", "elsewhere")),
        Service(name="search", depends_on=("cart",)),
        Service(name="db"),
    )
)
ROWS, AT = 180, 120
MINUTES = np.arange(0.0, 60.0 * ROWS, 60.0)


def hurts(at: int | None = None) -> Symptom:
    onset = None if at is None else datetime.fromtimestamp(60 * at, UTC)
    place = Resource(type=ResourceType.target_group, name="front")
    return Symptom(service="front", resource=place, signal=Signal.latency, moved="rises", onset=onset)


def measured(extra: dict[str, float]) -> list[tuple[str, Signal, Floats, Floats]]:
    rng = np.random.default_rng(0)
    found: list[tuple[str, Signal, Floats, Floats]] = []
    for name in ("front", "cart", "search", "db"):
        latency: Floats = np.full(ROWS, 0.1) + 0.005 * rng.standard_normal(ROWS)
        latency[AT:] += extra.get(name, 0.0)
        requests = np.asarray(rng.poisson(300, ROWS), dtype=np.float64)
        found += [(name, Signal.latency, MINUTES, latency), (name, Signal.requests, MINUTES, requests)]
    return found


def test_the_database_explains_its_callers() -> None:
    slow = measured({"db": 0.30, "cart": 0.28, "search": 0.15, "front": 0.40})
    against = scores(slow, GRAPH, hurts(at=AT))
    assert max(against, key=lambda name: against[name]) == "db"
    assert max(against["cart"], against.get("search", 0.0)) < against["db"] / 2


def test_what_stays_calm_explains_nothing() -> None:
    slow = measured({"search": 0.30, "front": 0.28})
    against = scores(slow, GRAPH, hurts())
    assert max(against, key=lambda name: against[name]) == "search"
    assert against.get("cart", 0.0) < 1


def test_where_nothing_is_measured_there_is_nothing_against_anybody() -> None:
    assert scores([], GRAPH, None) == {}
    assert scores([], GRAPH, hurts(at=0)) == {}
