"""Marks and cases made by hand."""

from typing import Any

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.marking import Mark
from runbook_bot.evaluation.worlds.case import Case
from runbook_bot.evaluation.worlds.dice import Part


def case(mode: str = "bad_deployment", service: str | None = "api", **more: Any) -> Case:
    given: dict[str, Any] = {
        "id": "c",
        "family": "f",
        "variant": "plain",
        "part": Part.seen,
        "scenario": {},
        "text": "?",
    }
    return Case(mode=FailureMode(mode), service=service, **{**given, **more})


def mark(**given: Any) -> Mark:
    usual: dict[str, Any] = {
        "id": "c",
        "part": "seen",
        "family": "f",
        "variant": "plain",
        "mode": FailureMode.bad_deployment,
        "service": "api",
        "answerable": True,
        "got": "bad_deployment",
        "got_service": "api",
        "named": True,
        "right": True,
        "among_first": True,
        "confidence": 0.9,
        "first_right": True,
        "queries": 10,
        "seconds": 1.0,
        "loading": 1.0,
    }
    return Mark.model_validate({**usual, **given})


def answer(mode: str, service: str, confidence: float = 0.9) -> dict[str, Any]:
    return {"failure_mode": mode, "service": service, "confidence": confidence}


def report(*ranked: dict[str, Any], named: bool = True) -> dict[str, Any]:
    return {
        "root_cause": ranked[0] if named else None,
        "ranked": list(ranked),
        "evidence": [],
        "stats": {"queries": 7, "seconds": 2.5},
    }
