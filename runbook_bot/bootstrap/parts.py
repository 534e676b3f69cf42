"""The parts, each made from the settings: vendors, memory, gate, and the mind that works with them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_bot.approval.audit import Audit
from runbook_bot.approval.gate import Gate
from runbook_bot.domain.journal import Entry
from runbook_bot.domain.ports import Actuator, Clock, Directory, Leases, Provider, SystemClock, Watcher
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.investigation.advance import Advance
from runbook_bot.investigation.aftermath import Aftermath
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.atlas import BRIEFLY, Atlas, Survey
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.remediation import Remediation
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World
from runbook_bot.knowledge.memory import KnowledgeBase
from runbook_bot.providers.snapshot.provider import SnapshotProvider, Stopped
from runbook_bot.providers.snapshot.snapshot import Snapshot
from runbook_bot.reasoning.catalogue import CatalogueReasoner
from runbook_bot.settings import Settings
from runbook_bot.state.journals import FileJournals

if TYPE_CHECKING:
    from runbook_bot.providers.aws.provider import AwsProvider


DISCOVERED_WITHIN = 180.0
"""Seconds that somebody who asks for the service graph, and nothing else, waits for it."""
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
    found: list[Provider] = []
    if (aws := aws_provider(settings, clock)) is not None:
        found.append(aws)
    if settings.observability.prometheus.url:
        from runbook_bot.providers.prometheus.provider import PrometheusProvider

        found.append(PrometheusProvider(settings.observability.prometheus))
    return tuple(found)


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
    environ, aws = os.environ, settings.providers.aws
    if aws.enabled is not None:
        return aws.enabled
    if aws.profile or aws.accounts:
        return True
    shared = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    return any(environ.get(name) for name in CREDENTIALS) or shared.is_file()


@dataclass(frozen=True)
class Thinking:
    """What it takes to go on with an investigation."""

    journals: FileJournals
    advance: Advance
    world: World
    atlas: Atlas | None
    """None for a snapshot, which holds its own."""

    async def close(self) -> None:
        if self.atlas is not None:
            await self.atlas.close()


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
    snapshot: Snapshot | None = None,
) -> Thinking:
    """The investigator with the vendors, the memory and the gate it works with.

    With a snapshot, that is the only vendor there is, nothing can be changed, and the time is its own.
    """
    clock: Clock = Stopped(snapshot) if snapshot else SystemClock()
    vendors = (SnapshotProvider(snapshot),) if snapshot else providers(settings, clock)
    maps = None if snapshot else atlas(settings, vendors, clock)
    world = World(vendors, atlas=maps)
    hands = () if snapshot else actuators(settings, clock, vendors=vendors)
    reasoner = CatalogueReasoner()
    gate = Gate(settings.safety, directory, hands, audit(settings), clock, team)
    triage = Triage(world, memory, ServiceGraph() if snapshot else settings.services, clock)
    kept = journals(settings)
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


def asker(settings: Settings, world: World, memory: KnowledgeBase) -> Asker:
    """Answers questions; what was asked for each is kept apart from the investigations."""
    clock = SystemClock()
    records = FileJournals(settings.home / "questions", clock)
    return Asker(world, memory, settings.services, clock, records=records)


def leases(settings: Settings) -> Leases:
    from runbook_bot.state.leases import LocalLeases

    return LocalLeases(settings.home / "state" / "leases")
