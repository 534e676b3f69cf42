"""The life of a cloud: builds it, lets time pass in it, and takes it down."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from runbook_bot.domain.noun import utc
from runbook_bot.errors import PlaygroundError
from runbook_bot.playground.cloud import wire
from runbook_bot.playground.cloud.account_api import AccountApi
from runbook_bot.playground.cloud.alarm_watch import AlarmWatch
from runbook_bot.playground.cloud.cache_api import CacheApi
from runbook_bot.playground.cloud.database_api import DatabaseApi
from runbook_bot.playground.cloud.ecs_api import EcsApi
from runbook_bot.playground.cloud.function_api import FunctionApi
from runbook_bot.playground.cloud.identities import Identities
from runbook_bot.playground.cloud.knobs import Knobs
from runbook_bot.playground.cloud.loader import BEAT, DAY, TOMORROW, YESTERDAY, Loader
from runbook_bot.playground.cloud.log_api import LogApi
from runbook_bot.playground.cloud.log_store import LogStore
from runbook_bot.playground.cloud.metric_api import MetricApi
from runbook_bot.playground.cloud.metric_store import MetricStore
from runbook_bot.playground.cloud.overlay import Overlay
from runbook_bot.playground.cloud.past import Past
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.target_api import TargetApi
from runbook_bot.playground.cloud.trail import Trail
from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.weather import Datum
from runbook_bot.playground.cloud.wire import Call
from runbook_bot.playground.cloud.world import SimulatedClock, World

if TYPE_CHECKING:
    from runbook_bot.playground.cloud.cloud import CloudState


class Life:
    def __init__(self, scenario: Scenario, knobs: Knobs, now: datetime | None, upstream: Upstream | None) -> None:
        self._scenario = scenario
        self._clock = SimulatedClock(utc(now).timestamp() - time.time() if now else 0.0)
        self._own_upstream = upstream is None
        self._upstream = upstream or Upstream()
        self._identities = Identities()
        self._past = Past(scenario.region)
        self._metrics = MetricStore()
        self._alarms = AlarmWatch(self._metrics, self._upstream)
        self._trail = Trail(self._identities)
        self._ecs = EcsApi(self._upstream, self._identities, scenario.seed)
        self.overlay = Overlay(self._upstream, self._identities, self._trail, self._clock, self._past.token, knobs)
        self._databases = DatabaseApi(self._upstream)
        for part in (
            MetricApi(self._metrics),
            self._alarms,
            LogApi(LogStore(), self._upstream),
            self._trail,
            self._ecs,
            self._databases,
            CacheApi(self._upstream),
            FunctionApi(self._upstream),
            TargetApi(self._ecs, lambda: self._world),
            AccountApi(knobs.deny, self._ecs),
        ):
            self.overlay.answers(part.handlers())
        self._world: World | None = None
        self._loader: Loader | None = None
        self._unremembered: list[tuple[float, float]] = []
        self._pulse: asyncio.Task[None] | None = None

    async def begin(self, port: int) -> int:
        """The port. Raises `PlaygroundError` for a port that is taken or a moto that does not start."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            port = await self.overlay.start(port)
        except OSError as error:
            raise PlaygroundError(f"port {port} cannot be used: {error.strerror or error}") from error
        connecting = asyncio.to_thread(self._past.connect, f"http://127.0.0.1:{port}")
        ready = self._upstream.start() if self._own_upstream else self._upstream.clear()
        await asyncio.gather(ready, connecting, asyncio.to_thread(wire.prepare))
        try:
            await self._load(self._clock.now())
        except (BotoCoreError, ClientError) as error:
            raise PlaygroundError(f"the scenario {self._scenario.name} cannot be loaded: {error}") from error
        self.overlay.on_change = self._changed
        self._pulse = asyncio.create_task(self._live())
        return port

    async def _load(self, now: float) -> None:
        self._loader = Loader(self._scenario, self._past, self._identities, self._metrics, now)
        self._world = await asyncio.to_thread(self._loader.build)
        self._world.afflict(self._ecs, now)
        fault = self._scenario.fault
        for report in fault.reports if fault else ():
            at = self._world.course.began + report.delay.total_seconds()
            self._databases.happened(self._scenario.region, report.of.partition(":")[2], at, report)
        await asyncio.to_thread(self._loader.fill, self._world, self._ecs)
        for fleet in self._ecs.fleets:
            fleet.live(now)
        length = self._scenario.history.total_seconds()
        if self._scenario.whole_day:
            self._unremembered = [
                *_hours(now - length, now - DAY + TOMORROW),
                *_hours(now - DAY - YESTERDAY, now - DAY - length),
            ]
        self._alarms.replay(now - length, now)
        await self._beat()  # the loading took its time

    async def end(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pulse
        await self.overlay.stop()
        if self._own_upstream:
            await self._upstream.stop()
        self._past.close()

    def state(self) -> "CloudState":
        from runbook_bot.playground.cloud.cloud import CloudState

        assert self._world
        if self._pulse is not None and self._pulse.done():
            self._pulse.result()  # a world that stands still says why
        now = self._clock.now()
        self._alarms.evaluate(now)
        return CloudState(
            healthy=self._world.healthy(now),
            severity=self._world.severity(now),
            mended=self._scenario.fault is not None and not self._world.course.active,
            alarms={name: alarm.state for name, alarm in sorted(self._alarms.alarms.items())},
        )

    async def _changed(self, call: Call) -> None:
        assert self._world
        self._world.changed(call, self._ecs)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(BEAT - self._clock.now() % BEAT + 0.05)
            await self._beat()
            await self._remember()

    async def _beat(self) -> None:
        """Everything that happened since the last beat."""
        assert self._world
        assert self._loader
        world, now = self._world, self._clock.now()
        world.afflict(self._ecs, now)
        for fleet in self._ecs.fleets:
            fleet.live(now)
        data: dict[str, list[Datum]] = {}
        while world.metrics_until + BEAT <= now:
            at = world.metrics_until
            for gauge in world.gauges:
                if not len(gauge.heard([at])):
                    continue
                counted = world.counted(gauge, self._ecs, at + BEAT)
                points = [gauge.exact(at, counted, True)] if counted is not None else []
                points = points or gauge.data([at], [BEAT], world.followed(gauge), [True])
                data.setdefault(gauge.vital.namespace, []).extend(points)
            world.metrics_until = at + BEAT
        lines = {logbook.group: logbook.write(world.logs_until, now) for logbook in world.logbooks}
        world.logs_until = now
        await asyncio.to_thread(self._tell, data, lines, now)
        self._alarms.evaluate(now)

    async def _remember(self) -> None:
        """Another hour of the older past, the nearest first, until a whole day is there."""
        assert self._world
        assert self._loader
        if self._unremembered:
            start, end = self._unremembered.pop(0)
            await asyncio.to_thread(self._loader.put_past, self._world, self._ecs, start, end, 60.0)

    def _tell(self, data: dict[str, list[Datum]], lines: dict[str, list[tuple[int, str]]], now: float) -> None:
        assert self._loader
        self._loader.present(now)
        for namespace, points in data.items():
            self._loader.put_metrics(namespace, points)
        for group, written in lines.items():
            self._loader.put_logs(group, written)


def _hours(newest: float, oldest: float) -> Iterator[tuple[float, float]]:
    """Whole minutes from the one to the other, in pieces of an hour, backwards."""
    end, first = newest // 60 * 60, oldest // 60 * 60 + 60
    while end > first:
        yield max(end - 3600.0, first), end
        end -= 3600.0
