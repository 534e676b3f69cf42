"""The service graph between two looks: the stored one at once, a fresh one meanwhile, and its age where it matters."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from runbook_bot.domain.service import Edge, Look, Service, ServiceGraph
from runbook_bot.errors import ProviderError
from runbook_bot.investigation.atlas import FRESH, JUST_NOW, KEPT, Atlas, completed
from tests.investigation.running import HandClock
from tests.investigation.town import NOW, Town


@dataclass
class Shelf:
    """Keeps graphs in memory."""

    kept: dict[str, ServiceGraph] = field(default_factory=dict)

    def load(self, provider: str) -> ServiceGraph | None:
        return self.kept.get(provider)

    def save(self, provider: str, graph: ServiceGraph) -> None:
        self.kept[provider] = graph


@dataclass
class Scout(Town):
    """A town that is looked at when `open` is set."""

    clock: HandClock = field(default_factory=HandClock)
    looks: int = 0
    problem: str = ""
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def discover(self) -> ServiceGraph:
        self.looks += 1
        await self.open.wait()
        if self.problem:
            raise ProviderError(self.problem)
        return seen(self.clock.time, f"look-{self.looks}")


def seen(at: datetime, *names: str, unseen: tuple[str, ...] = (), place: str = "town") -> ServiceGraph:
    look = Look(place=place, at=at, services=names, resources=len(names), unseen=unseen)
    return ServiceGraph(services=tuple(Service(name=name) for name in names), looks=(look,))


@pytest.fixture
def scout() -> Scout:
    found = Scout(ServiceGraph())
    found.open.set()
    return found


def names(graph: ServiceGraph) -> list[str]:
    return [service.name for service in graph]


async def test_a_fresh_graph_that_was_kept_is_used_without_asking_anybody(scout: Scout) -> None:
    shelf = Shelf({"town": seen(NOW - FRESH + timedelta(seconds=1), "kept")})
    survey = await Atlas([scout], shelf, scout.clock).survey(9)
    assert (names(survey.graph), survey.problems, scout.looks) == (["kept"], (), 0)


async def test_an_old_one_gives_way_to_a_look_that_is_soon_over_and_the_look_is_kept(scout: Scout) -> None:
    shelf = Shelf({"town": seen(NOW - timedelta(hours=5), "kept")})
    survey = await Atlas([scout], shelf, scout.clock).survey(9)
    assert names(survey.graph) == ["look-1"]
    assert names(shelf.kept["town"]) == ["look-1"]


async def test_an_old_one_is_better_than_none_while_a_long_look_goes_on_and_its_age_is_said(
    scout: Scout,
) -> None:
    scout.open.clear()
    shelf = Shelf({"town": seen(NOW - timedelta(hours=5), "kept")})
    atlas = Atlas([scout], shelf, scout.clock, briefly=0.02)
    survey = await atlas.survey(9)
    assert names(survey.graph) == ["kept"]
    assert survey.problems == ("town: is still looking around; the service graph is of 2026-03-04T10:00:00Z",)
    scout.open.set()
    assert names((await atlas.survey(9)).graph) == ["look-1"]
    assert scout.looks == 1, "it was the same look"


async def test_a_first_look_that_takes_too_long_goes_on_for_the_next_one_who_asks(scout: Scout) -> None:
    scout.open.clear()
    atlas = Atlas([scout], Shelf(), scout.clock)
    survey = await atlas.survey(0.02)
    assert (names(survey.graph), survey.problems) == ([], ("town: discovery took too long; it goes on",))
    scout.open.set()
    assert names((await atlas.survey(9)).graph) == ["look-1"]
    assert scout.looks == 1


async def test_many_who_ask_at_once_share_one_look(scout: Scout) -> None:
    atlas = Atlas([scout], Shelf(), scout.clock)
    await asyncio.gather(*(atlas.survey(9) for _ in range(5)))
    assert scout.looks == 1


async def test_where_nothing_can_be_seen_any_more_the_old_one_is_used_and_why_is_said(scout: Scout) -> None:
    scout.problem = "no credentials"
    shelf = Shelf({"town": seen(NOW - timedelta(hours=5), "kept")})
    survey = await Atlas([scout], shelf, scout.clock).survey(9)
    assert names(survey.graph) == ["kept"]
    assert survey.problems == ("town: no credentials; the service graph is of 2026-03-04T10:00:00Z",)
    alone = await Atlas([scout], Shelf(), scout.clock).survey(9)
    assert alone.problems == ("town: no credentials",)


async def test_what_is_not_in_a_fresh_one_is_looked_for_but_not_every_second(scout: Scout) -> None:
    atlas = Atlas([scout], Shelf({"town": seen(NOW - timedelta(minutes=5), "kept")}), scout.clock)
    assert names((await atlas.survey(9, anew=True)).graph) == ["look-1"]
    assert names((await atlas.survey(9, anew=True)).graph) == ["look-1"]
    scout.clock.time += JUST_NOW
    assert names((await atlas.survey(9, anew=True)).graph) == ["look-2"]


async def test_without_a_place_to_keep_it_every_look_is_a_new_one(scout: Scout) -> None:
    atlas = Atlas([scout])
    await atlas.survey(9)
    assert names((await atlas.survey(9)).graph) == ["look-2"]


async def test_a_service_looks_again_by_itself(scout: Scout) -> None:
    shelf = Shelf({"town": seen(NOW - timedelta(hours=1), "kept")})
    atlas = Atlas([scout], shelf, scout.clock)
    task = asyncio.create_task(atlas.keep_fresh())
    async with asyncio.timeout(5):
        while names(shelf.kept["town"]) != ["look-1"]:  # noqa: ASYNC110  # the shelf tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await atlas.close()


async def test_what_could_not_be_seen_is_named_a_few_parts_and_the_rest_counted(scout: Scout) -> None:
    unseen = tuple(f"part {n}: access denied" for n in range(5))
    atlas = Atlas([scout], Shelf({"town": seen(NOW, "kept", unseen=unseen)}), scout.clock)
    problems = (await atlas.survey(9)).problems
    assert problems[0] == "town: part 0: access denied"
    assert problems[-1] == "and 2 more that could not be seen"
    assert len(problems) == 4


def test_a_part_that_is_throttled_this_time_keeps_what_it_showed_last_time_for_a_day() -> None:
    before = seen(NOW - timedelta(minutes=10), "web", "jobs").model_copy(
        update={"edges": (Edge(caller="jobs", called="web", found="environment WEB"),)}
    )
    throttled = seen(NOW, "web", unseen=("queues: throttled",))
    found = completed(throttled, before, NOW)
    assert names(found) == ["web", "jobs"]
    assert found.reasons("jobs", "web")
    assert found.looks[0].kept_from == NOW - timedelta(minutes=10)
    again = completed(throttled, found, NOW + timedelta(hours=1))
    assert (names(again), again.looks[0].kept_from) == (["web", "jobs"], NOW - timedelta(minutes=10))
    assert names(completed(throttled, again, NOW + KEPT)) == ["web"]
    assert names(completed(seen(NOW, "web"), found, NOW)) == ["web"], "seen completely, and it is gone"
    assert names(completed(throttled, before, NOW + KEPT)) == ["web"], "what was seen days ago says nothing"


def test_a_part_that_was_never_allowed_keeps_nothing_alive() -> None:
    before = seen(NOW - timedelta(minutes=10), "web", "jobs", unseen=("traces: access denied",))
    now = seen(NOW, "web", unseen=("traces: access denied",))
    assert names(completed(now, before, NOW)) == ["web"]
