"""What traces tell: who calls whom, where time is spent, and where errors begin.

Self-time is a span's time in which none of its children runs, children at once counted once (as in the critical path
of Barford and Crovella, "Critical path analysis of TCP transactions", 2001, without the waiting of one for another). An
error begins in a failed span none of whose children failed. Spans whose parent is not there are roots; circles of
parents, doubles and ends before starts do no harm.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from runbook_bot.analysis.grid import Metric


@dataclass(frozen=True)
class Span:
    """One piece of work of one service; `start` and `end` are epoch seconds."""

    trace: str
    id: str
    parent: str | None
    service: str
    start: float = 0.0
    end: float = 0.0
    failed: bool = False


def calls(spans: Iterable[Span]) -> dict[str, list[str]]:
    """Each service with the others that it calls: a graph as `ranking.rank` takes it."""
    known = list(spans)
    service = {(each.trace, each.id): each.service for each in known}
    found: dict[str, dict[str, None]] = {each.service: {} for each in known}
    for each in known:
        caller = service.get((each.trace, each.parent or ""))
        if caller is not None and caller != each.service:
            found[caller][each.service] = None
    return {caller: list(called) for caller, called in found.items()}


def self_times(spans: Iterable[Span]) -> dict[str, float]:
    """Seconds that each service spent itself, over all spans; the largest first."""
    known = list(spans)
    children = _children(known)
    spent: dict[str, float] = defaultdict(float)
    for each in known:
        spent[each.service] += max(0.0, each.end - each.start - _covered(each, children[each.trace, each.id]))
    return dict(sorted(spent.items(), key=lambda pair: -pair[1]))


def origins(spans: Iterable[Span]) -> dict[str, int]:
    """In how many spans an error began in each service; the most first."""
    known = list(spans)
    children = _children(known)
    begun = Counter(
        each.service
        for each in known
        if each.failed and not any(child.failed for child in children[each.trace, each.id] if child is not each)
    )
    return dict(begun.most_common())


def metrics(spans: Iterable[Span], step: float = 60.0) -> list[Metric]:
    """Mean latency, requests and errors of each service by step of its start: what `ranking.rank` takes."""
    found: dict[str, dict[float, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for each in spans:
        found[each.service][each.start // step * step].append(each)
    told = []
    for service, by_step in sorted(found.items()):
        times = sorted(by_step)
        groups = [by_step[at] for at in times]
        means = [sum(max(0.0, each.end - each.start) for each in group) / len(group) for group in groups]
        told.append(Metric(service, "latency", times, means))
        told.append(Metric(service, "requests", times, [float(len(group)) for group in groups]))
        told.append(Metric(service, "errors", times, [float(sum(each.failed for each in group)) for group in groups]))
    return told


def _children(spans: Iterable[Span]) -> dict[tuple[str, str], list[Span]]:
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for each in spans:
        if each.parent is not None and each.parent != each.id:
            found[each.trace, each.parent].append(each)
    return found


def _covered(span: Span, children: Iterable[Span]) -> float:
    """Seconds of the span in which at least one child runs."""
    total, reached = 0.0, span.start
    for child in sorted(children, key=lambda each: each.start):
        begins, ends = max(child.start, reached), min(child.end, span.end)
        if ends > begins:
            total += ends - begins
            reached = ends
    return total
