"""`eval`: how good the engine is, in numbers: on worlds made for it, on incidents of others, and how sure it may be."""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import RunbookError

if TYPE_CHECKING:
    from runbook_bot.evaluation.marking import Mark
    from runbook_bot.evaluation.worker import Outcome
    from runbook_bot.evaluation.worlds.case import Case

app = typer.Typer(no_args_is_help=True, help="Examine the engine: accuracy, honesty, time.")

MINUTES = 45
PUBLIC = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Beside a checkout of the program."""
WORKERS = max(1, min(4, os.cpu_count() or 1))


class Which(StrEnum):
    """The part one looks at, the part one only counts, or both."""

    seen = "seen"
    unseen = "unseen"
    all = "all"


Limit = Annotated[int | None, typer.Option(min=1, help="Examine so many of the cases, drawn by lot.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Other worlds of the same kinds.")]
Workers = Annotated[int, typer.Option(min=1, max=32, help="Worlds side by side.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="When they are over, no further case is begun.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON and nothing else.")]


@app.command()
def scenarios(
    part: Annotated[Which, typer.Option(help="Of the unseen part only numbers are told.")] = Which.all,
    limit: Limit = None,
    seed: Seed = None,
    workers: Workers = WORKERS,
    minutes: Minutes = MINUTES,
    as_json: AsJson = False,
) -> None:
    """Have simulated incidents investigated and count how often the answer is right, and how sure it was."""
    from runbook_bot.evaluation import telling
    from runbook_bot.evaluation.scoring import scores

    cases = _cases(part, seed, limit)
    marks = _examined(cases, workers, minutes)
    parts = {one: [m for m in marks if m.part == one] for one in (Which.seen, Which.unseen)}
    numbers = {str(one): scores(these) for one, these in parts.items() if these}
    if as_json:
        told = {one: {k: v.model_dump() for k, v in each.items()} for one, each in numbers.items()}
        seen = [m.model_dump(mode="json") for m in parts[Which.seen]]
        terminal.say_json({"cases": len(cases), "examined": len(marks), "parts": told, "seen": seen})
        return
    for line in telling.mistakes(marks):
        terminal.say(terminal.plain(line))
    terminal.say()
    terminal.say(telling.table(numbers))
    if len(marks) < len(cases):
        terminal.say(f"{len(cases) - len(marks)} of {len(cases)} cases were not begun: the time was over")


def _cases(part: Which, seed: int | None, limit: int | None) -> "list[Case]":
    from runbook_bot.evaluation.worlds.dice import Part
    from runbook_bot.evaluation.worlds.suite import SEED, suite

    return suite(None if part is Which.all else Part(part), seed=SEED if seed is None else seed, limit=limit)


def _examined(cases: "Sequence[Case]", workers: int, minutes: float) -> "list[Mark]":
    """Marks in the order of the cases, with progress on standard error."""
    from runbook_bot.evaluation import telling
    from runbook_bot.evaluation.marking import mark
    from runbook_bot.evaluation.running import run

    edge.log_quietly()
    done = 0

    def show(case: "Case", outcome: "Outcome") -> None:
        nonlocal done
        done += 1
        sys.stderr.write(terminal.plain(telling.progress(done, len(cases), mark(case, outcome))) + "\n")

    outcomes = edge.run(run(cases, workers=workers, limit=timedelta(minutes=minutes), on_outcome=show))
    marks = [mark(case, outcomes[case.id]) for case in cases if case.id in outcomes]
    if not marks:
        raise RunbookError(f"not one of {len(cases)} cases could be begun within {minutes:g} minutes")
    return marks


@app.command()
def public(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where rootcausebench/ and opensre_synthetic/ are.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have public frozen incidents investigated, where a copy of them is at hand."""
    from runbook_bot.evaluation import telling
    from runbook_bot.evaluation.public import examine, incidents
    from runbook_bot.evaluation.scoring import scores

    found = list(incidents(data or PUBLIC))
    edge.log_quietly()
    marks = []
    for number, (kind, folder) in enumerate(found, 1):
        marks.append(edge.run(examine(kind, folder)))
        sys.stderr.write(terminal.plain(telling.progress(number, len(found), marks[-1])) + "\n")
    numbers = {kind: scores([m for m in marks if m.part == kind]) for kind in dict.fromkeys(kind for kind, _ in found)}
    if as_json:
        told = {one: {k: v.model_dump() for k, v in each.items()} for one, each in numbers.items()}
        terminal.say_json({"sets": told, "incidents": [m.model_dump(mode="json") for m in marks]})
        return
    terminal.say(telling.table(numbers))


@app.command()
def calibrate(
    seed: Seed = None,
    limit: Limit = None,
    workers: Workers = WORKERS,
    minutes: Minutes = MINUTES,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the calibration of confidence on the seen part, write it, and tell what it is worth on the unseen part."""
    from runbook_bot.evaluation.calibrating import compared, fit, shares, write
    from runbook_bot.evaluation.worlds.suite import SEED

    marks = _examined(_cases(Which.all, seed, limit), workers, minutes)
    parts = {str(one): shares([m for m in marks if m.part == one]) for one in (Which.seen, Which.unseen)}
    calibration = fit(parts["seen"], SEED if seed is None else seed)
    if not dry_run:
        write(calibration)
    found = {one: compared(each, calibration) for one, each in parts.items() if each}
    if as_json:
        terminal.say_json({"calibration": calibration.model_dump(), "before and after": found})
        return
    written = "not written" if dry_run else "written"
    terminal.say(f"slope {calibration.slope:.4f}, intercept {calibration.intercept:.4f}, {written}")
    for one, numbers in found.items():
        told = ", ".join(f"{name} {before:.3f} → {after:.3f}" for name, (before, after) in numbers.items())
        terminal.say(f"{one} ({len(parts[one])} cases): {told}")
