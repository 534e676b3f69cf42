"""Of several services in trouble at once, who explains the others: `ranking` over the series of an investigation."""

from collections.abc import Iterable

from runbook_bot.analysis.grid import Metric
from runbook_bot.analysis.ranking import rank
from runbook_bot.analysis.shift import Floats
from runbook_bot.domain.incident import Symptom
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
    symptom: Symptom | None,
) -> dict[str, float]:
    """How much speaks against each service, in standard deviations; those with nothing against them are left out.

    `measured` are service, signal, times and values of all series, `symptom` is where and in what it hurts.
    """
    metrics = [Metric(name, KINDS.get(signal, signal.value), times, values) for name, signal, times, values in measured]
    calls = {service.name: service.depends_on for service in graph}
    if symptom is None:
        found = rank(metrics, calls)
    else:
        felt = (symptom.service, KINDS.get(symptom.signal, symptom.signal.value))
        found = rank(metrics, calls, symptom=felt, onset=symptom.onset.timestamp() if symptom.onset else None)
    return {each.node: each.score for each in found.suspects}


def near(graph: ServiceGraph, name: str, service: str) -> set[str]:
    """It and what it calls: a service in between may pass trouble on without showing it in what is measured of it."""
    return {name, *graph.dependencies(name, hops=2)} - {service}
