"""`knowledge sync`, `search`, `add` and `validate`: the team's documents from the command line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from runbook_bot.cli import edge, terminal
from runbook_bot.errors import RunbookError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from runbook_bot.knowledge.memory import KnowledgeBase

T = TypeVar("T")

app = typer.Typer(help="Runbooks, post-mortems and known issues.", no_args_is_help=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")]

EXCERPT = 160
"""Characters of a passage that are shown in a list."""


def _ask(question: "Callable[[KnowledgeBase], Coroutine[Any, Any, T]]") -> T:
    settings = edge.settings()
    from runbook_bot import bootstrap

    async def asked() -> T:
        memory = bootstrap.knowledge(settings)
        try:
            return await question(memory)
        finally:
            await memory.close()

    return edge.run(asked())


@app.command()
def sync(as_json: AsJson = False) -> None:
    """Read what has changed in the sources and bring the index up to date."""
    report = _ask(lambda memory: memory.sync())
    if as_json:
        counts = {name: getattr(report, name) for name in ("documents", "passages", "added", "changed", "removed")}
        said = {"notes": list(report.notes), "keywords_only": report.keywords_only}
        terminal.say_json({**counts, **said, "problems": [vars(each) for each in report.problems]})
        return
    for line in report.lines:
        terminal.say(terminal.plain(line))


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for, in words.")],
    service: Annotated[list[str] | None, typer.Option(help="Prefer documents about this service.")] = None,
    top: Annotated[int | None, typer.Option(min=1, max=50, help="How many; else knowledge.retrieval.top_k.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find passages by keyword and by meaning."""
    if not text.strip():
        raise UsageError("say what to look for, for example: runbook-bot knowledge search 'too many connections'")
    passages = _ask(lambda memory: memory.search(text, services=service or (), top=top))
    if as_json:
        terminal.say_json([passage.model_dump(mode="json") for passage in passages])
        return
    for passage in passages:
        heading = f" › {passage.heading}" if passage.heading else ""
        where = f"{passage.document}:{passage.line}"
        terminal.say(f"{passage.score:.2f}  {terminal.plain(f'{passage.title}{heading} ({where})')}")
        terminal.say(f"      {terminal.shortened(passage.text, EXCERPT)}")
    if not passages:
        terminal.say("Nothing fits.")


@app.command()
def add(
    document: Annotated[
        str, typer.Argument(metavar="FILE", help="A Markdown, YAML or text file; `-` reads Markdown from the input.")
    ],
    title: Annotated[str, typer.Option(help="With `-`: the title.")] = "",
) -> None:
    """Put a document into the first source and index it. Nothing is overwritten."""
    if title and document != "-":
        raise UsageError("--title is for a text read with `-`; a file says its own title")
    content = _read() if document == "-" else Path(document)
    name = _ask(lambda memory: memory.add(content, title=title))
    terminal.say(terminal.plain(name))


def _read() -> str:
    try:
        return terminal.typed().decode()
    except UnicodeDecodeError as broken:
        raise UsageError(f"what is on the input is not UTF-8 text (byte {broken.start})") from None


@app.command()
def validate(as_json: AsJson = False) -> None:
    """Say what is wrong with the documents, file and line; exit 1 where one cannot be used as it was meant."""
    problems = _ask(lambda memory: memory.validate())
    if as_json:
        terminal.say_json([vars(each) for each in problems])
    else:
        for each in problems:
            terminal.say(terminal.plain(f"{each.severity:<7}  {each}"))
    errors = sum(each.severity == "error" for each in problems)
    if errors:
        raise RunbookError(f"{errors} of the documents' problems are errors")
    if not problems and not as_json:
        terminal.say("Every document can be read.")
