"""Three: the context is gathered in parallel, and a part that fails, fails alone and says so."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.story.scene import Case, Scene, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_onset_is_found_in_the_alarms_own_metric(case: Case) -> None:
    symptom, incident = case.journal.symptom, case.journal.incident
    assert symptom is not None
    assert symptom.onset is not None
    assert incident is not None
    began = datetime.now(UTC) - timedelta(minutes=20)  # the scenario's fault
    assert began - timedelta(minutes=15) < symptom.onset < began + timedelta(minutes=4)
    assert symptom.level > 5 * symptom.baseline
    assert "checkout-api" in incident.services


async def test_changes_dependencies_and_runbooks_are_gathered(case: Case) -> None:
    journal = case.journal
    assert journal.changes is not None
    assert any("checkout-api" in change.summary for change in journal.changes.changes)
    assert journal.scope[0] == "checkout-api", "the complaint's own service comes first"
    assert {"orders-db", "pricing-api"} <= set(journal.scope)
    assert journal.knowledge is not None
    assert journal.knowledge.passages, "the runbooks were searched"


@pytest.mark.parametrize("denied", [("logs:FilterLogEvents",)], indirect=True)
async def test_what_may_not_be_read_is_named_with_the_permission_and_the_rest_goes_on(denied: Scene) -> None:
    found = await denied.investigated()
    assert found.status in {"concluded", "inconclusive"}
    assert found.journal.symptom is not None, "the other parts went on"
    assert found.verdict is not None
    assert "Could not be checked" in words(found.verdict)
    assert "logs:FilterLogEvents" in words(found.verdict)
