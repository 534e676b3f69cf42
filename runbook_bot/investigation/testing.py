"""One round: ask what the open hypotheses predict, judge the answers, score, prune, and say which may branch."""

import math
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from runbook_bot.domain.confidence import SHOWN, calibrated, posterior, support
from runbook_bot.domain.evidence import Direction, Evidence
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Judged, RoundBegan, Scored, Settled
from runbook_bot.domain.ports import Journal, Reasoner
from runbook_bot.domain.tools import Query
from runbook_bot.investigation.causal import by_worth, questions
from runbook_bot.investigation.scratchpad import ask_all, gathered, narrowed, unanswered
from runbook_bot.investigation.world import World

REFUTED = math.log(0.2)
"""Weight of evidence that alone can end a hypothesis."""
HOPELESS = 0.04
"""Confidence below which a hypothesis is no longer followed."""


@dataclass(frozen=True)
class Allowance:
    """What one round may spend."""

    queries: int
    seconds: float


async def tested(
    world: World, reasoner: Reasoner, journal: Journal, batch: Sequence[Hypothesis], allowance: Allowance
) -> AsyncIterator[Body]:
    """Entries of one round over `batch`. Queries run in parallel; judging is in order, so that ids are stable.

    Where the allowance does not reach, what would tell most for its cost is asked.
    """
    if any(hypothesis.state is HypothesisState.open for hypothesis in batch):
        yield RoundBegan(hypotheses=tuple(h.id for h in batch))
    case = journal.refresh()
    plan = {h.id: questions(case, h) for h in batch}
    asked = [(h, query) for h, pairs in plan.items() for _, query in pairs]
    wanted, notes = gathered(asked)
    told = {note.text for note in case.notes}
    for note in notes:
        if note.text not in told:
            yield note
    best = list(by_worth(case, unanswered(case, wanted)).items())
    async for body in ask_all(world, case, dict(best[: allowance.queries]), within=allowance.seconds):
        yield body
    for hypothesis in batch:
        async for body in _judged(reasoner, journal, hypothesis, plan[hypothesis.id]):
            yield body
    yield scored(journal.refresh(), [h.id for h in batch])
    for settled in settlements(journal.refresh(), batch):
        yield settled


async def _judged(
    reasoner: Reasoner, journal: Journal, hypothesis: Hypothesis, plan: Sequence[tuple[Prediction, Query]]
) -> AsyncIterator[Body]:
    for prediction, query in plan:
        case = journal.refresh()
        allowed, _ = narrowed(query)
        result = case.answers.get(allowed.key) if allowed else None
        if result is None or allowed is None:
            continue
        if any(e.expected == prediction.text and e.asked == allowed.key for e in case.evidence_for(hypothesis.id)):
            continue
        evidence = await reasoner.judge(case, hypothesis, prediction, allowed, result)
        yield Judged(evidence=evidence.model_copy(update={"id": f"E{len(case.evidence) + 1}"}))


def unasked(case: Investigation) -> int:
    """Questions of hypotheses that were tested which nobody asked, or which nobody answered in time."""
    over = [h for h in case.hypotheses.values() if h.state is not HypothesisState.open]
    wanted, _ = gathered((h.id, query) for h in over for _, query in questions(case, h))
    return len(unanswered(case, wanted))


def scored(case: Investigation, batch: Collection[str] = ()) -> Scored:
    """The confidence of every hypothesis, from all evidence so far; `batch` competes whatever became of it already."""
    evidence = {id: case.evidence_for(id) for id in case.hypotheses}
    competing = [
        h.model_copy(update={"state": HypothesisState.testing}) if h.id in batch else h
        for h in case.hypotheses.values()
    ]
    confidence, unexplained = calibrated(competing, *posterior(competing, evidence))
    return Scored(
        confidence={id: round(value, 4) for id, value in confidence.items()}, unexplained=round(unexplained, 4)
    )


def settlements(case: Investigation, batch: Sequence[Hypothesis]) -> list[Settled]:
    """What became of the hypotheses of this round, each with the evidence that decided it."""
    current = [case.hypotheses[h.id] for h in batch]
    return [_settlement(case, h) for h in current if h.state is HypothesisState.testing]


def _settlement(case: Investigation, hypothesis: Hypothesis) -> Settled:
    evidence = case.evidence_for(hypothesis.id)
    total = support(evidence)
    against = min((e for e in evidence if e.direction is Direction.refutes), key=lambda e: e.weight, default=None)
    carrying = [e for e in sorted(evidence, key=lambda e: -e.weight) if e.direction is Direction.supports]
    if against is not None and against.weight <= REFUTED and total < SHOWN:
        return _end(hypothesis, HypothesisState.pruned, against.summary, [against])
    relative = hypothesis.confidence / max(_mass_of_parent(case, hypothesis), 1e-6)
    if relative < HOPELESS:
        why = against.summary if against else "the evidence fits another cause far better"
        return _end(hypothesis, HypothesisState.pruned, why, [against] if against else [])
    if total >= SHOWN and relative >= 0.2:
        return _end(hypothesis, HypothesisState.supported, carrying[0].summary if carrying else "", carrying[:3])
    unknown = [e for e in evidence if e.direction is Direction.unknown]
    why = unknown[0].summary if unknown else "the evidence is too thin either way"
    return _end(hypothesis, HypothesisState.inconclusive, why, unknown[:1])


def _mass_of_parent(case: Investigation, hypothesis: Hypothesis) -> float:
    parent = case.hypotheses.get(hypothesis.parent) if hypothesis.parent else None
    return parent.confidence if parent else 1.0


def _end(hypothesis: Hypothesis, state: HypothesisState, why: str, evidence: Sequence[Evidence]) -> Settled:
    return Settled(hypothesis=hypothesis.id, state=state, reason=why, evidence=tuple(e.id for e in evidence))
