"""`status`: the investigations that have a journal here."""

from typing import Annotated

import typer

from runbook_bot.cli import edge, terminal


def status(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the latest investigations and how they stand."""
    settings = edge.settings()
    from runbook_bot import bootstrap
    from runbook_bot.domain.noun import iso

    journals = bootstrap.journals(settings)
    rows = []
    for id in journals.ids()[:limit]:
        case = journals.open(id).refresh()
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
    if not rows:
        terminal.say(f"No investigation has a journal in {settings.home}.")
