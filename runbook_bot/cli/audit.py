"""`audit verify`, `export` and `replay`: what was asked, approved, run and concluded, and whether it still says so."""

from enum import StrEnum
from typing import Annotated

import typer

from runbook_bot.cli import edge, terminal, times
from runbook_bot.errors import RunbookError

app = typer.Typer(help="The record of every approval and change.", no_args_is_help=True, rich_markup_mode=None)


class Format(StrEnum):
    """How records are written."""

    jsonl = "jsonl"
    csv = "csv"


@app.command()
def verify(as_json: Annotated[bool, typer.Option("--json", help="A JSON list of what is wrong.")] = False) -> None:
    """Check every hash of the audit and of all journals; exit 1 where something was changed, removed or torn."""
    settings = edge.settings()
    from runbook_bot import bootstrap

    journals = bootstrap.journals(settings)
    audit = bootstrap.audit(settings)
    ids = journals.ids()
    found = [*audit.verify(), *(line for id in ids for line in journals.verify(id))]
    if as_json:
        terminal.say_json(found)
    else:
        for line in found:
            terminal.say(terminal.plain(line))
    if found:
        raise RunbookError(f"{_count(len(found), 'fault')} in the audit and {_count(len(ids), 'journal')}")
    if not as_json:
        terminal.say(f"Intact: {_count(len(audit.records()), 'audit record')} and {_count(len(ids), 'journal')}.")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


@app.command()
def replay(
    investigation: Annotated[str, typer.Argument(metavar="ID", help="The investigation, inv-…")],
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as JSON.")] = False,
) -> None:
    """Conclude an investigation again from its journal, without asking anybody; exit 1 where the verdict differs."""
    settings = edge.settings()
    from runbook_bot import bootstrap

    found = edge.run(bootstrap.replay(settings, investigation))
    if as_json:
        verdict = found.again.verdict
        terminal.say_json(
            {
                "identical": found.identical,
                "differences": list(found.differences),
                "missing": list(found.missing),
                "verdict": verdict.model_dump(mode="json") if verdict else None,
            }
        )
    for line in () if as_json else (*found.differences, *(f"not answered then: {each}" for each in found.missing)):
        terminal.say(terminal.plain(line))
    if not found.identical:
        raise RunbookError(f"{investigation} does not replay to the verdict in its journal")
    if not as_json:
        counts = _count(len(found.again.evidence), "piece") + " of evidence"
        terminal.say(f"Identical: {counts} from {_count(len(found.again.asked), 'answer')} lead to the same verdict.")


@app.command()
def export(
    since: Annotated[str | None, typer.Option(help=f"From when on: {times.FORMS}.")] = None,
    format: Annotated[Format, typer.Option(help="JSON lines or CSV.")] = Format.jsonl,
) -> None:
    """Print the records of the audit."""
    from runbook_bot.domain.ports import SystemClock

    begin = times.moment("--since", since, SystemClock().now()) if since is not None else None
    settings = edge.settings()
    from runbook_bot import bootstrap

    for line in bootstrap.audit(settings).export(begin, format.value):
        terminal.say(line)
