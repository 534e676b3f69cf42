"""What a command in the terminal has done: an investigation, a question, a skill."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from pydantic import JsonValue

from runbook_bot.bootstrap.parts import asker, journals, knowledge, leases, providers, thinking
from runbook_bot.domain.incident import Request
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Entry, Opened
from runbook_bot.errors import JournalError
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.replay import Replay, replayed
from runbook_bot.providers.snapshot.snapshot import Snapshot
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.settings import Settings

if TYPE_CHECKING:
    from runbook_bot.skills.running import Done
    from runbook_bot.skills.shelf import Shelf
    from runbook_bot.skills.skill import Skill

_T = TypeVar("_T")


async def investigate(
    settings: Settings,
    request: Request,
    *,
    on_entry: Callable[[Entry], None] = lambda _: None,
    snapshot: Snapshot | None = None,
) -> Investigation:
    """One investigation from the terminal, to its verdict. Raises `JournalError`, `SettingsError`."""
    memory = knowledge(settings)
    try:
        mind = thinking(settings, memory, on_entry=on_entry, snapshot=snapshot)
        id = f"inv-{secrets.token_hex(5)}"
        opened = Opened(request=request, reasoner=CatalogueReasoner.name)
        journal = await asyncio.to_thread(mind.journals.create, id, opened)
        if journal is None:
            raise JournalError(f"an investigation {id} exists already; try again")
        async with leases(settings).hold(f"investigation:{id}"):
            try:
                await mind.advance(id)
            finally:
                await mind.close()
        return journal.refresh()
    finally:
        await memory.close()


async def replay(settings: Settings, id: str) -> Replay:
    """An investigation once more, from its journal alone. Raises `JournalError`."""
    kept = journals(settings).open(id)
    entries = await asyncio.to_thread(lambda: list(kept.entries()))
    return await replayed(id, entries, CatalogueReasoner(), settings.agent)


async def ask(settings: Settings, put: Callable[[Asker], Awaitable[_T]]) -> _T:
    """Something asked from the terminal."""
    memory = knowledge(settings)
    try:
        mind = thinking(settings, memory)
        try:
            return await put(asker(settings, mind.world, memory))
        finally:
            await mind.close()
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
