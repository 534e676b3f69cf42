"""What happened: changes in order of time, and what the logs say."""

from datetime import timedelta

from runbook_bot.analysis.templates import template
from runbook_bot.analysis.vitals import COMPUTE
from runbook_bot.domain.observation import Change, LogLine
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.tools import ListChanges, SearchLogs
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer, table
from runbook_bot.investigation.ask.looking import Looking, ago, clock, span, stamp
from runbook_bot.investigation.ask.reading import pattern_of

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
MOST_RESOURCES = 100
MOST_LOGS = 6
MOST_LINES = 2000


async def changes(look: Looking) -> Answer:
    """What was changed in the named service and in what it depends on, or anywhere; newest first."""
    window = look.window(DAY)
    near = [name for each in look.services for name in look.graph.dependencies(each.name, hops=1)]
    beside = [s for name in dict.fromkeys(near) if (s := look.graph.service(name)) and s not in look.services]
    scope = [*look.services, *beside] if look.services else [] if look.resources else list(look.graph)
    resources = list({r.key: r for each in scope for r in each.resources}.values()) + list(look.resources)
    if len(resources) > MOST_RESOURCES:
        look.notes.append(f"{len(resources) - MOST_RESOURCES} resources were not looked at; name a service.")
    names = say.listed([each.name for each in look.services] or [each.name for each in look.resources])
    if not resources:
        text = f"No resource of {names} is known whose changes could be read." if names else say.NO_SERVICES
        return Answer(question=look.text, intent="changes", text=text, window=window, at=look.now)
    found = await look.ask(ListChanges(resources=tuple(resources[:MOST_RESOURCES]), window=window))
    made = sorted(found.changes, key=lambda each: each.at, reverse=True)
    own = [each for each in made if not look.services or _service(each, look) in {s.name for s in look.services}]
    rows = [
        (stamp(each.at), _service(each, look), each.kind, each.summary, each.actor, _difference(each)) for each in made
    ]
    shown = table(("when (UTC)", "service", "kind", "what", "who", "before → after"), rows, most=30)
    return Answer(
        question=look.text,
        intent="changes",
        text=_told(own, made, names, look) if found.known else say.UNREAD_CHANGES.format(span=span(window, look.now)),
        tables=(shown,) if rows else (),
        window=window,
        at=look.now,
        data={"changes": [each.model_dump(mode="json") for each in made[:100]]},
    )


def _told(own: list[Change], made: list[Change], names: str, look: Looking) -> str:
    window = look.window(DAY)
    of = f" to {names}" if names else ""
    text = f"{say.count(len(own), 'change')}{of} {span(window, look.now)}"
    if len(made) > len(own):
        text += f", and {len(made) - len(own)} to what it depends on"
    if own:
        last = own[0]
        by = f" by {last.actor}" if last.actor else ""
        text += f". The latest: {last.summary}{by} at {clock(last.at, look.now)} ({ago(last.at, look.now)})"
    return f"{text}."


def _service(change: Change, look: Looking) -> str:
    owner = look.graph.owner_of(change.resource) if change.resource else None
    return owner.name if owner else change.service


def _difference(change: Change) -> str:
    names = list(dict.fromkeys([*change.before, *change.after]))
    if all(_short(value) in change.summary for value in (*change.before.values(), *change.after.values())):
        return ""
    said = [f"{name} {_short(change.before.get(name, '–'))} → {_short(change.after.get(name, '–'))}" for name in names]
    return "; ".join(said[:4]) + (f"; {len(said) - 4} more" if len(said) > 4 else "")


def _short(value: str) -> str:
    tail = value.rpartition("/")[2] if "/" in value and ":" in value else value
    return tail if len(tail) <= 40 else tail[:39] + "…"


async def logs(look: Looking) -> Answer:
    """How often lines hold the pattern, and which kinds of line there are, each with its newest line as it is."""
    names = [each.name for each in look.services] or [each.name for each in look.resources]
    wanted = pattern_of(look.text, names)
    window = look.window(HOUR)
    writing = _writing(look)[:MOST_LOGS]
    holding = f" holding {say.listed([f'“{each}”' for each in wanted], last='or')}" if wanted else ""
    if not writing:
        text = f"Nothing of {say.listed(names)} is known to write a log."
        return Answer(question=look.text, intent="logs", text=text, window=window, at=look.now)
    queries = [SearchLogs(resource=each, window=window, any_of=wanted, limit=MOST_LINES) for each in writing]
    results = await look.ask_all(queries)
    lines = sorted((line for each in results for line in each.lines), key=lambda line: line.at)
    more = any(each.status == "truncated" for each in results)
    many = say.count(len(lines), "line") if lines else "No line"
    text = f"{many}{holding} of {say.listed(names)} {span(window, look.now)}"
    text = f"At least {text}" if more and lines else text
    if not lines and not any(each.known for each in results):
        text = f"The logs of {say.listed(names)} could not be read"
    rows = _kinds(lines)
    if rows:
        text += f", of {say.count(len(rows), 'kind')}; the newest at {clock(lines[-1].at, look.now)}"
    shown = table(("times", "first (UTC)", "last (UTC)", "the last of them"), rows, most=10)
    return Answer(
        question=look.text,
        intent="logs",
        text=f"{text}.",
        tables=(shown,) if rows else (),
        window=window,
        at=look.now,
        data={"lines": len(lines), "kinds": len(rows)},
    )


def _writing(look: Looking) -> list[Resource]:
    """What writes logs: the log groups that are named, else the code that runs, else whatever there is."""
    services = look.services or [Service(name="", resources=tuple(look.resources))]
    found = []
    for each in services:
        groups = [r for r in each.resources if r.type is R.log_group]
        found += groups or [r for r in each.resources if r.type in COMPUTE] or list(each.resources)
    return found


def _kinds(lines: list[LogLine]) -> list[tuple[str, ...]]:
    """One row for each kind of line, most frequent first, with one of its lines."""
    kinds: dict[str, list[LogLine]] = {}
    for line in lines:
        kinds.setdefault(template(line.text), []).append(line)
    ordered = sorted(kinds.values(), key=lambda group: -len(group))
    return [
        (f"{len(group):,}", stamp(group[0].at, seconds=True), stamp(group[-1].at, seconds=True), group[-1].text[:300])
        for group in ordered
    ]
