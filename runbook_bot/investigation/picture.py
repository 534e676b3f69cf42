"""The service graph as text: a tree narrow enough for a phone, a list of all, and the blast radius in words."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from runbook_bot.domain.noun import iso
from runbook_bot.domain.service import Service, ServiceGraph

WIDTH = 44
"""Characters a line, where nobody asks for more: what a telephone shows unbroken."""
MOST_LINES = 40
MOST_BESIDE = 12
"""Neighbours of one service that are named; the rest is counted."""
MOST_NAMED = 5
HOPS = 3
LONGEST = 60
"""Characters of a name that are shown."""
WRITTEN = "services.yaml"

_Step = Callable[[str], Sequence[str]]


def tree(graph: ServiceGraph, service: Service, *, width: int = WIDTH) -> list[str]:
    """What a service depends on and what depends on it, each with how that is known."""
    callers = _callers(graph)
    down = _branches(graph, service.name, lambda name: _called(graph, name), width, calls=True)
    up = _branches(graph, service.name, lambda name: callers.get(name, ()), width, calls=False)
    lines = [_plain(service.name), *(f"  {line}" for line in _about(service))]
    lines += ["depends on", *down] if down else ["depends on nothing that is known"]
    lines += ["needed by", *up] if up else ["needed by nothing that is known"]
    guessed = any(edge.weak for edge in graph.edges if service.name in (edge.caller, edge.called))
    return [*lines, *(["? a guess: nothing better is known"] if guessed else [])]


def _about(service: Service) -> Iterator[str]:
    facts = (
        ("owner", service.owner), ("channel", service.slack_channel), ("on call", service.oncall),
        ("tier", service.tier), ("repository", service.repository), ("part of", service.group),
    )  # fmt: skip
    yield from (f"{name}: {_plain(value)}" for name, value in facts if value)
    if not service.owner:
        yield "owner: not known"
    yield from (f"{each.type.value}: {_plain(each.name)}" for each in service.resources[:MOST_BESIDE])
    if len(service.resources) > MOST_BESIDE:
        yield f"and {len(service.resources) - MOST_BESIDE} more resources"


def _called(graph: ServiceGraph, name: str) -> Sequence[str]:
    service = graph.service(name)
    return service.depends_on if service else ()


def _callers(graph: ServiceGraph) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in graph:
        for called in each.depends_on:
            found.setdefault(called, []).append(each.name)
    return found


def _branches(graph: ServiceGraph, root: str, step: _Step, width: int, *, calls: bool) -> list[str]:
    """As many hops as fit."""
    for hops in range(HOPS, 0, -1):
        lines = _grown(graph, root, step, width, hops, calls=calls)
        if len(lines) <= MOST_LINES:
            break
    return lines


def _grown(graph: ServiceGraph, root: str, step: _Step, width: int, most: int, *, calls: bool) -> list[str]:
    """Each service once, where it is nearest; where it comes again there is an arrow up."""
    lines: list[str] = []
    shown = {root}

    def grow(name: str, indent: str, hops: int) -> None:
        beside = [each for each in dict.fromkeys(step(name)) if each != name]
        fresh = {each for each in beside if each not in shown}
        shown.update(fresh)
        for number, each in enumerate(beside[:MOST_BESIDE], start=1):
            last = number == len(beside[:MOST_BESIDE]) and len(beside) <= MOST_BESIDE
            caller, called = (name, each) if calls else (each, name)
            lines.append(_line(graph, f"{indent}{'└─' if last else '├─'} ", each, caller, called, each in fresh, width))
            if each in fresh and hops < most:
                grow(each, indent + ("   " if last else "│  "), hops + 1)
        if len(beside) > MOST_BESIDE:
            lines.append(f"{indent}└─ and {len(beside) - MOST_BESIDE} more")

    grow(root, "", 1)
    return lines


def _line(graph: ServiceGraph, stem: str, name: str, caller: str, called: str, fresh: bool, width: int) -> str:
    how = ", ".join(edge.found for edge in graph.reasons(caller, called)[:2]) or WRITTEN
    how = " ".join(how.split())
    weak = " ?" if graph.guessed(caller, called) else ""
    head = f"{stem}{_plain(name)}{weak}{'' if fresh else ' ↑'}"
    room = width - len(head) - 2
    if room < 8:
        return head
    return f"{head}  {how if len(how) <= room else how[: room - 1].rstrip() + '…'}"


def overview(graph: ServiceGraph, *, width: int = 76) -> list[str]:
    """All services by what they are part of, with their owners; what only keeps data stands behind what runs."""
    groups: dict[str, list[Service]] = {}
    for each in graph:
        groups.setdefault(each.group or "", []).append(each)
    lines: list[str] = []
    for group in sorted(groups, key=lambda name: (not name, name.casefold())):
        lines.append(group or "not part of anything")
        for each in sorted(groups[group], key=lambda one: (not one.depends_on, one.name.casefold())):
            called = f" → {', '.join(each.depends_on)}" if each.depends_on else ""
            text = f"  {each.name}{f' ({each.owner})' if each.owner else ''}{called}"
            lines.append(text if len(text) <= width else text[: width - 1].rstrip() + "…")
    return lines


def blast_radius(graph: ServiceGraph, names: Sequence[str]) -> str:
    """Who is hit when these fail, in words; "" where nobody is known to be."""
    hops: dict[str, int] = {}
    for name in names:
        for other, distance in graph.dependents(name, hops=6).items():
            hops[other] = min(distance, hops.get(other, distance))
    hit = sorted((name for name in hops if name not in names), key=lambda name: (hops[name], name))
    if not hit:
        return ""
    direct = [name for name in hit if hops[name] == 1]
    what = "it" if len(names) == 1 else "them"
    verb = "service depends" if len(hit) == 1 else "services depend"
    text = f"{len(hit)} {verb} on {what}: {_listed(direct)}"
    through = [name for name in hit if hops[name] > 1]
    return f"{text}; through others {_listed(through)}" if through else text


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(_plain(name) for name in names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def dated(graph: ServiceGraph, now: datetime | None = None) -> str:
    """When it was looked, and how long ago where there is a `now`; the services.yaml where nobody looked."""
    seen = graph.seen_at
    if seen is None:
        return f"as {WRITTEN} says; nothing was discovered"
    at = f"as seen at {iso(seen.replace(microsecond=0))}"
    age = max(now - seen, timedelta(0)) if now is not None else None
    if age is None:
        return at
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if age >= length:
            return f"{at}, {age // length} {unit} ago"
    return f"{at}, just now"


def _plain(name: str) -> str:
    """A name on one line, not longer than a line."""
    flat = " ".join(name.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"
