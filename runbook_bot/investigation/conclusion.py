"""From scores to a verdict: the root cause with its chain, or inconclusive with what would separate the leaders."""

import math
from collections.abc import Sequence
from datetime import datetime

from runbook_bot.domain.evidence import Direction, Evidence
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.saying import symptom as said
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Status
from runbook_bot.domain.verdict import Candidate, RootCause, Verdict
from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.investigation.claims import grounds, sound

ENOUGH = 0.5
"""Confidence below which no root cause is named."""
MARGIN = 0.15
"""Distance to the runner-up below which no root cause is named."""


def standing(case: Investigation) -> list[Candidate]:
    """All candidates, best first. What a hypothesis keeps for itself is its confidence less that of its branches."""
    mass: dict[tuple[str, FailureMode | None], tuple[float, Hypothesis | None]] = {}
    for h in case.hypotheses.values():
        own = max(0.0, h.confidence - sum(child.confidence for child in case.children(h.id)))
        key = (h.service, h.failure_mode)
        before, best = mass.get(key, (0.0, None))
        mass[key] = (before + own, h if best is None or own > before else best)
    found = [
        Candidate(
            service=service,
            resource=h.resource if h else None,
            failure_mode=mode,
            confidence=round(min(1.0, share), 4),
            hypothesis=h.id if h else None,
        )
        for (service, mode), (share, h) in mass.items()
    ]
    if not any(c.failure_mode is FailureMode.none for c in found):
        found.append(Candidate(failure_mode=FailureMode.none, confidence=0.0))
    found.append(Candidate(failure_mode=None, confidence=case.unexplained))
    return sorted(found, key=lambda c: (-c.confidence, c.failure_mode is None, str(c.failure_mode), c.service))


def conclude(case: Investigation, now: datetime, cut_short: str = "") -> Verdict:
    """The verdict that the evidence allows."""
    ranked = standing(case)
    best = ranked[0]
    second = ranked[1].confidence if len(ranked) > 1 else 0.0
    ruled_out = tuple(
        f"{h.id} {h.statement}: {h.reason}" for h in case.hypotheses.values() if h.state is HypothesisState.pruned
    )
    known = grounds(case)
    carried = best.hypothesis is not None and case.hypotheses[best.hypothesis].state is HypothesisState.supported
    certain = carried and best.confidence >= ENOUGH and best.confidence - second >= MARGIN
    kept, struck = sound(ruled_out, known)
    unknowns, doubtful = sound(_unknowns(case), known)
    steps, lost = sound([_next_step(case, ranked)], known)
    verdict = Verdict(
        status="inconclusive",
        root_cause=None,
        ranked=tuple(ranked),
        ruled_out=tuple(kept),
        unknowns=tuple(unknowns),
        next_step=next(iter(steps), ""),
        struck=struck + doubtful + lost,
        cut_short=cut_short,
        at=now,
    )
    if not certain or best.hypothesis is None:
        return verdict
    cause, more = _root_cause(case, best, known)
    named = {"status": "concluded", "root_cause": cause, "next_step": "", "struck": struck + doubtful + more}
    return verdict.model_copy(update=named)


def _root_cause(case: Investigation, best: Candidate, known: set[str]) -> tuple[RootCause, int]:
    assert best.hypothesis is not None
    assert best.failure_mode is not None
    hypothesis = case.hypotheses[best.hypothesis]
    carrying = _carrying(case, hypothesis)
    chain, cited = _chain(case, hypothesis, carrying)
    kept, struck = sound(chain, known)
    statement, lost = sound([_statement(hypothesis, carrying), _statement(hypothesis, ())], known)
    return (
        RootCause(
            statement=next(iter(statement), f"{best.failure_mode.replace('_', ' ').capitalize()}: {best.service}"),
            service=best.service,
            resource=_resource(case, hypothesis),
            failure_mode=best.failure_mode,
            confidence=best.confidence,
            causal_chain=tuple(dict.fromkeys(kept)),
            evidence=tuple(dict.fromkeys(e.id for e in cited)),
        ),
        struck + lost,
    )


def _resource(case: Investigation, hypothesis: Hypothesis) -> Resource | None:
    if hypothesis.resource is not None or case.graph is None:
        return hypothesis.resource
    service = case.graph.service(hypothesis.service)
    return service.resources[0] if service and service.resources else None


def _carrying(case: Investigation, hypothesis: Hypothesis) -> list[Evidence]:
    supporting = [e for e in case.evidence_for(hypothesis.id) if e.direction is Direction.supports]
    return sorted(supporting, key=lambda e: (-e.weight, e.id))


def _statement(hypothesis: Hypothesis, carrying: Sequence[Evidence]) -> str:
    first = hypothesis.statement[:1].upper() + hypothesis.statement[1:]
    return f"{first}: {carrying[0].summary}" if carrying else first


def _chain(
    case: Investigation, hypothesis: Hypothesis, carrying: Sequence[Evidence]
) -> tuple[list[str], list[Evidence]]:
    """From the cause to the complaint, each step with the evidence that shows it."""
    cited = list(carrying[:4])
    chain = [e.summary for e in cited[:3]]
    parent = hypothesis.parent
    while parent is not None:
        above = case.hypotheses[parent]
        best = _carrying(case, above)[:1]
        cited += best
        chain.append(above.statement + (f": {best[0].summary}" if best else ""))
        parent = above.parent
    if case.symptom is not None:
        chain.append(said(case.symptom))
    return chain, cited


def _unknowns(case: Investigation) -> list[str]:
    """What could not be checked, once each."""
    failed = [e.summary for e in case.evidence.values() if e.direction is Direction.unknown]
    if case.changes is not None and case.changes.message and case.changes.status is not Status.no_data:
        failed.append(f"changes: {case.changes.message}")
    if case.knowledge is not None and case.knowledge.status is Status.error:
        failed.append(f"runbooks: {case.knowledge.message}")
    failed += [note.text for note in case.notes if note.level == "warning"]
    return list(dict.fromkeys(failed))[:8]


def _next_step(case: Investigation, ranked: Sequence[Candidate]) -> str:
    """The cheapest test that would separate the leaders: the unanswered prediction that is worth most."""
    leading = [c.hypothesis for c in ranked[:3] if c.hypothesis]
    worth: dict[str, float] = {}
    for id in leading:
        hypothesis = case.hypotheses[id]
        unknown = {e.expected: e for e in case.evidence_for(id) if e.direction is Direction.unknown}
        for prediction in hypothesis.predictions:
            if prediction.text in unknown:
                step = f"find out whether {prediction.text} ({unknown[prediction.text].summary})"
                worth[step] = abs(math.log(prediction.seen / prediction.unseen))
    if worth:
        return max(worth, key=lambda step: (worth[step], step))
    if leading:
        return f"look for what would refute {leading[0]}: {case.hypotheses[leading[0]].would_refute}"
    return "name the service that hurts, and since when"
