"""`ask`: a question about the infrastructure or the team's knowledge, answered in the terminal."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from runbook_bot.domain.investigation import Investigation
    from runbook_bot.domain.noun import Json
    from runbook_bot.investigation.ask.answer import Answer, Quote, Source, Table
    from runbook_bot.settings import Settings

WIDTH = 118
UNBROKEN = 200
"""Columns up to which a quoted line is left as it is."""
LONGEST = 1000
"""Characters of what is said first."""


def ask(
    text: Annotated[
        list[str],
        typer.Argument(metavar="TEXT", help="Such as: what changed in SERVICE since 10:00; `-` reads it."),
    ],
    investigation: Annotated[
        str | None, typer.Option(metavar="ID", help="The investigation it is about; else the one it names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")] = False,
) -> None:
    """Ask what runs, how it is, what changed, who owns what, what the logs, metrics and runbooks say."""
    asked = terminal.typed().decode(errors="replace") if text == ["-"] else " ".join(text)
    if not any(each.isalnum() for each in terminal.plain(asked)):
        raise UsageError('say what you want to know, for example: runbook-bot ask "what\'s running in prod?"')
    settings = edge.settings()
    from runbook_bot import bootstrap

    case = _case(settings, investigation, asked)
    show(edge.run(bootstrap.ask(settings, lambda asker: asker.ask(asked, case=case))), as_json=as_json)


def _case(settings: "Settings", id: str | None, asked: str) -> "Investigation | None":
    """The investigation that is meant: by its id, or the newest where a hypothesis is named. Raises `JournalError`."""
    from runbook_bot import bootstrap

    named = re.search(r"\binv-[A-Za-z0-9_-]{1,100}\b", asked)
    journals = bootstrap.journals(settings)
    if id is None and named is None and re.search(r"\bh\d", asked, re.IGNORECASE):
        id = next(iter(journals.ids()), None)
    chosen = id or (named[0] if named else None)
    return journals.open(chosen).refresh() if chosen else None


def show(answer: "Answer", *, as_json: bool) -> None:
    """The answer, as text that a person would keep or as JSON. Raises `RunbookError` where nothing could be seen."""
    if as_json:
        terminal.say_json(as_data(answer))
    else:
        for line in lines(answer):
            terminal.say(line)
    if answer.blind:
        raise RunbookError(
            f"nothing could be seen: {terminal.shortened(next(iter(answer.unseen), 'nobody knew'), 200)}"
        )


def as_data(answer: "Answer") -> "Json":
    """The answer for programs."""
    from runbook_bot.domain.redaction import redact_json

    data: Json = redact_json(answer.model_dump(mode="json"))
    return data


def lines(answer: "Answer") -> "list[str]":
    """The answer in lines: what is said, the tables and quotes, then what was not seen, and the sources.

    What is said is one line, for a terminal to break and a person to copy; all others are at most `WIDTH` wide, but
    for lines of a quote up to `UNBROKEN`, which may be commands, and links.
    """
    from runbook_bot.domain.redaction import redact
    from runbook_bot.investigation.ask.layout import wrapped

    said = [terminal.shortened(redact(answer.text), LONGEST)]
    for table in answer.tables:
        said += ["", *_table(table)]
    for quote in answer.quotes:
        said += ["", *_quote(quote)]
    gaps = [each for each in answer.unseen if (each.partition(": ")[2] or each) not in answer.text]
    told = [*answer.notes, *(f"Not seen: {each}" for each in gaps)]
    beside = [line for each in told for line in wrapped(terminal.shortened(redact(each), 400), WIDTH, "  ")]
    said += ["", *beside] if beside else []
    said += ["", *_sources(answer.sources)] if answer.sources else []
    return said


def _quote(quote: "Quote") -> list[str]:
    from runbook_bot.domain.redaction import redact
    from runbook_bot.investigation.ask.layout import wrapped

    told = [terminal.plain(redact(each)) for each in quote.text.splitlines() if each.strip()]
    broken = [line for each in told for line in ([each] if len(each) <= UNBROKEN else wrapped(each, WIDTH - 4))]
    where = wrapped(terminal.shortened(redact(quote.where), 400), WIDTH - 4)
    return [*(f"  > {each}" for each in broken), *(f"    {each}" for each in where)]


def _table(table: "Table") -> list[str]:
    from runbook_bot.domain.redaction import redact
    from runbook_bot.investigation.ask.layout import aligned, wrapped

    title = wrapped(f"{terminal.shortened(redact(table.title), 400)}:", WIDTH) if table.title else []
    clean = table.model_copy(update={"rows": tuple(tuple(redact(cell) for cell in row) for row in table.rows)})
    return [*title, *(f"  {line}" for line in aligned(clean, WIDTH - 2))]


def _sources(sources: "tuple[Source, ...]") -> list[str]:
    """Who was asked what: of each source the first question, and how many others."""
    from runbook_bot.investigation.ask.layout import wrapped

    groups: dict[str, list[Source]] = {}
    for each in sources:
        if all(each.where != other.where for other in groups.setdefault(each.source, [])):
            groups[each.source].append(each)
    shown = []
    for name, asked in groups.items():
        more = f", and {len(asked) - 1} more" if len(asked) > 1 else ""
        told = f"{terminal.plain(name)}: {terminal.shortened(asked[0].where, 200)}{more}"
        shown += [f"  {line}" for line in wrapped(told, WIDTH - 2, "    ")]
        shown += [f"      {terminal.plain(asked[0].console)}"] if asked[0].console else []
    return ["Asked:", *shown]
