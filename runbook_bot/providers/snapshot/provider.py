"""A snapshot as a source of answers: what it holds is all there is, and what it lacks is said."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Fact, LogLine
from runbook_bot.domain.ports import Check
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    ReadState,
    Result,
    SearchLogs,
    Status,
)
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.snapshot.snapshot import Snapshot


class Stopped:
    """A clock that stands at the moment of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._now = snapshot.now + timedelta(seconds=1)

    def now(self) -> datetime:
        return self._now


class SnapshotProvider:
    """Answers from memory; nothing is read after it was made."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def name(self) -> str:
        return "snapshot"

    @property
    def tools(self) -> Sequence[type[Query]]:
        return ()

    def understand(self, question: Question) -> Sequence[Route]:
        del question  # it has no questions of its own
        return ()

    def answers(self, query: Query) -> bool:
        return isinstance(query, FindAlarms | ListChanges | ListEvents | ReadMetrics | ReadState | SearchLogs)

    async def ask(self, query: Query) -> Result:
        match query:
            case ReadMetrics():
                return self._metrics(query)
            case SearchLogs():
                return self._logs(query)
            case ListEvents():
                events = _within(self._snapshot.events.get(query.resource.key, ()), query.window)
                return self._result("events", query, _about(query.resource, query.window), lines=tuple(events))
            case ListChanges():
                return self._changes(query)
            case ReadState():
                facts = self._snapshot.facts.get(query.resource.key, {})
                return self._result(
                    "state", query, _about(query.resource), facts=tuple(Fact(name=n, value=v) for n, v in facts.items())
                )
            case FindAlarms():
                found = [
                    a for a in self._snapshot.alarms if (a.name == query.name if query.name else a.state == "alarm")
                ]
                return self._result("alarms", query, f"alarms {query.name or 'in alarm'}", alarms=tuple(found))
            case _:
                told = "a snapshot has no answer to this question"
                return Result(status=Status.error, source="snapshot", where=query.kind, message=told)

    async def discover(self) -> ServiceGraph:
        return self._snapshot.graph

    def forget(self) -> None:
        """It remembers nothing."""

    async def prepare(self) -> None:
        """Nothing is slow here."""

    async def check(self) -> Sequence[Check]:
        held = f"{len(self._snapshot.graph.services)} services at {iso(self._snapshot.now)}"
        return [Check("snapshot", "ok", f"{self._snapshot.folder}: {held}")]

    def _metrics(self, query: ReadMetrics) -> Result:
        wanted = {each.key for each in query.resources}
        first, last = query.window.start.timestamp(), query.window.end.timestamp()
        found = []
        for series in self._snapshot.series:
            if series.resource.key not in wanted or (query.signals and series.signal not in query.signals):
                continue
            inside = [(t, v) for t, v in zip(series.times, series.values, strict=True) if first <= t <= last]
            if inside:
                times, values = zip(*inside, strict=True)
                found.append(series.model_copy(update={"times": times, "values": values}))
        names = ", ".join(each.name for each in query.resources[:5])
        return self._result("metrics", query, f"metrics of {names}, {_span(query.window)}", series=tuple(found))

    def _logs(self, query: SearchLogs) -> Result:
        lines = _within(self._snapshot.lines.get(query.resource.key, ()), query.window)
        wanted = [words.casefold() for words in query.any_of if words]
        if wanted:
            lines = [line for line in lines if any(words in line.text.casefold() for words in wanted)]
        kept = _nearest(lines, query)
        more = f"{len(lines) - len(kept)} more lines were left out" if len(lines) > len(kept) else ""
        return self._result("logs", query, _about(query.resource, query.window), more, lines=tuple(kept))

    def _changes(self, query: ListChanges) -> Result:
        wanted = {each.key for each in query.resources}
        found = [
            change
            for change in self._snapshot.changes
            if query.window.holds(change.at) and change.resource is not None and change.resource.key in wanted
        ]
        names = ", ".join(each.name for each in query.resources[:5])
        return self._result("changes", query, f"changes of {names}, {_span(query.window)}", changes=tuple(found))

    def _result(self, what: str, query: Query, where: str, more: str = "", **found: object) -> Result:
        filled = any(found.values())
        return Result.model_validate(
            {
                "status": Status.truncated if more else Status.ok if filled else Status.no_data,
                "source": f"snapshot.{what}",
                "asked": {"query": query.kind, "arguments": query.model_dump(mode="json")},
                "where": f"{where} in the snapshot",
                "message": more or ("" if filled else f"the snapshot holds no {what} for this"),
                **found,
            }
        )


def _within(lines: Sequence[LogLine], window: TimeWindow) -> list[LogLine]:
    return [line for line in lines if window.holds(line.at)]


def _nearest(lines: list[LogLine], query: SearchLogs) -> list[LogLine]:
    """Of too many, those nearest to the onset, or the last."""
    if len(lines) <= query.limit:
        return lines
    moment = query.window.onset or query.window.end
    near = sorted(lines, key=lambda line: abs((line.at - moment).total_seconds()))[: query.limit]
    return sorted(near, key=lambda line: line.at)


def _about(resource: Resource, window: TimeWindow | None = None) -> str:
    return f"{resource.type} {resource.name}" + (f", {_span(window)}" if window else "")


def _span(window: TimeWindow) -> str:
    return f"{iso(window.start)} to {iso(window.end)}"
