"""Every source of changes beside CloudTrail."""

from collections.abc import Awaitable, Callable

from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.alarms import alarm_changes
from runbook_bot.providers.aws.autoscaling import group_changes
from runbook_bot.providers.aws.awslambda import function_changes
from runbook_bot.providers.aws.ecs_changes import service_changes
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.rds import database_changes
from runbook_bot.providers.aws.timeline.matching import made_to
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, claims

__all__ = ["SOURCES", "Scene", "Told"]

_Read = Callable[[Place, Resource, TimeWindow], Awaitable[tuple[list[Change], list[CallFailed]]]]


def _one_by_one(read: _Read, *types: R) -> Callable[[Scene], Awaitable[Told]]:
    """A source that is asked about each resource of these types."""

    async def tell(scene: Scene) -> Told:
        told = Told()
        for resource in scene.of(*types):
            found, failures = await read(scene.place, resource, scene.window)
            told.claims += claims(found)
            told.failures += failures
            told.answered |= bool(found) or not failures
        return told

    return tell


async def _services(scene: Scene) -> Told:
    told = Told()
    for resource in scene.of(R.ecs_service):
        events = [event for event in scene.trail.events if made_to(event, resource)]
        found, failures = await service_changes(scene.place, resource, scene.window, events)
        told.claims += claims(found)
        told.failures += failures
        told.answered |= bool(found) or not failures
    return told


def _any(*types: R) -> Callable[[Scene], bool]:
    return lambda scene: bool(scene.of(*types))


SOURCES = (
    Source(
        ("ecs.DescribeServices", "ecs.ListTaskDefinitions", "ecs.DescribeTaskDefinition"),
        _any(R.ecs_service),
        _services,
    ),
    Source(
        ("lambda.ListVersionsByFunction",), _any(R.lambda_function), _one_by_one(function_changes, R.lambda_function)
    ),
    Source(
        ("rds.DescribeEvents",),
        _any(R.rds_instance, R.rds_cluster),
        _one_by_one(database_changes, R.rds_instance, R.rds_cluster),
    ),
    Source(("cloudwatch.DescribeAlarms",), _any(R.alarm), _one_by_one(alarm_changes, R.alarm)),
    Source(
        ("autoscaling.DescribeScalingActivities",),
        _any(R.autoscaling_group),
        _one_by_one(group_changes, R.autoscaling_group),
    ),
)
