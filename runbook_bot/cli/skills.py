"""`skills list`, `show` and `run`: what the team wants done the same way every time."""

from typing import TYPE_CHECKING, Annotated

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook_bot.domain.noun import Json
    from runbook_bot.settings import Settings
    from runbook_bot.skills.running import Done
    from runbook_bot.skills.shelf import Shelf

app = typer.Typer(help="Skills: what is done the same way every time.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="See `skills list`.")]


def _shelf(settings: "Settings") -> "Shelf":
    from runbook_bot import bootstrap

    found = bootstrap.skills(settings)
    for warning in found.warnings:
        terminal.complain(f"note: {warning}")
    return found


@app.command("list")
def listed(as_json: AsJson = False) -> None:
    """List the skills: those that come with the program, and the team's in RUNBOOK_HOME/skills."""
    found = _shelf(edge.settings()).skills
    if as_json:
        terminal.say_json([{"name": each.name, "description": each.description} for each in found])
        return
    for each in found:
        terminal.say(each.name)
        terminal.say(f"    {terminal.shortened(each.description, 110)}")


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what a skill is for, what it has to be told, and its steps."""
    skill = _shelf(edge.settings()).skill(name)
    if as_json:
        terminal.say_json(skill.model_dump(mode="json", exclude_defaults=True, by_alias=True))
        return
    terminal.say(f"{skill.name}: {terminal.plain(skill.description)}")
    for each in skill.arguments:
        need = "needed" if each.required else f"else {each.default}" if each.default is not None else "may be left out"
        terminal.say(f"  {each.name} ({each.type.replace('_', ' ')}, {need}): {terminal.plain(each.description)}")
    for number, step in enumerate(skill.steps, 1):
        done = step.query or step.ask or step.investigate
        terminal.say(f"  {number}. {terminal.plain(step.title)}: {terminal.plain(done)}")
    terminal.say()
    for line in skill.body.splitlines():
        terminal.say(terminal.plain(line))


@app.command()
def run(
    name: Name,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGUMENT=VALUE]...", help="What it has to be told.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Carry a skill out here, step by step. It reads; a change is only ever proposed, and people approve it."""
    settings = edge.settings()
    skill = _shelf(settings).skill(name)
    given = {}
    for each in arguments or []:
        key, mark, value = each.partition("=")
        if not mark or not key.strip():
            raise UsageError(f"{each[:60]!r} is no argument: write it as name=value")
        given[key.strip().replace("-", "_")] = value
    values = skill.told(given)
    from runbook_bot import bootstrap

    if not bootstrap.providers(settings):
        from runbook_bot.cli.investigate import NOBODY_TO_ASK

        raise UsageError(NOBODY_TO_ASK)
    if lack := bootstrap.unusable(settings):
        raise UsageError(lack)
    steps: list[Done] = []

    def told(done: "Done") -> None:
        steps.append(done)
        if not as_json:
            _say(done)

    edge.run(bootstrap.run_skill(settings, skill, values, told))
    if as_json:
        terminal.say_json({"skill": skill.name, "arguments": values, "steps": [_data(each) for each in steps]})
    blind = [each.answer for each in steps if each.answer is not None and each.answer.blind]
    if blind and not any(each.case or (each.answer and not each.answer.blind) for each in steps):
        raise RunbookError(f"nothing could be seen: {terminal.shortened(next(iter(blind[0].unseen), ''), 200)}")


def _say(done: "Done") -> None:
    from runbook_bot.cli.ask import lines

    terminal.say(f"== {terminal.plain(done.title)}")
    if done.left_out:
        terminal.say(f"Left out: {terminal.plain(done.left_out)}.")
    for line in lines(done.answer) if done.answer else ():
        terminal.say(line)
    if done.case is not None:
        cause = done.case.verdict.root_cause if done.case.verdict else None
        said = f"{cause.statement} ({cause.confidence:.0%})" if cause else "inconclusive"
        terminal.say(f"{done.case.id}: {terminal.plain(said if done.case.verdict else done.case.failure)}")
        for line in cause.causal_chain if cause else ():
            terminal.say(f"  - {terminal.plain(line)}")
    terminal.say()


def _data(done: "Done") -> "Json":
    from runbook_bot.cli.ask import as_data
    from runbook_bot.domain.redaction import redact_json

    found: Json = {"title": done.title}
    if done.left_out:
        found["left_out"] = done.left_out
    if done.answer:
        found["answer"] = as_data(done.answer)
    if done.case is not None:
        verdict = done.case.verdict.model_dump(mode="json") if done.case.verdict else None
        found |= {"investigation": done.case.id, "status": done.case.status, "verdict": redact_json(verdict or {})}
    return found
