"""Answers from a vendor's own typed questions: which one is meant, where it was asked, and what came back."""

from collections.abc import Container, Sequence

from pydantic import JsonValue

from runbook_bot.domain.asking import Route
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Query, Result
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer, Table, table, text_of
from runbook_bot.investigation.ask.looking import Looking, stamp

SURE = 0.6
"""A score from which a question is taken to be meant."""
APART = 0.03
"""Two scores nearer than this cannot be told apart."""
MOST_COLUMNS = 8


def chosen(routes: Sequence[Route]) -> Route | None:
    """The one that is meant; None where none is likely, or two are equally. Of such two the one that lacks nothing."""
    alike = close(routes)
    if len(alike) > 1:
        ready = [each for each in alike if each.queries]
        return ready[0] if len(ready) == 1 else None
    return alike[0] if alike else None


def close(routes: Sequence[Route]) -> list[Route]:
    """The likeliest one, and those that cannot be told from it."""
    likely = [each for each in routes if each.score >= SURE]
    return [each for each in likely if likely[0].score - each.score < APART]


def named(route: Route) -> str:
    """How to ask for it: `“stopped tasks” (aws.ecs.stopped_tasks)`."""
    return f"“{route.phrase}” ({route.kind})"


async def operation(look: Looking, route: Route) -> Answer:
    """Ask it of every resource that is meant; what came back as one table."""
    if not route.queries:
        text = say.LACKING.format(
            phrase=route.phrase, missing=say.listed([each.replace("_", " ") for each in route.missing])
        )
        look.notes.append(f"{route.kind}: {route.what}")
        return Answer(question=look.text, intent="unclear", text=text, at=look.now)
    if route.left_out:
        look.notes.append(say.LEFT_OUT.format(count=route.left_out))
    return await typed(look, route.queries, route.kind, route.what)


async def typed(look: Looking, queries: Sequence[Query], kind: str, what: str) -> Answer:
    """The answers to queries of one kind, together."""
    results = await look.ask_all(queries)
    rows = [row for each in results for row in each.rows]
    where = say.listed(list(dict.fromkeys(each.where for each in results)), 3)
    told = list(dict.fromkeys(each.message for each in results if each.message and not each.rows))
    if rows:
        text = f"{say.count(len(rows), 'row')} from {where}."
    elif all(each.known for each in results):
        text = f"Nothing from {where}{f': {say.listed(told, 3)}' if told else ''}."
    else:
        text = f"No answer from {where}: {say.listed(told, 3)}."
    look.notes.append(f"Asked {kind}: {what}")
    data: dict[str, JsonValue] = {"kind": kind, "rows": [row.model_dump(mode="json") for row in rows[:100]]}
    return Answer(
        question=look.text,
        intent="operation",
        text=text,
        tables=tables(results),
        window=look.said,
        at=look.now,
        data=data,
    )


def tables(results: Sequence[Result]) -> tuple[Table, ...]:
    """Rows as one table of the facts that most of them have; what is the same in all rows is said once."""
    rows = [row for each in results for row in each.rows]
    facts = [(fact.name, text_of(fact.value), fact.unit) for each in results for fact in each.facts]
    shown = []
    if rows:
        same = _same(rows) if len(rows) > 2 else {}
        names = [name for name in _columns(rows) if name not in same]
        columns = ("name", "place", "when (UTC)", *(name.replace("_", " ") for name in names), "more")
        alike = ", ".join(f"{name.replace('_', ' ')} {said}" for name, said in same.items())
        title = f"All with {alike}" if same else ""
        shown.append(table(columns, [_cells(row, names, same) for row in rows], most=50, title=title))
    if facts:
        shown.append(table(("fact", "value", "unit"), facts))
    return tuple(shown)


def _same(rows: Sequence[Row]) -> dict[str, str]:
    """Facts that every row has with the same value."""
    first = {name: text_of(value, 120) for name, value in rows[0].facts.items()}
    return {name: said for name, said in first.items()
            if said and all(text_of(row.facts.get(name), 120) == said for row in rows)}  # fmt: skip


def _columns(rows: Sequence[Row]) -> list[str]:
    counts: dict[str, int] = {}
    for row in rows:
        for name, value in row.facts.items():
            counts[name] = counts.get(name, 0) + (value not in (None, "", [], {}) and not isinstance(value, dict))
    often = [name for name, times in counts.items() if times * 2 >= len(rows)]
    return often[:MOST_COLUMNS]


def _cells(row: Row, names: Sequence[str], same: Container[str]) -> tuple[str, ...]:
    rest = [f"{name.replace('_', ' ')} {text_of(value, 120)}" for name, value in row.facts.items()
            if name not in names and name not in same and value not in (None, "", [], {})]  # fmt: skip
    cells = [text_of(row.facts.get(name), 120) for name in names]
    return (row.name, row.place, stamp(row.at) if row.at else "", *cells, "; ".join(rest))
