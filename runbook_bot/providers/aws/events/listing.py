"""The events of one resource: its own service's, and what AWS Health has announced for it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListEvents, Result, Status
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import alarm_events
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.autoscaling import group_events
from runbook_bot.providers.aws.console import console_link
from runbook_bot.providers.aws.database_load import load_lines
from runbook_bot.providers.aws.ecs import service_events
from runbook_bot.providers.aws.events.functions import function_lines
from runbook_bot.providers.aws.events.kubernetes import kubernetes_lines
from runbook_bot.providers.aws.events.machines import machine_lines
from runbook_bot.providers.aws.events.stores import cache_lines, cluster_lines
from runbook_bot.providers.aws.events.targets import target_lines
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.rds import database_events
from runbook_bot.providers.aws.timeline import health

_Lines = Callable[[Place, Resource, TimeWindow, datetime], Awaitable[tuple[list[LogLine], list[CallFailed]]]]
_MOST = 500

WHOLE: dict[R, Callable[[Place, ListEvents], Awaitable[Result]]] = {
    R.ecs_service: service_events,
    R.rds_instance: database_events,
    R.autoscaling_group: group_events,
    R.alarm: alarm_events,
}
"""Types whose module makes the whole answer."""

LINES: dict[R, tuple[str, tuple[str, ...], _Lines]] = {
    R.rds_cluster: ("rds", ("rds.DescribeEvents", "rds.DescribeDBClusters"), cluster_lines),
    R.elasticache_cluster: ("elasticache", ("elasticache.DescribeEvents",), cache_lines),
    R.lambda_function: (
        "lambda",
        ("lambda.GetFunctionConfiguration", "lambda.ListEventSourceMappings"),
        function_lines,
    ),
    R.ec2_instance: (
        "ec2",
        ("ec2.DescribeInstanceStatus", "ec2.DescribeInstances", "ec2.GetConsoleOutput"),
        machine_lines,
    ),
    R.eks_cluster: ("eks", ("eks.ListUpdates", "eks.DescribeUpdate", "eks.DescribeNodegroup"), kubernetes_lines),
    R.target_group: ("elbv2", ("elbv2.DescribeTargetHealth",), target_lines),
    R.load_balancer: ("elbv2", ("elbv2.DescribeTargetGroups", "elbv2.DescribeTargetHealth"), target_lines),
}
"""Types of which only the lines are read, by which service and which calls."""

EVENTFUL = frozenset((*WHOLE, *LINES))


async def list_events(place: Place, query: ListEvents, now: datetime) -> Result:
    own, announced, (load, failures) = await asyncio.gather(
        _own(place, query, now), _announced(place, query), _loaded(place, query, now)
    )
    if failures and own.known:
        told = "; ".join(part for part in (own.message, f"not seen: {gaps(failures)}") if part)
        own = own.model_copy(update={"message": told, "status": Status.truncated if own.lines else own.status})
    more = [*announced, *load]
    if not more:
        return own
    lines = sorted((*own.lines, *more), key=lambda line: line.at)
    status = own.status if own.lines else Status.truncated if not own.known or failures else Status.ok
    return own.model_copy(update={"lines": tuple(lines), "status": status})


async def _loaded(place: Place, query: ListEvents, now: datetime) -> tuple[list[LogLine], list[CallFailed]]:
    """What the sessions of a database wait for, where that is watched."""
    if query.resource.type not in (R.rds_instance, R.rds_cluster):
        return [], []
    return await load_lines(place, query.resource, query.window, now)


async def _own(place: Place, query: ListEvents, now: datetime) -> Result:
    whole = WHOLE.get(query.resource.type)
    if whole is not None:
        return await whole(place, query)
    service, calls, read = LINES[query.resource.type]
    try:
        lines, failures = await read(place, query.resource, query.window, now)
    except CallFailed as failure:
        lines, failures = [], [failure]
    lines.sort(key=lambda line: line.at)
    kept, left = lines[-_MOST:], max(0, len(lines) - _MOST)
    told = [f"{left} earlier events are left out"] if left else []
    told += [f"not seen: {gaps(failures)}"] if failures else []
    status = Status.truncated if told and kept else Status.ok if kept else worst(failures)
    if not kept and not told:
        told = [f"{service} tells of nothing in this window"]
    return Result(
        status=status,
        source=f"aws.{service}",
        asked={"calls": list(calls), "resource": query.resource.key},
        where=f"events of {query.resource.type} {query.resource.name} in {place.name}, {between(query.window)}",
        message="; ".join(told),
        lines=tuple(kept),
        console=console_link(query.resource, place.region),
    )


async def _announced(place: Place, query: ListEvents) -> list[LogLine]:
    """What AWS Health tells of the resource. Few accounts have it: where it does not answer, nothing is missed."""
    if query.resource.type not in health.SERVICES:
        return []
    try:
        events = await health.read_health(place, query.window)
    except CallFailed:
        return []  # the change timeline names it where it is denied; here it would hide the service's own events
    return [
        LogLine(
            at=max(utc(event["startTime"]), query.window.start),
            text=f"AWS Health: {health.said(event)} since {utc(event['startTime']):%Y-%m-%d %H:%M} UTC",
            stream="AWS Health",
        )
        for event, affected in events
        if health.about(event, affected, query.resource) is not None
    ]
