"""Who moved and is no cause: a store that gets a failing cache's work, a few foreign errors, clients that left."""

import pytest

from runbook_bot.analysis.complaints import speaks_of
from runbook_bot.analysis.shift import Shift
from runbook_bot.analysis.vitals import Anomaly, first_movers, unwell
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType, Signal

R, S = ResourceType, Signal
WEB = Resource(type=R.ecs_service, cluster="prod", name="web")
CACHE = Resource(type=R.elasticache_cluster, name="web-cache")
STORE = Resource(type=R.rds_instance, name="web-db")
FEED = Resource(type=R.ecs_service, cluster="prod", name="feed")
GRAPH = ServiceGraph(
    services=(
        Service(name="web", resources=(WEB,), depends_on=("web-cache", "web-db", "feed")),
        Service(name="web-cache", resources=(CACHE,)),
        Service(name="web-db", resources=(STORE,)),
        Service(name="feed", resources=(FEED,)),
    )
)
CASE = Investigation(id="inv-1", graph=GRAPH, scope=("web", "web-cache", "web-db", "feed"))


def moved(resource: Resource, signal: Signal, before: float, after: float, at: float = 1000.0) -> Anomaly:
    """A lasting move of that resource."""
    side = Shift("rises" if after > before else "falls", True, at, None, before, after, after, 20.0, 180)
    owner = GRAPH.owner_of(resource)
    assert owner is not None
    return Anomaly(owner.name, resource, signal, side)


ERRORS = moved(WEB, S.errors, 10, 1500)


def test_a_store_behind_a_failing_cache_only_gets_its_work() -> None:
    misses, load = moved(CACHE, S.cache_misses, 300, 4000), moved(STORE, S.cpu, 25, 80)
    assert first_movers(CASE, [ERRORS, misses, load], "web") == ["web-cache"]
    assert first_movers(CASE, [ERRORS, load], "web") == ["web-db"]
    stuck = moved(STORE, S.deadlocks, 0, 40)
    assert set(first_movers(CASE, [ERRORS, misses, load, stuck], "web")) == {"web-cache", "web-db"}


def test_a_few_errors_of_another_do_not_make_many() -> None:
    assert first_movers(CASE, [ERRORS, moved(FEED, S.errors, 5, 90)], "web") == []
    assert first_movers(CASE, [ERRORS, moved(FEED, S.errors, 5, 900)], "web") == ["feed"]


def test_a_store_whom_nobody_reaches_is_in_trouble_unless_its_callers_left() -> None:
    gone = moved(CACHE, S.connections, 90, 0)
    assert first_movers(CASE, [ERRORS, gone], "web") == ["web-cache"]
    assert first_movers(CASE, [ERRORS, gone, moved(WEB, S.running_tasks, 4, 1)], "web") == []
    starved = moved(CACHE, S.connections, 160, 16)
    assert first_movers(CASE, [ERRORS, starved], "web") == []


def test_a_processor_with_room_left_suffers_nothing() -> None:
    assert not unwell(moved(STORE, S.cpu, 25, 60))
    assert unwell(moved(STORE, S.cpu, 25, 92))


@pytest.mark.parametrize(
    ("line", "resource", "about"),
    [
        ("redis.exceptions.ConnectionError: connection refused", CACHE, True),
        ("dial tcp 10.0.8.52:5432: connect: connection timed out", STORE, True),
        ("psycopg.errors.UndefinedColumn: column price does not exist", STORE, False),
        ("redis.exceptions.ConnectionError: connection refused", STORE, False),
        ("HikariPool-1 - Connection is not available, request timed out", STORE, False),
    ],
)
def test_a_complaint_tells_what_kind_of_thing_it_speaks_of(line: str, resource: Resource, about: bool) -> None:
    owner = GRAPH.owner_of(resource)
    assert owner is not None
    assert speaks_of(line, owner) is about
