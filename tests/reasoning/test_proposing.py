"""Which causes are put forward: a handful that something suggests, `none` among them, each with what refutes it."""

from collections.abc import Callable

import pytest

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Proposed
from runbook_bot.domain.service import Edge, ServiceGraph
from runbook_bot.domain.vocabulary import FailureMode, Repair, ResourceType
from runbook_bot.investigation.causal import questions
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.reasoning.ideas import _dependencies
from tests.investigation import troubles
from tests.investigation.running import Running
from tests.investigation.town import Town

COMPLAINTS = [
    (troubles.bad_deployment, "storefront is failing"),
    (troubles.bad_deployment, "orders errors"),
    (troubles.connection_exhaustion, "orders is slow"),
    (troubles.concurrency_limit, "invoices are not sent"),
    (troubles.memory_exhaustion, "cart errors"),
    (troubles.throttling, "cart is failing"),
    (troubles.traffic_surge, "storefront is slow"),
    (troubles.nothing, "search seems odd"),
]
each_complaint = pytest.mark.parametrize(("trouble", "complaint"), COMPLAINTS)


async def triaged(town: Town, complaint: str) -> Investigation:
    return (await Running(town).triaged(complaint)).refresh()


@each_complaint
async def test_three_to_five_with_none_among_them(trouble: Callable[[], Town], complaint: str) -> None:
    found = await CatalogueReasoner().propose(await triaged(trouble(), complaint))
    assert 3 <= len(found) <= 5
    assert [h.id for h in found] == [f"H{n}" for n in range(1, len(found) + 1)]
    assert sum(h.failure_mode is FailureMode.none for h in found) == 1
    assert len({(h.failure_mode, h.service) for h in found}) == len(found)
    assert sum(h.prior for h in found) <= 1
    assert all(h.prior > 0 for h in found)


@each_complaint
async def test_each_can_be_refuted_by_a_question_that_is_asked(trouble: Callable[[], Town], complaint: str) -> None:
    case = await triaged(trouble(), complaint)
    for hypothesis in await CatalogueReasoner().propose(case):
        asked = [prediction for prediction, _ in questions(case, hypothesis)]
        assert any(prediction.refuting for prediction in asked), hypothesis.statement
        assert hypothesis.would_refute.startswith("not: ")


@each_complaint
async def test_the_same_context_gives_the_same_ideas(trouble: Callable[[], Town], complaint: str) -> None:
    first, second = [await CatalogueReasoner().propose(await triaged(trouble(), complaint)) for _ in range(2)]
    assert first == second


async def test_with_nothing_known_only_none_is_left() -> None:
    town = troubles.nothing()
    town.graph = ServiceGraph()
    found = await CatalogueReasoner().propose(await triaged(town, "it hurts"))
    assert [h.failure_mode for h in found] == [FailureMode.none]


async def test_what_has_been_put_forward_is_not_put_forward_again() -> None:
    running = Running(troubles.bad_deployment())
    journal = await running.triaged("storefront is failing")
    seen: set[tuple[FailureMode, str]] = set()
    for _ in range(3):
        batch = await CatalogueReasoner().propose(journal.refresh())
        assert not seen & {(h.failure_mode, h.service) for h in batch}
        seen |= {(h.failure_mode, h.service) for h in batch}
        journal.append(*(Proposed(hypothesis=h) for h in batch))
    assert len(journal.refresh().hypotheses) == len(seen), "ids are not used twice"


async def test_behind_a_failing_dependency_its_own_troubles_are_looked_for() -> None:
    case = await triaged(troubles.bad_deployment(), "storefront is failing")
    found = await CatalogueReasoner().propose(case)
    parent = next(h for h in found if h.failure_mode.startswith("dependency") and h.service == "cart")
    deeper = await CatalogueReasoner().propose(case, parent)
    assert 1 <= len(deeper) <= 3
    assert all(h.parent == parent.id and h.id.startswith(f"{parent.id}.") for h in deeper)
    assert {h.service for h in deeper} <= {"cart", "orders", "sessions"}


async def test_a_dependency_that_is_only_guessed_is_suspected_half_as_much() -> None:
    async def prior(*edges: Edge) -> float:
        town = troubles.connection_exhaustion()
        town.graph = town.graph.model_copy(update={"edges": edges})
        case = await triaged(town, "cart is slow")
        return next(i.prior for i in _dependencies(case, "cart") if i.dependency == "orders")

    sure = Edge(caller="cart", called="orders", found="environment ORDERS_URL")
    guess = Edge(caller="cart", called="orders", found="security group", weak=True)
    assert await prior(guess) == pytest.approx(0.5 * await prior())
    assert await prior(guess, sure) == await prior() > 0


async def test_behind_exhaustion_lie_its_known_causes_and_only_where_something_suggests_them() -> None:
    case = await triaged(troubles.concurrency_limit(), "invoices are not sent")
    found = await CatalogueReasoner().propose(case)
    parent = next(h for h in found if h.failure_mode is FailureMode.concurrency_limit)
    assert all(h.because for h in await CatalogueReasoner().propose(case, parent))


async def test_the_change_of_another_service_suggests_nothing() -> None:
    case = await triaged(troubles.memory_exhaustion(), "cart errors")
    assert case.changes is not None
    assert case.changes.changes == (), "search is neither a dependency nor a caller of cart"
    assert FailureMode.bad_deployment not in {h.failure_mode for h in await CatalogueReasoner().propose(case)}


async def test_repairs_are_for_the_place_that_is_hurt_or_for_the_caller_that_complains_most() -> None:
    reasoner = CatalogueReasoner()
    deployed = await Running(troubles.bad_deployment()).investigate("orders errors")
    cause = next(h for h in deployed.hypotheses.values() if h.failure_mode is FailureMode.bad_deployment)
    back = reasoner.repairs(deployed, cause)
    assert [(m.repair, m.resource.type, m.resource.name) for m in back] == [
        (Repair.roll_back, ResourceType.ecs_service, "orders")
    ]
    exhausted = await Running(troubles.connection_exhaustion()).investigate("orders is slow")
    cause = next(h for h in exhausted.hypotheses.values() if h.failure_mode is FailureMode.connection_exhaustion)
    first = reasoner.repairs(exhausted, cause)[0]
    assert (first.repair, first.resource.name) == (Repair.restart, "orders")
