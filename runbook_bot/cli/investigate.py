"""`investigate`: one investigation in the terminal, live, and its result as text or JSON."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_bot.cli import edge, terminal, times
from runbook_bot.errors import RunbookError, SettingsError, UsageError

if TYPE_CHECKING:
    from runbook_bot.domain.incident import Request
    from runbook_bot.providers.snapshot.snapshot import Snapshot

LONGEST = 40_000
"""Characters; as long as the longest message that Slack takes."""

NOBODY_TO_ASK = (
    "there is no system to ask: set AWS_PROFILE or AWS_ACCESS_KEY_ID (reading is enough), or AWS_ENDPOINT_URL; "
    "where the machine itself has a role, set providers.aws.enabled to true"
)


class ReasonerName(StrEnum):
    """Who thinks."""

    catalogue = "catalogue"


def investigate(
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="What hurts, in words, or the name of a CloudWatch alarm; `-` reads it."),
    ] = None,
    service: Annotated[str | None, typer.Option(help="The service that hurts.")] = None,
    at: Annotated[str | None, typer.Option(help=f"When it hurt: {times.FORMS}.")] = None,
    since: Annotated[str | None, typer.Option(help="Where the window begins.")] = None,
    until: Annotated[str | None, typer.Option(help="Where the window ends; now if not given.")] = None,
    snapshot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A frozen incident to look at instead of anything live.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")] = False,
    reasoner: Annotated[ReasonerName, typer.Option(help="Who proposes and judges.")] = ReasonerName.catalogue,
) -> None:
    """Investigate an incident here in the terminal and name its root cause, or say plainly that it cannot."""
    frozen = _frozen(snapshot) if snapshot else None
    if frozen is not None and text is None:
        from runbook_bot.domain.noun import iso

        text, service = frozen.text, service or frozen.service
        at = at or (iso(frozen.at) if frozen.at and not since and not until else None)
    text = terminal.typed().decode(errors="replace") if text == "-" else text or ""
    request = _request(text, service, at, since, until, frozen)
    settings = edge.settings()
    from runbook_bot import bootstrap
    from runbook_bot.cli.progress import Progress
    from runbook_bot.investigation.report import report

    if frozen is None:
        if not bootstrap.providers(settings):
            raise SettingsError(NOBODY_TO_ASK)
        if lack := bootstrap.unusable(settings):
            raise SettingsError(lack)
    progress = Progress(sys.stderr if as_json else sys.stdout)
    began = time.monotonic()
    case = edge.run(bootstrap.investigate(settings, request, on_entry=progress.show, snapshot=frozen))
    seconds = time.monotonic() - began
    journal = bootstrap.journals(settings).open(case.id).location
    if as_json:
        terminal.say_json(report(case, journal, seconds))
    else:
        progress.summarise(case, journal, seconds)
    if case.status == "failed":
        raise RunbookError(case.failure)


def _frozen(folder: Path) -> "Snapshot":
    from runbook_bot.providers.snapshot.reading import read_snapshot

    return read_snapshot(folder)


def _request(
    text: str, service: str | None, at: str | None, since: str | None, until: str | None, frozen: "Snapshot | None"
) -> "Request":
    from runbook_bot.domain.incident import Request, Source
    from runbook_bot.domain.ports import SystemClock

    text = text.encode("utf-8", "replace").decode().strip()
    if not any(each.isalnum() for each in terminal.plain(text)):
        raise UsageError("say what hurts, for example: runbook-bot investigate 'checkout is slow since 10:40'")
    if len(text) > LONGEST:
        raise UsageError(f"the description has {len(text):,} characters; {LONGEST:,} is the most that is read")
    if service is not None and not service.strip():
        raise UsageError("--service is empty; name the service that hurts")
    middle, begin, end = times.window(at, since, until, frozen.now if frozen else SystemClock().now())
    return Request(text=text, source=Source.manual, service=service, at=middle, since=begin, until=end)
