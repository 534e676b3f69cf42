"""Of several services in trouble at once, who explains the others: `ranking` over the series of an investigation."""

from collections.abc import Iterable

from runbook_bot.analysis.grid import Metric
from runbook_bot.analysis.ranking import rank
from runbook_bot.analysis.shift import Floats
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.vocabulary import Signal

KINDS = {
    Signal.latency: "latency",
    Signal.duration: "latency",
    Signal.errors: "errors",
    Signal.requests: "requests",
}
"""Signals that add up along calls; of others only their moves are known."""


def scores(
    measured: Iterable[tuple[str, Signal, Floats, Floats]],
    graph: ServiceGraph,
    felt: tuple[str, Signal] | None,
    onset: float | None,
) -> dict[str, float]:
    """How much speaks against each service, in standard deviations; those with nothing against them are left out.

    `measured` are service, signal, times and values of all series; `felt` is where and in what it hurts.
    """
    metrics = [Metric(name, KINDS.get(signal, signal.value), times, values) for name, signal, times, values in measured]
    calls = {service.name: service.depends_on for service in graph}
    symptom = (felt[0], KINDS.get(felt[1], felt[1].value)) if felt is not None else None
    return {each.node: each.score for each in rank(metrics, calls, symptom=symptom, onset=onset).suspects}
