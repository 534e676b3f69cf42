"""The verbs of an investigation, in their order; each step is a journal entry, so that any process can go on."""

from collections.abc import AsyncIterator, Sequence
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
    Settled,
    Steered,
)
from runbook_bot.domain.noun import digest
from runbook_bot.domain.ports import Clock, Journal, Reasoner
from runbook_bot.domain.tools import Status
from runbook_bot.investigation.conclusion import ENOUGH, conclude
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.testing import scored, tested
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World

UNFINISHED = (HypothesisState.open, HypothesisState.testing)
SAYS_NO, SAYS_YES = -3.0, 1.1
"""Weights of a person's word: ruled out (a likelihood ratio of 1 to 20), recognised (3 to 1)."""


class Investigator:
    """Runs one investigation from wherever its journal stands to its verdict."""

    def __init__(self, world: World, reasoner: Reasoner, triage: Triage, limits: AgentSettings, clock: Clock) -> None:
        self._world = world
        self._reasoner = reasoner
        self._triage = triage
        self._limits = limits
        self._clock = clock

    async def run(self, journal: Journal) -> AsyncIterator[Body]:
        """What is to be journalled next. The consumer appends each entry before it asks for the following one."""
        case = journal.refresh()
        if case.failure or (case.verdict is not None and not case.unsteered):
            return
        async for body in self._triage.run(journal):
            yield body
        if not journal.refresh().hypotheses:
            async for body in self._proposed(journal, None):
                yield body
        cut_short = ""
        rounds = 0
        while not cut_short:
            async for body in self._steered(journal):
                yield body
            case = journal.refresh()
            cut_short = self._limit(case, rounds)
            batch = [h for h in case.hypotheses.values() if h.state in UNFINISHED][: self._limits.parallel_hypotheses]
            if cut_short or not batch:
                break
            rounds += 1
            async for body in tested(self._world, self._reasoner, journal, batch):
                yield body
            async for body in self._deeper(journal, batch):
                yield body
        if cut_short and journal.refresh().stop_asked is None:
            yield LimitReached(limit=cut_short, text=f"{cut_short}: the best answer so far follows")
        case = journal.refresh()
        if not case.hypotheses:
            yield Failed(text="no hypothesis could be formed: no service, no metric and no alarm was found")
            return
        yield Concluded(verdict=conclude(case, self._clock.now(), cut_short))

    async def _proposed(self, journal: Journal, parent: Hypothesis | None) -> AsyncIterator[Body]:
        case = journal.refresh()
        room = self._limits.max_hypotheses - len(case.hypotheses)
        for hypothesis in (await self._reasoner.propose(case, parent))[: max(room, 0)]:
            yield Proposed(hypothesis=hypothesis)

    async def _deeper(self, journal: Journal, batch: Sequence[Hypothesis]) -> AsyncIterator[Body]:
        """Branches of what is strongly supported; where nothing is, the next best ideas."""
        for id in (h.id for h in batch):
            case = journal.refresh()
            hypothesis = case.hypotheses[id]
            if self._may_branch(case, hypothesis):
                async for body in self._proposed(journal, hypothesis):
                    yield body
        case = journal.refresh()
        idle = not any(h.state in UNFINISHED for h in case.hypotheses.values())
        leader = case.leader
        first_round = len([h for h in case.hypotheses.values() if h.parent is None]) <= len(batch)
        if idle and first_round and (leader is None or leader.confidence < ENOUGH):
            async for body in self._proposed(journal, None):
                yield body

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

    def _limit(self, case: Investigation, rounds: int) -> str:
        """Why to stop now; "" to go on."""
        if case.stop_asked is not None:
            return "stopped by a person"
        if rounds >= self._limits.max_iterations:
            return f"{self._limits.max_iterations} rounds were tested"
        if len(case.asked) >= self._limits.max_queries:
            return f"{len(case.asked)} queries were asked"
        opened = case.opened_at
        if opened is not None and self._clock.now() - opened > timedelta(seconds=self._limits.max_seconds):
            return f"{self._limits.max_seconds:.0f} seconds have passed"
        return ""

    async def _steered(self, journal: Journal) -> AsyncIterator[Body]:
        """Acts on what people asked of hypotheses, each once."""
        for wish in journal.refresh().unsteered:
            case = journal.refresh()
            hypothesis = case.hypotheses.get(wish.hypothesis)
            if hypothesis is None:
                yield Noted(text=f"{wish.hypothesis} is no hypothesis of this investigation", answers=wish.delivery)
                continue
            if wish.action == "dig":
                async for body in self._proposed(journal, hypothesis):
                    yield body
            else:
                yield Judged(evidence=_testimony(case, wish, self._clock.now()))
                if wish.action == "rule_out":
                    yield Settled(
                        hypothesis=hypothesis.id, state=HypothesisState.pruned, by=wish.by, reason=_said(wish)
                    )
                yield scored(journal.refresh())
            yield Noted(text=f"{hypothesis.id}: {_said(wish)}", answers=wish.delivery)


def _said(wish: Steered) -> str:
    words = {"dig": "asked to dig deeper", "rule_out": "ruled out", "known": "recognised as known"}
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
