"""The composition root: the only module that knows every concrete class, and puts them together.

Nothing heavy is imported before it is needed: Slack, the queue and the playground by the commands that use them.
"""

import asyncio
import gc
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
from pydantic import JsonValue

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.journal import Entry, Opened
from runbook_bot.domain.ports import Actuator, Clock, Directory, Inbox, Leases, Provider, SystemClock, Watcher
from runbook_bot.errors import JournalError, SettingsError
from runbook_bot.investigation.advance import Advance
from runbook_bot.investigation.aftermath import Aftermath
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.atlas import BRIEFLY, Atlas, Survey
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.remediation import Remediation
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World
from runbook_bot.knowledge.memory import KnowledgeBase
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.reasoning.modes import modes
from runbook_bot.settings import Settings
from runbook_bot.state.journals import FileJournals

if TYPE_CHECKING:
    from runbook_bot.providers.aws.provider import AwsProvider
    from runbook_bot.skills.running import Done
    from runbook_bot.skills.shelf import Shelf
    from runbook_bot.skills.skill import Skill
    from runbook_bot.slack.app import SlackDesk

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

CONCURRENT = 12
"""Investigations that one process works on at a time."""
RESUMED = timedelta(days=7)
DISCOVERED_WITHIN = 180.0
"""Seconds that somebody who asks for the service graph, and nothing else, waits for it."""
MOST_RESUMED = 500
"""Journals looked through at the start for what a crash left undone."""
CREDENTIALS = (
    "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip
"""Variables any of which says that AWS is meant to be asked."""


def journals(settings: Settings, clock: Clock | None = None) -> FileJournals:
    return FileJournals(settings.home / "scratchpad", clock or SystemClock())


def audit(settings: Settings) -> Audit:
    return Audit(settings.home / "audit")


def knowledge(settings: Settings) -> KnowledgeBase:
    return KnowledgeBase(settings.knowledge, settings.home)


def providers(settings: Settings, clock: Clock | None = None) -> Sequence[Provider]:
    """The vendors that are switched on, or whose credentials are there."""
    aws = aws_provider(settings, clock)
    return () if aws is None else (aws,)


def aws_provider(settings: Settings, clock: Clock | None = None) -> "AwsProvider | None":
    if not aws_wanted(settings):
        return None
    from runbook_bot.providers.aws.provider import AwsProvider

    return AwsProvider(settings.providers.aws, clock or SystemClock())


def unusable(settings: Settings) -> str:
    """What every call would lack to whom `providers` names, in one line; empty where nothing. Asks nobody."""
    if not aws_wanted(settings):
        return ""
    from runbook_bot.providers.aws.readiness import lacking

    return lacking(settings.providers.aws)


def actuators(
    settings: Settings, clock: Clock | None = None, *, vendors: Sequence[Provider] = ()
) -> Sequence[Actuator]:
    """`vendors`: whatever they remember is forgotten after a change."""
    if not aws_wanted(settings):
        return ()
    from runbook_bot.providers.aws.actuator import AwsActuator

    ambient = settings.safety.allow_ambient_credentials

    def forget() -> None:
        for each in vendors:
            each.forget()

    given = settings.providers.aws
    return (AwsActuator(given, clock or SystemClock(), allow_ambient_credentials=ambient, on_change=forget),)


def aws_wanted(settings: Settings) -> bool:
    """By the configuration, or because something in the environment says so."""
    environ = os.environ
    wanted = settings.providers.aws.enabled
    if wanted is not None:
        return wanted
    shared = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    return any(environ.get(name) for name in CREDENTIALS) or shared.is_file()


@dataclass(frozen=True)
class Thinking:
    """What it takes to go on with an investigation."""

    journals: FileJournals
    advance: Advance
    world: World
    atlas: Atlas


def atlas(settings: Settings, vendors: Sequence[Provider], clock: Clock, briefly: float = BRIEFLY) -> Atlas:
    """The service graph of these vendors, kept in `RUNBOOK_HOME`."""
    from runbook_bot.providers.aws.view import view
    from runbook_bot.state.graphs import FileGraphs

    kept = FileGraphs(settings.home / "state" / "graphs", {"aws": view(settings.providers.aws)})
    return Atlas(vendors, kept, clock, briefly)


def regions(settings: Settings) -> Sequence[str]:
    """The regions that are looked in."""
    from runbook_bot.providers.aws.places import regions_of

    return regions_of(settings.providers.aws).names


async def services(settings: Settings, *, anew: bool = False) -> Survey:
    """The service graph: what is written, and what the vendors show (however long that takes) merged into it."""
    clock = SystemClock()
    vendors = providers(settings, clock)
    maps = atlas(settings, vendors, clock, briefly=DISCOVERED_WITHIN)
    try:
        found = await maps.survey(DISCOVERED_WITHIN, anew=anew)
    finally:
        await maps.close()
    return Survey(settings.services.merged(found.graph), found.problems)


def thinking(
    settings: Settings,
    memory: KnowledgeBase,
    *,
    directory: Directory | None = None,
    watcher: Watcher | None = None,
    team: Callable[[], str] = str,
    on_entry: Callable[[Entry], None] = lambda _: None,
) -> Thinking:
    """The investigator with the vendors, the memory and the gate it works with."""
    clock = SystemClock()
    vendors = providers(settings, clock)
    maps = atlas(settings, vendors, clock)
    world = World(vendors, atlas=maps)
    hands = actuators(settings, clock, vendors=vendors)
    reasoner = CatalogueReasoner()
    gate = Gate(settings.safety, directory, hands, audit(settings), clock, team)
    triage = Triage(world, memory, settings.services, clock)
    kept = journals(settings, clock)
    advance = Advance(
        kept,
        Investigator(world, reasoner, triage, settings.agent, clock),
        Remediation(gate, hands, reasoner, memory),
        gate,
        Aftermath(world),
        watcher,
        clock,
        on_entry=on_entry,
    )
    return Thinking(kept, advance, world, maps)


async def investigate(
    settings: Settings, request: Request, *, on_entry: Callable[[Entry], None] = lambda _: None
) -> Investigation:
    """One investigation from the terminal, to its verdict. Raises `JournalError`, `SettingsError`."""
    memory = knowledge(settings)
    try:
        mind = thinking(settings, memory, on_entry=on_entry)
        id = f"inv-{secrets.token_hex(5)}"
        opened = Opened(request=request, reasoner=CatalogueReasoner.name)
        journal = await asyncio.to_thread(mind.journals.create, id, opened)
        if journal is None:
            raise JournalError(f"an investigation {id} exists already; try again")
        async with _leases(settings).hold(f"investigation:{id}"):
            try:
                await mind.advance(id)
            finally:
                await mind.atlas.close()
        return journal.refresh()
    finally:
        await memory.close()


def asker(settings: Settings, world: World, memory: KnowledgeBase) -> Asker:
    """Answers questions; what was asked for each is kept apart from the investigations."""
    clock = SystemClock()
    records = FileJournals(settings.home / "questions", clock)
    return Asker(world, memory, settings.services, clock, records=records)


async def ask(settings: Settings, put: Callable[[Asker], Awaitable[_T]]) -> _T:
    """Something asked from the terminal."""
    memory = knowledge(settings)
    try:
        mind = thinking(settings, memory)
        try:
            return await put(asker(settings, mind.world, memory))
        finally:
            await mind.atlas.close()
    finally:
        await memory.close()


def skills(settings: Settings) -> "Shelf":
    """The program's skills, and the team's, which win by name."""
    from runbook_bot.skills.shelf import core, shelf

    return shelf([core(), settings.home / "skills"])


async def run_skill(
    settings: Settings, skill: "Skill", values: Mapping[str, JsonValue], on_done: "Callable[[Done], object]"
) -> None:
    """A skill from the terminal, each step told as soon as it is done. Raises `RunbookError`."""
    from runbook_bot.skills.running import Doors, run

    async def put(asker: Asker) -> None:
        tools = [tool for vendor in providers(settings) for tool in vendor.tools]
        doors = Doors(asker, tools, lambda text: investigate(settings, Request(text=text)))
        async for done in run(skill, values, doors):
            on_done(done)

    await ask(settings, put)


def _leases(settings: Settings) -> Leases:
    from runbook_bot.state.leases import LocalLeases

    return LocalLeases(settings.home / "state" / "leases")


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
        stack.push_async_callback(mind.atlas.close)
        stack.push_async_callback(_cancelled, asyncio.create_task(_looking(mind.atlas, warming), name="discovery"))
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
        return _leases(settings), kept, f"memory://{secrets.token_hex(4)}"
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
