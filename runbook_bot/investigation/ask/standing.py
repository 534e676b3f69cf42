"""How things stand: what runs, whether it is well, and what is in alarm."""

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from pydantic import JsonValue

from runbook_bot.analysis.vitals import COMPUTE
from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import Resource, Service
from runbook_bot.domain.tools import FindAlarms, ListChanges, ReadMetrics, ReadState, Result
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.investigation.ask import words as say
from runbook_bot.investigation.ask.answer import Answer, table, text_of
from runbook_bot.investigation.ask.looking import Looking, ago, clock, stamp
from runbook_bot.investigation.ask.measured import Measured, moved, read, told
from runbook_bot.investigation.ask.reading import SCOPES, scope_of
from runbook_bot.investigation.causal import UNMEASURED

MOST_RUNNING = 80
MOST_RESOURCES = 12
LONGEST_NAME = 60
"""Characters of an alarm's name, or of a status, in a list of what is wrong."""
DAY = timedelta(hours=24)
RECENT = timedelta(hours=3)
_RUNS = (*COMPUTE, R.rds_instance, R.rds_cluster, R.dynamodb_table, R.elasticache_cluster, R.sqs_queue,
         R.kinesis_stream, R.api_gateway, R.amplify_app, R.eks_cluster)  # fmt: skip
_KIND = {R.rds_instance: "RDS instance", R.rds_cluster: "RDS cluster", R.ecs_service: "ECS service",
         R.sqs_queue: "SQS queue", R.ec2_instance: "EC2 instance", R.dynamodb_table: "DynamoDB table",
         R.elasticache_cluster: "ElastiCache", R.eks_cluster: "EKS cluster", R.api_gateway: "API"}  # fmt: skip
_VERSION = ("image", "runtime", "version", "task_definition")
_SINCE = ("last_deployment_at", "last_modified", "launched_at", "registered_at")
_SHORT = ("rollout_state", "failed_tasks", "engine", "version", "class",
          "healthy_hosts", "unhealthy_hosts", "unhealthy_reasons", "image", "memory_limit", "max_connections",
          "reserved_concurrency", "pending_changes", "last_deployment_at", "billing_mode", "threshold")  # fmt: skip
_FINE = {"active", "available", "completed", "ok", "running", "in-service", "inservice", "healthy", "successful"}


def kind(resource: Resource) -> str:
    return _KIND.get(resource.type, resource.type.value.replace("_", " ").capitalize())


async def running(look: Looking) -> Answer:
    """A line for each service: what it is, how many run, which version, since when, and what is wrong."""
    services, note = _in_scope(look)
    if note:
        look.notes.append(note)
    parts = [(service, resource) for service in services for resource in _runs(service)]
    chosen = parts[:MOST_RUNNING]
    if len(parts) > len(chosen):
        look.notes.append(f"{len(parts) - len(chosen)} more resources were not asked for; name a service to see it.")
    alarms, *states = await asyncio.gather(
        look.ask(FindAlarms()), *(look.ask(ReadState(resource=resource)) for _, resource in chosen)
    )
    found = [_line(look, service, resource, state, alarms.alarms)
             for (service, resource), state in zip(chosen, states, strict=True)]  # fmt: skip
    found.sort(key=lambda each: each.rank)
    rows = [each.row for each in found]
    quiet = [each.name for each in services if not _runs(each)]
    if quiet:
        look.notes.append(f"No resource is known of {say.listed(quiet)}, so it cannot be looked at.")
    names = list(dict.fromkeys(row[0] for row in rows))
    text = _overall(names, found, alarms)
    if not rows:
        text = say.NO_SERVICES if not list(look.graph) else "Nothing that runs is known here."
    columns = ("service", "owner", "what", "running", "version", "deployed", "trouble")
    return Answer(
        question=look.text,
        intent="running",
        text=text,
        tables=(table(columns, rows, most=40),) if rows else (),
        at=look.now,
        data={"services": cast(list[JsonValue], names), "unwell": cast(list[JsonValue], list(_unwell(found)))},
    )


@dataclass(frozen=True)
class _Line:
    """One resource of a service: what is shown of it, and what is wrong with it."""

    row: tuple[str, ...]
    troubles: tuple[str, ...]
    read: bool
    """Whether its state could be read."""
    since: float
    """When the first alarm of the last day began, in epoch seconds; infinite where there is none."""

    @property
    def rank(self) -> tuple[object, ...]:
        """What is wrong comes first, most of it and the earliest before the rest; then what could not be read."""
        return not self.troubles, self.read, -len(self.troubles), self.since


def _unwell(lines: Sequence[_Line]) -> dict[str, list[str]]:
    """What is wrong with which service, each thing once, in the order of the lines."""
    found: dict[str, list[str]] = {}
    for each in lines:
        if each.troubles:
            told = found.setdefault(each.row[0], [])
            told += [one for one in each.troubles if one not in told]
    return found


def _overall(names: list[str], lines: Sequence[_Line], alarms: Result) -> str:
    """How many there are, and what is wrong with which; what could not be read is neither well nor unwell."""
    unread = sum(not each.read and not each.troubles for each in lines)
    if unread == len(lines):
        known = f"{say.count(len(names), 'service')} of {say.count(len(lines), 'resource')}"
        return f"{known} are known, and none could be read."
    unwell = _unwell(lines)
    wrong = say.listed([f"{name} ({_several(told)})" for name, told in unwell.items()], 3)
    calm = (
        "nothing is wrong with any of them" if alarms.known and not unread else "nothing is wrong in what could be seen"
    )
    text = f"{say.count(len(names), 'service runs', 'services run')} on {say.count(len(lines), 'resource')}"
    text += f"; not well: {wrong}" if unwell else f"; {calm}"
    return f"{text}; {say.count(unread, 'resource')} could not be read." if unread else f"{text}."


def _runs(service: Service) -> list[Resource]:
    """What of a service is worth a line: what runs or keeps data; else what is in front of others."""
    found = [each for each in service.resources if each.type in _RUNS]
    return found or [each for each in service.resources if each.type is R.load_balancer]


def _in_scope(look: Looking) -> tuple[Sequence[Service], str]:
    """The services of the environment that is named; all of them where none is named so, and a word about that."""
    if look.services:
        return look.services, ""
    everything = list(look.graph)
    scope = scope_of(look.text)
    if not scope:
        return everything, ""
    others = {other for names in SCOPES.values() for other in names} - set(SCOPES[scope])
    rest = [each for each in everything if not _tagged(each, tuple(others))]
    fitting = {each.name for each in everything if _tagged(each, SCOPES[scope])}
    if not fitting:
        return rest, say.NOT_TAGGED.format(scope=scope)
    beneath = {name for each in fitting for name in look.graph.dependencies(each)} & {each.name for each in rest}
    chosen = [each for each in everything if each.name in fitting | beneath]
    return chosen, say.ONLY_TAGGED.format(scope=scope) if len(chosen) < len(everything) else ""


def _tagged(service: Service, names: Sequence[str]) -> bool:
    said = [
        service.name,
        service.group or "",
        *(f"{r.cluster or ''} {r.namespace or ''} {r.name}" for r in service.resources),
    ]
    return any(part in names for text in said for part in re.split(r"[^a-z]+", text.casefold()))


def _line(look: Looking, service: Service, resource: Resource, state: Result, alarms: Sequence[Alarm]) -> _Line:
    firing = [each for each in alarms if each.state == "alarm" and _shown_at(each, service) == resource.key]
    deployed = next((state.fact(name) for name in _SINCE if state.fact(name)), None)
    troubles = _troubles(state, firing, look.now)
    row = (
        service.name,
        service.owner or "",
        kind(resource),
        _counts(state),
        _version(state),
        _when(deployed, look.now),
        _wrong(state, troubles),
    )
    lately = [each.since.timestamp() for each in firing if each.since and look.now - each.since < DAY]
    return _Line(row, tuple(troubles), state.known, min(lately, default=math.inf))


def _shown_at(alarm: Alarm, service: Service) -> str:
    """The resource beside which an alarm of the service is shown: the one it watches, else the first of its lines."""
    if not _about(alarm, service):
        return ""
    shown = [each.key for each in _runs(service)]
    watched = [each.key for each in (alarm.subject, alarm.metric) if each is not None and each.key in shown]
    return next(iter([*watched, *shown]), "")


def _counts(state: Result) -> str:
    running, wanted = state.fact("running_count"), state.fact("desired_count")
    if wanted is not None:
        return f"{text_of(cast(JsonValue, running))}/{text_of(cast(JsonValue, wanted))}"
    return text_of(cast(JsonValue, state.fact("status") or state.fact("state")), 20).lower() if state.known else "?"


def _version(state: Result) -> str:
    engine = state.fact("engine")
    if engine:
        return " ".join(text_of(cast(JsonValue, each), 24) for each in (engine, state.fact("version")) if each)
    value = next((state.fact(name) for name in _VERSION if state.fact(name)), None)
    said = text_of(cast(JsonValue, value), 400)
    return said.rpartition("/")[2][-48:]


def _when(value: object, now: datetime) -> str:
    try:
        return ago(utc(datetime.fromisoformat(str(value))), now) if value else ""
    except ValueError:
        return ""


def _about(alarm: Alarm, service: Service) -> bool:
    keys = {each.key for each in service.resources}
    return any(each is not None and each.key in keys for each in (alarm.subject, alarm.metric)) or (
        alarm.subject is None and service.name.casefold() in alarm.name.casefold()
    )


def _troubles(state: Result, firing: Sequence[Alarm], now: datetime) -> list[str]:
    """What is wrong, one thing each; the alarm that began first is the first."""
    ringing = sorted(firing, key=lambda each: (each.since is None, each.since or now, each.name))
    said = [f"alarm {text_of(each.name, LONGEST_NAME)}" + (f", {ago(each.since, now)}" if each.since else "")
            for each in ringing]  # fmt: skip
    running, wanted = state.fact("running_count"), state.fact("desired_count")
    if isinstance(running, int | float) and isinstance(wanted, int | float) and running < wanted:
        said.append(f"{wanted - running:g} of {wanted:g} missing")
    if str(state.fact("rollout_state") or "").upper() == "FAILED":
        said.append("the roll-out failed")
    status = str(state.fact("status") or state.fact("state") or "").casefold()
    if status and status not in _FINE and wanted is None:
        said.append(text_of(status, LONGEST_NAME))
    return said


def _several(troubles: Sequence[str]) -> str:
    """`alarm a, 3 min ago; alarm b, 5 min ago; 1 of 4 missing; 4 more alarms`: of many alarms the first two."""
    ringing = [each for each in troubles if each.startswith("alarm ")]
    more = [f"{len(ringing) - 2} more alarm{'s' if len(ringing) > 3 else ''}"] if len(ringing) > 2 else []
    return "; ".join([*ringing[:2], *more, *(each for each in troubles if each not in ringing)])


def _wrong(state: Result, troubles: Sequence[str]) -> str:
    return _several(troubles) or ("" if state.known else say.UNREAD)


async def status(look: Looking) -> Answer:
    """Whether the named service is well: alarms, what moved, its state, and its last change."""
    name = look.services[0].name if look.services else look.resources[0].name
    service = look.services[0] if look.services else Service(name=name, resources=tuple(look.resources))
    resources = [each for each in service.resources if each.type not in UNMEASURED][:MOST_RESOURCES]
    window = look.window(RECENT)
    metrics = ReadMetrics(resources=tuple(resources), window=window) if resources else None
    changes = ListChanges(resources=tuple(resources), window=window.model_copy(update={"start": window.end - DAY}))
    (alarms, series, made), states = await asyncio.gather(
        asyncio.gather(
            look.ask(FindAlarms()),
            read(look, metrics) if metrics else _nothing(),
            look.ask(changes) if resources else _no_result(),
        ),
        look.ask_all(ReadState(resource=each) for each in resources),
    )
    firing = [each for each in alarms.alarms if each.state == "alarm" and _about(each, service)]
    off = [each for each in series if moved(each)]
    troubles = [_troubles(state, [], look.now) for state in states]
    rows = [(kind(each), each.name, _counts(state), _wrong(state, wrong), _facts(state))
            for each, state, wrong in zip(resources, states, troubles, strict=True)]  # fmt: skip
    tables = [table(("what", "name", "running", "trouble", "facts"), rows)] if rows else []
    if off:
        tables.append(table(("signal", "of", "now", "before", "course"),
                            [(each.label, each.name, each.now, each.usual, each.line) for each in off], most=8,
                            title="What moved"))  # fmt: skip
    latest = max(made.changes, key=lambda each: each.at, default=None) if made else None
    changed = f" The latest change: {latest.summary}, {ago(latest.at, look.now)}." if latest else ""
    text = _well(name, firing, off, [one for each in troubles for one in each], look) + changed
    if rows and not alarms.known and not any(each.known for each in states) and not series:
        text = f"Nothing of {name} could be seen.{changed}"
    if not resources:
        text = f"{name} has no resource that can be looked at" + (
            f"; it belongs to {service.owner}." if service.owner else ".")  # fmt: skip
    return Answer(question=look.text, intent="status", text=text, tables=tuple(tables), window=window, at=look.now)


async def _nothing() -> list[Measured]:
    return []


async def _no_result() -> Result | None:
    return None


def _well(name: str, firing: Sequence[Alarm], off: Sequence[Measured], trouble: Sequence[str], look: Looking) -> str:
    wrong = [f"alarm {each.name} is on" + (f" since {clock(each.since, look.now)}" if each.since else "")
             for each in firing[:3]]  # fmt: skip
    wrong += [told(each) for each in off[:2] if each.hurts]
    wrong += list(dict.fromkeys(trouble))[:2]
    if wrong:
        return f"{name} is not well: {'; '.join(wrong)}."
    if look.unseen:
        return f"Nothing is wrong with {name} in what could be seen."
    calm = f", though {told(off[0])}" if off else ""
    return f"{name} is well: no alarm is on, nothing it needs is missing{calm}."


def _facts(state: Result) -> str:
    known = [(name, state.fact(name)) for name in _SHORT]
    said = [f"{name.replace('_', ' ')} {text_of(cast(JsonValue, value), 60)}" for name, value in known
            if value not in (None, "", [], {}, 0)]  # fmt: skip
    return ", ".join(said[:6])


async def alarms(look: Looking) -> Answer:
    """The alarms that are on, the oldest last, with what they watch and whose it is."""
    found = await look.ask(FindAlarms())
    firing = [each for each in found.alarms if each.state == "alarm"]
    if look.services:
        firing = [each for each in firing if any(_about(each, service) for service in look.services)]
    firing.sort(key=lambda each: each.since.timestamp() if each.since else 0.0, reverse=True)
    rows = []
    for each in firing:
        owners = [service for service in look.graph if _about(each, service)]
        watched = each.subject.name if each.subject else each.metric.name if each.metric else ""
        limit = f"{each.comparison} {each.threshold:g}" if each.comparison and each.threshold is not None else ""
        rows.append((each.name, stamp(each.since) if each.since else "", owners[0].name if owners else "",
                     (owners[0].owner or "") if owners else "", watched, limit))  # fmt: skip
    of = f" of {say.listed([each.name for each in look.services])}" if look.services else ""
    text = f"{say.count(len(firing), 'alarm')}{of} {'is' if len(firing) == 1 else 'are'} on"
    text += f": {say.listed([each.name for each in firing], 5)}." if firing else "."
    if not found.known:
        text = "The alarms could not be read."
    shown = table(("alarm", "since (UTC)", "service", "owner", "watches", "limit"), rows)
    return Answer(question=look.text, intent="alarms", text=text, tables=(shown,) if rows else (), at=look.now)
