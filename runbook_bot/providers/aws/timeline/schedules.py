"""Scheduled jobs: rules and schedules of EventBridge that fired in the window and touch the resources."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.related import footing
from runbook_bot.providers.aws.task_definitions import family_and_number, read_revision
from runbook_bot.providers.aws.timeline.arn_names import names_in
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.documents import pick
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent
from runbook_bot.providers.aws.timeline.timetable import fires

_MOST_RULES = 500
_MOST_ASKED = 12
_MOST_TASKS = 6
_MOST_FIRINGS = 6
"""What fires more often than this within the window runs all day: it explains no onset."""
_MOST_COUNTED = 50
_SELDOM_MINUTES = 30
_REMEMBERED_SECONDS = 300.0
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_STORES = (R.rds_instance, R.rds_cluster, R.elasticache_cluster, R.dynamodb_table, R.kinesis_stream, R.sqs_queue,
           R.s3_bucket)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """Something that runs by the clock."""

    name: str
    what: str
    """`rule` or `schedule`."""
    expression: str
    zone: str
    targets: tuple[Answer, ...]


async def _tell(scene: Scene) -> Told:
    told = Told()
    for part in await asyncio.gather(_rules(scene), _schedules(scene), _tasks(scene)):
        if isinstance(part, CallFailed):
            told.failures += absent(part, scene)
        else:
            told.claims += part
    return told


async def _rules(scene: Scene) -> list[Claim] | CallFailed:
    async def look() -> list[Answer]:
        return await scene.place.gather("events", "ListRules", "Rules", _MOST_RULES)

    try:
        listed = await scene.place.recall(("scheduled rules",), _REMEMBERED_SECONDS, look)
        timed = [e for e in listed if e.get("Name") and e.get("ScheduleExpression") and e.get("State") != "DISABLED"]
        counted = await _counted(scene, [str(each["Name"]) for each in timed if _seldom_by_rate(each)])
        jobs = [(each, counted.get(str(each["Name"])) or _firings(scene, each)) for each in timed]
        due = [(each, moments) for each, moments in jobs if 0 < len(moments) <= _MOST_FIRINGS][:_MOST_ASKED]
        targets = await asyncio.gather(*(_targets(scene.place, str(each["Name"])) for each, _ in due))
    except CallFailed as failure:
        return failure
    claims: list[Claim] = []
    for (each, moments), aimed in zip(due, targets, strict=True):
        job = Job(str(each["Name"]), "rule", str(each["ScheduleExpression"]), "UTC", tuple(aimed))
        claims += await _claims(scene, job, moments)
    return claims


def _firings(scene: Scene, rule: Answer) -> list[datetime]:
    return fires(str(rule["ScheduleExpression"]), scene.window.start, scene.window.end)


def _seldom_by_rate(rule: Answer) -> bool:
    """Whether it fires by a rate, and no more often than every half hour."""
    found = _RATE.match(str(rule["ScheduleExpression"]))
    minutes = {"minute": 1, "hour": 60, "day": 1440}
    return found is not None and int(found.group(1)) * minutes[found.group(2)] >= _SELDOM_MINUTES


async def _counted(scene: Scene, rules: Sequence[str]) -> dict[str, list[datetime]]:
    """When rules with a rate fired, to the minute: the metric `TriggeredRules` of EventBridge counts them."""
    if not rules:
        return {}
    queries = [
        {
            "Id": f"r{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Events",
                    "MetricName": "TriggeredRules",
                    "Dimensions": [{"Name": "RuleName", "Value": rule}],
                },
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for index, rule in enumerate(rules[:_MOST_COUNTED])
    ]
    start = scene.window.start.replace(second=0, microsecond=0)  # periods begin where the question does
    span: Answer = {"StartTime": start, "EndTime": scene.window.end}
    try:
        answer = await scene.place.call("cloudwatch", "GetMetricData", MetricDataQueries=queries, **span)
    except CallFailed:
        return {}  # when they fired stays unknown; what they are is no change
    found: dict[str, list[datetime]] = {}
    for each in answer.get("MetricDataResults") or []:
        pairs = zip(each.get("Timestamps") or [], each.get("Values") or [], strict=False)
        number = str(each.get("Id") or "").removeprefix("r")
        if number.isdecimal() and int(number) < len(rules):
            found[rules[int(number)]] = sorted(utc(at) for at, value in pairs if value > 0)
    return found


async def _targets(place: Place, rule: str) -> list[Answer]:
    async def look() -> list[Answer]:
        return await place.gather("events", "ListTargetsByRule", "Targets", 20, Rule=rule)

    return await place.recall(("targets of rule", rule), _REMEMBERED_SECONDS, look)


async def _schedules(scene: Scene) -> list[Claim] | CallFailed:
    async def look() -> list[Answer]:
        return await scene.place.gather("scheduler", "ListSchedules", "Schedules", _MOST_RULES, State="ENABLED")

    try:
        listed = await scene.place.recall(("schedules",), _REMEMBERED_SECONDS, look)
        near = [each for each in listed if _may_touch(scene, str((each.get("Target") or {}).get("Arn") or ""))]
        told = await asyncio.gather(*(_schedule(scene.place, each) for each in near[:_MOST_ASKED]))
    except CallFailed as failure:
        return failure
    claims: list[Claim] = []
    for each in told:
        expression, zone = (
            str(each.get("ScheduleExpression") or ""),
            str(each.get("ScheduleExpressionTimezone") or "UTC"),
        )
        job = Job(str(each.get("Name")), "schedule", expression, zone, (each.get("Target") or {},))
        moments = fires(expression, scene.window.start, scene.window.end, zone)
        if 0 < len(moments) <= _MOST_FIRINGS:
            claims += await _claims(scene, job, moments)
    return claims


async def _schedule(place: Place, listed: Answer) -> Answer:
    name, group = str(listed.get("Name")), str(listed.get("GroupName") or "default")

    async def look() -> Answer:
        return await place.call("scheduler", "GetSchedule", Name=name, GroupName=group)

    return await place.recall(("schedule", group, name), _REMEMBERED_SECONDS, look)


def _may_touch(scene: Scene, arn: str) -> bool:
    """Whether a target is one of the resources, or something that may work on one of them."""
    if any(part in arn for part in (":ecs:", ":states:", ":batch:", ":aws-sdk:")):
        return True
    return bool(set(names_in(arn)) & {each.name for each in scene.resources})


async def _claims(scene: Scene, job: Job, moments: Sequence[datetime]) -> list[Claim]:
    found = []
    for target in job.targets:
        for resource, ran in await _touched(scene, target):
            found += [_claim(job, moment, resource, ran) for moment in moments]
    return found


def _claim(job: Job, moment: datetime, resource: Resource, ran: str) -> Claim:
    what = f" and ran {ran}, which uses {resource.name}" if ran else f" for {resource.name}"
    change = Change(
        at=moment,
        kind="schedule",
        summary=one_line(f"{job.what} {job.name} fired by its timetable {job.expression}{what}", 300),
        actor="EventBridge",
        resource=resource,
        reference=f"{job.what} {job.name}",
        through=f"task {family_and_number(ran.removeprefix('task '))[0]}" if ran else "",
    )
    return Claim(change, depth=1)


async def _touched(scene: Scene, target: Answer) -> list[tuple[Resource, str]]:
    """The resources that a target is, or that the task it runs uses, with that task."""
    task = pick(pick(target, "EcsParameters"), "TaskDefinitionArn")
    if task:
        return [(resource, f"task {name}") for resource, name in await _used_by_task(scene, str(task))]
    names = set(names_in(str(target.get("Arn") or "")))
    direct = [resource for resource in scene.resources if resource.name in names]
    said = str(target.get("Input") or "")
    named = [r for r in scene.of(*_STORES) if len(r.name) > 3 and f'"{r.name}"' in said and r not in direct]
    return [(resource, "") for resource in (*direct, *named)]


async def _used_by_task(scene: Scene, task: str) -> list[tuple[Resource, str]]:
    """The stores that the environment of a task names."""
    try:
        revision = await read_revision(scene.place, task)
    except CallFailed:
        return []  # what it works on cannot be told
    values = list(revision.environment.values())
    calls = footing(texts=values).hosts
    words = {name for value in values for name in names_in(value)}
    return [
        (resource, revision.name)
        for resource, stands_on in scene.footings
        if resource.type in _STORES and (calls & stands_on.own_hosts or resource.name in words)
    ]


async def _tasks(scene: Scene) -> list[Claim] | CallFailed:
    """Tasks that CloudTrail saw started outside of any service, where they use one of the stores."""
    found: list[Claim] = []
    started = [event for event in scene.trail.events if event.name == "RunTask"]
    tasks = dict.fromkeys(str(event.parameters.get("taskDefinition") or "") for event in started)
    for task in [each for each in tasks if each][:_MOST_TASKS] if scene.of(*_STORES) else []:
        for resource, name in await _used_by_task(scene, task):
            events = [event for event in started if event.parameters.get("taskDefinition") == task]
            found += [
                Claim(
                    Change(
                        at=utc(event.at),
                        kind="schedule",
                        summary=f"task {name} was started, which uses {resource.name}",
                        actor=event.actor,
                        resource=resource,
                        reference=event.id,
                        through=f"task {family_and_number(name)[0]}",
                    ),
                    depth=0,
                )
                for event in _seldom(events)
            ]
    return found


def _seldom(events: Sequence[Any]) -> Iterable[Any]:
    return events if len(events) <= _MOST_FIRINGS else ()


def _fits(scene: Scene) -> bool:
    """A window of many days holds too many firings to tell of."""
    return bool(scene.of(R.lambda_function, *_STORES)) and scene.window.length <= timedelta(days=2)


SOURCE = Source(("events.ListRules", "events.ListTargetsByRule", "scheduler.ListSchedules"), _fits, _tell)
