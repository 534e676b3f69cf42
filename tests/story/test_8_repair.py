"""Eight: approved by somebody else it runs once, is verified on the complaint's own metric, and can be undone."""

import pytest

from tests.story.long_stories import Repair
from tests.story.scene import AMIR, BEA, ROSA, payload, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_it_runs_once_helps_and_can_be_rolled_back(repair: Repair) -> None:
    case = await repair.told()
    scene, journal = case.scene, case.journal
    first, second = journal.remedies.values()

    assert first.approvers in ((AMIR,), (BEA,)), "both pressed at once; one of them made it"
    assert first.outcome is not None
    assert first.outcome.took_effect
    assert first.verified is not None
    assert first.verified.recovered
    assert journal.symptom is not None
    assert journal.symptom.signal.value in first.verified.text, "judged by what was complained about"
    note = case.note(f"verified:{first.proposal.id}")
    assert note is not None
    assert "helped" in note["text"]

    assert second.proposal.undoes == first.proposal.id
    assert second.proposal.requester == ROSA, "whoever asks for the way back cannot approve it either"
    assert payload(case.cards[0])["state"] == "verified"
    assert second.outcome is not None
    assert second.outcome.took_effect
    assert scene.changes_made() == 2, "one repair and one roll-back, whoever pressed how often"
    assert "Roll" in words(case.cards[1])
