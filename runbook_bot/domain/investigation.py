"""An investigation is the fold of its journal: everything known of it, derived from the entries and nothing else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from runbook_bot.domain.approval import Decision, Outcome, Proposal
from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.incident import Incident, Request, Symptom
from runbook_bot.domain.journal import (
    CanvasKept,
    ChangeProposed,
    ChangesFound,
    Checked,
    Concluded,
    Decided,
    Entry,
    Executed,
    Failed,
    GraphFound,
    IncidentFound,
    Judged,
    KnowledgeFound,
    LimitReached,
    Noted,
    Opened,
    Posted,
    Posting,
    Proposed,
    Queried,
    Rated,
    RollbackAsked,
    RoundBegan,
    Ruled,
    Scored,
    Settled,
    Spent,
    Steered,
    StepsFound,
    StopAsked,
    SymptomFound,
    Verified,
)
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.tools import Result
from runbook_bot.domain.verdict import Verdict

InvestigationStatus = Literal["open", "concluded", "inconclusive", "failed", "stopped"]


STOPPED = "stopped by a person"
"""Why it ended where somebody pressed Stop."""
REMEDIES = "remedies"
"""What a note answers that closes the search for repairs."""


@dataclass(frozen=True)
class Remedy:
    """One proposal and all that has become of it."""

    proposal: Proposal
    decisions: tuple[Decision, ...] = ()
    rulings: tuple[Ruled, ...] = ()
    spent: bool = False
    outcome: Outcome | None = None
    executed_at: datetime | None = None
    checks: tuple[Checked, ...] = ()
    verified: Verified | None = None
    rollback: RollbackAsked | None = None
    """Who last asked for it to be undone."""

    @property
    def ruling(self) -> Ruled | None:
        """The latest that closed it (approved, rejected or void): what was approved may turn void before it ran."""
        return next((r for r in reversed(self.rulings) if r.outcome in ("approved", "rejected", "void")), None)

    @property
    def unruled(self) -> tuple[Decision, ...]:
        ruled = {r.delivery for r in self.rulings}
        return tuple(d for d in self.decisions if d.delivery not in ruled)

    @property
    def approvers(self) -> tuple[str, ...]:
        """Different people whose approval counts so far. Each ruling names all of them, without who lost the right."""
        return next((r.approvers for r in reversed(self.rulings) if r.approvers), ())

    @property
    def state(
        self,
    ) -> Literal["open", "approved", "rejected", "void", "running", "executed", "failed", "verified"]:
        if self.verified is not None and self.verified.recovered:
            return "verified"
        if self.outcome is not None:
            return "failed" if self.outcome.took_effect is False else "executed"
        if self.spent:
            return "running"
        closing = self.ruling
        if closing is None:
            return "open"
        return "approved" if closing.outcome == "approved" else "rejected" if closing.outcome == "rejected" else "void"


@dataclass(frozen=True)
class Investigation:
    """Everything known of one investigation. Built by `fold`, changed by nothing."""

    id: str
    request: Request = field(default_factory=lambda: Request(text=""))
    reasoner: str = ""
    opened_at: datetime | None = None
    last_at: datetime | None = None
    """The latest time in the journal; a clock that was put back does not move it back."""
    last_seq: int = 0
    incident: Incident | None = None
    symptom: Symptom | None = None
    symptom_looked_for: bool = False
    graph: ServiceGraph | None = None
    scope: tuple[str, ...] = ()
    changes: ChangesFound | None = None
    knowledge: KnowledgeFound | None = None
    hypotheses: dict[str, Hypothesis] = field(default_factory=dict)
    batch: tuple[str, ...] = ()
    """The latest that were put forward together; after a crash some of them may still be missing."""
    round: tuple[str, ...] = ()
    """The latest that were tested together."""
    evidence: dict[str, Evidence] = field(default_factory=dict)
    answers: dict[str, Result] = field(default_factory=dict)
    """Results by the key of the neutral query: the second identical question is answered from here."""
    asked: tuple[Queried, ...] = ()
    unexplained: float = 1.0
    steered: tuple[Steered, ...] = ()
    notes: tuple[Noted, ...] = ()
    limits: tuple[LimitReached, ...] = ()
    stop_asked: StopAsked | None = None
    ending: str = ""
    """Why it has to be concluded now: a stop or a limit that no verdict has answered yet."""
    verdict: Verdict | None = None
    concluded_at: datetime | None = None
    reopened: bool = False
    """Whether a person's word about a hypothesis has been acted on since the verdict."""
    failure: str = ""
    steps: tuple[StepsFound, ...] = ()
    remedied: bool = False
    """Whether repairs have been looked for since the cause was last named anew."""
    remedies: dict[str, Remedy] = field(default_factory=dict)
    posting: dict[str, Posting] = field(default_factory=dict)
    """Messages that were intended; those without an entry in `posted` have to be looked for before posting."""
    posted: dict[str, Posted] = field(default_factory=dict)
    canvas: CanvasKept | None = None
    ratings: tuple[Rated, ...] = ()
    settled: tuple[Settled, ...] = ()
    unknown: int = 0
    """Entries of a newer version."""

    @property
    def unsteered(self) -> tuple[Steered, ...]:
        """What people asked of hypotheses and has not been acted on."""
        answered = {note.answers for note in self.notes if note.answers}
        return tuple(each for each in self.steered if each.delivery not in answered)

    def undoing(self, proposal: str) -> Remedy | None:
        """The roll-back of it that waits, runs or was made; one that was rejected, void or failed is none."""
        ended = ("rejected", "void", "failed")
        tried = (r for r in self.remedies.values() if r.proposal.undoes == proposal and r.state not in ended)
        return next(tried, None)

    def undone(self, remedy: Remedy) -> bool:
        """Whether it was made and has been taken back since."""
        back = self.undoing(remedy.proposal.id)
        return back is not None and back.outcome is not None

    def unprepared(self, remedy: Remedy) -> Noted | None:
        """Why the roll-back that was last asked for could not even be proposed."""
        asked = remedy.rollback
        return next((n for n in self.notes if asked and n.answers == asked.key and n.level == "warning"), None)

    def going_back(self, remedy: Remedy) -> bool:
        """Whether a roll-back of it was asked for and has not come to an end."""
        return self.undoing(remedy.proposal.id) is not None or remedy in self.unanswered

    @property
    def unanswered(self) -> tuple[Remedy, ...]:
        """Changes that somebody asked to undo, with neither a proposal nor a reason against it yet."""
        answered = {note.answers for note in self.notes if note.answers}
        return tuple(
            r
            for id, r in self.remedies.items()
            if r.rollback and r.outcome is not None and r.rollback.key not in answered and self.undoing(id) is None
        )

    @property
    def status(self) -> InvestigationStatus:
        if self.verdict is not None:
            return "stopped" if self.verdict.cut_short == STOPPED else self.verdict.status
        return "failed" if self.failure else "open"

    @property
    def title(self) -> str:
        return self.incident.title if self.incident else self.request.text.strip() or "an incident"

    @property
    def leader(self) -> Hypothesis | None:
        """The most likely hypothesis that is not pruned; the deeper one of two equals."""
        alive = [h for h in self.hypotheses.values() if h.state is not HypothesisState.pruned]
        return max(alive, key=lambda h: (h.confidence, h.depth), default=None)

    def evidence_for(self, hypothesis: str) -> tuple[Evidence, ...]:
        return tuple(e for e in self.evidence.values() if e.hypothesis == hypothesis)

    def children(self, hypothesis: str | None) -> tuple[Hypothesis, ...]:
        return tuple(h for h in self.hypotheses.values() if h.parent == hypothesis)


def apply(state: Investigation, entry: Entry) -> Investigation:  # noqa: PLR0912  # one arm a kind: a table in the form of a match
    """The state after one more entry. Total: an entry that fits nothing changes nothing but the counters."""
    latest = entry.at if state.last_at is None else max(state.last_at, entry.at)
    state = replace(state, last_at=latest, last_seq=entry.seq)
    body = entry.body
    match body:
        case Opened():
            return replace(state, request=body.request, reasoner=body.reasoner, opened_at=entry.at)
        case IncidentFound():
            return replace(state, incident=body.incident)
        case SymptomFound():
            return replace(state, symptom=body.symptom, symptom_looked_for=True)
        case GraphFound():
            return replace(state, graph=body.graph, scope=body.scope)
        case ChangesFound():
            return replace(state, changes=body)
        case KnowledgeFound():
            return replace(state, knowledge=body)
        case Proposed():
            known = {**state.hypotheses, body.hypothesis.id: body.hypothesis}
            return replace(state, hypotheses=known, batch=body.batch or (body.hypothesis.id,))
        case RoundBegan():
            return _test(state, body)
        case Queried():
            return replace(state, answers={**state.answers, body.key: body.result}, asked=(*state.asked, body))
        case Judged():
            return replace(state, evidence={**state.evidence, body.evidence.id: body.evidence})
        case Scored():
            scored = {
                id: each.model_copy(update={"confidence": body.confidence[id]}) if id in body.confidence else each
                for id, each in state.hypotheses.items()
            }
            return replace(state, hypotheses=scored, unexplained=body.unexplained)
        case Settled():
            return _settle(state, body)
        case Steered():
            return replace(state, steered=(*state.steered, body))
        case Noted():
            acted_on = state.verdict is not None and any(s.delivery == body.answers for s in state.steered)
            remedied = state.remedied or body.answers == REMEDIES
            return replace(state, notes=(*state.notes, body), reopened=state.reopened or acted_on, remedied=remedied)
        case LimitReached():
            return replace(state, limits=(*state.limits, body), ending=state.ending or body.limit)
        case StopAsked():
            return replace(state, stop_asked=state.stop_asked or body, ending=STOPPED)
        case Concluded():
            remedied = state.remedied and _cause(state.verdict) == _cause(body.verdict)
            concluded = replace(state, verdict=body.verdict, concluded_at=entry.at, reopened=False, remedied=remedied)
            return replace(concluded, ending="")
        case Failed():
            return replace(state, failure=body.text)
        case StepsFound():
            return replace(state, steps=(*state.steps, body))
        case Posting():
            return replace(state, posting={**state.posting, body.key: body})
        case Posted():
            return replace(state, posted={**state.posted, body.key: body})
        case CanvasKept():
            return replace(state, canvas=body)
        case Rated():
            return replace(state, ratings=(*state.ratings, body))
        case ChangeProposed():
            return replace(state, remedies={**state.remedies, body.proposal.id: Remedy(body.proposal)})
        case Decided():
            return _remedy(state, body.decision.proposal, lambda r: replace(r, decisions=(*r.decisions, body.decision)))
        case Ruled():
            return _remedy(state, body.proposal, lambda r: replace(r, rulings=(*r.rulings, body)))
        case Spent():
            return _remedy(state, body.proposal, lambda r: replace(r, spent=True))
        case Executed():
            done = entry.at
            return _remedy(state, body.proposal, lambda r: replace(r, outcome=body.outcome, executed_at=done))
        case Checked():
            return _remedy(state, body.proposal, lambda r: replace(r, checks=(*r.checks, body)))
        case Verified():
            return _remedy(state, body.proposal, lambda r: replace(r, verified=body))
        case RollbackAsked():
            return _remedy(state, body.proposal, lambda r: replace(r, rollback=body))
        case _:
            return replace(state, unknown=state.unknown + 1)


def _cause(verdict: Verdict | None) -> tuple[str, str] | None:
    cause = verdict.root_cause if verdict else None
    return (cause.failure_mode, cause.service) if cause else None


def _test(state: Investigation, body: RoundBegan) -> Investigation:
    chosen = tuple(id for id in body.hypotheses if id in state.hypotheses)
    testing = {id: state.hypotheses[id].model_copy(update={"state": HypothesisState.testing}) for id in chosen}
    return replace(state, hypotheses={**state.hypotheses, **testing}, round=chosen)


def _settle(state: Investigation, body: Settled) -> Investigation:
    hypothesis = state.hypotheses.get(body.hypothesis)
    if hypothesis is None:
        return state
    settled = hypothesis.model_copy(update={"state": body.state, "reason": body.reason or hypothesis.reason})
    return replace(state, hypotheses={**state.hypotheses, hypothesis.id: settled}, settled=(*state.settled, body))


def _remedy(state: Investigation, proposal: str, change: Callable[[Remedy], Remedy]) -> Investigation:
    remedy = state.remedies.get(proposal)
    if remedy is None:
        return state
    return replace(state, remedies={**state.remedies, proposal: change(remedy)})


def fold(id: str, entries: Iterable[Entry]) -> Investigation:
    """The investigation that a journal tells of. Total: it raises for no entry."""
    state = Investigation(id=id)
    for entry in entries:
        state = apply(state, entry)
    return state
