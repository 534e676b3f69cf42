"""The board: each message once, edited in place, through crashes, lost answers and channels that go away."""

import asyncio
from collections import Counter
from pathlib import Path

from runbook_bot.domain.journal import Posting
from runbook_bot.playground.slack import LoopbackSlack
from runbook_bot.slack.outbox import EDIT_GAP
from runbook_bot.slack.views.thread import wanted
from runbook_bot.state.journals import FileJournal
from tests.slack.conftest import Office, open_office
from tests.slack.story import ACME, CHANNEL, ID, Story


def _verified() -> Story:
    story = Story().opened().triaged().supposed().tested().concluded().offered()
    return story.pressed().ruled("approved").executed().verified()


async def test_a_whole_investigation_is_one_head_with_one_reply_a_hypothesis(office: Office) -> None:
    journal = await office.shown(_verified())

    head, *replies = office.slack.messages(CHANNEL)
    case = journal.refresh()
    assert head["metadata"]["event_payload"] == {
        "id": ID,
        "status": "concluded",
        "root_cause": "bad_deployment",
        "confidence": 0.87,
    }
    assert {reply["thread_ts"] for reply in replies} == {head["ts"]}
    assert [reply.get("subtype") for reply in replies].count("thread_broadcast") == 1
    assert set(case.posted) == {message.key for message in wanted(case, ACME)}
    assert len(replies) == len(case.posted) - 1
    assert case.canvas is not None


async def test_what_changes_is_edited_in_place_and_nothing_is_posted_twice(office: Office) -> None:
    story = Story().opened().triaged().supposed()
    journal = await office.shown(story)
    before = len(office.slack.messages(CHANNEL))
    told = len(story.entries)

    journal.append(*list(story.tested().bodies)[told:])
    await office.board.settle(journal)

    assert len(office.slack.messages(CHANNEL)) == before
    assert office.said("Hypothesis H2, ruled out")
    assert office.said("Hypothesis H1, supported")


async def test_edits_of_one_message_are_coalesced(office: Office) -> None:
    story = Story().opened().triaged()
    journal = await office.shown(story)
    began = asyncio.get_running_loop().time()

    for _ in range(30):
        told = len(story.entries)
        story.supposed()
        journal.append(*list(story.bodies)[told:])
        await office.board.changed(journal)
        await asyncio.sleep(0.02)
    await office.board.settle(journal)

    seconds = asyncio.get_running_loop().time() - began
    edits = Counter(str(call.args["ts"]) for call in office.slack.calls.to("chat.update"))
    assert max(edits.values()) <= 2 + seconds / EDIT_GAP, "at most one a second, and the last state"


def _cut_before_each_note(journal: FileJournal) -> list[str]:
    """The journal as a crash between a post and its note would leave it, for each post."""
    lines = Path(journal.location).read_text().splitlines(keepends=True)
    return ["".join(lines[:at]) for at, line in enumerate(lines) if '"kind":"posted"' in line]


def _put_back(folder: Path, text: str) -> None:
    (folder / "scratchpad").mkdir(parents=True, exist_ok=True)
    (folder / "scratchpad" / f"{ID}.jsonl").write_text(text)


async def test_after_a_crash_between_posting_and_noting_the_message_is_found_and_not_repeated(
    office: Office, tmp_path: Path
) -> None:
    journal = await office.shown(Story().opened().triaged().supposed().tested().concluded())
    ours = [m for m in office.slack.messages(CHANNEL) if "metadata" in m]
    again = tmp_path / "again"

    for cut in _cut_before_each_note(journal):
        _put_back(again, cut)
        async with open_office(office.slack, again) as other:
            await other.board.settle(other.journals.open(ID))
            assert set(other.journals.open(ID).refresh().posted) >= {"head", "verdict"}

    first = [m for m in office.slack.messages(CHANNEL) if "metadata" in m][: len(ours)]
    heads = [m for m in office.slack.messages(CHANNEL) if m["metadata"]["event_type"] == "runbook_investigation"]
    assert [m["ts"] for m in first] == [m["ts"] for m in ours]
    assert len(heads) == 1


async def test_an_answer_that_got_lost_is_looked_up_before_posting_again(office: Office) -> None:
    office.slack.faults.lose_answers("chat.postMessage", times=3)

    journal = await office.shown(Story().opened().triaged().supposed())

    assert len(office.slack.messages(CHANNEL)) == 3
    assert len(journal.refresh().posted) == 3


async def test_somebody_elses_message_with_our_metadata_is_not_taken_over(office: Office) -> None:
    story = Story().opened().triaged()
    (head, *_) = wanted(story.case, ACME)
    forged = {"type": "message", "user": "U0BEN", "text": "mine", "ts": "1764000001.000001", "metadata": head.metadata}
    channel = office.slack.channel(CHANNEL)
    office.slack.state.put_message(channel, forged)

    journal = await office.shown(story.tell(Posting(key="head", channel=CHANNEL)))

    assert journal.refresh().posted["head"].ts != "1764000001.000001"


async def test_rate_limits_are_waited_out(office: Office) -> None:
    office.slack.faults.limit_next("chat.postMessage", retry_after=1, times=2)

    await office.shown(Story().opened().triaged().supposed())

    assert len(office.slack.messages(CHANNEL)) == 3
    assert len(office.slack.calls.to("chat.postMessage")) == 5


async def test_slack_being_down_delays_showing_and_fails_nothing(office: Office) -> None:
    office.slack.faults.fail("chat.postMessage", "service_unavailable", times=2, status=503)

    await office.shown(Story().opened().triaged())

    assert len(office.slack.messages(CHANNEL)) == 1


async def test_where_the_bot_is_not_in_the_channel_the_requester_gets_a_direct_message(office: Office) -> None:
    story = Story().opened(channel="C0GENERAL").triaged().supposed().tested().concluded()

    journal = await office.shown(story)

    case = journal.refresh()
    direct = case.posted["moved"].channel
    assert direct.startswith("D")
    assert {m.get("thread_ts") for m in office.slack.messages(direct)} == {case.posted["moved"].ts}
    assert office.said("Root cause of", direct)
    assert office.slack.messages("C0GENERAL") == []


async def test_a_channel_nobody_knows_and_a_requester_nobody_knows_end_in_a_log_line(office: Office) -> None:
    journal = await office.shown(Story().opened(channel="C0NOWHERE", requester="U0NOBODY").triaged())

    assert journal.refresh().posted == {}


async def test_blocks_that_slack_does_not_know_yet_are_left_out(office: Office) -> None:
    office.slack.faults.fail("chat.postMessage", "invalid_blocks", times=1)

    await office.shown(Story().opened().triaged())

    assert {block["type"] for block in office.slack.messages(CHANNEL)[0]["blocks"]} >= {"header", "section"}


async def test_a_click_that_did_not_count_is_told_to_whoever_clicked_only(office: Office) -> None:
    story = Story().opened().triaged().supposed().tested().concluded().offered()

    await office.shown(story.pressed(user="U0ROSA").ruled("denied", user="U0ROSA"))

    (denial,) = office.said("did not count")
    assert denial["ephemeral_to"] == "U0ROSA"


async def test_a_plan_without_canvases_gets_a_file_in_the_thread(office: Office) -> None:
    office.slack.faults.fail("canvases.create", "canvas_disabled_user_team", times=5)

    journal = await office.shown(Story().opened().triaged().supposed().tested().concluded())

    kept = journal.refresh().canvas
    assert kept is not None
    assert kept.fallback
    (shared,) = [m for m in office.slack.messages(CHANNEL) if m.get("files")]
    assert shared["thread_ts"] == journal.refresh().posted["head"].ts


async def test_the_canvas_is_rewritten_at_each_milestone(office: Office) -> None:
    story = Story().opened().triaged().supposed().tested().concluded().offered()
    journal = await office.shown(story)
    told = len(story.entries)
    story.pressed().ruled("approved").executed().verified()

    journal.append(*list(story.bodies)[told:])
    await office.board.settle(journal)

    (canvas,) = office.slack.state.canvases.values()
    assert "Done and verified" in canvas.markdown
    assert not office.slack.calls.refused()


async def test_a_second_investigation_in_a_channel_gets_a_canvas_of_its_own(office: Office) -> None:
    office.slack.faults.fail("canvases.create", "channel_canvas_already_exists", times=1)

    journal = await office.shown(Story().opened().triaged().supposed().tested().concluded())

    assert journal.refresh().canvas is not None
    assert office.slack.calls.to("canvases.access.set")


async def test_many_at_once_stay_within_slacks_limits(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with open_office(slack, tmp_path) as office:
        stories = [Story(f"trouble {n}").opened().triaged().supposed() for n in range(3)]
        for number, story in enumerate(stories):
            journal = office.journals.create(f"inv-{number:010d}", next(iter(story.bodies)))
            assert journal is not None
            journal.append(*list(story.bodies)[1:])
            await office.board.changed(journal)
        for number in range(3):
            await office.board.settle(office.journals.open(f"inv-{number:010d}"))

        assert len(slack.messages(CHANNEL)) == 9
        assert [call for call in slack.calls.refused() if call.status == 429] == []
