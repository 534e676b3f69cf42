"""The built-in reasoner: hypotheses from the catalogue of failure modes, read off what moved and what was changed."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from runbook_bot.analysis.complaints import EVENTFUL, complaints, mentions, reports
from runbook_bot.analysis.proximity import nearest
from runbook_bot.analysis.vitals import COMPUTE, Anomaly, anomalies, first_movers
from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Expectation, Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.observation import Change
from runbook_bot.domain.ports import Mending
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.tools import Query, Result
from runbook_bot.domain.vocabulary import FailureMode, ResourceType
from runbook_bot.reasoning.judging import judge
from runbook_bot.reasoning.modes import Mode, Suggestion, Template, modes, telling
from runbook_bot.reasoning.surroundings import THROUGH

AT_MOST = 5
"""Hypotheses on one level, `none` included."""
LIKELY = 0.88
"""What all proposed hypotheses together may claim; the rest is a cause that nobody here thought of."""
LOGGED = 6.0
"""Factor on the prior where the mode's own words stand in a new complaint."""
BRANCHES = 4
"""Branches of one hypothesis: those that something in the context suggests."""
DEPENDENCIES = (FailureMode.dependency_latency, FailureMode.dependency_failure)
MOVED = Prediction(
    about="symptom",
    expect=Expectation.rises,
    seen=1.1,
    unseen=0.12,
    text="the metric behind the alert has left its usual range",
)
"""What every fault predicts."""
FELT_AT_ONCE = (ResourceType.rds_instance, ResourceType.rds_cluster, ResourceType.elasticache_cluster,
                ResourceType.dynamodb_table, ResourceType.sqs_queue, ResourceType.kinesis_stream)  # fmt: skip


@dataclass(frozen=True)
class Idea:
    """A failure mode at a place, and how much the context speaks for looking at it."""

    mode: FailureMode
    service: str
    resource: Resource | None
    prior: float
    because: str = ""
    dependency: str = ""


class CatalogueReasoner:
    """No model: the catalogue proposes, the statistics judge.

    Thousands of log lines and points are read for that: in a thread, so that nobody else waits meanwhile.
    """

    name = "catalogue"

    async def propose(self, case: Investigation, parent: Hypothesis | None = None) -> Sequence[Hypothesis]:
        return await asyncio.to_thread(_proposed, case, parent)

    async def judge(
        self, case: Investigation, hypothesis: Hypothesis, prediction: Prediction, query: Query, result: Result
    ) -> Evidence:
        return await asyncio.to_thread(judge, case, hypothesis, prediction, query, result)

    def repairs(self, case: Investigation, hypothesis: Hypothesis) -> Sequence[Mending]:
        """What may help, best first; where a caller has to be mended, the one whose logs complained most."""
        known = modes().get(hypothesis.failure_mode)
        found = []
        for mend in known.repairs if known else ():
            if mend.of == "self":
                place = hypothesis.resource
                places = [place] if place else []
            else:
                places = [r for s in _complaining(case, hypothesis) for r in s.resources if r.type in COMPUTE]
            found += [Mending(mend.do, place) for place in places]
        return found


def _proposed(case: Investigation, parent: Hypothesis | None) -> list[Hypothesis]:
    ideas = _first(case) if parent is None else _deeper(case, parent)
    taken = {(h.failure_mode, h.service) for h in case.hypotheses.values()}
    fresh = [idea for idea in ideas if (idea.mode, idea.dependency or idea.service) not in taken]
    best = sorted(fresh, key=lambda i: (-i.prior, i.mode, i.service, i.dependency))
    if parent is None:
        nothing = [i for i in best if i.mode is FailureMode.none]
        best = [*[i for i in best if i.mode is not FailureMode.none][: AT_MOST - 1], *nothing]
    else:
        best = [i for i in best if i.because][:BRANCHES] or best[:2]
    chosen = best[:AT_MOST]
    # Never more than the ideas are worth by themselves: a lone far-fetched one must not pass for the likely one.
    scale = min(1.0, LIKELY / (sum(idea.prior for idea in chosen) or 1.0))
    prefix = f"{parent.id}." if parent else "H"
    taken_ids = len(case.children(parent.id if parent else None))
    return [
        _hypothesis(case, idea, f"{prefix}{taken_ids + n}", parent, scale * idea.prior)
        for n, idea in enumerate(chosen, start=1)
    ]


def _first(case: Investigation) -> list[Idea]:
    """Ideas about the service that hurts, its dependencies, and `none`."""
    service = case.symptom.service if case.symptom and case.symptom.service else (case.scope[0] if case.scope else "")
    ideas = _about(case, service) if service else []
    if not service:
        ideas = [idea for name in case.scope for idea in _about(case, name)]
    ideas.append(Idea(FailureMode.none, service, None, modes()[FailureMode.none].prior))
    return ideas


def _deeper(case: Investigation, parent: Hypothesis) -> list[Idea]:
    """The causes of the cause."""
    if parent.failure_mode in DEPENDENCIES:
        return _about(case, _dependency_of(parent))
    mode = modes().get(parent.failure_mode)
    if mode is None or not mode.caused_by:
        return []
    places = [parent.service]
    if mode.cause_in == "callers" and case.graph is not None:
        places += [name for name in case.graph.dependents(parent.service, hops=1) if name in case.scope]
    return [idea for place in places for idea in _own(case, place) if idea.mode in mode.caused_by and idea.because]


def _about(case: Investigation, name: str) -> list[Idea]:
    return [*_own(case, name), *_dependencies(case, name)]


def _own(case: Investigation, name: str) -> list[Idea]:
    service = case.graph.service(name) if case.graph else None
    if service is None:
        return []
    moved = [a for a in anomalies(case) if a.service == service.name]
    ideas = []
    for failure, mode in modes().items():
        struck = [r for r in service.resources if r.type in mode.strikes]
        if not struck:
            continue
        said = [(s.times, why) for s in mode.suggested_by if (why := _suggests(case, service, moved, s))]
        said += [(LOGGED, why) for why in _logged(case, service, mode)]
        factor = prod(times for times, _ in said)
        prior = mode.prior * (factor if said else mode.unsuggested)
        if prior > 0:
            place = _place(case, struck, moved, mode)
            because = "; ".join(why for _, why in said)
            ideas.append(Idea(failure, service.name, place, prior, because))
    return ideas


def _dependencies(case: Investigation, name: str) -> list[Idea]:
    if case.graph is None:
        return []
    movers = first_movers(case, anomalies(case), name)
    ideas = []
    for dependency in case.graph.dependencies(name, hops=1):
        outside = _outside(case, dependency)
        for failure in DEPENDENCIES:
            mode = modes()[failure]
            said = "first" if dependency in movers else "outside" if outside else None
            fitting = [line for line in mode.suggested_by if line.dependency and line.dependency == said]
            named = _named(case, name, dependency)
            factor = fitting[0].times if fitting else 1.0 if named else mode.unsuggested
            factor *= LOGGED if named else 1.0
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
    if any(mentions(complaint.exemplar, dependency) for complaint in complaints(case, name)[:10]):
        return f"complaints of {name} name {dependency}"
    reported = any(telling(line.text) for line in reports(case, dependency))
    return f"the vendor reports trouble of {dependency}" if reported else ""


def _outside(case: Investigation, name: str) -> bool:
    """A third party, or a name that nobody knows: nothing of it can be measured."""
    service = case.graph.service(name) if case.graph else None
    return service is None or not service.resources


_SLOW = re.compile(r"time.?out|timed out|deadline|slow|latency", re.IGNORECASE)


def _fit(case: Investigation, idea: Idea) -> float:
    """How well the kind of trouble, slow or failing, fits what is measured of the dependency and said of it."""
    near = {idea.dependency} | set(case.graph.dependencies(idea.dependency, 2) if case.graph else ())
    wanted = next(t.signals for t in modes()[idea.mode].predicts if t.about == "vitals")
    seen = [a for a in anomalies(case) if a.service in near and a.signal in wanted and a.shift.moved == "rises"]
    told = [c.exemplar for c in complaints(case, idea.service)[:10] if mentions(c.exemplar, idea.dependency)]
    slow = any(_SLOW.search(text) for text in told)
    spoken = bool(told) and slow == (idea.mode is FailureMode.dependency_latency)
    return len(seen) + spoken + idea.prior


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
    """The change of that kind to that service which fits best as a cause, by time."""
    if case.changes is None or case.incident is None or case.incident.window.onset is None:
        return None
    own = {r.key for r in service.resources}
    fitting = [
        change
        for change in case.changes.changes
        if change.kind in kinds
        and (change.service == service.name or (change.resource is not None and change.resource.key in own))
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


def _hypothesis(case: Investigation, idea: Idea, id: str, parent: Hypothesis | None, prior: float) -> Hypothesis:
    mode = modes()[idea.mode]
    words = {"service": idea.service or "the service", "dependency": idea.dependency}
    predictions = [
        made
        for template in mode.predicts
        if not template.types or (idea.resource is not None and idea.resource.type in template.types)
        for made in _predictions(case, idea, template, words)
    ]
    if idea.mode is not FailureMode.none:
        predictions.append(MOVED)
    return Hypothesis(
        id=id,
        parent=parent.id if parent else None,
        statement=mode.statement.format(**words),
        failure_mode=idea.mode,
        service=idea.dependency if idea.dependency else idea.service,
        resource=idea.resource,
        predictions=tuple(predictions),
        prior=prior,
        because=idea.because,
        explained_by=(*mode.caused_by, *mode.yields_to),
    )


def _predictions(case: Investigation, idea: Idea, template: Template, words: dict[str, str]) -> Iterable[Prediction]:
    made = Prediction(
        about=template.about,
        resource=idea.resource,
        service=idea.dependency if template.of == "dependency" else idea.service,
        signal=template.signal,
        signals=template.signals,
        limit=template.limit,
        ratio=template.ratio,
        words=tuple(word.format(**words) for word in template.words),
        fact=template.fact or ",".join(template.kinds),
        expect=template.expect,
        seen=template.seen,
        unseen=template.unseen,
        group=template.group,
        text=template.text.format(**words),
    )
    if idea.dependency and template.about == "dependencies":
        made = made.model_copy(update={"fact": idea.dependency})
    if template.of == "dependency" and template.about == "vitals":
        made = made.model_copy(update={"fact": THROUGH})
    if template.about == "metric" and template.signal is not None:
        place = _measurable(case, idea, template)
        return [made.model_copy(update={"resource": place})] if place else []
    if template.about == "events":
        made = made.model_copy(update={"resource": _eventful(case, idea)})
    if template.about != "logs":
        return [made]
    if idea.dependency and _outside(case, idea.dependency):
        # Nothing of it can be measured: what its callers say of it is all there is.
        made = made.model_copy(update={"seen": 8.0, "unseen": 0.15})
    group = template.group or f"logs:{','.join(template.words)}"
    return [made.model_copy(update={"resource": place, "group": group}) for place in _loggers(case, idea, template)]


def _measurable(case: Investigation, idea: Idea, template: Template) -> Resource | None:
    """Where the signal can be read: the idea's resource, or the one of the same service that has the signal."""
    service = case.graph.service(idea.service) if case.graph else None
    if service is None or template.signal is None:
        return idea.resource
    having = {
        series.resource.key
        for asked in case.asked
        for series in asked.result.series
        if series.signal is template.signal
    }
    if idea.resource is not None and idea.resource.key in having:
        return idea.resource
    fallback = idea.resource or (service.resources[0] if service.resources else None)
    return next((r for r in service.resources if r.key in having), fallback)


def _eventful(case: Investigation, idea: Idea) -> Resource | None:
    """Of which resource vendors report: the idea's own, or the one of the same service that runs."""
    service = case.graph.service(idea.service) if case.graph else None
    if service is None or (idea.resource is not None and idea.resource.type in EVENTFUL):
        return idea.resource
    return next((r for r in service.resources if r.type in EVENTFUL), idea.resource)


def _loggers(case: Investigation, idea: Idea, template: Template) -> list[Resource]:
    """Whose logs tell: of the service itself, or of those that call it (the nearest two in scope)."""
    if case.graph is None:
        return []
    names = [idea.service]
    if template.of == "callers":
        calling = list(case.graph.dependents(idea.service, hops=1))
        names = [name for name in case.scope if name in calling][:3]
    found = []
    for name in names:
        service = case.graph.service(name)
        if service is None:
            continue
        wanted = (*COMPUTE, *FELT_AT_ONCE) if template.of == "self" else COMPUTE
        writing = [r for r in service.resources if r.type is ResourceType.log_group]
        writing = writing or [r for r in service.resources if r.type in wanted]
        found += writing[:1]
    return found


def _complaining(case: Investigation, hypothesis: Hypothesis) -> list[Service]:
    """The callers of the struck service, those whose logs complained most first, then by distance to the symptom."""
    if case.graph is None:
        return []
    calling = case.graph.dependents(hypothesis.service, hops=1)
    said: dict[str, float] = {}
    for each in case.evidence_for(hypothesis.id):
        count = each.numbers.get("lines_after")
        owner = each.numbers.get("service")
        if isinstance(count, int | float) and isinstance(owner, str):
            said[owner] = max(said.get(owner, 0.0), float(count))
    names = sorted(calling, key=lambda n: (-said.get(n, 0.0), case.scope.index(n) if n in case.scope else 99, n))
    return [service for name in names if (service := case.graph.service(name)) is not None]
