"""What a result says about a prediction: measured by code, worded by code."""

from collections.abc import Callable
from datetime import UTC, datetime

from runbook_bot.domain.confidence import strength
from runbook_bot.domain.evidence import Direction, Evidence, Strength
from runbook_bot.domain.hypothesis import Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.tools import Query, Result
from runbook_bot.reasoning import words
from runbook_bot.reasoning.measured import metric, state
from runbook_bot.reasoning.surroundings import dependencies, history, symptom, vitals
from runbook_bot.reasoning.told import changes, lines, mechanism
from runbook_bot.reasoning.weighing import Finding, Numbers

READERS: dict[str, Callable[[Investigation, Prediction, Result], Finding]] = {
    "metric": metric,
    "state": state,
    "logs": lines,
    "events": lines,
    "changes": changes,
    "mechanism": mechanism,
    "symptom": symptom,
    "vitals": vitals,
    "dependencies": dependencies,
    "history": history,
}


def judge(
    case: Investigation, hypothesis: Hypothesis, prediction: Prediction, query: Query, result: Result
) -> Evidence:
    """Evidence for or against one hypothesis. A failed query is `unknown`, whatever was expected. The id is ""."""
    if not result.known:
        weight, summary, numbers = None, words.failed(prediction.text, result), Numbers()
    else:
        weight, summary, numbers = READERS[prediction.about](case, prediction, result)
    window = getattr(query, "window", None)
    return Evidence(
        id="",
        hypothesis=hypothesis.id,
        source=result.source,
        query=result.asked,
        asked=query.key,
        window=window or (case.incident.window if case.incident else None),
        observed_at=case.last_at or datetime.now(UTC),
        status=result.status,
        direction=_direction(weight),
        strength=strength(weight or 0.0),
        weight=weight or 0.0,
        group=prediction.group or f"{prediction.about}:{prediction.signal or prediction.fact}",
        expected=prediction.text,
        summary=summary,
        numbers=numbers,
        digest=result.digest,
        console=result.console,
    )


def _direction(weight: float | None) -> Direction:
    if weight is None:
        return Direction.unknown
    if strength(weight) is Strength.none:
        return Direction.neutral
    return Direction.supports if weight > 0 else Direction.refutes
