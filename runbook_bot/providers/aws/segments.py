"""One trace of X-Ray as a tree: where its error began, and where its time went."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runbook_bot.providers.aws.failure import one_line

_DEPTH = 60
_MOST = 5000


@dataclass
class Segment:
    """A stretch of work of one service, or a call it made. Times are epoch seconds."""

    id: str
    name: str
    service: str
    """The service whose code was at work: of a call, the caller."""
    start: float
    end: float
    fault: bool
    error: bool
    remote: bool
    """Whether it is a call to something else."""
    message: str
    status: int | None
    children: list["Segment"] = field(default_factory=list)

    @property
    def self_seconds(self) -> float:
        """Its duration without the time in which a child was at work."""
        covered, reached = 0.0, self.start
        for child in sorted(self.children, key=lambda each: each.start):
            start, end = max(child.start, reached), min(child.end, self.end)
            if end > start:
                covered, reached = covered + end - start, end
        return max(0.0, self.end - self.start - covered)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Segment"]]:
        yield depth, self
        for child in self.children:
            if depth < _DEPTH:
                yield from child.walk(depth + 1)


def tree(documents: Iterable[str]) -> list[Segment]:
    """The roots of a trace. What cannot be read is left out; what is still open ends where it begins."""
    by_id: dict[str, Segment] = {}
    parents: dict[str, str] = {}
    for document in documents:
        try:
            told = json.loads(document)
        except (ValueError, TypeError):
            continue
        if isinstance(told, dict):
            _add(told, str(told.get("parent_id") or ""), str(told.get("name") or "?"), by_id, parents)
    roots = []
    for id, segment in by_id.items():
        parent = by_id.get(parents[id])
        if parent is not None and parent is not segment and not _above(id, parents[id], parents):
            parent.children.append(segment)
        else:
            roots.append(segment)
    return roots


def _above(id: str, parent: str, parents: Mapping[str, str]) -> bool:
    """Whether the parent is itself below: a circle, which would hide both."""
    for _ in range(_DEPTH):
        if parent == id:
            return True
        if parent not in parents:
            return False
        parent = parents[parent]
    return True


def _add(
    told: Mapping[str, Any],
    parent: str,
    service: str,
    by_id: dict[str, Segment],
    parents: dict[str, str],
    depth: int = 0,
) -> None:
    if depth > _DEPTH or len(by_id) >= _MOST:
        return
    id = str(told.get("id") or f"?{len(by_id)}")
    start = _number(told.get("start_time"))
    by_id[id] = Segment(
        id=id,
        name=str(told.get("name") or "?"),
        service=service,
        start=start,
        end=max(start, _number(told.get("end_time"), start)),
        fault=told.get("fault") is True,
        error=told.get("error") is True or told.get("throttle") is True,
        remote=told.get("namespace") in ("remote", "aws"),
        message=_message(told.get("cause")),
        status=_status(told),
    )
    parents[id] = parent
    for each in told.get("subsegments") or []:
        if isinstance(each, dict):
            _add(each, id, service, by_id, parents, depth + 1)


def _number(value: Any, otherwise: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _message(cause: Any) -> str:
    """Of a list of exceptions the last: it is the one that the others wrap."""
    exceptions = cause.get("exceptions") if isinstance(cause, dict) else None
    told = [each for each in exceptions or [] if isinstance(each, dict)]
    if not told:
        return ""
    return one_line(": ".join(str(told[-1][key]) for key in ("type", "message") if told[-1].get(key)), 400)


def _status(told: Mapping[str, Any]) -> int | None:
    http = told.get("http")
    response = http.get("response") if isinstance(http, dict) else None
    status = response.get("status") if isinstance(response, dict) else None
    return status if isinstance(status, int) else None


def origin(roots: Iterable[Segment]) -> Segment | None:
    """The deepest segment that failed and below which nothing failed; faults before errors of the caller's own."""
    failed = [(depth, segment) for root in roots for depth, segment in root.walk() if segment.fault or segment.error]
    if not failed:
        return None
    faults = [pair for pair in failed if pair[1].fault] or failed
    deepest = [pair for pair in faults if not _fails_below(pair[1])] or faults
    return max(deepest, key=lambda pair: (bool(pair[1].message), pair[0]))[1]


def _fails_below(segment: Segment) -> bool:
    return any(below.fault for depth, below in segment.walk() if depth)


def self_times(roots: Iterable[Segment]) -> dict[str, float]:
    """Seconds by who was at work, longest first: services, and what they called that left no segment of its own."""
    found: dict[str, float] = {}
    for root in roots:
        for _, segment in root.walk():
            alone = segment.remote and not segment.children
            name = segment.name if alone else segment.service
            found[name] = found.get(name, 0.0) + segment.self_seconds
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
