"""Five: strong evidence branches into causes of the cause; what is refuted is pruned, saying what killed it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from runbook_bot.playground.box import Box
from tests.story.program import Program
from tests.story.scene import Case, Scene, payload, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def deep(logs: Path) -> AsyncIterator[Case]:
    """The alarm is at the storefront, the fault two hops away from it."""
    async with Box("downstream-two-hops") as box:
        box.slack.faults.rates = False
        async with await Program.serving(box, logs / "deep.log"):
            yield await Scene(box).investigated()


async def test_the_cause_of_the_cause_is_found_two_hops_away(deep: Case) -> None:
    expected = deep.scene.box.scenario.expected
    journal = deep.journal
    assert journal.verdict is not None
    cause = journal.verdict.root_cause
    assert cause is not None
    assert (cause.service, cause.failure_mode) == (expected.service, expected.failure_mode)
    leader = journal.hypotheses[str(journal.verdict.ranked[0].hypothesis)]
    assert leader.depth >= 2, "a branch of a branch"
    parent = journal.hypotheses[str(leader.parent)]
    assert parent.state.value == "supported"


async def test_a_branch_stands_in_the_thread_below_its_parent(deep: Case) -> None:
    branches = {id: message for id, message in deep.hypotheses.items() if "." in id}
    assert branches
    for id, message in branches.items():
        assert payload(message)["parent"] == id.rpartition(".")[0]
        assert payload(message)["parent"] in deep.hypotheses


async def test_what_was_pruned_says_in_its_place_what_killed_it(deep: Case) -> None:
    pruned = [h for h in deep.journal.hypotheses.values() if h.state.value == "pruned"]
    assert pruned
    for each in pruned:
        assert each.reason
        assert each.reason[:20] in words(deep.hypotheses[each.id])
    verdict = deep.verdict
    assert verdict is not None
    assert "Ruled out" in words(verdict)
