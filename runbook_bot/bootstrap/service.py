"""What runs until it is told to stop: the Slack app, its workers, and the world in a box."""

import asyncio
import gc
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from runbook_bot.bootstrap.parts import asker, knowledge, leases, thinking
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.ports import Inbox, Leases, SystemClock
from runbook_bot.errors import JournalError, SettingsError
from runbook_bot.investigation.atlas import Atlas
from runbook_bot.investigation.world import World
from runbook_bot.knowledge.memory import KnowledgeBase
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.reasoning.modes import modes
from runbook_bot.settings import Settings
from runbook_bot.state.journals import FileJournals

if TYPE_CHECKING:
    from runbook_bot.slack.app import SlackDesk

_log = structlog.get_logger(__name__)

CONCURRENT = 12
"""Investigations that one process works on at a time."""
RESUMED = timedelta(days=7)
MOST_RESUMED = 500
"""Journals looked through at the start for what a crash left undone."""


@dataclass(frozen=True)
class Service:
    """What runs: the desk, where there is one, and the task that gets ready what is slow the first time."""

    desk: "SlackDesk | None"
    warming: "asyncio.Task[None]"


@asynccontextmanager
async def running(settings: Settings, *, desk: bool, worker: bool) -> AsyncIterator["Service"]:
    """The service: the Slack app (where `desk`), workers (where `worker`), and what they share; all closed at the end.

    Raises `SettingsError` for what is missing, `DeskError` where Slack cannot be reached.
    """
    from runbook_bot.slack.app import SlackDesk
    from runbook_bot.slack.board import Board
    from runbook_bot.slack.connection import Connection
    from runbook_bot.slack.directory import SlackDirectory
    from runbook_bot.slack.outbox import Outbox
    from runbook_bot.state.queue import DocketQueue

    async with AsyncExitStack() as stack:
        connection = Connection(settings.incident.slack, api_url=settings.slack_api_url, listens=desk)
        stack.push_async_callback(connection.close)
        outbox = Outbox(connection.writing)
        stack.push_async_callback(outbox.close)
        directory = SlackDirectory(connection)
        memory = knowledge(settings)
        stack.push_async_callback(memory.close)
        leases, inbox, url = await _state(settings, stack)
        board = Board(connection, outbox, leases)
        stack.push_async_callback(board.close)
        mind = thinking(settings, memory, directory=directory, watcher=board, team=lambda: connection.team)
        warming = asyncio.create_task(_warm(mind.world, memory), name="warming")
        stack.push_async_callback(_cancelled, warming)
        stack.push_async_callback(mind.close)
        if mind.atlas is not None:
            looking = asyncio.create_task(_looking(mind.atlas, warming), name="discovery")
            stack.push_async_callback(_cancelled, looking)
        await connection.workspace()
        queue = DocketQueue(url, "runbook", mind.advance, CONCURRENT, leases=leases, given_up=mind.advance.give_up)
        await stack.enter_async_context(queue)
        if worker:
            await stack.enter_async_context(queue.working())
        slack = None
        if desk:
            slack = SlackDesk(
                connection,
                outbox,
                directory,
                journals=mind.journals,
                queue=queue,
                inbox=inbox,
                knowledge=memory,
                asker=asker(settings, mind.world, memory),
                clock=SystemClock(),
                reasoner=CatalogueReasoner.name,
            )
            stack.push_async_callback(slack.stop)
            await slack.start()
        await queue.resume(await asyncio.to_thread(unfinished, mind.journals, SystemClock().now()))
        _log.info("ready", desk=desk, worker=worker)
        yield Service(slack, warming)


async def _warm(world: World, memory: KnowledgeBase) -> None:
    """Does what is slow the first time while nobody waits for it yet: vendors' clients, the catalogue, the runbooks."""
    from runbook_bot.errors import KnowledgeError

    await world.prepare()
    await asyncio.to_thread(modes)
    try:
        await memory.sync()
    except KnowledgeError as problem:
        _log.warning("the runbooks could not be read", problem=str(problem))
    await world.discover()
    # All that was imported stays: a collector that need not walk it does not stop everybody for a fifth of a second.
    gc.freeze()


async def _looking(maps: Atlas, warming: "asyncio.Task[None]") -> None:
    """Keeps the service graph fresh, once all else is ready."""
    await asyncio.wait([warming])
    await maps.keep_fresh()


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def unfinished(kept: FileJournals, now: datetime) -> list[str]:
    """Investigations with something left to do or to show: a crash, a restart, a proposal whose time runs out.

    Only journals that were written to in the last week are read, the newest 500 of them: what is older is over, and
    goes on as soon as somebody presses or asks something in it.
    """
    from runbook_bot.slack.views.thread import unshown

    found = []
    for id in kept.touched(now - RESUMED)[:MOST_RESUMED]:
        try:
            case = kept.open(id).refresh()
        except JournalError as problem:
            _log.warning("an investigation cannot be resumed", investigation=id, problem=str(problem))
            continue
        waiting = any(_waits(remedy) for remedy in case.remedies.values())
        searching = case.verdict is not None and not case.remedied
        if searching or waiting or _asked_for(case) or unshown(case):
            found.append(id)
    return found


def _asked_for(case: Investigation) -> bool:
    """Whether people wait for a verdict, for what they said to be weighed in it, or for a way back."""
    return case.status == "open" or case.reopened or bool(case.unsteered or case.unanswered)


def _waits(remedy: Remedy) -> bool:
    return remedy.state in ("open", "approved", "running") or (remedy.state == "executed" and remedy.verified is None)


async def _state(settings: Settings, stack: AsyncExitStack) -> tuple[Leases, Inbox, str]:
    """Leases, inbox and the queue's address: on this machine's disk, or in Redis."""
    from runbook_bot.state.connection import reach, redis_client
    from runbook_bot.state.inbox import RedisInbox, SqliteInbox
    from runbook_bot.state.leases import RedisLeases

    redis = redis_client(settings.state)
    if redis is None or settings.state.redis_url is None:
        kept = SqliteInbox(settings.home / "state" / "inbox.db")
        stack.callback(kept.close)
        return leases(settings), kept, f"memory://{secrets.token_hex(4)}"
    stack.push_async_callback(redis.aclose)
    await reach(redis)
    return RedisLeases(redis), RedisInbox(redis), settings.state.redis_url.get_secret_value()


async def serve(settings: Settings, *, worker: bool) -> None:
    """Runs until it is cancelled."""
    if not worker and settings.state.redis_url is None:
        raise SettingsError("--no-worker needs REDIS_URL: without it no other process can take the work")
    async with running(settings, desk=True, worker=worker):
        await asyncio.Event().wait()


async def work(settings: Settings) -> None:
    """Runs until it is cancelled."""
    if settings.state.redis_url is None:
        raise SettingsError("`worker` needs REDIS_URL (or state.redis_url): it is how work reaches it")
    async with running(settings, desk=False, worker=True):
        await asyncio.Event().wait()


async def demo(scenario: str, *, port: int, headless: bool, say: Callable[[str], None] = print) -> int:
    """The world in a box. Returns the exit code; without `headless` it runs until it is cancelled."""
    from runbook_bot.playground.box import Box
    from runbook_bot.playground.story import play

    async with Box(scenario, port=port) as box:
        os.environ.update(box.environment())
        settings = Settings.load(box.home, os.environ)
        async with running(settings, desk=True, worker=True) as service:
            await service.warming  # a person types at once what the terminal tells them to
            if headless:
                return await play(box, say)
            say(box.welcome())
            await asyncio.Event().wait()
    return 0
