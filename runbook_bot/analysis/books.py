"""The books of a window: what every node has in excess within a segment, what of it is its own, how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runbook_bot.analysis.callers import edges, remainders
from runbook_bot.analysis.departure import ENOUGH, NEGLIGIBLE, Segment, Sums, scale, starts_of
from runbook_bot.analysis.grid import Table
from runbook_bot.analysis.shift import Floats

CLEAR = 20.0
"""Standard deviations beyond which evidence counts as no clearer."""
REQUESTS = "requests"
LOAD = 0.25
"""Weight of a change of load by itself: more often it comes from a node's callers than from the node."""
FRESH = 1000.0
"""Standard deviations that are said of what was exactly nothing before."""
TIME = "latency"
RATES = ("errors", "error_rate", "availability")
ADDITIVE = (TIME, *RATES)
"""Kinds that add up along calls, once multiplied by the requests."""


@dataclass(frozen=True)
class Judged:
    """What a segment says of each node; arrays have a place for each node of the books."""

    segment: Segment
    scores: Floats
    """Standard deviations of evidence in the kind that counts."""
    kinds: tuple[str, ...]
    departures: Floats
    """Signed, of the kind named for the node."""
    clarity: float
    """Of the best node's evidence, against what normal windows show."""
    usual: Floats
    """Clarity of each normal window by the same procedure; empty where there is no normal time."""


@dataclass(frozen=True)
class Measured:
    """One kind in the window and in normal windows: departures from what is around the segment, and their scale."""

    departures: Floats
    """A row for the window itself, then one for each normal window."""
    requests: Floats
    scale: Floats

    @property
    def standard(self) -> Floats:
        return np.where(self.scale > 0, self.departures / np.where(self.scale > 0, self.scale, 1.0), 0.0)


class Books:
    """Segments of one window are judged by the same metrics, callers and normal time."""

    def __init__(
        self,
        table: Table,
        normal: Table | None,
        nodes: Sequence[str],
        calls: Mapping[str, Sequence[str]],
        symptom: tuple[str, str] | None,
    ) -> None:
        self.nodes = nodes
        self.symptom = symptom
        self._table = table
        self._normal = normal if normal is not None and normal.rows >= table.rows + ENOUGH else None
        self._callers = edges(calls, nodes)
        self._known: dict[str, dict[int, Floats]] = {}
        self._reach: dict[str, Floats] = {}
        here = set(nodes)
        self.kinds = sorted({kind for node, kind in table.columns if node in here})

    def judged(self, segment: Segment) -> Judged:
        if self.symptom is not None and self.symptom[1] in ADDITIVE and self.symptom in self._table.columns:
            return self._through(segment, self.symptom[1])
        return self._apart(segment)

    def _through(self, segment: Segment, kind: str) -> Judged:
        """By what reaches the symptom, which is the first node."""
        found = self._measured(kind, segment)
        standard = np.maximum(found.standard, 0.0)
        own = self._own(kind, found, standard)
        felt = own * self._felt(kind) / np.maximum(found.scale[0] * found.requests[:, :1], 1e-12)
        evidence = np.minimum(standard, felt)
        capped = [np.minimum(part, CLEAR) for part in (standard, felt, standard[:, :1])]
        clarity = np.cbrt(capped[0] * capped[1] * capped[2]).max(axis=1)
        kinds = (kind,) * len(self.nodes)
        return Judged(segment, evidence[0], kinds, found.standard[0], float(clarity[0]), clarity[1:])

    def _apart(self, segment: Segment) -> Judged:
        """Each node by itself, by the measure that departs most."""
        rows = []
        signed = []
        for kind in self.kinds:
            found = self._measured(kind, segment)
            standard = found.standard
            signed.append(standard)
            if kind in ADDITIVE:
                own = self._own(kind, found, np.maximum(standard, 0.0))
                rows.append(own / np.maximum(found.scale * found.requests, 1e-12) * (found.scale > 0))
            else:
                rows.append(np.abs(standard) * (LOAD if kind == REQUESTS else 1.0))
        strength, signs = np.stack(rows), np.stack(signed)
        most = strength[:, 0].argmax(axis=0)
        places = np.arange(len(self.nodes))
        best = strength.max(axis=0)
        # A few nodes far away are told from many that are a little off by adding them up, none without bound.
        clarity = best.max(axis=1) if self._normal is not None else np.minimum(best, CLEAR).sum(axis=1)
        kinds = tuple(self.kinds[each] for each in most)
        return Judged(segment, best[0], kinds, signs[most, 0, places], float(clarity[0]), clarity[1:])

    def beside(self, segment: Segment) -> tuple[Floats, list[str]]:
        """Each node's largest departure in any other kind than the symptom's, and which kind that is."""
        others = [kind for kind in self.kinds if self.symptom is None or kind != self.symptom[1]]
        if not others:
            return np.zeros(len(self.nodes)), [""] * len(self.nodes)
        signed = np.stack([self._measured(kind, segment).standard[0] for kind in others])
        most = np.abs(signed).argmax(axis=0)
        return signed[most, np.arange(len(self.nodes))], [others[each] for each in most]

    def _own(self, kind: str, found: Measured, standard: Floats) -> Floats:
        extra = np.where(np.isfinite(found.departures), found.departures, 0.0) * found.requests
        return remainders(extra, standard, self._callers, self._waits(kind))

    def _measured(self, kind: str, segment: Segment) -> Measured:
        """Compared with what is around the segment; with the normal level where nothing is."""
        values, requests = self._values(self._table, kind), self._requests(self._table)
        here = np.zeros(1)
        sums, counted = Sums.of(values), Sums.of(requests)
        around = sums.outside(here, segment)
        normal = self._normal
        if normal is None:
            before = (
                values[: segment.begins] if segment.early else np.delete(values, range(segment.begins, segment.ends), 0)
            )
            level = _filled(around, np.zeros(len(self.nodes)) if kind in RATES else around[0])
            departed = sums.inside(here, segment) - level
            load = counted.inside(here, segment)
            return _scaled(kind, departed, load, scale(before), level[0], segment)
        theirs, loads = Sums.of(self._values(normal, kind)), Sums.of(self._requests(normal))
        starts = starts_of(normal.rows, segment.rows)
        everywhere = theirs.sums[-1] / np.where(theirs.counts[-1] > 0, theirs.counts[-1], np.nan)
        usual = theirs.outside(starts, segment)
        level = np.vstack([_filled(around, everywhere), _filled(usual, everywhere)])
        departed = np.vstack([sums.inside(here, segment), theirs.inside(starts, segment)]) - level
        load = np.vstack([counted.inside(here, segment), loads.inside(starts, segment)])
        return _scaled(kind, departed, load, scale(departed[1:]), level[0], segment)

    def _values(self, table: Table, kind: str) -> Floats:
        """In seconds or errors of one request; other kinds as they are."""
        values = table.of(self.nodes, kind)
        if kind == "availability":
            percent = bool(np.any(values > 1.0))
            return 1.0 - values / (100.0 if percent else 1.0)
        if kind == "errors":
            each: Floats = values / np.maximum(self._requests(table), 1.0)
            return each
        return values

    def _requests(self, table: Table) -> Floats:
        """Where the requests of a node are nowhere measured, they count as one; where they are absent, as none."""
        requests = table.of(self.nodes, REQUESTS)
        somewhere = np.isfinite(self._table.of(self.nodes, REQUESTS)).sum(axis=0) > 0
        return np.where(somewhere, np.nan_to_num(requests, nan=0.0), 1.0)

    def _felt(self, kind: str) -> Floats:
        """How far the symptom's node waits for each node."""
        if kind not in self._reach:
            waits = (self._wait(kind, 0, place) for place in range(1, len(self.nodes)))
            self._reach[kind] = np.array([1.0, *waits])
        return self._reach[kind]

    def _waits(self, kind: str) -> Mapping[int, Floats]:
        if kind not in self._known:
            self._known[kind] = {
                called: np.array([self._wait(kind, caller, called) for caller in callers])
                for called, callers in self._callers.items()
            }
        return self._known[kind]

    def _wait(self, kind: str, caller: int, called: int) -> float:
        """At most as much as the caller moves when the callee does, in normal time; 1 where there is none.

        What runs on by itself, in a queue or a workflow, moves a lot and its caller does not. The squared ratio of
        their standard deviations, the lesser of the ordinary and the robust one.
        """
        if self._normal is None:
            return 1.0
        values, requests = self._values(self._normal, kind), self._requests(self._normal)
        ratio = requests[:, called] / np.where(requests[:, caller] > 0, requests[:, caller], np.nan)
        theirs, own = np.nan_to_num(values[:, called], nan=0.0) * ratio, values[:, caller]
        both = np.isfinite(theirs) & np.isfinite(own)
        if both.sum() < ENOUGH:
            return 1.0
        pair = np.stack([own[both], theirs[both]], axis=1)
        plain = pair.std(axis=0)
        robust = np.maximum(1.4826 * np.median(np.abs(pair - np.median(pair, axis=0)), axis=0), 0.3 * plain)
        ratios = [float(each[0] / each[1]) for each in (plain, robust) if each[1] > 0]
        return min(1.0, *ratios, 1.0) ** 2


def _filled(values: Floats, otherwise: Floats) -> Floats:
    return np.where(np.isfinite(values), values, otherwise)


def _scaled(kind: str, departed: Floats, load: Floats, found: Floats, level: Floats, segment: Segment) -> Measured:
    """With the least scale that counts: what chance alone makes of so few requests, or what nobody minds."""
    load, level = np.nan_to_num(load, nan=0.0), np.nan_to_num(level, nan=0.0)
    departed = np.nan_to_num(departed, nan=0.0)
    if kind in RATES:
        seen = np.maximum(np.median(load, axis=0), 1.0) * segment.length
        least = np.sqrt(np.maximum(level * seen, 0.5)) / seen
    elif kind == REQUESTS:
        least = np.sqrt(np.maximum(level * segment.length, 1.0)) / segment.length
    else:
        least = np.where(level != 0, NEGLIGIBLE * np.abs(level), np.abs(departed[0]) / FRESH)
    return Measured(departed, load, np.maximum(found, np.maximum(least, 1e-12)))
