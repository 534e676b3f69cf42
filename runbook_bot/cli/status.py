"""`status`: the investigations that have a journal here, and the services that are known with what they depend on."""

import difflib
import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import JournalError, UsageError

if TYPE_CHECKING:
    from runbook_bot.domain.service import Service, ServiceGraph
    from runbook_bot.investigation.atlas import Survey
    from runbook_bot.settings import Settings


def status(
    service: Annotated[str | None, typer.Argument(help="A service: owner, what it needs, who needs it.")] = None,
    services: Annotated[bool, typer.Option("--services", help="All services that are known.")] = False,
    anew: Annotated[bool, typer.Option("--refresh", help="Look again, whatever is stored.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many investigations, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """List the latest investigations and how they stand; or show a service, or all services."""
    settings = edge.settings()
    if service is not None or services or anew:
        _show_services(settings, service, anew=anew, as_json=as_json)
        return
    _show_investigations(settings, limit, as_json=as_json)


def _show_services(settings: "Settings", name: str | None, *, anew: bool, as_json: bool) -> None:
    from runbook_bot import bootstrap

    survey = edge.run(bootstrap.services(settings, anew=anew))
    wanted = _named(survey.graph, name) if name is not None else None
    if as_json:
        terminal.say_json(_one_as_json(survey.graph, wanted) if wanted else _all_as_json(survey))
    else:
        _draw(survey, wanted)
    for problem in survey.problems:
        terminal.complain(problem)


def _named(graph: "ServiceGraph", name: str) -> "Service":
    found = graph.service(name)
    if found is None:
        known = [each.name for each in graph]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        listed = (
            f"{len(known)} are known; `status --services` lists them" if known else "`runbook-bot init` proposes some"
        )
        hint = f"did you mean {near[0]}?" if near else listed
        raise UsageError(f"no service {name[:80]!r} is known; {hint}")
    return found


def _draw(survey: "Survey", wanted: "Service | None") -> None:
    from runbook_bot.domain.ports import SystemClock
    from runbook_bot.investigation.picture import blast_radius, dated, overview, tree

    graph = survey.graph
    width = max(44, min(120, shutil.get_terminal_size((100, 24)).columns))
    lines = tree(graph, wanted, width=width) if wanted else overview(graph, width=width)
    for line in lines:
        terminal.say(terminal.drawn(line))
    hit = blast_radius(graph, [wanted.name]) if wanted else ""
    if hit:
        terminal.say(terminal.plain(hit))
    if not lines:
        terminal.say("No service is known: write services.yaml, or switch AWS on. `runbook-bot init` helps with both.")
    terminal.say(terminal.plain(f"{len(graph.services)} services, {dated(graph, SystemClock().now())}"))


def _one_as_json(graph: "ServiceGraph", service: "Service") -> dict[str, Any]:
    needed_by = [each.name for each in graph if service.name in each.depends_on]
    told = service.model_dump(mode="json", exclude={"depends_on", "resources"})
    return {
        **told,
        "depends_on": [_edge(graph, service.name, called) | {"service": called} for called in service.depends_on],
        "needed_by": [_edge(graph, caller, service.name) | {"service": caller} for caller in needed_by],
        "resources": [each.model_dump(mode="json", exclude_defaults=True) for each in service.resources],
    }


def _edge(graph: "ServiceGraph", caller: str, called: str) -> dict[str, Any]:
    found = [each.found for each in graph.reasons(caller, called)] or ["services.yaml"]
    return {"found": found, "guess": graph.guessed(caller, called)}


def _all_as_json(survey: "Survey") -> dict[str, Any]:
    from runbook_bot.domain.noun import iso

    seen = survey.graph.seen_at
    looks = [each.model_dump(mode="json", exclude={"services"}) for each in survey.graph.looks]
    return {
        "seen_at": iso(seen) if seen else None,
        "services": [_one_as_json(survey.graph, each) for each in survey.graph],
        "places": looks,
        "problems": list(survey.problems),
    }


def _show_investigations(settings: "Settings", limit: int, *, as_json: bool) -> None:
    from runbook_bot import bootstrap
    from runbook_bot.domain.noun import iso

    journals = bootstrap.journals(settings)
    rows = []
    for id in journals.ids()[:limit]:
        try:
            case = journals.open(id).refresh()
        except JournalError as problem:
            terminal.complain(f"left out: {problem}")
            continue
        cause = case.verdict.root_cause if case.verdict else None
        rows.append(
            {
                "id": case.id,
                "status": case.status,
                "title": case.title,
                "opened": iso(case.opened_at) if case.opened_at else None,
                "root_cause": cause.statement if cause else None,
                "confidence": cause.confidence if cause else None,
                "waiting_for_approval": [id for id, remedy in case.remedies.items() if remedy.state == "open"],
            }
        )
    if as_json:
        terminal.say_json(rows)
        return
    for row in rows:
        told = terminal.shortened(str(row["root_cause"] or row["title"]), 100)
        terminal.say(f"{row['id']}  {row['status']:<12}  {str(row['opened'] or '')[:19]:<19}  {told}")
    if not rows and not journals.ids():
        terminal.say(f"No investigation has a journal in {settings.home}.")
