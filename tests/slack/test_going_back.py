"""Roll back: asked for by a button, answered in the thread whatever comes of it, and a change of its own."""

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, ChangeProposed, Executed, Noted, RollbackAsked, Ruled, Spent
from runbook_bot.domain.noun import Json
from runbook_bot.slack.views.approval import approval_card, verification_note
from tests.slack.conftest import Office
from tests.slack.story import ID, NOON, Story

P1, P2 = f"{ID}.P1", f"{ID}.P2"
ASKED = RollbackAsked(proposal=P1, by="U0AMIR", delivery="d1")


def _made(*more: Body) -> Story:
    made = Story().opened().triaged().supposed().tested().concluded().offered()
    return made.pressed().ruled("approved").executed().tell(*more)


def _back(**changes: object) -> ChangeProposed:
    made = Story().proposal().model_dump() | {"id": P2, "undoes": P1, "requester": "U0AMIR", "expires_at": NOON}
    return ChangeProposed.model_validate({"proposal": made | changes})


def _note(case: Investigation) -> tuple[str, bool]:
    """What is said of the change, and whether it can be rolled back."""
    message = verification_note(case, case.remedies[P1])
    said = " ".join(_texts(list(message.blocks)))
    assert message.text in said
    return said, any(block["type"] == "actions" for block in message.blocks)


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "text" and isinstance(v, str)] + _texts(list(value.values()))
    return []


def test_it_is_said_that_it_was_asked_for_and_why_it_could_not_be_prepared() -> None:
    said, possible = _note(_made(ASKED).case)
    assert "<@U0AMIR> asked to roll this back" in said
    assert not possible

    problem = Noted(text="ecs:DescribeServices <denied>", level="warning", answers=ASKED.key)
    said, possible = _note(_made(ASKED, problem).case)
    assert "could not be prepared: ecs:DescribeServices &lt;denied&gt;." in said
    assert possible, "it can be asked for again"


def test_a_roll_back_that_nobody_wanted_after_all_can_be_asked_for_again() -> None:
    proposed = Noted(text="proposed", answers=ASKED.key)
    assert not _note(_made(ASKED, _back(), proposed).case)[1]

    rejected = Ruled(proposal=P2, delivery="d2", outcome="rejected")
    assert _note(_made(ASKED, _back(), proposed, rejected).case)[1]


def test_the_card_says_who_may_approve_it_alone() -> None:
    case = _made(ASKED, _back(needed=2)).case
    said = " ".join(_texts(list(approval_card(case, case.remedies[P2]).blocks)))

    assert "asked for by <@U0AMIR>" in said
    assert "who approved the change (<@U0AMIR>) may approve this alone until 12:" in said


def test_what_was_taken_back_is_not_watched_any_more() -> None:
    outcome: Json = {"took_effect": True, "message": "done"}
    undone = Executed.model_validate({"proposal": P2, "outcome": outcome})
    assert _made(ASKED, _back(), Spent(proposal=P2, digest="sha256:0"), undone).case.undone(_made().case.remedies[P1])


async def test_a_second_press_is_told_that_it_is_under_way(office: Office) -> None:
    journal = await office.shown(_made())
    note = journal.refresh().posted[f"verified:{P1}"]
    await office.click(note.ts, "rollback", "U0BEA")
    await office.slack.wait_for(lambda: journal.refresh().remedies[P1].rollback, 60)

    await office.click(note.ts, "rollback", "U0AMIR")

    await office.hears("under way already")
    assert [entry.body.kind for entry in journal.entries()].count("rollback_asked") == 1
