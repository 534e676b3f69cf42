"""Of services that are in trouble at once, the one that explains the others has most against it."""

import numpy as np

from runbook_bot.analysis.shift import Floats
from runbook_bot.analysis.upstream import scores
from runbook_bot.domain.service import Service, ServiceGraph
from runbook_bot.domain.vocabulary import Signal

GRAPH = ServiceGraph(
    services=(
        Service(name="front", depends_on=("cart", "search")),
        Service(name="cart", depends_on=("db", "elsewhere")),
        Service(name="search", depends_on=("cart",)),
        Service(name="db"),
    )
)
ROWS, AT = 180, 120
MINUTES = 60.0 * np.arange(ROWS)


def measured(extra: dict[str, float]) -> list[tuple[str, Signal, Floats, Floats]]:
    rng = np.random.default_rng(0)
    found = []
    for name in ("front", "cart", "search", "db"):
        latency: Floats = 0.1 + 0.005 * rng.standard_normal(ROWS)
        latency[AT:] += extra.get(name, 0.0)
        requests = rng.poisson(300, ROWS).astype(np.float64)
        found += [(name, Signal.latency, MINUTES, latency), (name, Signal.requests, MINUTES, requests)]
    return found


def test_the_database_explains_its_callers() -> None:
    slow = measured({"db": 0.30, "cart": 0.28, "search": 0.15, "front": 0.40})
    against = scores(slow, GRAPH, ("front", Signal.latency), 60.0 * AT)
    assert max(against, key=lambda name: against[name]) == "db"
    assert max(against["cart"], against.get("search", 0.0)) < against["db"] / 2


def test_what_stays_calm_explains_nothing() -> None:
    slow = measured({"search": 0.30, "front": 0.28})
    against = scores(slow, GRAPH, ("front", Signal.latency), None)
    assert max(against, key=lambda name: against[name]) == "search"
    assert against.get("cart", 0.0) < 1


def test_where_nothing_is_measured_there_is_nothing_against_anybody() -> None:
    assert scores([], GRAPH, None, None) == {}
    assert scores([], GRAPH, ("front", Signal.latency), 0.0) == {}
