"""An investigation as the JSON document that other programs rely on (`investigate --json`)."""

from typing import Any

from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Hypothesis
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.noun import iso
from runbook_bot.domain.service import Resource
from runbook_bot.domain.verdict import Candidate, Verdict
from runbook_bot.domain.vocabulary import FailureMode

MOST_RANKED = 10


def report(case: Investigation, journal: str, seconds: float) -> dict[str, Any]:
    """The document; `journal` is an absolute path, `seconds` the time it took."""
    verdict = case.verdict
    return {
        "id": case.id,
        "status": verdict.status if verdict else "failed",
        "incident": _incident(case),
        "root_cause": _root_cause(verdict),
        "ranked": _ranked(verdict),
        "hypotheses": [_hypothesis(case, h) for h in case.hypotheses.values()],
        "evidence": [_evidence(e) for e in case.evidence.values()],
        "remediation": [_remedy(r) for r in case.remedies.values()] + _steps(case),
        "reasoner": case.reasoner,
        "journal": journal,
        "stats": {
            "seconds": round(seconds, 2),
            "queries": len(case.asked),
            "model_calls": 0,
            "tokens": {"input": 0, "cached": 0, "output": 0},
            "cost_usd": 0.0,
        },
    } | ({"error": case.failure} if case.failure else {})  # fmt: skip


def _name(resource: Resource | None) -> str | None:
    return resource.name if resource else None


def _incident(case: Investigation) -> dict[str, Any]:
    if case.incident is None:
        return {"title": case.title, "services": [], "window": None}
    window = case.incident.window
    return {
        "title": case.incident.title,
        "services": list(case.incident.services),
        "window": {
            "start": iso(window.start),
            "onset": iso(window.onset) if window.onset else None,
            "end": iso(window.end),
        },
    }


def _root_cause(verdict: Verdict | None) -> dict[str, Any] | None:
    cause = verdict.root_cause if verdict else None
    if cause is None:
        return None
    return {
        "statement": cause.statement,
        "service": cause.service,
        "resource": _name(cause.resource),
        "failure_mode": str(cause.failure_mode),
        "confidence": cause.confidence,
        "causal_chain": list(cause.causal_chain),
        "evidence": list(cause.evidence),
    }


def _ranked(verdict: Verdict | None) -> list[dict[str, Any]]:
    named = [c for c in (verdict.ranked if verdict else ()) if c.failure_mode is not None]
    kept = [c for n, c in enumerate(named) if n < MOST_RANKED or c.failure_mode is FailureMode.none]
    return [_candidate(c) for c in kept]


def _candidate(each: Candidate) -> dict[str, Any]:
    return {
        "service": each.service,
        "resource": _name(each.resource),
        "failure_mode": str(each.failure_mode),
        "confidence": each.confidence,
    }


def _hypothesis(case: Investigation, each: Hypothesis) -> dict[str, Any]:
    return {
        "id": each.id,
        "parent": each.parent,
        "statement": each.statement,
        "failure_mode": str(each.failure_mode),
        "service": each.service,
        "resource": _name(each.resource),
        "state": str(each.state),
        "confidence": each.confidence,
        "evidence": [e.id for e in case.evidence_for(each.id)],
        "reason": each.reason,
    }


def _evidence(each: Evidence) -> dict[str, Any]:
    window = each.window
    return {
        "id": each.id,
        "hypothesis": each.hypothesis,
        "source": each.source,
        "query": each.query,
        "window": {"start": iso(window.start), "end": iso(window.end)} if window else None,
        "status": str(each.status),
        "direction": str(each.direction),
        "strength": str(each.strength),
        "summary": each.summary,
        "digest": each.digest,
    }


def _remedy(each: Remedy) -> dict[str, Any]:
    preparation = each.proposal.preparation
    rollback = preparation.rollback
    return {
        "title": preparation.title,
        "runbook": each.proposal.runbook,
        "mutation": {
            "operation": preparation.call.operation,
            "parameters": preparation.call.parameters,
            "risk": str(preparation.risk),
            "rollback": {"operation": rollback.operation, "parameters": rollback.parameters} if rollback else {},
        },
    }


def _steps(case: Investigation) -> list[dict[str, Any]]:
    return [
        {"title": found.title, "runbook": found.runbook, "steps": list(found.steps), "mutation": None}
        for found in case.steps
    ]
