"""The built-in reasoner: hypotheses from the catalogue of failure modes, read off what moved and what was changed."""

import asyncio
from collections.abc import Iterable, Sequence

from runbook_bot.analysis.complaints import EVENTFUL
from runbook_bot.analysis.vitals import COMPUTE
from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Expectation, Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.ports import Mending
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.tools import Query, Result
from runbook_bot.domain.vocabulary import FailureMode, ResourceType
from runbook_bot.reasoning.ideas import DEPENDENCIES, Idea, deeper_ideas, first_ideas, outside
from runbook_bot.reasoning.judging import judge
from runbook_bot.reasoning.modes import Template, modes
from runbook_bot.reasoning.suggested import meant
from runbook_bot.reasoning.surroundings import THROUGH
from runbook_bot.reasoning.told import BLAMES

AT_MOST = 5
"""Hypotheses on one level, `none` included."""
LIKELY = 0.88
"""What all proposed hypotheses together may claim; the rest is a cause that nobody here thought of."""

BRANCHES = 4
"""Branches of one hypothesis: those that something in the context suggests."""

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


class CatalogueReasoner:
    """No model: the catalogue proposes, the statistics judge.

    Thousands of log lines and points are read for that: in a thread, so that nobody else waits meanwhile.
    """

    name = "catalogue"

    async def propose(self, case: Investigation, parent: Hypothesis | None = None) -> Sequence[Hypothesis]:
        return await asyncio.to_thread(_proposed, case, parent)

    async def suggested(self, case: Investigation, text: str, by: str) -> Sequence[Hypothesis]:
        return await asyncio.to_thread(_suggested, case, text, by)

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
    ideas = first_ideas(case) if parent is None else deeper_ideas(case, parent)
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


def _suggested(case: Investigation, text: str, by: str) -> list[Hypothesis]:
    """Beneath the dependency that is blamed already where it is about that; else beside the first ones."""
    found: list[Hypothesis] = []
    for idea in meant(case, text):
        known = [*case.hypotheses.values(), *found]
        there = next((h for h in known if (h.failure_mode, h.service) == (idea.mode, idea.service)), None)
        if there is None:
            blamed = (h for h in case.hypotheses.values() if h.failure_mode in DEPENDENCIES)
            parent = next((h for h in blamed if h.service == idea.service), None)
            taken = len([h for h in known if h.parent == (parent.id if parent else None)])
            id = f"{parent.id}.{taken + 1}" if parent else f"H{taken + 1}"
            made = _hypothesis(case, idea, id, parent, min(idea.prior, LIKELY))
            there = made.model_copy(update={"proposed_by": by, "because": f"suspected by <@{by}>"})
        found.append(there)
    return list({h.id: h for h in found}.values())


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
    if idea.dependency:
        made = made.model_copy(update={"fact": BLAMES})
    if idea.dependency and outside(case, idea.dependency):
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
