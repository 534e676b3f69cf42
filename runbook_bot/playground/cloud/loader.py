"""Builds a scenario's world through boto3: what there is and how it came to be; tells the last hours of its life."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from runbook_bot.playground.cloud.builder import Builder
from runbook_bot.playground.cloud.ecs_api import EcsApi
from runbook_bot.playground.cloud.identities import Identities
from runbook_bot.playground.cloud.inventory import EcsService
from runbook_bot.playground.cloud.logbook import LogLine
from runbook_bot.playground.cloud.metric_store import MetricStore
from runbook_bot.playground.cloud.past import Past
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.weather import Datum
from runbook_bot.playground.cloud.world import World

_T = TypeVar("_T")
DAY = 86400.0
YESTERDAY, TOMORROW = 5400.0, 900.0
"""Seconds before and after this time of day of which yesterday is loaded at once; the rest comes hour by hour."""
BEAT = 5.0
"""Seconds between data points while the cloud runs."""
FINE = 600.0
"""Seconds before now in which history has a point every ten seconds; before that, one a minute."""
_BUILDER = "terraform"


class Loader:
    """Runs in a thread of its own: every call is a blocking one to the overlay."""

    def __init__(
        self, scenario: Scenario, past: Past, identities: Identities, metrics: MetricStore, now: float
    ) -> None:
        self._scenario = scenario
        self._past = past
        self._metrics = metrics
        self._identities = identities
        self._now = now
        self._builder = Builder(scenario, past, identities, now)

    def build(self) -> World:
        """Everything but metrics and logs; the world that then tells what those are."""
        resources = [each for service in self._scenario.services for each in service.resources]
        tasks = [each for each in resources if isinstance(each, EcsService)]
        oldest = max(each.created.total_seconds() for each in resources) + 86400
        self._as(_BUILDER, -oldest)
        if tasks:
            self._builder.balancer_for(tasks)
        for resource in sorted(resources, key=lambda each: -each.created.total_seconds()):
            self._as(_BUILDER, -resource.created.total_seconds())
            self._builder.create(resource)
        for change in sorted(self._scenario.changes, key=lambda each: each.at):
            self._as(change.actor, change.at.total_seconds())
            self._builder.change(change)
        world = World(self._scenario, self._builder.targets, self._builder.balancer, self._now)
        for alarm in self._scenario.alarms:
            self._as(_BUILDER, -90 * 86400)
            self._builder.alarm(alarm, world)
        return world

    def fill(self, world: World, ecs: EcsApi) -> None:
        """The past of all metrics and logs, and of the metrics the same time a day ago."""
        self._as(_BUILDER, 0)
        length = self._scenario.history.total_seconds()
        start, fine_from = self._now - length, (self._now - FINE) // 60 * 60
        until = (self._now - BEAT) // BEAT * BEAT
        self.put_past(world, ecs, self._now - DAY - YESTERDAY, self._now - DAY + TOMORROW, 60.0)
        self.put_past(world, ecs, start, fine_from, 60.0)
        self.put_past(world, ecs, fine_from, until, 10.0)
        for logbook in world.logbooks:
            self.put_logs(logbook.group, logbook.write(start, self._now))
        world.metrics_until = max(until, fine_from)
        world.logs_until = self._now

    def put_past(self, world: World, ecs: EcsApi, start: float, end: float, step: float) -> None:
        """One stretch of every metric, with a data point per `step` seconds."""
        times = np.arange(start // step * step, end, step)
        by_namespace: dict[str, list[Datum]] = {}
        for gauge in world.gauges:
            heard = gauge.heard(times)
            data = [gauge.exact(at, n, step < 60) for at in heard if (n := world.counted(gauge, ecs, at)) is not None]
            data = data or gauge.data(heard, np.full(len(heard), step), world.followed(gauge), [step < 60] * len(heard))
            by_namespace.setdefault(gauge.vital.namespace, []).extend(data)
        for namespace, data in by_namespace.items():
            self.put_metrics(namespace, data)

    def present(self, now: float) -> None:
        """From now on calls are made at that moment."""
        self._now = now
        self._as(_BUILDER, 0)

    def put_metrics(self, namespace: str, data: list[Datum]) -> None:
        """Straight to where PutMetricData would bring them: a world has a hundred thousand."""
        self._metrics.put(namespace, data, self._now)

    def put_logs(self, group: str, lines: list[LogLine]) -> None:
        for batch in _batches(lines, 10_000):
            self._past.client("logs").put_log_events(
                logGroupName=group,
                logStreamName=self._builder.streams[group],
                logEvents=[{"timestamp": at, "message": text} for at, text in batch],
            )

    def _as(self, actor: str, seconds: float) -> None:
        key = self._identities.enrol(actor, self._scenario.actors.get(actor))
        self._past.be(self._now + seconds, key)


def _batches(items: list[_T], size: int) -> Iterator[list[_T]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
