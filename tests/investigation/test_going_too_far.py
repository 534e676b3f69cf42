"""Going back goes one step: where the blamed revision no longer runs, there is nothing to go back from."""

from pathlib import Path

import pytest

from runbook_bot.domain.approval import Preparation
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Repair
from tests.investigation import troubles
from tests.investigation.repairing import Bench, Mender
from tests.investigation.running import ID, Running
from tests.investigation.town import deploy, minutes_ago


class Revisions(Mender):
    """A service that runs the revision it is told to run."""

    runs = "orders:42"

    async def prepare(self, repair: Repair, resource: Resource) -> Preparation | None:
        found = await super().prepare(repair, resource)
        return found.model_copy(update={"pre_state": {"task_definition": self.runs}}) if found else None


@pytest.mark.parametrize(("runs", "proposals"), [("orders:42", 1), ("orders:41", 0)])
async def test_a_rollback_is_proposed_only_while_the_blamed_revision_runs(
    tmp_path: Path, runs: str, proposals: int
) -> None:
    town = troubles.bad_deployment()
    town.changes = [deploy("orders", minutes_ago(24), image="2.4.1", task_definition="orders:42")]
    running = Running(town)
    bench = Bench(tmp_path, running)
    hands = Revisions(running)
    hands.runs = runs
    bench.remediation._actuators = (hands,)  # the bench has no seam for another vendor
    await bench.advance(ID)
    assert len(bench.case.remedies) == proposals
    said = [note.text for note in bench.case.notes]
    assert any("orders:42 is blamed and orders:41 runs already" in text for text in said) is (proposals == 0)
