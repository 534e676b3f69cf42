"""A loopback Slack, real journals and a real inbox on disk, and the desk and the board connected to them."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.ports import Inbox, SystemClock
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.world import World
from runbook_bot.playground.slack import LoopbackSlack, Person, Room, Workspace
from runbook_bot.slack.app import SlackDesk
from runbook_bot.slack.board import Board
from runbook_bot.slack.config import SlackSettings
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.directory import SlackDirectory
from runbook_bot.slack.outbox import Outbox
from runbook_bot.state.inbox import SqliteInbox
from runbook_bot.state.journals import FileJournal, FileJournals
from runbook_bot.state.leases import LocalLeases
from tests.investigation.town import Town, market
from tests.slack.story import CHANNEL, ID, Story

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


@dataclass
class Woken:
    """The queue, as a list of whom it was asked to wake."""

    ids: list[str] = field(default_factory=list)

    async def advance(self, investigation: str, *, at: datetime | None = None) -> None:
        del at
        self.ids.append(investigation)


class Shelf:
    """A knowledge base of one runbook."""

    async def search(self, text: str, *, services: Iterable[str] = (), top: int = 8) -> Sequence[Passage]:
        del services, top
        if "checkout" not in text:
            return ()
        found = Passage(document="checkout.md", kind="runbook", title="Checkout", text="Roll <back> it.", score=1.0)
        return (found,)

    async def steps(self, passage: Passage) -> Sequence[str]:
        return (passage.text,)


@dataclass
class Office:
    """Everything a test of the desk wants to touch."""

    slack: LoopbackSlack
    connection: Connection
    outbox: Outbox
    directory: SlackDirectory
    journals: FileJournals
    inbox: SqliteInbox
    queue: Woken
    board: Board
    desk: SlackDesk
    town: Town
    """The world that questions are put to."""

    async def command(self, text: str, user: str = "U0ROSA", channel: str = CHANNEL) -> dict[str, Any]:
        return await self.slack.act({"do": "command", "user": user, "channel": channel, "text": text})

    async def mention(self, text: str, thread: str | None = None, user: str = "U0ROSA") -> str:
        body: dict[str, Any] = {"do": "message", "user": user, "channel": CHANNEL, "text": f"<@U0RUNBOOK> {text}"}
        if thread:
            body["thread_ts"] = thread
        done = await self.slack.act(body)
        assert done["ok"], done
        return str(done["ts"])

    async def click(self, message_ts: str, action: str, user: str, value: str | None = None) -> dict[str, Any]:
        message = next(m for m in self.slack.messages(CHANNEL) if m["ts"] == message_ts)
        block = next(b for b in message["blocks"] if any(e.get("action_id") == action for e in b.get("elements", [])))
        done = await self.slack.act(
            {
                "do": "click",
                "user": user,
                "channel": CHANNEL,
                "message_ts": message_ts,
                "block_id": block["block_id"],
                "action_id": action,
            }
        )
        assert done["ok"], done
        return done

    def said(self, text: str, channel: str = CHANNEL) -> list[dict[str, Any]]:
        return [m for m in self.slack.messages(channel) if text in str(m.get("text", ""))]

    async def hears(self, text: str, channel: str = CHANNEL) -> dict[str, Any]:
        """Waits until somebody is told this."""
        found = await self.slack.wait_for(lambda: self.said(text, channel), 60, f"“{text}” in {channel}")
        return found[-1]

    def told(self, story: Story) -> FileJournal:
        """The story on disk."""
        first, *rest = story.bodies
        journal = self.journals.create(ID, first)
        assert journal is not None
        journal.append(*rest)
        return journal

    async def shown(self, story: Story) -> FileJournal:
        """The story on disk and in Slack."""
        journal = self.told(story)
        await self.board.settle(journal)
        return journal


def acme() -> Workspace:
    """The demo's people, the app as the manifest installs it, and a channel that is shared with another company."""
    demo = Workspace.demo(MANIFEST)
    shared = Room("C0SHARED", "with-partner", ("U0ROSA", "U0RUNBOOK"), shared=True)
    return replace(demo, rooms=(*demo.rooms, shared), people=(*demo.people, Person("U0EVE", "eve", "Eve", is_bot=True)))


def settings(slack: LoopbackSlack) -> SlackSettings:
    return SlackSettings(bot_token=SecretStr(slack.bot_token), app_token=SecretStr(slack.app_token))


@contextlib.asynccontextmanager
async def open_office(
    slack: LoopbackSlack, folder: Path, inbox: Inbox | None = None, town: Town | None = None
) -> AsyncIterator[Office]:
    """A process of the bot: built, but not connected."""
    connection = Connection(settings(slack), api_url=slack.api_url)
    outbox = Outbox(connection.writing)
    directory = SlackDirectory(connection)
    journals, queue, disk = FileJournals(folder / "scratchpad", SystemClock()), Woken(), SqliteInbox(folder / "inbox")
    town = town or market()
    desk = SlackDesk(
        connection,
        outbox,
        directory,
        journals=journals,
        queue=queue,
        inbox=inbox or disk,
        knowledge=Shelf(),
        asker=Asker(World([town]), Shelf(), town.graph, SystemClock()),
        clock=SystemClock(),
        reasoner="catalogue",
    )
    board = Board(connection, outbox, LocalLeases(folder / "leases"), patience=60)
    try:
        yield Office(slack, connection, outbox, directory, journals, disk, queue, board, desk, town)
    finally:
        await desk.stop()
        await board.close()
        await outbox.close()
        await connection.close()
        disk.close()


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack(acme()) as running:
        # a busy machine is no reason to fail; who tests being late says so
        running.socket.ack_limit = running.state.trigger_life = 30.0
        yield running


@pytest.fixture
async def office(slack: LoopbackSlack, tmp_path: Path) -> AsyncIterator[Office]:
    """Connected over the real WebSocket."""
    async with open_office(slack, tmp_path) as found:
        await found.desk.start()
        yield found
