"""Prometheus as a source of answers: it reads metrics and alerting rules, and changes nothing."""

import asyncio
import math
from collections.abc import Sequence
from urllib.parse import quote

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Change, Series
from runbook_bot.domain.ports import Check
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import FindAlarms, ListChanges, ListEvents, Query, ReadMetrics, Result, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.prometheus import workload
from runbook_bot.providers.prometheus.alerts import alarms
from runbook_bot.providers.prometheus.api import Api, Unanswered
from runbook_bot.providers.prometheus.config import PrometheusSettings
from runbook_bot.providers.prometheus.expressions import UNITS, of_workload
from runbook_bot.providers.prometheus.ranges import Line, form, highest, lines

R = ResourceType
_CHECKED_WITHIN = 1.8
_STEP = 60.0


class PrometheusProvider:
    """One server. Resources that are not its own are nobody's business here."""

    def __init__(self, settings: PrometheusSettings) -> None:
        """`settings.url` is there."""
        self._api = Api(settings)
        self._cluster_label = settings.cluster_label

    @property
    def name(self) -> str:
        return "prometheus"

    @property
    def tools(self) -> Sequence[type[Query]]:
        return ()

    def understand(self, question: Question) -> Sequence[Route]:
        del question  # it has no questions of its own
        return ()

    def answers(self, query: Query) -> bool:
        match query:
            case ReadMetrics():
                return any(_measured(each) for each in query.resources)
            case ListChanges():
                return any(each.type is R.kubernetes_workload for each in query.resources)
            case ListEvents():
                return query.resource.type is R.kubernetes_workload
            case FindAlarms():
                return True
            case _:
                return False

    async def ask(self, query: Query) -> Result:
        match query:
            case ReadMetrics():
                return await self._metrics(query)
            case ListChanges():
                return await self._changes(query)
            case ListEvents():
                return await self._events(query)
            case FindAlarms():
                return await self._alarms(query)
            case _:
                told = "Prometheus has no answer to this question"
                return Result(status=Status.error, source="prometheus", where=query.kind, message=told)

    async def discover(self) -> ServiceGraph:
        """Nothing: metrics say what is measured, not who depends on whom."""
        return ServiceGraph()

    def forget(self) -> None:
        """It remembers nothing."""

    async def prepare(self) -> None:
        """Nothing is slow here."""

    async def check(self) -> Sequence[Check]:
        try:
            told = await self._api.ask("/api/v1/query", {"query": "count(up)"}, _CHECKED_WITHIN)
        except Unanswered as problem:
            return [Check("prometheus", "failed", str(problem), "see PROMETHEUS_URL, or observability.prometheus")]
        try:
            targets = int(float(told["result"][0]["value"][1]))
        except (TypeError, KeyError, IndexError, ValueError):
            return [Check("prometheus", "warning", f"{self._api.base} answers, and watches nothing", "add targets")]
        return [Check("prometheus", "ok", f"{self._api.base}, {targets} targets")]

    async def _metrics(self, query: ReadMetrics) -> Result:
        wanted = [
            (resource, signal, expression)
            for resource in query.resources
            for signal, expression in self._expressions(resource).items()
            if not query.signals or signal in query.signals
        ]
        told = await self._ranges([each for _, _, each in wanted], query.window, query.step)
        found, several = [], []
        for (resource, signal, expression), answer in zip(wanted, told.answers, strict=True):
            chosen = [line for line in answer if _fits(line, resource)]
            if not chosen:
                continue
            if len(chosen) > 1:
                several.append(f"{len(chosen)} series of {expression[:80]}: the highest at each moment")
            line = highest(chosen)
            found.append(
                Series(
                    name=expression[:200] if resource.type is R.metric else str(signal),
                    signal=signal,
                    resource=resource,
                    unit=UNITS.get(signal, ""),
                    step=query.step,
                    times=line.times,
                    values=line.values,
                )
            )
        names = ", ".join(dict.fromkeys(each.name[:60] for each, _, _ in wanted))
        where = f"{len(wanted)} expressions for {names[:300]}, {_span(query.window)}, in Prometheus"
        return told.result("prometheus.metrics", where, several, series=tuple(found))

    def _expressions(self, resource: Resource) -> dict[Signal, str]:
        if resource.type is R.metric and resource.promql:
            return {Signal.value: resource.promql}
        return of_workload(resource, self._cluster_label) if resource.type is R.kubernetes_workload else {}

    async def _changes(self, query: ListChanges) -> Result:
        mine = [each for each in query.resources if each.type is R.kubernetes_workload]
        asked = [workload.questions(each, self._cluster_label)[what] for each in mine for what in workload.CHANGES]
        told = await self._ranges(asked, query.window, _STEP)
        found: list[Change] = []
        for index, resource in enumerate(mine):
            first = index * len(workload.CHANGES)
            parts = dict(zip(workload.CHANGES, told.answers[first:], strict=False))
            found += workload.changes(resource, parts, query.window.start, _STEP)
        names = ", ".join(each.name for each in mine[:5])
        where = f"images and copies of {names}, {_span(query.window)}, in Prometheus"
        found.sort(key=lambda each: each.at)
        return told.result("prometheus.changes", where, (), changes=tuple(found))

    async def _events(self, query: ListEvents) -> Result:
        asked = workload.questions(query.resource, self._cluster_label)
        told = await self._ranges([asked[what] for what in workload.EVENTS], query.window, _STEP)
        parts = dict(zip(workload.EVENTS, told.answers, strict=True))
        where = f"restarts of {query.resource.name} and their reasons, {_span(query.window)}, in Prometheus"
        found = workload.events(query.resource, parts, query.window.start)
        return told.result("prometheus.events", where, (), lines=tuple(found))

    async def _alarms(self, query: FindAlarms) -> Result:
        where = (f"the alerting rule {query.name}" if query.name else "alerting rules that fire") + " in Prometheus"
        asked = {"call": "GET /api/v1/rules", "parameters": {"type": "alert"}}
        base = {"source": "prometheus.alerts", "asked": asked, "where": where, "console": f"{self._api.base}/alerts"}
        try:
            found, left_out = alarms(await self._api.ask("/api/v1/rules?type=alert"), query.name)
        except Unanswered as problem:
            return Result.model_validate({**base, "status": problem.status, "message": str(problem)})
        message = f"{left_out} more were left out" if left_out else "" if found else "none"
        status = Status.truncated if left_out else Status.ok if found else Status.no_data
        return Result.model_validate({**base, "status": status, "message": message, "alarms": tuple(found)})

    async def _ranges(self, expressions: Sequence[str], window: TimeWindow, step: float) -> "_Told":
        """All of them side by side; each may fail alone."""
        asked = [form(each, window, step) for each in expressions]
        answers = await asyncio.gather(*(lines(self._api, each) for each in asked), return_exceptions=True)
        problems = []
        for each in answers:
            if isinstance(each, Unanswered):
                problems.append(each)
            elif isinstance(each, BaseException):
                raise each
        link = f"{self._api.base}/graph?" + "&".join(
            f"g{n}.expr={quote(each)}&g{n}.tab=0&g{n}.range_input={math.ceil(window.length.total_seconds() / 60)}m"
            f"&g{n}.end_input={quote(window.end.strftime('%Y-%m-%d %H:%M:%S'))}"
            for n, each in enumerate(expressions[:3])
        )
        return _Told(asked, [each if isinstance(each, list) else [] for each in answers], problems, link)


class _Told:
    """What came back for several expressions."""

    def __init__(
        self, asked: list[dict[str, str]], answers: list[list[Line]], problems: list[Unanswered], link: str
    ) -> None:
        self._asked, self.answers, self._problems, self._link = asked, answers, problems, link

    def result(self, source: str, where: str, remarks: Sequence[str], **found: tuple[object, ...]) -> Result:
        """With what was found; what failed makes it incomplete, or, where nothing was found, unknown."""
        there = any(found.values())
        whys = list(dict.fromkeys(str(each) for each in self._problems))
        message = "; ".join([*remarks[:3], *(["not seen: " + "; ".join(whys[:2])] if whys else [])])
        if self._problems and not there:
            denied = all(each.status is Status.denied for each in self._problems)
            status, message = Status.denied if denied else Status.error, "; ".join(whys[:2])
        elif self._problems:
            status = Status.truncated
        else:
            status = Status.ok if there else Status.no_data
        calls = [{"call": "POST /api/v1/query_range", "parameters": each} for each in self._asked[:20]]
        return Result.model_validate(
            {
                "status": status,
                "source": source,
                "asked": {"calls": calls},
                "where": where,
                "message": message or ("" if there else "the server has no such series in this window"),
                "console": self._link,
                **found,
            }
        )


def _measured(resource: Resource) -> bool:
    return resource.type is R.kubernetes_workload or (resource.type is R.metric and bool(resource.promql))


def _fits(line: Line, resource: Resource) -> bool:
    """An alert's own series: the labels that both have are alike."""
    return resource.type is not R.metric or all(
        line.labels.get(name, value) == value for name, value in resource.dimensions.items()
    )


def _span(window: TimeWindow) -> str:
    return f"{iso(window.start)} to {iso(window.end)}"
