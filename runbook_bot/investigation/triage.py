"""The first minute: what was reported, over which window, who depends on whom, what moved, what was changed.

Each part may fail alone and says so; nothing here decides anything about the cause.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runbook_bot.analysis.complaints import EVENTFUL, beginning
from runbook_bot.analysis.vitals import COMPUTE, anomalies, trouble
from runbook_bot.domain.incident import Incident, Request, Symptom
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import (
    Body,
    ChangesFound,
    GraphFound,
    IncidentFound,
    KnowledgeFound,
    Noted,
    SymptomFound,
)
from runbook_bot.domain.noun import iso
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.ports import Clock, Journal, Knowledge
from runbook_bot.domain.saying import symptom as said
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    Result,
    SearchLogs,
    Status,
)
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.errors import KnowledgeError
from runbook_bot.investigation.causal import UNMEASURED, around_onset, yesterday
from runbook_bot.investigation.reported import alarm_names, named_services, reported, spelled_out, window_of
from runbook_bot.investigation.scratchpad import Wanted, ask_all, gathered, narrowed
from runbook_bot.investigation.symptom import symptom_of
from runbook_bot.investigation.world import World

MOST_SERVICES = 30
MOST_KEPT = 200
"""Services that the journal keeps of a larger graph: those near to what is looked at."""
MOST_TROUBLED = 4
"""Services whose logs are read before there is a hypothesis."""
DATABASES = (ResourceType.rds_instance, ResourceType.rds_cluster)
"""They may fail over and be back before a metric by the minute shows it."""


class Triage:
    """Gathers the context of one investigation."""

    def __init__(self, world: World, knowledge: Knowledge | None, graph: ServiceGraph, clock: Clock) -> None:
        self._world = world
        self._knowledge = knowledge
        self._graph = graph
        self._clock = clock

    async def run(self, journal: Journal) -> AsyncIterator[Body]:
        """Entries of the context, skipping what the journal has already."""
        case = journal.refresh()
        if case.incident is None or case.graph is None:
            async for body in self._what_and_who(journal):
                yield body
        case = journal.refresh()
        if not case.symptom_looked_for:
            async for body in self._what_moved(journal):
                yield body
        case = journal.refresh()
        if not case.hypotheses and not case.ending:
            wanted = await asyncio.to_thread(_complaints, case)
            async for body in ask_all(self._world, case, wanted):
                yield body
            async for body in self._what_was_said(journal):
                yield body
        case = journal.refresh()
        if case.knowledge is None:
            yield await self._what_is_known(case)

    async def _what_and_who(self, journal: Journal) -> AsyncIterator[Body]:
        case = journal.refresh()
        request = case.request
        discovery = asyncio.create_task(self._world.discover())
        asked: list[tuple[str, Query]] = [("", FindAlarms())]
        asked += [("", FindAlarms(name=name)) for name in alarm_names(request.text)]
        wanted, _ = gathered(asked)
        async for body in ask_all(self._world, case, wanted):
            yield body
        found, problem = await discovery
        case = journal.refresh()
        alarms = _alarms(case)
        graph = self._graph.merged(found)
        services, alarm = _meant(request, alarms, graph)
        if _unknown(services, alarm, graph):
            found, problem = await self._world.discover(anew=True)  # it may have been made since
            graph = self._graph.merged(found)
            services, alarm = _meant(request, alarms, graph)
        if problem:
            yield Noted(text=f"Discovery is incomplete: {problem}", level="warning")
        if alarm is not None and not services:
            graph, services = _concerned(alarm, graph)
        window = window_of(request, alarm, self._clock.now())
        yield IncidentFound(incident=reported(case.id, request, alarm, services, window))
        scope = _scope(graph, services)
        if not services and len(scope) < len(graph.services):
            told = f"no service is named: of {len(graph.services)} the first {len(scope)} are looked at; name one"
            yield Noted(text=told, level="warning")
        yield GraphFound(graph=graph.around(scope, MOST_KEPT), scope=scope, message=problem)

    async def _what_moved(self, journal: Journal) -> AsyncIterator[Body]:
        case = journal.refresh()
        assert case.incident is not None
        incident = case.incident
        resources = _resources(case)
        frame = incident.window.with_onset(None)
        asked: list[tuple[str, Query]] = []
        watched = incident.alarm.metric if incident.alarm is not None else None
        measured = [r for r in resources if r.type not in UNMEASURED]
        if watched is not None and watched.promql is not None:  # another vendor's question than the resources'
            asked.append(("", ReadMetrics(resources=(watched,), window=frame)))
        elif watched is not None:
            measured.insert(0, watched)
        if measured:
            asked.append(("", ReadMetrics(resources=tuple(measured), window=frame)))
        if resources:
            asked.append(("", ListChanges(resources=resources, window=frame)))
        wanted, notes = gathered(asked)
        for note in notes:
            yield note
        async for body in ask_all(self._world, case, wanted):
            yield body
        case = journal.refresh()
        changes, _ = narrowed(ListChanges(resources=resources, window=frame))
        yield _changes(case.answers.get(changes.key) if changes else None)
        symptom = await asyncio.to_thread(symptom_of, case)
        if symptom is not None:
            # The same hours of the day before tell the usual from the unusual.
            before = yesterday_of(case, symptom)
            async for body in ask_all(self._world, case, {before.key: (before, ())}):
                yield body
            symptom = await asyncio.to_thread(symptom_of, journal.refresh())
        onset = _onset(symptom, incident)
        yield IncidentFound(incident=incident.model_copy(update={"window": frame.with_onset(onset)}))
        # The symptom comes last: where it stands in the journal, this part of triage is done.
        yield SymptomFound(symptom=symptom, message=said(symptom) if symptom else "nothing measurable was found")

    async def _what_was_said(self, journal: Journal) -> AsyncIterator[Body]:
        """Where no metric tells when it began, a complaint that was not there at first does."""
        case = journal.refresh()
        assert case.incident is not None
        frame = case.incident.window
        if frame.onset is not None or case.request.at is not None:
            return
        found = await asyncio.to_thread(beginning, case)
        if found is None:
            return
        at = datetime.fromtimestamp(found.at, UTC)
        said_then = f"{found.service} began at {iso(at)} to say «{found.exemplar[:160]}»"
        yield Noted(text=f"no metric tells when it began; {said_then}")
        yield IncidentFound(incident=case.incident.model_copy(update={"window": frame.with_onset(at)}))
        case = journal.refresh()
        async for body in ask_all(self._world, case, await asyncio.to_thread(_complaints, case)):
            yield body

    async def _what_is_known(self, case: Investigation) -> Body:
        if self._knowledge is None:
            return KnowledgeFound(passages=(), status=Status.no_data, message="no knowledge base is configured")
        text = case.title + (f" {said(case.symptom)}" if case.symptom else "")
        try:
            passages = await self._knowledge.search(text[:2000], services=case.scope[:4], top=8)
        except KnowledgeError as problem:
            return KnowledgeFound(passages=(), status=Status.error, message=str(problem))
        status = Status.ok if passages else Status.no_data
        return KnowledgeFound(passages=tuple(passages), status=status)


def yesterday_of(case: Investigation, symptom: Symptom) -> Query:
    """The question about the same signal one day earlier."""
    query = yesterday(replace(case, symptom=symptom))
    assert query is not None
    return query


def _alarms(case: Investigation) -> list[Alarm]:
    seen: dict[str, Alarm] = {}
    for asked in case.asked:
        for alarm in asked.result.alarms:
            if asked.query.get("name") or alarm.name not in seen:
                seen[alarm.name] = alarm
    return list(seen.values())


def _meant(request: Request, alarms: Sequence[Alarm], graph: ServiceGraph) -> tuple[list[str], Alarm | None]:
    """The services and the alarm that the words are about."""
    services = [request.service] if request.service else named_services(request.text, graph)
    alarm = _chosen(alarms, request.text, services, graph)
    if services and alarm is None and not request.service and not spelled_out(request.text, graph):
        # A word that only resembles a name is less than an alarm that rings for somebody else.
        ringing = _chosen(alarms, request.text, (), graph)
        return ([], ringing) if ringing is not None else (services, None)
    return services, alarm


def _unknown(services: Sequence[str], alarm: Alarm | None, graph: ServiceGraph) -> bool:
    """Whether the graph does not know what is meant."""
    meant = services or (_concerned(alarm, graph)[1] if alarm is not None else ())
    return all(graph.service(name) is None for name in meant)


def _chosen(alarms: Sequence[Alarm], text: str, services: Sequence[str], graph: ServiceGraph) -> Alarm | None:
    """The alarm that is meant: named in the text, or firing for a service that is, or the first that fired."""
    lowered = text.casefold()
    named = [a for a in alarms if a.name.casefold() in lowered]
    if named:
        return max(named, key=lambda a: len(a.name))
    firing = sorted((a for a in alarms if a.state == "alarm"), key=lambda a: (a.since is None, a.since, a.name))
    if services:
        return next((a for a in firing if _about(a, services, graph)), None)
    return firing[0] if firing else None


def _concerned(alarm: Alarm, graph: ServiceGraph) -> tuple[ServiceGraph, list[str]]:
    """The service that an alarm is about; a resource that belongs to none becomes a service of its own name."""
    for watched in (alarm.subject, alarm.metric):
        owner = graph.owner_of(watched) if watched else None
        if owner is not None:
            return graph, [owner.name]
    named = named_services(f"{alarm.name} {alarm.description}".replace("_", " "), graph)
    if named or alarm.subject is None:
        return graph, named
    alone = Service(name=alarm.subject.name, resources=(alarm.subject,))
    return graph.merged(ServiceGraph(services=(alone,))), [alone.name]


def _about(alarm: Alarm, services: Sequence[str], graph: ServiceGraph) -> bool:
    owner = graph.owner_of(alarm.subject) if alarm.subject else None
    return (owner is not None and owner.name in services) or any(name in alarm.name for name in services)


def _scope(graph: ServiceGraph, services: Sequence[str]) -> tuple[str, ...]:
    """The services that are looked at: those that hurt, what they depend on, and who calls them; nearest first."""
    if not services:
        return tuple(s.name for s in graph.services)[:MOST_SERVICES]
    found: dict[str, int] = {}
    for name in services:
        found[name] = 0
        for other, hops in {**graph.dependents(name, hops=1), **graph.dependencies(name, hops=3)}.items():
            found[other] = min(found.get(other, 99), hops)
    return tuple(sorted(found, key=lambda n: (found[n], n)))[:MOST_SERVICES]


def _resources(case: Investigation) -> tuple[Resource, ...]:
    assert case.graph is not None
    found = [r for name in case.scope if (service := case.graph.service(name)) for r in service.resources]
    alarm = case.incident.alarm if case.incident else None
    if alarm is not None and alarm.subject is not None and all(r.key != alarm.subject.key for r in found):
        found.insert(0, alarm.subject)
    return tuple({r.key: r for r in found}.values())


def _complaints(case: Investigation) -> Wanted:
    """Logs and vendors' reports of the services in trouble, the one that hurts first: what they say suggests causes."""
    if case.graph is None or case.incident is None:
        return {}
    moved = anomalies(case)
    first = case.symptom.service if case.symptom else ""
    troubled = [a.service for a in moved if trouble(moved, a.service)]
    names = [n for n in dict.fromkeys([first, *case.incident.services, *troubled]) if n][:MOST_TROUBLED]
    names += [caller for name in names for caller in _readers(case.graph, name) if caller not in names]
    window = around_onset(case)
    asked: list[tuple[str, Query]] = []
    for name in names:
        service = case.graph.service(name)
        resources = service.resources if service else ()
        writing = [r for r in resources if r.type is ResourceType.log_group] or [
            r for r in resources if r.type in COMPUTE
        ]
        asked += [("", SearchLogs(resource=r, window=window)) for r in writing[:1]]
        running = [r for r in resources if r.type in EVENTFUL]
        asked += [("", ListEvents(resource=r, window=window)) for r in running[:1]]
    beneath = dict.fromkeys(d for name in names for d in case.graph.dependencies(name, hops=1) if d not in names)
    for service in [s for name in beneath if (s := case.graph.service(name))][:MOST_TROUBLED]:
        stores = [r for r in service.resources if r.type in DATABASES]
        asked += [("", ListEvents(resource=r, window=window)) for r in stores[:1]]
    return gathered(asked)[0]


def _readers(graph: ServiceGraph, name: str) -> list[str]:
    """Who depends on something that runs no code of its own, as a queue: what ails it is said in their logs."""
    service = graph.service(name)
    if service is None or not service.resources:
        return []
    queues = (ResourceType.sqs_queue, ResourceType.kinesis_stream)
    return sorted(graph.dependents(name, hops=1)) if all(r.type in queues for r in service.resources) else []


def _changes(result: Result | None) -> ChangesFound:
    if result is None:
        return ChangesFound(
            changes=(), status=Status.no_data, message="no resource is known whose changes could be read"
        )
    return ChangesFound(changes=result.changes, status=result.status, message=result.message)


def _onset(symptom: Symptom | None, incident: Incident) -> datetime | None:
    if symptom is not None and symptom.onset is not None:
        return symptom.onset
    if symptom is not None and symptom.moved == "steady":
        return None
    since = incident.alarm.since if incident.alarm and incident.alarm.state == "alarm" else None
    if since is not None and incident.window.holds(since):
        return since - timedelta(minutes=2)
    return None
