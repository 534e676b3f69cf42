"""Ideas: which failure modes, where, are worth testing, read off what moved, was changed, and is complained of."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from runbook_bot.analysis.complaints import complaints, mentioned, mentions, reports, speaks_of
from runbook_bot.analysis.proximity import nearest, proximity
from runbook_bot.analysis.vitals import Anomaly, anomalies, first_movers
from runbook_bot.domain.hypothesis import Expectation, Hypothesis
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.vocabulary import FailureMode, Signal
from runbook_bot.reasoning.modes import Mode, Suggestion, literal, modes, telling

DEPENDENCIES = (FailureMode.dependency_latency, FailureMode.dependency_failure)


LOGGED = 6.0
"""Factor on the prior where the mode's own words stand in a new complaint."""
GUESSED = 0.5
"""Factor on the prior of a dependency that is only guessed: it may be reached, and nobody saw that it is."""


@dataclass(frozen=True)
class Idea:
    """A failure mode at a place, and how much the context speaks for looking at it."""

    mode: FailureMode
    service: str
    resource: Resource | None
    prior: float
    because: str = ""
    dependency: str = ""


def first_ideas(case: Investigation) -> list[Idea]:
    """Ideas about the service that hurts, its dependencies, and `none`."""
    service = case.symptom.service if case.symptom and case.symptom.service else (case.scope[0] if case.scope else "")
    ideas = _about(case, service) if service else []
    if not service:
        # A complaint of nobody in particular: only what moved when it began can have to do with it.
        ideas = [idea for name in _moved_then(case) for idea in _about(case, name)]
    ideas.append(Idea(FailureMode.none, service, None, modes()[FailureMode.none].prior))
    return ideas


def _moved_then(case: Investigation) -> list[str]:
    """Services in which something began to move within a quarter of an hour of the complaint."""
    onset = case.incident.window.onset if case.incident else None
    if onset is None:
        return list(case.scope)
    near = [a.service for a in anomalies(case) if abs(a.onset - onset.timestamp()) <= 900]
    return list(dict.fromkeys(near))


def deeper_ideas(case: Investigation, parent: Hypothesis) -> list[Idea]:
    """The causes of the cause."""
    if parent.failure_mode in DEPENDENCIES:
        return _about(case, _dependency_of(parent))
    mode = modes().get(parent.failure_mode)
    if mode is None or not mode.caused_by:
        return []
    places = [parent.service]
    if mode.cause_in == "callers" and case.graph is not None:
        places += [name for name in case.graph.dependents(parent.service, hops=1) if name in case.scope]
    return [idea for place in places for idea in own_ideas(case, place) if idea.mode in mode.caused_by and idea.because]


def _about(case: Investigation, name: str) -> list[Idea]:
    return [*own_ideas(case, name), *_dependencies(case, name)]


def own_ideas(case: Investigation, name: str) -> list[Idea]:
    """Failure modes that can strike that service, each at the resource that it fits best."""
    service = case.graph.service(name) if case.graph else None
    if service is None:
        return []
    moved = [a for a in anomalies(case) if a.service == service.name]
    ideas = []
    for failure, mode in modes().items():
        struck = [r for r in service.resources if r.type in mode.strikes]
        if not struck:
            continue
        suggested = ((s, _suggests(case, service, moved, s)) for s in mode.suggested_by)
        said = [_weighed(case, service, s, why) for s, why in suggested if why]
        said += [(LOGGED, why) for why in _logged(case, service, mode)]
        factor = prod(times for times, _ in said)
        prior = mode.prior * (factor if said else mode.unsuggested)
        if prior > 0:
            place = _place(case, struck, moved, mode)
            because = "; ".join(why for _, why in said)
            ideas.append(Idea(failure, service.name, place, prior, because))
    return ideas


def _weighed(case: Investigation, service: Service, line: Suggestion, why: str) -> tuple[float, str]:
    """The factor of a suggestion; that of a change fades with its distance from the onset."""
    onset = case.incident.window.onset if case.incident else None
    change = changed(case, service, line.changed) if line.changed else None
    if change is None or onset is None:
        return line.times, why
    return 1.0 + (line.times - 1.0) * proximity(change.at, onset), why


def _dependencies(case: Investigation, name: str) -> list[Idea]:
    if case.graph is None:
        return []
    movers = first_movers(case, anomalies(case), name)
    ideas = []
    known = {**case.graph.dependencies(name, hops=1), **dict.fromkeys(mentioned(case, name), 1)}
    for dependency in known:
        unseen = outside(case, dependency)
        for failure in DEPENDENCIES:
            mode = modes()[failure]
            said = "first" if dependency in movers else "outside" if unseen else None
            fitting = [line for line in mode.suggested_by if line.dependency and line.dependency == said]
            named = _named(case, name, dependency)
            factor = fitting[0].times if fitting else 1.0 if named else mode.unsuggested
            factor *= LOGGED if named else GUESSED if case.graph.guessed(name, dependency) else 1.0
            rank = 1.0 if dependency not in movers else 1.0 / (1 + movers.index(dependency))
            because = f"{dependency} was in trouble no later" if said == "first" else named
            ideas.append(Idea(failure, name, None, mode.prior * factor * rank, because, dependency))
    # One idea a dependency: the kind of trouble that fits what is seen of it.
    best: dict[str, Idea] = {}
    for idea in ideas:
        if idea.dependency not in best or _fit(case, idea) > _fit(case, best[idea.dependency]):
            best[idea.dependency] = idea
    return list(best.values())


def _named(case: Investigation, name: str, dependency: str) -> str:
    """Why the dependency is suspected: new complaints of the service name it, or its vendor reports trouble; or ""."""
    if any(blames(case, complaint.exemplar, dependency) for complaint in complaints(case, name)[:10]):
        return f"complaints of {name} speak of {dependency}"
    service = case.graph.service(dependency) if case.graph else None
    altered = changed(case, service, ("network", "access")) if service is not None else None
    if altered is not None:
        return f"{altered.summary} at {altered.at:%H:%M} UTC"
    reported = any(telling(line.text) for line in reports(case, dependency))
    return f"the vendor reports trouble of {dependency}" if reported else ""


def blames(case: Investigation, text: str, dependency: str) -> bool:
    """Whether a complaint is about the dependency in general: of its name or its kind, and no fault named outright.

    A refusal for the caller's credentials, a certificate that ended, a name that does not resolve say more than that.
    """
    return of_it(case, text, dependency) and literal(text) is None


def of_it(case: Investigation, text: str, dependency: str) -> bool:
    """Whether a line names the dependency, or what it is made of."""
    service = case.graph.service(dependency) if case.graph else None
    return mentions(text, dependency) or (service is not None and speaks_of(text, service))


def outside(case: Investigation, name: str) -> bool:
    """A third party, or a name that nobody knows: nothing of it can be measured."""
    service = case.graph.service(name) if case.graph else None
    return service is None or not service.resources


_SLOW = re.compile(r"time.?out|timed out|deadline|slow|latency", re.IGNORECASE)


def _fit(case: Investigation, idea: Idea) -> float:
    """How well the kind of trouble, slow or failing, fits what is measured of the dependency and said of it."""
    near = {idea.dependency} | set(case.graph.dependencies(idea.dependency, 2) if case.graph else ())
    wanted = next(t.signals for t in modes()[idea.mode].predicts if t.about == "vitals")
    seen = [a for a in anomalies(case) if a.service in near and a.signal in wanted and a.shift.moved == "rises"]
    told = [c for c in complaints(case, idea.service)[:10] if of_it(case, c.exemplar, idea.dependency)]
    slow = sum(c.after for c in told if _SLOW.search(c.exemplar)) > sum(c.after for c in told) / 2
    spoken = bool(told) and slow == (idea.mode is FailureMode.dependency_latency)
    own = {a.signal for a in anomalies(case) if a.service == idea.service and a.shift.moved == "rises"}
    failing = Signal.errors in own
    felt = bool(own) and failing == (idea.mode is FailureMode.dependency_failure)
    return len(seen) + spoken + 0.5 * felt + idea.prior


def _logged(case: Investigation, service: Service, mode: Mode) -> list[str]:
    """A new complaint, of the service or of its callers, or a vendor's report, in words that the mode predicts."""
    calling = case.graph.dependents(service.name, hops=1) if case.graph else {}
    for template in mode.predicts:
        wanted = [word.casefold() for word in template.words]
        if not wanted or template.expect is not Expectation.present:
            continue
        names = list(calling) if template.of == "callers" else [service.name]
        heard = [c.exemplar for name in names for c in complaints(case, name)[:10]]
        if template.about == "events":
            heard = [line.text for line in reports(case, service.name)]
        if any(word in text.casefold() for text in heard for word in wanted):
            return [f"{'events' if template.about == 'events' else 'logs'} speak of it"]
    return []


def _suggests(case: Investigation, service: Service, moved: Iterable[Anomaly], line: Suggestion) -> str:
    """Why this line of the catalogue fits what is known; "" where it does not."""
    if line.moved is not None:
        seen = next((a for a in moved if a.signal is line.moved and a.shift.moved == line.to), None)
        return f"{line.moved.replace('_', ' ')} of {service.name} {line.to}" if seen else ""
    if line.changed:
        change = changed(case, service, line.changed)
        return f"{change.summary} at {change.at:%H:%M} UTC" if change else ""
    return ""


def changed(case: Investigation, service: Service, kinds: Sequence[str]) -> Change | None:
    """The change of that kind to that service which fits best as a cause, by time; autoscaling only answers one."""
    if case.changes is None or case.incident is None or case.incident.window.onset is None:
        return None
    own = {r.key for r in service.resources}
    fitting = [
        change
        for change in case.changes.changes
        if change.kind in kinds and not change.automatic and (change.service == service.name or change.touches(own))
    ]
    found = nearest(fitting, case.incident.window.onset)
    return found[0] if found else None


def _place(case: Investigation, struck: Sequence[Resource], moved: Sequence[Anomaly], mode: Mode) -> Resource:
    """The resource of the service that the idea is about: one that moved as suggested, was changed, or the first."""
    wanted = {line.moved for line in mode.suggested_by if line.moved}
    hurt = [a.resource.key for a in moved if a.signal in wanted]
    touched = [c.resource.key for c in (case.changes.changes if case.changes else ()) if c.resource]
    order = {key: rank for rank, key in enumerate([*hurt, *touched][::-1], start=1)}
    return max(struck, key=lambda r: (order.get(r.key, 0), -struck.index(r)))


def _dependency_of(hypothesis: Hypothesis) -> str:
    return next((p.service for p in hypothesis.predictions if p.about == "vitals"), "")
