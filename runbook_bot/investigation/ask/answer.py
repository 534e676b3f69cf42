"""An answer as data: sentences, tables and quotes, where they come from, and what could not be seen."""

from collections.abc import Sequence

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Instant, Json, Noun
from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow

KNOWN = (Status.ok, Status.no_data, Status.truncated)
MOST_ROWS = 25
"""Lines of a table that are kept; the rest is counted."""


class Table(Noun):
    """Rows of short texts under a heading each. What is in a cell came from outside: show it as it is, quoted."""

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


class Quote(Noun):
    """Somebody's words, a log line or a paragraph of a runbook, and where they stand."""

    text: str
    where: str


class Source(Noun):
    """One question that was put to the world or to the team's memory."""

    source: str
    """Who answered, e.g. `aws.ecs`."""
    where: str
    """One phrase: what was searched, where, over which window."""
    status: Status
    query: Json
    """The vendor's own call and parameters."""
    console: str | None = None


class Answer(Noun):
    """What is said to whoever asked."""

    question: str
    intent: str
    """What the question was taken for, e.g. `changes`; `unknown` where it was not understood."""
    text: str
    """The answer in one or two sentences; it may hold names from outside."""
    tables: tuple[Table, ...] = ()
    quotes: tuple[Quote, ...] = ()
    notes: tuple[str, ...] = ()
    """What to know beside it: how the question was read, how to ask for more."""
    unseen: tuple[str, ...] = ()
    """What could not be seen, each with its reason."""
    sources: tuple[Source, ...] = ()
    window: TimeWindow | None = None
    record: str = ""
    """Where everything that was asked for it is kept; empty where nowhere."""
    at: Instant
    data: Json = Field(default_factory=dict)
    """Numbers behind it, for programs."""

    @property
    def blind(self) -> bool:
        """Whether somebody was asked, and nobody could answer."""
        return bool(self.sources) and not any(each.status in KNOWN for each in self.sources)

    @property
    def understood(self) -> bool:
        return self.intent not in ("unknown", "unclear")


def table(
    columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, title: str = "", most: int = MOST_ROWS
) -> Table:
    """The first rows, and how many were left out; columns in which nothing stands are dropped."""
    kept = rows[:most]
    filled = [index for index in range(len(columns)) if any(row[index] for row in kept)]
    return Table(
        title=title,
        columns=tuple(columns[index] for index in filled),
        rows=tuple(tuple(row[index] for index in filled) for row in kept),
        left_out=len(rows) - len(kept),
    )


def text_of(value: JsonValue, most: int = 80) -> str:
    """A value of a fact in one short line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
        case list():
            said = ", ".join(text_of(each, most) for each in value[:12]) + (" …" if len(value) > 12 else "")
        case dict():
            said = ", ".join(f"{name} {text_of(each, most)}" for name, each in list(value.items())[:12])
        case _:
            said = str(value)
    line = " ".join(said.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
