"""Every source of changes beside CloudTrail."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

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
from runbook_bot.providers.aws.timeline import (
    app_scaling,
    certificates,
    cloudformation,
    codedeploy,
    health,
    last_modified,
    parameters,
    schedules,
)
from runbook_bot.providers.aws.timeline.caches import cache_changes
from runbook_bot.providers.aws.timeline.kubernetes import cluster_changes
from runbook_bot.providers.aws.timeline.matching import made_to
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, claims
from runbook_bot.providers.aws.timeline.tables import table_changes

__all__ = ["SOURCES", "Scene", "Told"]

_Read = Callable[[Place, Resource, TimeWindow], Awaitable[tuple[list[Change], list[CallFailed]]]]


def _one_by_one(read: _Read, *types: R) -> Callable[[Scene], Awaitable[Told]]:
    """A source that is asked about each resource of these types."""

    async def tell(scene: Scene) -> Told:
        return _together(await asyncio.gather(*(read(scene.place, r, scene.window) for r in scene.of(*types))))

    return tell


async def _services(scene: Scene) -> Told:
    asked = [(r, [e for e in scene.trail.events if made_to(e, r)]) for r in scene.of(R.ecs_service)]
    return _together(
        await asyncio.gather(
            *(service_changes(scene.place, r, scene.window, events, whole=scene.trail.whole) for r, events in asked)
        )
    )


def _together(parts: Iterable[tuple[list[Change], list[CallFailed]]]) -> Told:
    told = Told()
    for found, failures in parts:
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
    Source(("eks.ListUpdates", "eks.DescribeUpdate"), _any(R.eks_cluster), _one_by_one(cluster_changes, R.eks_cluster)),
    Source(
        ("elasticache.DescribeEvents",),
        _any(R.elasticache_cluster),
        _one_by_one(cache_changes, R.elasticache_cluster),
    ),
    Source(("dynamodb.DescribeTable",), _any(R.dynamodb_table), _one_by_one(table_changes, R.dynamodb_table)),
    codedeploy.SOURCE,
    cloudformation.SOURCE,
    app_scaling.SOURCE,
    parameters.PARAMETERS,
    parameters.SECRETS,
    certificates.SOURCE,
    schedules.SOURCE,
    health.SOURCE,
    last_modified.SOURCE,
)
