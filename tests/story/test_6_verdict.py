"""Six: a verdict with its chain and what was ruled out, or plainly none, with what to look at next."""

import pytest

from tests.story.scene import Case, Scene, payload, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_verdict_is_told_to_the_channel_with_its_chain_and_its_evidence(shop: Scene, case: Case) -> None:
    expected = shop.box.scenario.expected
    verdict = case.verdict
    assert verdict is not None
    assert verdict["subtype"] == "thread_broadcast"
    assert case.journal.verdict is not None
    cause = case.journal.verdict.root_cause
    assert cause is not None
    assert (cause.failure_mode, cause.service) == (expected.failure_mode, expected.service)
    assert len(cause.causal_chain) >= 2
    text = words(verdict)
    assert "checkout-api" in verdict["text"]
    for title in ("How it came about", "Ruled out"):
        assert title in text
    for id in cause.evidence[:3]:
        assert id in text


async def test_the_fitting_runbooks_steps_stand_below_it(case: Case) -> None:
    assert case.verdict is not None
    assert case.journal.steps
    assert "From the runbook" in words(case.verdict)
    assert case.journal.steps[0].runbook in words(case.verdict)


@pytest.mark.parametrize(
    "denied",
    [("cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "logs:*", "ecs:*", "cloudtrail:*")],
    indirect=True,
)
async def test_without_metrics_and_logs_nothing_is_claimed_and_the_next_step_is_named(denied: Scene) -> None:
    found = await denied.investigated("checkout is slow")
    assert found.status == "inconclusive"
    assert payload(found.head)["root_cause"] == ""
    assert found.verdict is not None
    assert "Inconclusive" in words(found.verdict)
    assert "Next step" in words(found.verdict)
    assert "Could not be checked" in words(found.verdict)
    assert not found.cards, "nothing is proposed on a guess"
