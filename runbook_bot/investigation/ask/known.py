"""Answers from what is known without asking the world: owners, dependencies, the runbooks, the investigation."""

import re

from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.tools import Result, Status
from runbook_bot.errors import KnowledgeError
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer, Quote, Table, table
from runbook_bot.investigation.ask.looking import Looking

_HYPOTHESIS = re.compile(r"\bh(\d+(?:\.\d+){0,3})\b", re.IGNORECASE)
_ASKING = re.compile(
    r"\b(?:what|does|do|the|run-?books?|play-?books?|post-?mortems?|say|says|about|on|is|there|any|a|for|how|should|can|"
    r"i|we|you|show|find|me|tell|please|have|known|issues?|our|documentation|docs?)\b|[?!]",
    re.IGNORECASE,
)
_ONCALL = re.compile(r"\bon[- ]?call\b|\b(?:page|call)\b", re.IGNORECASE)
_MOST_QUOTED = 900
_DIRECTIONS = {
    Direction.supports: "for it",
    Direction.refutes: "against it",
    Direction.neutral: "neither way",
    Direction.unknown: "could not be read",
}


def owners(look: Looking) -> Answer:
    """Who owns the services that are named, or all of them."""
    services = look.services or list(look.graph)
    rows = [
        (
            each.name,
            each.owner or "",
            each.slack_channel or "",
            each.oncall or "",
            each.tier or "",
            each.repository or "",
        )
        for each in services
    ]
    named = [each for each in services if each.owner]
    if len(services) == 1:
        one = services[0]
        text = f"{one.name} belongs to {one.owner}" if one.owner else say.NO_OWNER.format(name=one.name)
        more = [
            f"talks in {one.slack_channel}" if one.slack_channel else "",
            f"on call: {one.oncall}" if one.oncall else say.NO_ONCALL if _ONCALL.search(look.text) else "",
        ]
        text = f"{text}; {'; '.join(each for each in more if each)}." if any(more) else f"{text.rstrip('.')}."
    else:
        text = f"{len(named)} of {say.count(len(services), 'service has', 'services have')} an owner."
    shown = table(("service", "owner", "channel", "on call", "tier", "repository"), rows)
    look.saw(_of_graph(look, "owners"))
    return _answer(look, "owner", text, (shown,) if len(services) > 1 or len(shown.columns) > 2 else ())


def dependencies(look: Looking) -> Answer:
    """What the named service depends on, and who depends on it, with the distance and how that is known."""
    graph, name = look.graph, look.services[0].name
    down, up = graph.dependencies(name), graph.dependents(name)
    rows = [
        ("depends on", other, str(hops), _why(look, name, other, hops))
        for other, hops in sorted(down.items(), key=_near)
    ]
    rows += [
        ("is used by", other, str(hops), _why(look, other, name, hops)) for other, hops in sorted(up.items(), key=_near)
    ]
    direct = [other for other, hops in sorted(down.items()) if hops == 1]
    callers = [other for other, hops in sorted(up.items()) if hops == 1]
    text = f"{name} depends on {say.listed(direct)}" if direct else f"{name} depends on nothing that is known"
    text += f", and {say.listed(callers)} {'depends' if len(callers) == 1 else 'depend'} on it" if callers else (
        ", and nothing that is known depends on it")  # fmt: skip
    unknown = [other for other in down if graph.service(other) is None]
    if unknown:
        look.notes.append(f"Known by name only: {say.listed(unknown)}.")
    look.saw(_of_graph(look, "dependencies"))
    shown = table(("", "service", "hops", "known from"), rows)
    return _answer(look, "dependencies", f"{text}.", (shown,) if rows else ())


def _near(pair: tuple[str, int]) -> tuple[int, str]:
    return pair[1], pair[0]


def _why(look: Looking, caller: str, called: str, hops: int) -> str:
    if hops > 1:
        return ""
    reasons = look.graph.reasons(caller, called)
    return reasons[0].found + (" (a guess)" if reasons[0].weak else "") if reasons else "services.yaml"


def _of_graph(look: Looking, what: str) -> Result:
    seen = look.graph.seen_at
    where = f"{what} in services.yaml" + (f" and discovery of {seen:%Y-%m-%d %H:%M} UTC" if seen else " and discovery")
    return Result(status=Status.ok, source="service graph", where=where)


async def knowledge(look: Looking) -> Answer:
    """The best passages of the team's documents, quoted, each with where it stands."""
    if look.knowledge is None:
        return _answer(look, "knowledge", say.NO_KNOWLEDGE)
    wanted = " ".join(_ASKING.sub(" ", look.text).split()) or look.text
    names = [each.name for each in look.services]
    spoken = "|".join(map(re.escape, names))
    topic = " ".join(re.sub(rf"(?<![\w-])(?:{spoken})(?![\w-])", " ", wanted, flags=re.IGNORECASE).split())
    if names and any(each.isalnum() for each in topic):
        wanted = topic  # whose it is, is told apart: the words of a name would count for more than what is to be done
    try:
        found = await look.knowledge.search(wanted[:1000], services=names, top=4)
    except KnowledgeError as problem:
        look.unseen.append(f"the runbooks: {problem}")
        return _answer(look, "knowledge", f"The runbooks could not be searched: {problem}.")
    look.saw(
        Result(
            status=Status.ok if found else Status.no_data,
            source="knowledge",
            where=f"the team's documents, for “{wanted[:200]}”",
            asked={"search": wanted[:1000], "services": list(names)},
        )
    )
    if not found:
        return _answer(look, "knowledge", say.NOTHING_WRITTEN.format(text=wanted[:200]))
    best = found[0]
    quotes = [
        Quote(
            text=_shortened(each.text),
            where=f"{_heading(each.title, each.heading)} ({each.document}, line {each.line})",
        )
        for each in found[:3]
    ]
    steps = await look.knowledge.steps(best)
    rows = [(str(number), step) for number, step in enumerate(steps, start=1)]
    tables = (table(("step", "what to do"), rows, most=12, title=f"Steps, as “{best.title}” has them"),) if rows else ()
    others = f", and {say.count(len(found) - 1, 'other document')} may help" if len(found) > 1 else ""
    text = f"“{_heading(best.title, best.heading)}” fits best{others}."
    return _answer(look, "knowledge", text, tables, tuple(quotes[:1] if rows else quotes))


def _heading(title: str, heading: str) -> str:
    return f"{title} › {heading}" if heading and heading != title else title


def _shortened(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _MOST_QUOTED else text[: _MOST_QUOTED - 1].rstrip() + "…"


def why(look: Looking) -> Answer:
    """How a hypothesis of the investigation came to stand as it does, evidence by evidence."""
    case, named = look.case, _HYPOTHESIS.search(look.text)
    if case is None or named is None:
        return _answer(look, "why", say.NO_CASE)
    found = case.hypotheses.get(f"H{named[1]}")
    if found is None:
        known = say.listed(list(case.hypotheses), 12) or "none yet"
        return _answer(look, "why", say.NO_HYPOTHESIS.format(id=f"H{named[1]}", title=case.title[:120], known=known))
    pieces = sorted(case.evidence_for(found.id), key=lambda each: -abs(each.weight))
    rows = [(each.id, _DIRECTIONS[each.direction], each.strength.value, each.summary) for each in pieces]
    for each in pieces:
        look.saw(Result(status=each.status, source=each.source, where=each.summary[:160], asked=each.query,
                        console=each.console))  # fmt: skip
    reason = f": {found.reason.rstrip('.')}" if found.reason else ""
    text = f"{found.id} ({found.statement.rstrip('.')}) is {found.state}, {round(found.confidence * 100)} %{reason}."
    look.notes.append(f"What would refute it: {found.would_refute}.")
    return _answer(look, "why", text, (table(("evidence", "speaks", "strength", "finding"), rows),) if rows else ())


def _answer(
    look: Looking, intent: str, text: str, tables: tuple[Table, ...] = (), quotes: tuple[Quote, ...] = ()
) -> Answer:
    return Answer(question=look.text, intent=intent, text=text, tables=tables, quotes=quotes, at=look.now)
