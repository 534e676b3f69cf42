"""ECS as it looks while it runs: roll-outs, tasks that start and stop, and the events a service tells of them."""

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runbook_bot.playground.cloud.identities import ACCOUNT
from runbook_bot.playground.cloud.wire import Parameters

ROLL = 3.0
"""Seconds that a roll-out takes here; a real one takes minutes."""
_REPLACED = 25.0
"""Seconds until a task that stopped by itself has a running successor."""
STOPPED_KEPT = 3600.0
_EVENTS_KEPT = 100
_STEADY = 6 * 3600.0
"""A service in peace says so every six hours."""


@dataclass
class Task:
    id: str
    arn: str
    definition: str
    rollout: str
    address: str
    started: float
    stopped: float | None = None
    reason: str = ""
    container_reason: str | None = None
    exit_code: int | None = None
    code: str = ""


@dataclass
class Rollout:
    id: str
    definition: str
    created: float
    completes: float


@dataclass
class Fleet:
    """One ECS service: what it should run and what runs."""

    cluster: str
    name: str
    region: str
    created: float
    desired: int
    container: str = "app"
    port: int = 8080
    target_group: str | None = None
    rollout: Rollout | None = None
    previous: Rollout | None = None
    tasks: list[Task] = field(default_factory=list)
    events: list[Parameters] = field(default_factory=list)
    steady_at: float = 0.0
    _dice: random.Random = field(default_factory=random.Random)

    def roll(self, definition: str, at: float, took: float = ROLL) -> None:
        """A new deployment: new tasks come up beside the old, then the old ones go."""
        assert self.rollout is None or definition
        self.previous = self.rollout
        number = "".join(str(self._dice.randrange(10)) for _ in range(19))
        self.rollout = Rollout(f"ecs-svc/{number}", definition, at, at + took)
        started = [self._start(at + took / 3) for _ in range(self.desired)]
        self._say(at + took / 3, f"has started {len(started)} tasks: {_listed(started)}.")
        if self.target_group:
            self._say(at + took / 2, f"registered {len(started)} targets in (target-group {self.target_group})")
        old = [task for task in self._lasting() if task.rollout != self.rollout.id]
        for task in old:
            self._stop(task, at + took, f"Scaling activity initiated by (deployment {self.rollout.id})", None, None)
        if old:
            self._say(at + took, f"has stopped {len(old)} running tasks: {_listed(old)}.")
        self._say(at + took, f"(deployment {self.rollout.id}) deployment completed.")
        self._say(at + took, "has reached a steady state.")
        self.steady_at = at + took

    def scale(self, desired: int, at: float) -> None:
        """More or fewer tasks of the same revision."""
        assert self.rollout
        lasting, self.desired = self._lasting(), desired
        self._say(at, f"has set desired count to {desired}.")
        started = [self._start(at + 1.0) for _ in range(desired - len(lasting))]
        if started:
            self._say(at + 1.0, f"has started {len(started)} tasks: {_listed(started)}.")
        surplus = lasting[desired:]
        for task in surplus:
            reason = f"Scaling activity initiated by (deployment {self.rollout.id})"
            self._stop(task, at + 1.0, reason, None, None)
        if surplus:
            self._say(at + 1.0, f"has stopped {len(surplus)} running tasks: {_listed(surplus)}.")

    def lose(
        self, at: float, reason: str, container_reason: str | None, exit_code: int | None, *, replaced: bool = True
    ) -> None:
        """The task that runs longest stops by itself; the scheduler starts another, where it can."""
        running = self.running(at)
        if not running:
            return
        victim = min(running, key=lambda task: task.started)
        self._stop(victim, at, reason, container_reason, exit_code)
        victim.code = "EssentialContainerExited"
        if replaced:
            started = self._start(at + _REPLACED)
            self._say(at + _REPLACED - 2.0, f"has started 1 tasks: {_listed([started])}.")
        if self.target_group:
            self._say(at + 2.5, f"deregistered 1 targets in (target-group {self.target_group})")

    def replace(self, task: Task, at: float, reason: str) -> None:
        """StopTask: the task goes, another comes."""
        self._stop(task, at, reason, None, 143)
        task.code = "UserInitiated"
        self._say(at + 1.0, f"has started 1 tasks: {_listed([self._start(at + 1.0)])}.")

    def tell(self, at: float, what: str) -> None:
        """An event of the service, in the scheduler's words."""
        self._say(at, what)

    def complain(self, at: float, count: int, reason: str) -> None:
        where = f"(port {self.port}) is unhealthy in (target-group {self.target_group})"
        for _ in self.running(at)[:count]:
            self._say(at, f"{where} due to (reason {reason})")

    def live(self, now: float) -> None:
        """Forget tasks that stopped an hour ago; say that all is steady when it has been for six hours."""
        self.tasks = [t for t in self.tasks if t.stopped is None or now - t.stopped < STOPPED_KEPT]
        quiet = not any(t.stopped and now - t.stopped < 600 for t in self.tasks)
        if quiet and now - self.steady_at >= _STEADY:
            periods = math.floor((now - self.steady_at) / _STEADY)
            self.steady_at += periods * _STEADY
            self._say(self.steady_at, "has reached a steady state.")

    def running(self, now: float) -> list[Task]:
        return [t for t in self.tasks if t.started <= now and (t.stopped is None or t.stopped > now)]

    def _lasting(self) -> list[Task]:
        """What runs or is about to, and nobody has told to stop: a roll-out may come before the last one is over."""
        return [t for t in self.tasks if t.stopped is None]

    def stopped(self, now: float) -> list[Task]:
        return [t for t in self.tasks if t.stopped is not None and now - STOPPED_KEPT < t.stopped <= now]

    def deployments(self, now: float) -> list[Parameters]:
        if self.rollout is None:
            return []
        done = now >= self.rollout.completes
        shown = [self._deployment(self.rollout, "PRIMARY", done, now)]
        if not done and self.previous:
            shown.append(self._deployment(self.previous, "ACTIVE", True, now))
        return shown

    def told(self, now: float) -> list[Parameters]:
        """Newest first, as DescribeServices has them."""
        past = [event for event in self.events if event["createdAt"].timestamp() <= now]
        return sorted(past, key=lambda event: event["createdAt"], reverse=True)[:_EVENTS_KEPT]

    def _deployment(self, rollout: Rollout, status: str, done: bool, now: float) -> Parameters:
        running = sum(task.rollout == rollout.id for task in self.running(now))
        wanted = self.desired if status == "PRIMARY" else 0
        return {
            "id": rollout.id,
            "status": status,
            "taskDefinition": rollout.definition,
            "desiredCount": wanted,
            "pendingCount": max(0, wanted - running),
            "runningCount": running,
            "failedTasks": 0,
            "createdAt": _moment(rollout.created),
            "updatedAt": _moment(rollout.completes if done else rollout.created),
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "rolloutState": "COMPLETED" if done else "IN_PROGRESS",
            "rolloutStateReason": f"ECS deployment {rollout.id} {'completed' if done else 'in progress'}.",
        }

    def _start(self, at: float) -> Task:
        assert self.rollout
        id = "".join(self._dice.choices("0123456789abcdef", k=32))
        arn = f"arn:aws:ecs:{self.region}:{ACCOUNT}:task/{self.cluster}/{id}"
        address = f"10.0.{self._dice.randrange(1, 4)}.{self._dice.randrange(4, 250)}"
        task = Task(id, arn, self.rollout.definition, self.rollout.id, address, at)
        self.tasks.append(task)
        return task

    @staticmethod
    def _stop(task: Task, at: float, reason: str, container_reason: str | None, exit_code: int | None) -> None:
        task.stopped, task.reason = at, reason
        task.container_reason, task.exit_code = container_reason, exit_code
        task.code = task.code or "ServiceSchedulerInitiated"

    def _say(self, at: float, what: str) -> None:
        text = f"(service {self.name}) {what}"
        id = hashlib.sha256(f"{text}{at}{len(self.events)}".encode()).hexdigest()
        id = f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:32]}"
        self.events.append({"id": id, "createdAt": _moment(at), "message": text})


class Fleets:
    """All ECS services, by cluster and name."""

    def __init__(self) -> None:
        self._fleets: dict[tuple[str, str], Fleet] = {}

    def __iter__(self) -> Iterator[Fleet]:
        return iter(self._fleets.values())

    def add(self, fleet: Fleet) -> None:
        self._fleets[fleet.cluster, fleet.name] = fleet

    def find(self, cluster: str | None, name: str) -> Fleet | None:
        """By names or ARNs, as the API takes either."""
        return self._fleets.get(((cluster or "default").rpartition("/")[2], name.rpartition("/")[2]))

    def named(self, name: str) -> Fleet | None:
        return next((fleet for fleet in self if fleet.name == name), None)

    def behind(self, target_group: str) -> Fleet | None:
        return next((fleet for fleet in self if fleet.target_group == target_group), None)


def _listed(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
