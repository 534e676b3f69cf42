"""Every message in every state: within Slack's limits, escaped, addressed, and told in its text as well."""

import re
from typing import Any

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from runbook_bot.domain.approval import Denial, Entitled
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import ChangeProposed, Ruled, StepsFound
from runbook_bot.playground.slack import validate, validate_metadata, validate_view
from runbook_bot.slack.message import Message, plainer
from runbook_bot.slack.sight import waiting
from runbook_bot.slack.views import answers
from runbook_bot.slack.views.canvas import canvas_markdown, canvas_title
from runbook_bot.slack.views.cause import in_a_sentence
from runbook_bot.slack.views.home import home
from runbook_bot.slack.views.modals import approve_form, reject_form
from runbook_bot.slack.views.moved import moved_note
from runbook_bot.slack.views.thread import unshown, wanted
from tests.slack.story import ACME, CHANNEL, ID, NOON, Story, chapters

WORDS = {
    "plain": "Checkout answers 5xx",
    "short": "x",
    "long": "word & <b>" * 1200,
    "unbroken": "0123456789" * 900,
    "rtl": "שגיאה בקופה 5xx ارتفاع الأخطاء",
    "emoji": "🔥👩‍👩‍👧‍👦 :rotating_light: 結帳失敗" * 40,
    "hostile": "<!channel> <@U0BEA> <https://evil.example|Approve> ```x``` *b* ~s~ | `c` \x00\x1b[31m\u202e\ud800 &lt;",
    "blank": "   ",
}
MODELLED = ("header", "section", "context", "actions", "divider", "rich_text", "plan", "input")
CASES = [(name, state, case) for name, words in WORDS.items() for state, case in chapters(words).items()]


@pytest.mark.parametrize(("name", "state", "case"), CASES, ids=[f"{n}-{s}" for n, s, _ in CASES])
def test_every_message_of_every_state_is_one_that_slack_takes(name: str, state: str, case: Investigation) -> None:
    for message in [*wanted(case, ACME), moved_note(case, "D0ROSA", "is_archived")]:
        _is_sound(message)
    stand = answers.status([case], None, ACME), answers.status([], case, ACME)
    for told in (answers.summary(case), *stand, answers.approvals(waiting([case]), ACME)):
        assert validate(list(told[1]), "message") == []
        _is_inert(told[0])
    for hypothesis in case.hypotheses.values():
        assert validate(list(answers.why(case, hypothesis)[1]), "message") == []
    view = home([case], waiting([case]), [case], ACME)
    assert validate_view(view) == []
    assert len(canvas_markdown(case)) < 1_000_000
    assert len(canvas_title(case)) < 250
    for remedy in case.remedies.values():
        for form in (approve_form(remedy.proposal), reject_form(remedy.proposal)):
            assert validate_view(form) == []
            shape: dict[str, Any] = form
            View(**shape).validate_json()
            assert form["private_metadata"] == remedy.proposal.id


def _is_sound(message: Message) -> None:
    blocks = list(message.blocks)
    assert validate(blocks, "message") == [], message.key
    assert validate(list(plainer(message.blocks)), "message") == [], message.key
    assert len(blocks) <= 50
    assert len(str(blocks)) < 13_000, f"{message.key}: {len(str(blocks))}"
    for block in blocks:
        if block["type"] in MODELLED:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()
    if message.metadata is not None:
        assert validate_metadata(message.metadata) == []
        payload = message.metadata["event_payload"]
        assert isinstance(payload, dict)
        assert all(isinstance(value, str | int | float) for value in payload.values())
    assert 10 < len(message.text) < 4000
    assert message.text.rstrip().endswith((".", "!", "?")), message.text
    _is_inert(message.text)
    _is_inert(str([_parsed_text(block) for block in blocks]))


def _parsed_text(block: object) -> list[str]:
    """What Slack parses as mrkdwn: not the insides of rich text and plain text."""
    if isinstance(block, list):
        return [text for each in block for text in _parsed_text(each)]
    if isinstance(block, dict):
        if block.get("type") == "mrkdwn":
            return [str(block["text"])]
        return [text for each in block.values() for text in _parsed_text(each)]
    return []


def _is_inert(text: str) -> None:
    alive = re.findall(r"<[^>]*>", text)
    ours = re.compile(
        r"<@U0(ROSA|AMIR|BEN)>|<!subteam\^S0APPROVERS>|<#C0INCIDENTS>|<!date\^\d+\^[^|]*\|[^>]*>"
        r"|<https://(acme\.slack|console\.aws\.amazon)\.com/[^|>]*\|[^>]*>"
    )
    assert [each for each in alive if not ours.fullmatch(each)] == []
    assert "\x00" not in text
    assert "\u202e" not in text


def test_the_head_alone_is_wanted_until_it_stands() -> None:
    case = Story().opened().triaged().supposed().case

    assert [message.key for message in wanted(case, ACME)] == ["head"]
    assert (wanted(case, ACME)[0].channel, wanted(case, ACME)[0].thread) == (CHANNEL, None)


def test_everything_else_stands_in_the_heads_thread_and_only_the_verdict_is_broadcast() -> None:
    case = chapters("Checkout answers 5xx")["verified"]

    messages = wanted(case, ACME)

    keys = ["head", "hypothesis:H1", "hypothesis:H2", "verdict", f"approval:{ID}.P1", f"verified:{ID}.P1"]
    assert [message.key for message in messages] == keys
    assert {message.thread for message in messages[1:]} == {case.posted["head"].ts}
    assert [message.key for message in messages if message.broadcast] == ["verdict"]


def test_an_investigation_asked_for_in_a_thread_stays_in_it() -> None:
    story = Story().opened(thread="1763.5").triaged().supposed()
    head = wanted(story.case, ACME)[0]
    story.shown("head")

    assert head.thread == "1763.5"
    assert {message.thread for message in wanted(story.case, ACME)[1:]} == {"1763.5"}


def test_an_investigation_from_the_command_line_is_shown_nowhere() -> None:
    assert wanted(Story().opened(channel="").case, ACME) == []


def test_the_metadata_is_what_other_programs_rely_on() -> None:
    case = Story().opened().shown("head").triaged().supposed().tested().branched().concluded().offered().case
    told = {message.key: message.metadata for message in wanted(case, ACME)}

    assert told["head"] == {
        "event_type": "runbook_investigation",
        "event_payload": {"id": ID, "status": "concluded", "root_cause": "bad_deployment", "confidence": 0.87},
    }
    assert told["hypothesis:H1.1"] == {
        "event_type": "runbook_hypothesis",
        "event_payload": {
            "investigation": ID,
            "id": "H1.1",
            "parent": "H1",
            "state": "open",
            "confidence": 0.0,
        },
    }
    assert told[f"approval:{ID}.P1"] == {
        "event_type": "runbook_approval",
        "event_payload": {"proposal": f"{ID}.P1", "investigation": ID, "state": "open", "risk": "high"},
    }


def test_a_pruned_hypothesis_collapses_to_what_killed_it() -> None:
    case = chapters("5xx")["tested"]
    gone = next(message for message in wanted(case, ACME) if message.key == "hypothesis:H2")

    assert len(gone.blocks) == 1
    assert "What ruled it out: connections stayed at 12: 5xx." in gone.text


def test_an_approval_card_has_buttons_only_while_it_waits() -> None:
    for state, expected in (("offered", True), ("awaiting", True), ("approved", False), ("rejected", False)):
        case = chapters("5xx")[state]
        card = next(message for message in wanted(case, ACME) if message.key.startswith("approval:"))
        assert any(block["type"] == "actions" for block in card.blocks) is expected, state


@pytest.mark.parametrize(
    ("entitled", "told"),
    [
        (Entitled(usergroups=("S0SRE",)), "it: <!subteam^S0SRE>, but not <@U0ROSA>, who asked for it"),
        (Entitled(users=("U0BEA", "U0AMIR"), requester=True), "it: <@U0BEA> or <@U0AMIR>"),
        (Entitled(users=tuple(f"U0{n}X" for n in range(9))), "<@U04X> or 4 more, but not"),
        (Entitled(anybody=True), "it: any full member of this channel"),
        (Entitled(), "nobody: no approvers are configured for changes of high risk (`safety.approvers.high`)"),
    ],
)
def test_an_approval_card_says_who_may_approve_as_long_as_somebody_can(entitled: Entitled, told: str) -> None:
    def card(story: Story) -> Message:
        return next(message for message in wanted(story.case, ACME) if message.key.startswith("approval:"))

    story = Story().opened().shown("head").triaged().supposed().tested().concluded()
    offered = story.proposal().model_copy(update={"entitled": entitled})
    waits = card(story.tell(ChangeProposed(proposal=offered)))
    assert told in str(waits.blocks)
    assert told in waits.text
    assert "Who may approve" not in str(card(story.pressed("reject").ruled("rejected")))


def test_a_double_click_on_approve_needs_no_excuse_and_somebody_elses_late_one_does() -> None:
    story = Story().opened().shown("head").triaged().supposed().tested().concluded().offered()
    story.pressed().ruled("approved")

    def whispered(user: str, delivery: str) -> list[str | None]:
        denial = Denial(proposal=f"{ID}.P1", user=user, why="This was approved already.", code="decided", at=NOON)
        ruled = Ruled(proposal=f"{ID}.P1", delivery=delivery, outcome="denied", denial=denial)
        return [m.to for m in wanted(story.pressed(user=user, delivery=delivery).tell(ruled).case, ACME) if m.to]

    assert whispered("U0AMIR", "click2") == []
    assert whispered("U0BEA", "click3") == ["U0BEA"]
    told = canvas_markdown(story.case)
    assert told.count("approved: ") == 1, "and the timeline has what counted"


@pytest.mark.parametrize(
    ("chapter", "told"),
    [("awaiting", "approved by 1 of 2: "), ("rejected", "rejected, “5xx”: "), ("void", "no longer valid: ")],
)
def test_the_timeline_of_the_canvas_has_every_decision_that_counted(chapter: str, told: str) -> None:
    assert told in canvas_markdown(chapters("5xx")[chapter])


def test_what_was_stopped_before_anything_was_tested_claims_and_guesses_nothing() -> None:
    case = Story().opened().shown("head").triaged().supposed().stopped().case

    shown = wanted(case, ACME)

    verdict = next(message for message in shown if message.key == "verdict")
    for message in (shown[0], verdict):
        assert "stopped before anything was tested" in message.text
        assert "%" not in message.text
    assert "Next step" not in str(verdict.blocks)
    (plan,) = (block for block in shown[0].blocks if block["type"] == "plan")
    assert "'title': 'Test them', 'status': 'error'" in str(plan)


def test_a_proposal_of_an_earlier_version_does_not_say_who_may_approve() -> None:
    story = Story().opened().shown("head").triaged().supposed().tested().concluded()
    offered = story.proposal().model_copy(update={"entitled": None})
    messages = wanted(story.tell(ChangeProposed(proposal=offered)).case, ACME)
    assert "Who may approve" not in str(messages[-1].blocks)


def test_a_proposal_nobody_decided_in_time_says_so_on_its_card_and_whispers_to_nobody() -> None:
    case = (
        Story().opened().shown("head").triaged().supposed().tested().concluded().offered().ruled("void", user="").case
    )

    messages = wanted(case, ACME)

    assert [message.key for message in messages if message.to is not None] == []
    assert "No longer valid" in str(messages[-1].blocks)


def test_what_a_crash_left_unsaid_is_noticed() -> None:
    story = Story().opened().triaged().supposed()
    assert unshown(story.case)
    story.shown("head", "hypothesis:H1", "hypothesis:H2")
    assert not unshown(story.case)
    assert unshown(story.tested().concluded().case)
    assert not unshown(Story().opened(channel="").case)


def test_the_recovery_is_told_in_numbers() -> None:
    note = wanted(chapters("5xx")["verified"], ACME)[-1]

    assert "helped: errors of checkout-api is back at 3/min (212/min when it was proposed) at 12:41 UTC" in note.text
    assert "rollback" in str(note.blocks)


def test_the_chart_shows_the_onset_and_stays_within_twenty_categories() -> None:
    case = chapters("5xx")["concluded"]
    verdict = next(message for message in wanted(case, ACME) if message.key == "verdict")
    chart: Any = next(block for block in verdict.blocks if block["type"] == "data_visualization")["chart"]
    categories = chart["axis_config"]["categories"]

    assert 2 <= len(categories) <= 20
    assert sum(str(label).endswith("onset") for label in categories) == 1
    assert [point["value"] for point in chart["series"][0]["data"]][-1] == 212.0


def test_the_cause_is_one_short_sentence_and_what_it_rests_on_is_small_print() -> None:
    told = Story("5xx").opened().shown("head").triaged().supposed().tested().concluded()
    assert told.case.verdict is not None
    assert told.case.verdict.root_cause is not None
    cause = told.case.verdict.root_cause.model_copy(
        update={"statement": "The deployment broke it: 5xx: revision 41 → 42 at 12:00 UTC"}
    )

    assert in_a_sentence(told.case, cause) == ("The deployment broke it: 5xx", "revision 41 → 42 at 12:00 UTC")
    assert in_a_sentence(told.case, cause.model_copy(update={"statement": "Nobody knows."})) == ("Nobody knows", "")


def test_a_runbooks_steps_carry_no_marks_that_nothing_reads() -> None:
    story = Story("5xx").opened().shown("head").triaged().supposed().tested()
    story.tell(StepsFound(runbook="a.md", title="A", steps=("Press **Approve** and run `aws ecs`.",))).concluded()
    verdict = next(message for message in wanted(story.case, ACME) if message.key == "verdict")

    assert "Press Approve and run aws ecs." in str(verdict.blocks)
