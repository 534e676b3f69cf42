"""Slack stumbles, and several processes show the same investigation: everything comes through, and comes once."""

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runbook_bot.domain.journal import Noted
from runbook_bot.playground.slack import LoopbackSlack
from runbook_bot.slack.board import FIRST_PAUSE
from runbook_bot.slack.pace import Turns
from tests.slack.conftest import Office, open_office
from tests.slack.story import CHANNEL, Story


def _kinds(slack: LoopbackSlack) -> Counter[str]:
    """How many messages of each kind, and of each hypothesis, stand in the channel."""
    found = [m["metadata"] for m in slack.messages(CHANNEL) if m.get("metadata")]
    return Counter(f"{m['event_type']} {m['event_payload'].get('key') or m['event_payload']['id']}" for m in found)


def _told() -> Story:
    return Story().opened().triaged().supposed().tested().concluded()


async def test_answers_lost_one_after_the_other_delay_little_and_double_nothing(office: Office) -> None:
    office.slack.faults.lose_answers("chat.postMessage", times=4)
    journal = office.told(_told())

    with capture_logs() as told:
        await office.board.settle(journal)

    pauses = [entry["again_in"] for entry in told if entry["event"] == "not shown yet"]
    assert pauses == [FIRST_PAUSE] * 4, "each lost answer waits a little, not longer and longer"
    assert set(_kinds(office.slack).values()) == {1}
    assert "verdict" in journal.refresh().posted


async def test_a_canvas_that_cannot_be_made_holds_no_message_up(office: Office) -> None:
    office.slack.faults.fail("canvases.create", "internal_error", times=50, status=503)
    journal = office.told(_told())
    await office.board.settle(journal)

    journal.append(*Story().offered().bodies)
    await office.board.settle(journal)

    case = journal.refresh()
    assert any(key.startswith("approval:") for key in case.posted)
    assert case.canvas is None


async def test_processes_that_share_a_folder_show_each_message_once(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        offices = [await stack.enter_async_context(open_office(slack, tmp_path)) for _ in range(3)]
        slack.faults.delay("chat.postMessage", 0.05)
        first, *rest = _told().bodies
        for number in range(2):
            assert offices[0].journals.create(f"inv-{number}", first)
        for body in [*rest, *(Noted(text=str(n)) for n in range(10))]:
            for number in range(2):
                journals = [office.journals.open(f"inv-{number}") for office in offices]
                journals[number % 3].append(body)
                for office, journal in zip(offices, journals, strict=True):
                    await office.board.changed(journal)
        everything = [office.board.settle(office.journals.open(f"inv-{n}")) for office in offices for n in range(2)]
        await asyncio.gather(*everything)

    heads = [m for m in slack.messages(CHANNEL) if not m.get("thread_ts") or m["thread_ts"] == m["ts"]]
    assert len([m for m in heads if m.get("metadata")]) == 2
    for number in range(2):
        posted = offices[0].journals.open(f"inv-{number}").refresh().posted
        thread = slack.messages(CHANNEL, posted["head"].ts)
        assert len(thread) == len(set(posted)), [m["text"] for m in thread]


@pytest.mark.parametrize("leaving", [False, True], ids=["patient", "one gives up"])
async def test_whoever_opens_a_thread_goes_first_then_what_is_final(leaving: bool) -> None:
    turns, order = Turns(), list[str]()
    inside = asyncio.Event()

    async def wait(name: str, rank: int) -> None:
        async with turns.take(rank):
            order.append(name)
            await inside.wait()

    waiting = [asyncio.create_task(wait(name, rank)) for name, rank in [("now", 2), ("reply", 2), ("verdict", 1)]]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(wait(name, rank)) for name, rank in [("head", 0), ("reply 2", 2)]]
    await asyncio.sleep(0)
    if leaving:
        waiting[1].cancel()
    inside.set()
    await asyncio.gather(*waiting, return_exceptions=True)

    left = ["now", "head", "verdict", "reply", "reply 2"]
    assert order == [name for name in left if not (leaving and name == "reply")]
    async with asyncio.timeout(60), turns.take(2):
        pass


async def test_a_cut_connection_is_noticed_within_seconds_and_the_next_command_is_heard(office: Office) -> None:
    (before,) = office.slack.socket.connections
    office.slack.cut()

    await office.slack.wait_for(lambda: set(office.slack.socket.connections) - {before}, 60, "a new connection")
    assert (await office.command("help"))["ok"]
    await office.hears("What I can do")


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled", "too_many_websockets"])
async def test_asked_to_go_it_comes_back_at_once(office: Office, reason: str) -> None:
    (before,) = office.slack.socket.connections
    await office.slack.disconnect(reason)

    await office.slack.wait_for(lambda: set(office.slack.socket.connections) - {before}, 60, "a new connection")
    assert (await office.command("help"))["ok"]


async def test_an_archived_channel_sends_the_rest_to_whoever_asked(office: Office) -> None:
    story = Story().opened().triaged()
    journal = await office.shown(story)
    told = len(story.entries)
    office.slack.faults.fail("chat.postMessage", "is_archived")
    office.slack.faults.fail("chat.update", "is_archived", times=5)

    journal.append(*list(story.supposed().tested().concluded().bodies)[told:])
    await office.board.settle(journal)

    posted = journal.refresh().posted
    assert posted["head"].channel == CHANNEL
    assert {posted[key].channel[0] for key in ("moved", "hypothesis:H1", "verdict")} == {"D"}
