"""`doctor`: what is configured, whether it answers, and how to get what is missing."""

import os
from typing import Annotated

import typer

from runbook_bot.cli import edge, terminal


def doctor(as_json: Annotated[bool, typer.Option("--json", help="A JSON list of the checks.")] = False) -> None:
    """Check each configured part and say what is missing and how to get it."""
    edge.log_quietly()
    from runbook_bot.doctor import examine

    checks = edge.run(examine(os.environ))
    if as_json:
        terminal.say_json([vars(check) for check in checks])
    else:
        width = max(len(check.part) for check in checks)
        for check in checks:
            terminal.say(f"{check.state:<7}  {terminal.plain(check.part):<{width}}  {terminal.plain(check.text)}")
            if check.remedy:
                terminal.say(f"{'':<7}  {'':<{width}}  → {terminal.plain(check.remedy)}")
    failed = sum(check.state == "failed" for check in checks)
    if failed:
        terminal.complain(f"{failed} of {len(checks)} checks failed")
        raise typer.Exit(1)
