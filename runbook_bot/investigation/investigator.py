"""The verbs of an investigation, in their order; each step is a journal entry, so that any process can go on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import (
    Body,
    Concluded,
    Failed,
    Judged,
    LimitReached,
    Noted,
    Proposed,
    RoundBegan,
    Settled,
    Steered,
)
from runbook_bot.domain.noun import digest
from runbook_bot.domain.ports import Clock, Journal, Reasoner
from runbook_bot.domain.tools import Status
from runbook_bot.investigation.conclusion import ENOUGH, conclude
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.testing import Allowance, scored, tested, unasked
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World

UNFINISHED = (HypothesisState.open, HypothesisState.testing)
SAYS_NO, SAYS_YES = -3.0, 1.1
"""Weights of a person's word: ruled out (a likelihood ratio of 1 to 20), recognised (3 to 1)."""


class Investigator:
    """Runs one investigation from wherever its journal stands to its verdict.

    What comes next is read off the journal alone, so that a run that was cut off anywhere ends as it would have.
    """

    def __init__(self, world: World, reasoner: Reasoner, triage: Triage, limits: AgentSettings, clock: Clock) -> None:
        self._world = world
        self._reasoner = reasoner
        self._triage = triage
        self._limits = limits
        self._clock = clock

    async def run(self, journal: Journal) -> AsyncIterator[Body]:
        """What is to be journalled next. The consumer appends each entry before it asks for the following one."""
        case = journal.refresh()
        if case.failure or (case.verdict is not None and not case.unsteered and not case.reopened):
            return
        began, rounds, cut_short = self._clock.now(), 0, ""
        async for body in self._triage.run(journal):
            yield body
        while True:
            async for body in self._steered(journal):
                yield body
            async for body in self._grown(journal):
                yield body
            case = journal.refresh()
            batch = self._batch(case)
            cut_short = self._limit(case, rounds, began)
            if cut_short or not batch:
                break
            rounds += 1
            async for body in tested(self._world, self._reasoner, journal, batch, self._allowance(case, began)):
                yield body
        if not case.hypotheses:
            yield Failed(text="no hypothesis could be formed: no service, no metric and no alarm was found")
            return
        if cut_short and not case.ending and not batch and not await asyncio.to_thread(unasked, case):
            cut_short = ""  # the limit was reached with the last question
        if cut_short and not case.ending:
            yield LimitReached(limit=cut_short, text=f"{cut_short}: the best answer so far follows")
        verdict = await asyncio.to_thread(conclude, journal.refresh(), self._clock.now(), cut_short)
        yield Concluded(verdict=verdict)

    async def _grown(self, journal: Journal) -> AsyncIterator[Body]:
        """Once a round is over: branches of what is strongly supported; where nothing is, the next best ideas."""
        case = journal.refresh()
        if _under_test(case) or (case.ending and case.hypotheses):
            return
        if not case.hypotheses or any(id not in case.hypotheses for id in case.batch):
            async for body in self._proposed(journal, case.hypotheses.get(_parent(case.batch))):
                yield body
        for id in case.round:
            case = journal.refresh()
            if self._may_branch(case, case.hypotheses[id]):
                async for body in self._proposed(journal, case.hypotheses[id]):
                    yield body
        case = journal.refresh()
        idle = not any(h.state in UNFINISHED for h in case.hypotheses.values())
        first_round = len(case.children(None)) <= len(case.round)
        if idle and first_round and (case.leader is None or case.leader.confidence < ENOUGH):
            async for body in self._proposed(journal, None):
                yield body

    async def _proposed(self, journal: Journal, parent: Hypothesis | None) -> AsyncIterator[Body]:
        """A batch of hypotheses; one that a crash cut off is completed, one that waits to be tested is left alone."""
        case = journal.refresh()
        there = [case.hypotheses[id] for id in case.batch if id in case.hypotheses]
        ours = _parent(case.batch) == (parent.id if parent else "")
        begun = bool(there) and ours and all(h.state is HypothesisState.open for h in there)
        if begun and len(there) == len(case.batch):
            return
        before = replace(case, hypotheses={id: h for id, h in case.hypotheses.items() if not begun or h not in there})
        room = max(self._limits.max_hypotheses - len(before.hypotheses), 0)
        ideas = list(await self._reasoner.propose(before, parent))
        if len(ideas) > room:
            text = f"further causes were not tested: {self._limits.max_hypotheses} hypotheses are the limit"
            if all(note.text != text for note in case.notes):
                yield Noted(text=text, level="warning")
        batch = ideas[:room]
        for hypothesis in batch:
            if hypothesis.id not in case.hypotheses:
                yield Proposed(hypothesis=hypothesis, batch=tuple(h.id for h in batch))

    def _batch(self, case: Investigation) -> list[Hypothesis]:
        """What is tested next: the round that was begun, or the oldest that were not tested yet."""
        if _under_test(case):
            return [case.hypotheses[id] for id in case.round]
        untested = [h for h in case.hypotheses.values() if h.state is HypothesisState.open]
        return untested[: self._limits.parallel_hypotheses]

    def _may_branch(self, case: Investigation, hypothesis: Hypothesis) -> bool:
        strong = any(
            e.direction is Direction.supports and e.strength is Strength.strong
            for e in case.evidence_for(hypothesis.id)
        )
        return (
            hypothesis.state is HypothesisState.supported
            and strong
            and hypothesis.depth < self._limits.max_hypothesis_depth
            and not case.children(hypothesis.id)
        )

    def _limit(self, case: Investigation, rounds: int, began: datetime) -> str:
        """Why to stop now; "" to go on."""
        if case.ending:
            return case.ending
        if rounds >= self._limits.max_iterations:
            return f"{self._limits.max_iterations} rounds were tested"
        if len(case.asked) >= self._limits.max_queries:
            return f"{len(case.asked)} queries were asked"
        if self._clock.now() - began > timedelta(seconds=self._limits.max_seconds):
            return f"{self._limits.max_seconds:.0f} seconds have passed"
        return ""

    def _allowance(self, case: Investigation, began: datetime) -> Allowance:
        """What is left for the next round."""
        left = self._limits.max_seconds - (self._clock.now() - began).total_seconds()
        return Allowance(queries=self._limits.max_queries - len(case.asked), seconds=max(left, 0.1))

    async def _steered(self, journal: Journal) -> AsyncIterator[Body]:
        """Acts on what people asked of hypotheses, each once; the note that answers comes last."""
        for wish in journal.refresh().unsteered:
            if wish.action == "suggest":
                async for body in self._suggested(journal, wish):
                    yield body
                continue
            case = journal.refresh()
            hypothesis = case.hypotheses.get(wish.hypothesis)
            if hypothesis is None:
                yield Noted(text=f"{wish.hypothesis} is no hypothesis of this investigation", answers=wish.delivery)
                continue
            if wish.action == "dig":
                async for body in self._proposed(journal, hypothesis):
                    yield body
            else:
                if not any(e.source == "person" and e.asked == wish.delivery for e in case.evidence.values()):
                    yield Judged(evidence=_testimony(case, wish, self._clock.now()))
                async for body in _weighed_anew(journal, wish):
                    yield body
            yield Noted(text=f"{hypothesis.id}: {_said(wish)}", answers=wish.delivery)

    async def _suggested(self, journal: Journal, wish: Steered) -> AsyncIterator[Body]:
        """A person's idea becomes hypotheses to test, or a word for those that are there."""
        case = journal.refresh()
        found = list(await self._reasoner.suggested(case, wish.note, wish.by))
        for hypothesis in found:
            if hypothesis.id not in case.hypotheses:
                yield Proposed(hypothesis=hypothesis, batch=tuple(h.id for h in found))
        for hypothesis in found:
            meant = wish.model_copy(update={"hypothesis": hypothesis.id})
            case = journal.refresh()
            if not any(e.asked == wish.delivery and e.hypothesis == hypothesis.id for e in case.evidence.values()):
                yield Judged(evidence=_testimony(case, meant, self._clock.now()))
            if case.hypotheses[hypothesis.id].state not in UNFINISHED:
                async for body in _weighed_anew(journal, meant):
                    yield body
        text = f"{', '.join(h.id for h in found)}: {_said(wish)}" if found else NOTHING_FITS
        yield Noted(text=text, answers=wish.delivery, level="info" if found else "warning")


NOTHING_FITS = "nothing that is known here fits what was suggested: name a service, a kind of thing, or a kind of fault"


def _under_test(case: Investigation) -> bool:
    return any(h.state is HypothesisState.testing for h in case.hypotheses.values())


def _parent(batch: Sequence[str]) -> str:
    """The id of the hypothesis that the batch branches from; "" for the first ones."""
    return batch[0].rpartition(".")[0] if batch else ""


async def _weighed_anew(journal: Journal, wish: Steered) -> AsyncIterator[Body]:
    """After a person's word: what it changes is settled again, from the answers that are there already."""
    case = journal.refresh()
    affected: tuple[str, ...] = (wish.hypothesis,)
    if wish.action == "rule_out":
        yield Settled(hypothesis=wish.hypothesis, state=HypothesisState.pruned, by=wish.by, reason=_said(wish))
        by_people = {settled.hypothesis for settled in case.settled if settled.by} | {wish.hypothesis}
        siblings = case.children(case.hypotheses[wish.hypothesis].parent)
        affected = tuple(h.id for h in siblings if h.id not in by_people and h.state not in UNFINISHED)
    yield scored(journal.refresh())
    if affected:
        yield RoundBegan(hypotheses=affected)


def _said(wish: Steered) -> str:
    words = {"dig": "asked to dig deeper", "rule_out": "ruled out", "known": "recognised as known",
             "suggest": "suspected"}  # fmt: skip
    note = f": {wish.note}" if wish.note else ""
    return f"{words[wish.action]} by <@{wish.by}>{note}"


def _testimony(case: Investigation, wish: Steered, at: datetime) -> Evidence:
    """A person's word, as attributed evidence."""
    against = wish.action == "rule_out"
    return Evidence(
        id=f"E{len(case.evidence) + 1}",
        hypothesis=wish.hypothesis,
        source="person",
        query={"by": wish.by, "action": wish.action},
        asked=wish.delivery,
        observed_at=at,
        status=Status.ok,
        direction=Direction.refutes if against else Direction.supports,
        strength=Strength.strong if against else Strength.weak,
        weight=SAYS_NO if against else SAYS_YES,
        group=f"person:{wish.by}",
        expected="what people on the spot know",
        summary=_said(wish),
        digest=digest(wish.model_dump(mode="json")),
    )
