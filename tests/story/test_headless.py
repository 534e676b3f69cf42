"""`demo --headless` plays every scenario to its good end, prints the thread, and exits 0 only then."""

import pytest

from runbook_bot.playground.cloud.scenario import Scenario, names
from tests.story.long_stories import Headless

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize("scenario", names())
async def test_a_scenario_is_played_to_its_good_end(headless: Headless, scenario: str) -> None:
    code, said = await headless.of(scenario)
    expected = Scenario.load(scenario).expected
    assert code == 0, said[-3000:]
    assert f"# {expected.alarm}" in said
    assert "*H1* · " in said
    assert "not as it should be" not in said
    if expected.failure_mode.value == "none":
        assert "No fault behind the alert" in said
    else:
        assert "Root cause: " in said
        assert f" in {expected.service}" in said
    if expected.repair is not None:
        assert "*Done and verified*" in said
        assert "Approved by @Amir Haddad" in said
