"""What an investigation finds in the market: the owner of the fault, not the loudest; and nothing where nothing is."""

from collections.abc import Callable

import pytest

from runbook_bot.domain.hypothesis import HypothesisState
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.vocabulary import FailureMode
from tests.investigation import troubles
from tests.investigation.running import Running
from tests.investigation.town import Town

F = FailureMode
FOUND = [
    (troubles.bad_deployment, "storefront is failing", F.bad_deployment, "orders"),
    (troubles.bad_deployment, "orders errors", F.bad_deployment, "orders"),
    (troubles.configuration_change, "storefront is failing", F.configuration_change, "orders"),
    (troubles.connection_exhaustion, "orders is slow", F.connection_exhaustion, "orders-db"),
    (troubles.connection_exhaustion, "storefront errors", F.connection_exhaustion, "orders-db"),
    (troubles.concurrency_limit, "invoices are not sent", F.concurrency_limit, "invoices"),
    (troubles.memory_exhaustion, "cart errors", F.memory_exhaustion, "cart"),
    (troubles.memory_exhaustion, "storefront is flaky", F.memory_exhaustion, "cart"),
    (troubles.throttling, "cart is failing", F.throttling, "sessions"),
    (troubles.traffic_surge, "storefront is slow", F.traffic_surge, "storefront"),
    (troubles.nothing, "search seems odd", F.none, "search"),
]


@pytest.mark.parametrize(("trouble", "complaint", "mode", "service"), FOUND)
async def test_the_cause_is_found(trouble: Callable[[], Town], complaint: str, mode: FailureMode, service: str) -> None:
    town = trouble()
    case = await Running(town).investigate(complaint)
    assert case.verdict is not None
    assert case.status == "concluded"
    cause = case.verdict.root_cause
    assert cause is not None
    assert (cause.failure_mode, cause.service) == (mode, service)
    assert cause.evidence
    assert set(cause.evidence) <= set(case.evidence)
    assert case.verdict.struck == 0
    modes = [candidate.failure_mode for candidate in case.verdict.ranked]
    assert modes[0] is mode
    assert F.none in modes
    assert len(modes) >= 3
    assert [c.confidence for c in case.verdict.ranked] == sorted(
        (c.confidence for c in case.verdict.ranked), reverse=True
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("trouble", "complaint", "mode"),
    [(t, c, m) for t, c, m, _ in FOUND if c in ("storefront is failing", "search seems odd")],
)
async def test_other_noise_makes_no_other_cause(
    trouble: Callable[[int], Town], complaint: str, mode: FailureMode, seed: int
) -> None:
    town = trouble(seed)
    case = await Running(town).investigate(complaint)
    assert case.verdict is not None
    named = case.verdict.root_cause
    assert named is None or named.failure_mode is mode, "rather none than a wrong one"
    assert case.verdict.ranked[0].failure_mode is mode


async def test_a_chain_leads_from_the_cause_to_the_complaint() -> None:
    town = troubles.bad_deployment()
    case = await Running(town).investigate("storefront is failing")
    assert case.verdict is not None
    assert case.verdict.root_cause is not None
    chain = case.verdict.root_cause.causal_chain
    assert "orders:42" in chain[0]
    assert "storefront" in chain[-1]


async def test_what_was_pruned_says_what_killed_it() -> None:
    town = troubles.bad_deployment()
    case = await Running(town).investigate("storefront is failing")
    pruned = [h for h in case.hypotheses.values() if h.state is HypothesisState.pruned]
    assert pruned
    assert all(h.reason for h in pruned)
    assert case.verdict is not None
    assert len(case.verdict.ruled_out) == len(pruned), "none of them was struck for the number in its own name"


async def test_no_question_is_asked_twice() -> None:
    town = troubles.connection_exhaustion()
    await Running(town).investigate("storefront errors")
    keys = [query.key for query in town.asked]
    assert len(keys) == len(set(keys))


async def test_depth_is_bounded_and_ids_tell_the_parent() -> None:
    town = troubles.bad_deployment()
    case = await Running(town).investigate("storefront is failing")
    assert max(h.depth for h in case.hypotheses.values()) > 1, "a cause behind the cause was looked for"
    assert all(h.depth <= 4 for h in case.hypotheses.values())
    assert all(h.id.rpartition(".")[0] == (h.parent or "") for h in case.hypotheses.values())


async def test_a_complaint_about_nothing_known_is_inconclusive_and_says_what_to_do() -> None:
    town = troubles.nothing()
    town.graph = ServiceGraph()
    case = await Running(town).investigate("everything is on fire")
    assert case.status == "inconclusive"
    assert case.verdict is not None
    assert case.verdict.root_cause is None
    assert case.verdict.next_step
