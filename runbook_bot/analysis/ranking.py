"""Which node is at fault: metrics of all nodes and who calls whom, held against normal time; or that none is.

For a symptom in time or errors the books are kept in their own units. What a node has in excess is its requests times
the rise of its mean; its own part is what remains when its callees' excess is taken off (explaining away). A node is
blamed as far as both hold: it departs from its own normal, and its own part is large beside the usual fluctuation of
the symptom. How likely the best evidence is without a fault is read off the normal time itself, by the same procedure
in each of its windows (Vovk et al., "Algorithmic Learning in a Random World", 2005); above `RISK` nothing is blamed.

Without a symptom, or for measures of another kind, nodes are ranked by their largest departure from before the common
change, median and quartiles as in BARO (Pham et al., FSE 2024), with a floor for what matters to nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from runbook_bot.analysis.books import CLEAR, Books, Judged
from runbook_bot.analysis.callers import reached
from runbook_bot.analysis.departure import SHORT, Segment, between, segments
from runbook_bot.analysis.grid import Metric, Table, tabled
from runbook_bot.analysis.shift import EFFECT, spread
from runbook_bot.analysis.together import splits

RISK = 0.05
"""Share of normal windows in which something may be blamed."""
LATE = 2.0
"""Steps after the symptom's beginning from which a node is less likely its cause."""
BESIDE = 0.25
"""Weight of a departure in another measure than the symptom's."""
SHOWN = 20
"""Suspects of whom it is told when they began."""


@dataclass(frozen=True)
class Candidate:
    """A node that may be at fault."""

    node: str
    score: float
    """Standard deviations of evidence; comparable within one ranking."""
    kind: str
    """Of the measure that speaks most against it."""
    departure: float
    """Of that measure, in standard deviations of its normal; signed."""
    began: float | None = None
    """Epoch seconds of its first clear departure."""


@dataclass(frozen=True)
class Ranking:
    """The nodes, the most suspect first, where anything is wrong at all."""

    changed: bool
    """Whether there is more than normal time shows by itself; False: nothing is to blame."""
    risk: float
    """Share of normal windows that look as bad; NaN where there was no normal time to compare with."""
    onset: float | None = None
    ended: float | None = None
    """Epoch seconds of the segment that is judged; `ended` is None where it lasts."""
    suspects: tuple[Candidate, ...] = field(default=())
    """All nodes with any evidence, also where nothing changed."""

    @property
    def blamed(self) -> tuple[str, ...]:
        """Nodes at fault, the most suspect first; empty where nothing changed."""
        return tuple(each.node for each in self.suspects) if self.changed else ()


def rank(
    metrics: Sequence[Metric],
    graph: Mapping[str, Iterable[str]] | None = None,
    *,
    symptom: tuple[str, str] | None = None,
    onset: float | None = None,
    normal: Sequence[Metric] = (),
) -> Ranking:
    """Rank the nodes of `metrics` by how likely each is the cause of what is seen in them.

    `metrics` cover the window of the incident, best with some time before it; one a node and kind (of several the first
    counts). `graph` maps a node to those that it calls; None where that is not known; circles are allowed. `symptom` is
    where and in which kind it hurts, e.g. `("front", "latency")`; then only that node and what it calls, directly or
    not, are suspects. `onset` is when it was noticed, in epoch seconds: looked for nearby, or without it anywhere.
    `normal` are the same metrics over a time without fault, as long as there is. Never raises on odd numbers.
    """
    table = tabled(metrics)
    if table.rows < 3:
        return Ranking(False, float("nan"))
    usual = tabled(normal, table.grid.step) if normal else None
    nodes = list(dict.fromkeys(node for node, _ in table.columns))
    calls = {node: list(called) for node, called in graph.items()} if graph is not None else None
    if symptom is not None:
        if calls is None or symptom[0] not in calls:
            # Who calls whom is not known: it may be any of them.
            calls = {symptom[0]: [node for node in nodes if node != symptom[0]]}
        nodes = reached(calls, symptom[0])
    books = Books(table, usual, nodes, calls or {}, symptom)
    tried = [books.judged(each) for each in _tried(table, onset)] if books.kinds else []
    return _ranking(table, books, tried, symptom) if tried else Ranking(False, float("nan"))


def _tried(table: Table, onset: float | None) -> list[Segment]:
    """All segments of a short window from the onset on; of a long one those between common changes."""
    rows, times, step = table.rows, table.grid.times, table.grid.step
    if rows <= SHORT:
        earliest = 0 if onset is None else int(np.searchsorted(times, onset - 1.5 * step))
        return list(segments(rows, min(earliest, rows - 1)))
    lowest, highest = None, None
    if onset is not None:
        noticed = int(np.clip(np.searchsorted(times, onset), 0, rows - 1))
        lowest, highest = noticed - rows // 4, noticed + rows // 4
    return list(between(rows, splits(table.grid.values, lowest, highest)))


def _ranking(table: Table, books: Books, tried: list[Judged], symptom: tuple[str, str] | None) -> Ranking:
    judged = max(tried, key=lambda each: each.clarity)
    usual = np.maximum.reduce([each.usual for each in tried])
    risk = float((1 + np.sum(usual >= judged.clarity)) / (1 + usual.size)) if usual.size else float("nan")
    best = float(judged.scores.max(initial=0.0))
    # Without normal time: the more nodes and places in the window, the further out is the largest of them by chance.
    places = max(len(books.nodes), 1) * table.rows / judged.segment.length
    needed = EFFECT + float(np.sqrt(2 * np.log(places)))
    changed = best > 0 and (risk <= RISK if usual.size else best >= needed)
    times, segment = table.grid.times, judged.segment
    ended = float(times[segment.ends]) if segment.ends < table.rows else None
    found = sorted(_suspects(books, judged, symptom), key=lambda each: -each.score)
    suspects = _first_movers(table, segment, found, symptom)
    return Ranking(bool(changed), risk, float(times[segment.begins]), ended, tuple(suspects))


def _suspects(books: Books, judged: Judged, symptom: tuple[str, str] | None) -> list[Candidate]:
    through = symptom is not None
    beside, kinds = books.beside(judged.segment) if through else (np.zeros(len(books.nodes)), [""] * len(books.nodes))
    felt = max(float(judged.departures[0]), 0.0) if through else 0.0
    found = []
    for place, node in enumerate(books.nodes):
        own, other = float(judged.scores[place]), BESIDE * min(abs(float(beside[place])), felt, CLEAR)
        if own > 0 and own >= other:
            found.append(Candidate(node, own, judged.kinds[place], float(judged.departures[place])))
        elif other > 0:
            found.append(Candidate(node, other, kinds[place], float(beside[place])))
    return found


def _first_movers(
    table: Table, segment: Segment, found: list[Candidate], symptom: tuple[str, str] | None
) -> list[Candidate]:
    """With their beginnings; whoever began clearly later than the symptom stands back."""
    if table.rows <= SHORT:
        return found
    felt = _began(table, segment, symptom) if symptom is not None else None
    told = []
    for each in found[:SHOWN]:
        began = _began(table, segment, (each.node, each.kind))
        late = felt is not None and began is not None and began > felt + LATE * table.grid.step
        told.append(replace(each, began=began, score=each.score / 2 if late else each.score))
    return sorted([*told, *found[SHOWN:]], key=lambda each: -each.score)


def _began(table: Table, segment: Segment, key: tuple[str, str]) -> float | None:
    """The first row of an unbroken clear departure that reaches into the segment."""
    column = table.columns.get(key)
    if column is None:
        return None
    values = table.grid.values[:, column]
    before = values[: segment.begins]
    calm = before[np.isfinite(before)]
    if calm.size < 3:
        return None
    away = np.abs(values - np.median(calm)) > 3 * spread(calm)
    inside = np.flatnonzero(away[segment.begins : segment.ends])
    if not inside.size:
        return None
    row = segment.begins + int(inside[0])
    while row > 0 and away[row - 1]:
        row -= 1
    return float(table.grid.times[row])
