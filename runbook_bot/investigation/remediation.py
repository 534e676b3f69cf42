"""From a verdict to proposals: the runbook's steps, and typed changes that somebody may approve."""

from collections.abc import AsyncIterator, Sequence

from runbook_bot.analysis.proximity import proximity
from runbook_bot.approval.gate import Gate
from runbook_bot.domain.approval import Preparation, Verification
from runbook_bot.domain.investigation import REMEDIES, Investigation, Remedy
from runbook_bot.domain.journal import Body, ChangeProposed, Noted, StepsFound
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.ports import Actuator, Journal, Knowledge, Mending, Reasoner
from runbook_bot.domain.vocabulary import FailureMode, Repair
from runbook_bot.errors import KnowledgeError, ProviderError
from runbook_bot.investigation.picture import blast_radius

TRIES = 4
"""Repairs that are looked at before it is said that none fits."""


class Remediation:
    """Looks for what may help. It only ever proposes; the gate decides and carries out."""

    def __init__(
        self, gate: Gate, actuators: Sequence[Actuator], reasoner: Reasoner, knowledge: Knowledge | None
    ) -> None:
        self._gate = gate
        self._actuators = tuple(actuators)
        self._reasoner = reasoner
        self._knowledge = knowledge

    async def run(self, journal: Journal) -> AsyncIterator[Body]:
        """Steps and at most one proposal for the verdict, once; a proposal for each roll-back that was asked for."""
        case = journal.refresh()
        if case.verdict is not None and not case.remedied:
            async for body in self._remedies(journal):
                yield body
        for remedy in journal.refresh().unanswered:
            async for body in self._undo(journal, remedy):
                yield body

    async def _remedies(self, journal: Journal) -> AsyncIterator[Body]:
        case = journal.refresh()
        cause = case.verdict.root_cause if case.verdict else None
        if cause is None or cause.failure_mode is FailureMode.none:
            yield Noted(text="no repair is proposed: there is no cause to repair", answers=REMEDIES)
            return
        there = next((r.proposal for r in case.remedies.values() if r.proposal.hypothesis == _leading(case)), None)
        if there is not None:  # a crash came between the proposal and the note that closes the search
            yield Noted(text=f"proposed: {there.preparation.title}", answers=REMEDIES)
            return
        runbook = await self._runbook(case)
        if runbook is not None and self._knowledge is not None:
            steps = await self._knowledge.steps(runbook)
            if steps and all(found.runbook != runbook.document for found in case.steps):
                yield StepsFound(runbook=runbook.document, title=runbook.title, steps=tuple(steps))
        tried: list[str] = []
        for mending in self._mendings(case)[:TRIES]:
            preparation, problem = await self._prepared(case, mending)
            if preparation is None:
                tried.append(problem or f"{mending.repair.replace('_', ' ')} does not fit {mending.resource.name}")
                continue
            yield self._proposal(case, preparation, runbook)
            yield Noted(text=f"proposed: {preparation.title}", answers=REMEDIES)
            return
        why = "; ".join(dict.fromkeys(tried)) or f"nothing is known that mends {cause.failure_mode.replace('_', ' ')}"
        yield Noted(text=f"no repair is proposed: {why}", answers=REMEDIES)

    def _mendings(self, case: Investigation) -> list[Mending]:
        """Those of the cause first, then those of what it caused."""
        found: list[Mending] = []
        id = _leading(case)
        while id is not None:
            hypothesis = case.hypotheses[id]
            found += self._reasoner.repairs(case, hypothesis)
            id = hypothesis.parent
        return list({(m.repair, m.resource.key): m for m in found}.values())

    async def _prepared(self, case: Investigation, mending: Mending) -> tuple[Preparation | None, str]:
        for actuator in self._actuators:
            try:
                found = await self._read(actuator, mending)
            except ProviderError as problem:
                return None, str(problem)
            gone = _gone(case, mending, found) if found is not None else ""
            if gone:
                return None, gone
            if found is not None:
                return found, ""
        return None, ""

    @staticmethod
    async def _read(actuator: Actuator, mending: Mending) -> Preparation | None:
        """One answer that did not come must not cost the repair: asked twice. Raises `ProviderError`."""
        try:
            return await actuator.prepare(mending.repair, mending.resource)
        except ProviderError:
            return await actuator.prepare(mending.repair, mending.resource)

    def _proposal(self, case: Investigation, preparation: Preparation, runbook: Passage | None) -> Body:
        cause = case.verdict.root_cause if case.verdict else None
        return ChangeProposed(
            proposal=self._gate.propose(
                case,
                _with_blast_radius(case, preparation),
                hypothesis=_leading(case),
                evidence=cause.evidence if cause else (),
                runbook=runbook.document if runbook else None,
                verification=verification(case),
            )
        )

    async def _undo(self, journal: Journal, remedy: Remedy) -> AsyncIterator[Body]:
        """A proposal, or why there is none: somebody pressed a button and gets an answer either way."""
        case, asked = journal.refresh(), remedy.rollback
        assert asked is not None
        preparation, problem = await self._undoing(remedy)
        if preparation is None:
            yield Noted(text=problem, level="warning", answers=asked.key)
            return
        proposal = self._gate.propose(
            case,
            preparation,
            hypothesis=None,
            evidence=(),
            runbook=None,
            verification=None,
            undoes=remedy.proposal.id,
            requester=asked.by,
        )
        yield ChangeProposed(proposal=proposal)
        yield Noted(text=f"proposed: {preparation.title}", answers=asked.key)

    async def _undoing(self, remedy: Remedy) -> tuple[Preparation | None, str]:
        operation = remedy.proposal.preparation.call.operation
        for actuator in self._actuators:
            if operation not in actuator.operations:
                continue
            try:
                return await actuator.prepare_rollback(remedy.proposal), "this change cannot be undone by itself"
            except (ProviderError, TimeoutError) as problem:
                return None, str(problem) or "the vendor did not answer in time"
        return None, f"nothing here can make the change {operation}"

    async def _runbook(self, case: Investigation) -> Passage | None:
        """The runbook that fits the verdict: searched for with the cause's own words."""
        cause = case.verdict.root_cause if case.verdict else None
        if self._knowledge is None or cause is None:
            return None
        words = f"{cause.failure_mode.replace('_', ' ')} {cause.service} {cause.statement}"
        try:
            found = await self._knowledge.search(words[:1000], services=[cause.service], top=8)
        except KnowledgeError:
            return None  # triage has said already that the memory cannot be read
        books = [p for p in found if p.kind == "runbook"]
        fitting = [p for p in books if cause.failure_mode in p.failure_modes]
        return next(iter([*fitting, *(p for p in books if not p.failure_modes)]), None)


def _with_blast_radius(case: Investigation, preparation: Preparation) -> Preparation:
    """The impact with who else is hit if the change goes wrong; whoever approves has to know."""
    owner = case.graph.owner_of(preparation.target) if case.graph else None
    hit = blast_radius(case.graph, [owner.name]) if case.graph and owner else ""
    if not hit:
        return preparation
    return preparation.model_copy(update={"impact": f"{preparation.impact.rstrip('.')}. {hit}"})


def _leading(case: Investigation) -> str | None:
    return next((c.hypothesis for c in case.verdict.ranked if c.hypothesis), None) if case.verdict else None


REVISION = "task_definition"
"""The field of a change, and of a state, that names the revision."""


def _gone(case: Investigation, mending: Mending, preparation: Preparation) -> str:
    """Why going back would go too far: the revision that is blamed no longer runs; "" where it does."""
    onset = case.incident.window.onset if case.incident else None
    running = preparation.pre_state.get(REVISION)
    if mending.repair is not Repair.roll_back or onset is None or not isinstance(running, str):
        return ""
    blamed = [
        change.after[REVISION]
        for change in (case.changes.changes if case.changes else ())
        if REVISION in change.after
        and change.resource is not None
        and change.resource.key == mending.resource.key
        and proximity(change.at, onset) > 0
    ]
    if not blamed or _tail(blamed[-1]) == _tail(running):
        return ""
    return f"{_tail(blamed[-1])} is blamed and {_tail(running)} runs already: there is nothing to go back from"


def _tail(revision: str) -> str:
    return revision.rsplit("/", 1)[-1]


def verification(case: Investigation) -> Verification | None:
    """The symptom's own metric back at its baseline; None where the symptom could not be measured."""
    symptom = case.symptom
    if symptom is None or symptom.moved == "steady":
        return None
    return Verification(
        resource=symptom.resource,
        signal=symptom.signal,
        moved=symptom.moved,
        baseline=symptom.baseline,
        level=symptom.level,
    )
