"""Makes a graph of what was found: one service a name, and each dependency with how it was come by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runbook_bot.domain.service import Edge, Service, ServiceGraph
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.discovered import Found, Lead
from runbook_bot.providers.aws.pointing import Directory, directory
from runbook_bot.providers.aws.reach import Rule, reachable

_MOST_REASONS = 4


def linked(found: Sequence[Found], aliases: Mapping[str, str], rules: Sequence[Rule] = ()) -> ServiceGraph:
    """The services and their dependencies."""
    named = _absorbed(_named(found))
    known = directory(named, aliases)
    members: dict[str, list[Found]] = {}
    for each in named:
        members.setdefault(each.name, []).append(each)
    edges = {name: _edges(name, parts, known) for name, parts in members.items()}
    called = {edge.called for own in edges.values() for edge in own}
    kept = {
        name: parts for name, parts in members.items() if name in called or not all(part.only_called for part in parts)
    }
    for edge in reachable(kept, edges, rules):
        edges[edge.caller].append(edge)
    return ServiceGraph(
        services=tuple(_service(name, parts, edges[name]) for name, parts in kept.items()),
        edges=tuple(edge for name in kept for edge in edges[name]),
    )


def _named(found: Sequence[Found]) -> list[Found]:
    """What runs alone in its application bears its name; where several do, it is only what they are grouped by."""
    running: dict[str, set[str]] = {}
    for each in found:
        if each.labels.application and each.runs:
            running.setdefault(each.labels.application, set()).add(each.name)
    alone = {application for application, names in running.items() if len(names) == 1}
    return [
        replace(each, name=each.labels.application) if each.runs and each.labels.application in alone else each
        for each in found
    ]


def _absorbed(found: Sequence[Found]) -> list[Found]:
    """A load balancer before one service is a part of it; before several it is one of its own that calls them."""
    behind: dict[str, set[str]] = {}
    for each in found:
        for handle in each.handles:
            behind.setdefault(handle, set()).add(each.name)
    return [replace(each, name=_behind(each, behind)) if _balances(each) else each for each in found]


def _balances(found: Found) -> bool:
    return bool(found.resources) and found.resources[0].type is R.load_balancer


def _behind(balancer: Found, behind: Mapping[str, set[str]]) -> str:
    names = {name for lead in balancer.leads for name in behind.get(lead.to.lower(), ())}
    return names.pop() if len(names) == 1 else balancer.name


def _service(name: str, parts: Sequence[Found], edges: Sequence[Edge]) -> Service:
    ordered = sorted(parts, key=lambda part: not part.runs)  # what it is known by stands first
    unique = {each.key: each for part in ordered for each in part.resources}
    return Service(
        name=name,
        owner=next((part.labels.owner for part in ordered if part.labels.owner), None),
        group=next((part.labels.group for part in ordered if part.labels.group and part.labels.group != name), None),
        depends_on=tuple(dict.fromkeys(edge.called for edge in edges)),
        resources=tuple(unique.values()),
    )


def _edges(name: str, parts: Sequence[Found], known: Directory) -> list[Edge]:
    """What a service calls, each with how that is known; a guess only where nothing is sure."""
    seen: dict[tuple[str, str], Edge] = {}
    for part in parts:
        for called, lead, weak in _led(part, known):
            if called != name and (called, lead) not in seen:
                seen[called, lead] = Edge(caller=name, called=called, found=lead, weak=weak)
    sure = {edge.called for edge in seen.values() if not edge.weak}
    kept: dict[str, list[Edge]] = {}
    for edge in seen.values():
        if not (edge.weak and edge.called in sure):
            kept.setdefault(edge.called, []).append(edge)
    return [edge for reasons in kept.values() for edge in reasons[:_MOST_REASONS]]


def _led(part: Found, known: Directory) -> Iterable[tuple[str, str, bool]]:
    """Name of what is called, how it was found, and whether it is a guess."""
    for lead in part.leads:
        yield from _followed(lead, known)
    for variable, value in part.environment.items():
        for called, weak in known.called(value):
            yield called, f"environment {variable[:80]}", weak


def _followed(lead: Lead, known: Directory) -> Iterable[tuple[str, str, bool]]:
    exact = known.at(lead.to)
    if exact:
        yield from ((name, lead.found, False) for name in exact)
    elif lead.weak:
        guess = known.named_in(lead.to)
        if guess is not None:
            yield guess, lead.found, True
    elif not lead.to.lower().startswith("arn:"):
        for called, weak in known.called(lead.to):
            yield called, lead.found, weak
