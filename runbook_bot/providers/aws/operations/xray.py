"""What can be asked of X-Ray."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, JsonValue

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.listing import batches
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.segments import origin, self_times, tree

_LONGEST = timedelta(hours=6)
_MOST_NODES = 2000
_MOST_SUMMARIES = 400
_READ = 15
_IN_ONE_CALL = 5
_FILTERS = {"faults": "fault = true", "errors": "error = true", "throttles": "throttle = true", "slow": ""}
_SHORT_WINDOW = "X-Ray answers for six hours at once: the end of the window was looked at"


def _reach(window: TimeWindow | None, now: datetime) -> tuple[TimeWindow, str]:
    """What of the window X-Ray answers for in one call, and a clause where that is less."""
    asked = last(1, now, window)
    if asked.length <= _LONGEST:
        return asked, ""
    return TimeWindow(start=asked.end - _LONGEST, end=asked.end), _SHORT_WINDOW


def _link(place: Place, page: str) -> str:
    return f"https://{console_host(place.region)}/cloudwatch/home?region={place.region}#xray:{page}"


class ServiceMap(Operation):
    """Who calls whom, with calls, faults, errors, throttles and latency of each edge: the most failing edges first."""

    kind: ClassVar[str] = "aws.xray.service_map"
    service = "xray"
    calls = ("GetServiceGraph",)
    words = (
        "service map",
        "service graph",
        "who calls whom",
        "which edge fails",
        "x-ray map",
        "dependencies by traces",
    )

    name: str | None = Field(default=None, description="Only edges from or to the service of this name")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        window, clause = _reach(self.window, now)
        span = {"StartTime": window.start, "EndTime": window.end}
        nodes = await place.gather("xray", "GetServiceGraph", "Services", _MOST_NODES, **span)
        names = {each.get("ReferenceId"): str(each.get("Name") or "?") for each in nodes}
        kinds = {each.get("ReferenceId"): str(each.get("Type") or "") for each in nodes}
        wanted = (self.name or "").casefold()
        rows = []
        for node in nodes:
            source = "clients" if node.get("Type") == "client" else str(node.get("Name") or "?")
            for edge in node.get("Edges") or []:
                target = names.get(edge.get("ReferenceId"), "?")
                if wanted in source.casefold() or wanted in target.casefold():
                    rows.append(_edge(source, target, kinds.get(edge.get("ReferenceId"), ""), edge))
        rows.sort(key=lambda row: (-_bad(row.facts), -float(str(row.facts["calls"]))))
        clause = clause if rows else ""
        empty = "X-Ray has no trace in this window" if not nodes else "no edge in this window has that service"
        return self.table(place, rows, empty=empty, more=clause, console=_link(place, "service-map/map"))


def _bad(facts: Mapping[str, Any]) -> float:
    """Failed calls; a fault weighs more than an error, which is the caller's own."""
    return float(facts["faults"]) * 2 + float(facts["errors"]) + float(facts["throttles"])


def _edge(source: str, target: str, kind: str, edge: Answer) -> Row:
    statistics: Answer = edge.get("SummaryStatistics") or {}
    errors: Answer = statistics.get("ErrorStatistics") or {}
    calls = int(statistics.get("TotalCount") or 0)
    faults = int((statistics.get("FaultStatistics") or {}).get("TotalCount") or 0)
    throttles = int(errors.get("ThrottleCount") or 0)
    time = float(statistics.get("TotalResponseTime") or 0)
    return Row(
        name=f"{source} → {target}",
        facts={
            "calls": calls,
            "faults": faults,
            "errors": int(errors.get("TotalCount") or 0) - throttles,
            "throttles": throttles,
            "fault_percent": round(100 * faults / calls, 2) if calls else None,
            "latency_ms": round(1000 * time / calls, 1) if calls else None,
            "latency_p99_ms": _percentile(edge.get("ResponseTimeHistogram") or [], 0.99),
            "target_type": kind or None,
        },
    )


def _percentile(histogram: list[Answer], share: float) -> float | None:
    """From a histogram of seconds and counts; in milliseconds."""
    bars = sorted((float(each.get("Value") or 0), int(each.get("Count") or 0)) for each in histogram)
    total = sum(count for _, count in bars)
    seen = 0
    for value, count in bars:
        seen += count
        if total and seen >= share * total:
            return round(1000 * value, 1)
    return None


class Traces(Operation):
    """Traces that failed or were slow: where the error began, with its exception, and where the time went."""

    kind: ClassVar[str] = "aws.xray.traces"
    service = "xray"
    calls = ("GetTraceSummaries", "BatchGetTraces")
    words = ("traces", "failed traces", "slow traces", "where does the error come from", "error origin", "x-ray traces")

    which: Literal["faults", "errors", "throttles", "slow"] = Field(
        default="faults", description="faults (5xx), errors (4xx), throttles (429), or the slowest"
    )
    name: str | None = Field(default=None, description="Only traces through the service of this name")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        window, clause = _reach(self.window, now)
        expression = self._expression()
        request = {"FilterExpression": expression} if expression else {}
        found = await place.gather(
            "xray", "GetTraceSummaries", "TraceSummaries", _MOST_SUMMARIES,
            StartTime=window.start, EndTime=window.end, Sampling=False, **request,
        )  # fmt: skip
        found.sort(key=lambda each: -float(each.get("ResponseTime") or each.get("Duration") or 0))
        chosen = [str(each["Id"]) for each in (found if self.which == "slow" else _spread(found)) if each.get("Id")]
        read, failures = await _read(place, chosen[:_READ])
        rows = [_trace(each, read.get(str(each.get("Id")), {})) for each in found]
        began = Counter(str(row.facts["began_in"]) for row in rows if row.facts.get("began_in"))
        rows.sort(key=lambda row: (row.facts.get("began_in") is None, -began[str(row.facts.get("began_in"))]))
        told = [clause] if clause and rows else []
        if len(found) >= _MOST_SUMMARIES:
            told.append(f"only {_MOST_SUMMARIES} traces were read; name a shorter window")
        empty = f"X-Ray has no such trace in this window ({expression or 'any'}); it keeps a sample of them only"
        return self.table(
            place, rows, empty=empty, failures=failures, more="; ".join(told), console=_link(place, "traces/query")
        )

    def _expression(self) -> str:
        name = (self.name or "").replace("\\", "\\\\").replace('"', '\\"')
        what = _FILTERS[self.which]
        if name:
            return f'service("{name}") {{ {what} }}' if what else f'service("{name}")'
        return what


def _spread(found: list[Answer]) -> list[Answer]:
    """One trace of each entry point and status before a second one of any."""
    groups: dict[tuple[str, str], list[Answer]] = {}
    for each in found:
        key = (str((each.get("EntryPoint") or {}).get("Name")), str((each.get("Http") or {}).get("HttpStatus")))
        groups.setdefault(key, []).append(each)
    longest = max((len(group) for group in groups.values()), default=0)
    return [group[turn] for turn in range(longest) for group in groups.values() if turn < len(group)]


async def _read(place: Place, ids: list[str]) -> tuple[dict[str, Answer], list[CallFailed]]:
    """By trace: where its error began and where its time went."""
    found: dict[str, Answer] = {}
    for batch in batches(ids, _IN_ONE_CALL):
        try:
            told = await place.gather("xray", "BatchGetTraces", "Traces", len(batch), TraceIds=batch)
        except CallFailed as failure:
            return found, [failure]
        for each in told:
            documents = [str(segment.get("Document") or "") for segment in each.get("Segments") or []]
            found[str(each.get("Id"))] = await asyncio.to_thread(_understood, documents)
    return found, []


def _understood(documents: list[str]) -> Answer:
    roots = tree(documents)
    where = origin(roots)
    times = list(self_times(roots).items())[:5]
    facts: Answer = {"self_ms": {name: round(1000 * seconds, 1) for name, seconds in times} or None}
    if where is not None:
        facts |= {
            "began_in": where.service if where.name == where.service else f"{where.name} (called by {where.service})",
            "exception": where.message or None,
            "status_there": where.status,
        }
    return facts


def _trace(summary: Answer, read: Answer) -> Row:
    http: Answer = summary.get("Http") or {}
    facts = {"began_in": _root_cause(summary), **read}
    path: list[JsonValue] = [*dict.fromkeys(str(each.get("Name")) for each in summary.get("ServiceIds") or [])]
    return Row(
        name=str(summary.get("Id", "?")),
        at=summary.get("StartTime"),
        facts={
            **facts,
            "request": " ".join(str(http[key]) for key in ("HttpMethod", "HttpURL") if http.get(key)) or None,
            "status": http.get("HttpStatus"),
            "response_ms": round(1000 * float(summary.get("ResponseTime") or summary.get("Duration") or 0), 1),
            "entry": (summary.get("EntryPoint") or {}).get("Name"),
            "services": path or None,
            "partial": True if summary.get("IsPartial") else None,
        },
    )


def _root_cause(summary: Answer) -> str | None:
    """As X-Ray itself tells it: the last service of the path that failed."""
    for kind in ("FaultRootCauses", "ErrorRootCauses"):
        for cause in summary.get(kind) or []:
            services = cause.get("Services") or []
            if services:
                return str(services[-1].get("Name") or "?")
    return None


OPERATIONS = (ServiceMap, Traces)
