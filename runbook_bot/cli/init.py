"""`init`: a services.yaml and a config.yaml to begin with, from what is there or from a template."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import ProviderError, UsageError

if TYPE_CHECKING:
    from runbook_bot.settings import Settings

PROPOSED = "services.proposed.yaml"
_SHOWN = 40


def init(
    template: Annotated[
        str | None,
        typer.Option(help="Begin without discovery: ecs-rds, serverless or enterprise."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Propose services.yaml and config.yaml; what is there already is never overwritten."""
    settings = edge.settings()
    told = _from_template(settings, template) if template is not None else _discovered(settings)
    if as_json:
        terminal.say_json(told)
        return
    for line in _lines(told):
        terminal.say(terminal.plain(line))


def _from_template(settings: "Settings", name: str) -> dict[str, Any]:
    from runbook_bot.settings import proposal

    if name not in proposal.TEMPLATES:
        raise UsageError(f"--template: there is no {name[:40]!r}; there are {', '.join(proposal.TEMPLATES)}")
    config, services = proposal.template(name)
    return _result(settings, {"config.yaml": config, "services.yaml": services})


def _discovered(settings: "Settings") -> dict[str, Any]:
    from runbook_bot import bootstrap
    from runbook_bot.domain.ports import SystemClock
    from runbook_bot.investigation.picture import dated
    from runbook_bot.settings import proposal

    survey = edge.run(bootstrap.services(settings, anew=True))
    graph = survey.graph
    if not graph.looks:
        why = "; ".join(survey.problems) or "no vendor is switched on and no AWS credentials are there"
        raise ProviderError(
            f"nothing can be discovered: {why}. Without access yet, `runbook-bot init --template ecs-rds` writes files "
            "to begin with"
        )
    config = proposal.config(bootstrap.regions(settings))
    services = proposal.services(graph, dated(graph, SystemClock().now()))
    told = _result(settings, {"config.yaml": config, "services.yaml": services})
    new = [] if settings.services.services == () else proposal.additions(settings.services, graph)
    if "services.yaml" in told["kept"] and new:
        told["proposed"] = _propose(settings.home / PROPOSED, services)
    return told | {
        "services": len(proposal.chosen(graph)[0]),
        "additions": new,
        "unseen": [f"{look.place}: {each}" for look in graph.looks for each in look.unseen],
    }


def _propose(path: Path, text: str) -> str | None:
    from runbook_bot.settings import proposal
    from runbook_bot.settings.laying import lay

    return path.name if lay(path, text, over=proposal.MARK) else None


def _result(settings: "Settings", files: dict[str, str]) -> dict[str, Any]:
    from runbook_bot.settings.laying import folder, lay

    laid = {name: lay(settings.home / name, text) for name, text in files.items()}
    folder(settings.home / "runbooks")
    return {
        "home": str(settings.home),
        "written": [name for name, new in laid.items() if new],
        "kept": [name for name, new in laid.items() if not new],
        "proposed": None,
    }


def _lines(told: dict[str, Any]) -> list[str]:
    home = told["home"]
    lines = [f"{home}/{name} is written." for name in told["written"]]
    lines += [f"{home}/{name} is there already and was left as it is." for name in told["kept"]]
    new = told.get("additions", [])
    if new:
        lines += ["What was discovered and is not in it:", *new[:_SHOWN]]
        lines += [f"and {len(new) - _SHOWN} more"] if len(new) > _SHOWN else []
    elif "services.yaml" in told["kept"] and "services" in told:
        lines.append("It names all that was discovered.")
    if told["proposed"]:
        lines.append(f"{home}/{told['proposed']} holds both together; discovery uses them anyway.")
    lines += [f"Not seen: {each}" for each in told.get("unseen", [])]
    return [*lines, "Next: correct services.yaml, put runbooks into runbooks/, and ask `runbook-bot doctor`."]
