"""What the service graph means for an investigation: it is not waited for, it is dated, and it can be of yesterday."""

from dataclasses import dataclass, field
from datetime import timedelta

from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Noted, Opened
from runbook_bot.domain.service import Look, Resource, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.investigation.atlas import Atlas
from runbook_bot.investigation.triage import MOST_KEPT, Triage
from runbook_bot.investigation.world import World
from tests.investigation.running import HandClock, Paper
from tests.investigation.test_atlas import Shelf, seen
from tests.investigation.town import NOW, Town


@dataclass
class Growing(Town):
    """A town in which something was built since somebody looked."""

    looks: int = 0
    built: tuple[Service, ...] = field(default_factory=tuple)

    async def discover(self) -> ServiceGraph:
        self.looks += 1
        look = Look(place="town", at=NOW, services=tuple(each.name for each in self.built))
        return ServiceGraph(services=self.built, looks=(look,))


def api(name: str, *calls: str) -> Service:
    return Service(
        name=name, depends_on=calls, resources=(Resource(type=ResourceType.ecs_service, cluster="prod", name=name),)
    )


async def triaged(town: Growing, kept: ServiceGraph | None, text: str, service: str | None = None) -> Investigation:
    clock = HandClock()
    shelf = Shelf({"town": kept} if kept is not None else {})
    world = World([town], atlas=Atlas([town], shelf, clock, briefly=0.05))
    paper = Paper(clock)
    paper.append(Opened(request=Request(text=text, service=service), reasoner="catalogue"))
    async for body in Triage(world, None, ServiceGraph(), clock).run(paper):
        paper.append(body)
    return paper.refresh()


async def test_a_fresh_graph_is_used_and_nobody_is_asked_for_another() -> None:
    town = Growing(ServiceGraph(), built=(api("new-api"),))
    kept = seen(NOW - timedelta(minutes=5), "cart-api", "orders-api")
    case = await triaged(town, kept, "cart-api is slow")
    assert (case.scope, town.looks) == (("cart-api",), 0)


async def test_a_service_that_was_built_since_is_found_though_the_kept_graph_is_fresh() -> None:
    town = Growing(ServiceGraph(), built=(api("cart-api"), api("new-api", "cart-api")))
    kept = seen(NOW - timedelta(minutes=5), "cart-api")
    for text, service in (("it is slow", "new-api"), ("new-api answers 500", None)):
        case = await triaged(town, kept, text, service)
        assert case.scope == ("new-api", "cart-api")
        assert case.incident is not None
        assert case.incident.services == ("new-api",)
    assert town.looks == 2


async def test_of_a_large_graph_the_journal_keeps_what_is_near() -> None:
    many = tuple(api(f"api-{n}", f"api-{n + 1}") for n in range(3 * MOST_KEPT))
    case = await triaged(Growing(ServiceGraph(), built=many), None, "it is slow", "api-300")
    assert case.graph is not None
    assert len(case.graph.services) == MOST_KEPT
    assert {"api-297", "api-299", "api-300", "api-303"} <= {each.name for each in case.graph}


async def test_what_could_not_be_seen_is_noted_once() -> None:
    kept = seen(NOW - timedelta(minutes=5), "cart-api", unseen=("traces: access denied",))
    clock = HandClock()
    town = Growing(ServiceGraph())
    paper = Paper(clock)
    paper.append(Opened(request=Request(text="cart-api is slow"), reasoner="catalogue"))
    world = World([town], atlas=Atlas([town], Shelf({"town": kept}), clock))
    async for body in Triage(world, None, ServiceGraph(), clock).run(paper):
        paper.append(body)
    noted = [each.body for each in paper.entries if isinstance(each.body, Noted)]
    assert [each.text for each in noted if "traces" in each.text] == [
        "Discovery is incomplete: town: traces: access denied"
    ]
