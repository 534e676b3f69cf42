"""Seven and eight: a change is proposed with all that a decision needs; who may not decide is told why."""

import pytest

from tests.story.scene import AMIR, BEN, GIL, ROSA, Case, Scene, payload, words

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_card_shows_the_exact_call_and_its_consequences(shop: Scene, case: Case) -> None:
    card = case.cards[0]
    said = payload(card)
    assert set(said) == {"proposal", "investigation", "state", "risk"}
    assert (said["investigation"], said["state"], said["risk"]) == (case.id, "open", "high")
    text = words(card)
    repair = shop.box.scenario.expected.repair
    assert repair is not None
    assert "aws ecs update-service" in text
    assert str(repair.parameters["taskDefinition"]) in text
    for title in ("Impact", "Rollback", "Because of", "Before the change"):
        assert title in text
    buttons = [e for block in card["blocks"] if block["type"] == "actions" for e in block["elements"]]
    assert [(b["action_id"], b["value"]) for b in buttons] == [
        ("approve", said["proposal"]),
        ("reject", said["proposal"]),
    ]


@pytest.mark.parametrize("person", [ROSA, BEN, GIL], ids=["requester", "bystander", "guest"])
async def test_who_may_not_approve_is_told_why_and_nothing_runs(shop: Scene, case: Case, person: str) -> None:
    before = len(case.whispers(person))
    await shop.press(person, case.cards[0], "approve")
    told = await shop.wait_for(lambda: case.whispers(person)[before:], f"an answer to {person}")
    assert len(str(told[0]["text"])) > 30, "a reason, in words"
    assert case.card_state() == "open"
    assert shop.changes_made() == 0


async def test_an_approver_cannot_approve_what_they_asked_for(shop: Scene) -> None:
    own = await shop.investigated(user=AMIR)
    await shop.press(AMIR, await shop.proposed(own), "approve")
    told = await shop.wait_for(lambda: own.whispers(AMIR), "an answer to Amir")
    assert "did not count" in told[0]["text"]
    assert own.card_state() == "open"
    assert shop.changes_made() == 0


async def test_rejecting_asks_for_the_reason_and_keeps_it(shop: Scene) -> None:
    other = await shop.investigated()
    card = await shop.proposed(other)
    await shop.press(AMIR, card, "reject")
    modals = shop.box.slack.state.modals
    form = (await shop.wait_for(lambda: modals.get(AMIR), "the form"))[0]
    field = next(block for block in form["blocks"] if block["type"] == "input")
    typed = {field["block_id"]: {field["element"]["action_id"]: {"value": "The previous version has a leak."}}}
    await shop.act(AMIR, "submit", view_id=form["id"], values=typed)
    await shop.wait_for(lambda: other.card_state() == "rejected", "the rejection")
    assert "The previous version has a leak." in words(other.cards[0])
    assert "approve" not in {e.get("action_id") for b in other.cards[0]["blocks"] for e in b.get("elements", [])}
    assert shop.changes_made() == 0
