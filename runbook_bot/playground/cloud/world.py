"""The living part of a scenario: its metrics and logs at any moment, and what a change does to them."""

import time
from datetime import timedelta

from runbook_bot.playground.cloud.containers import STOPPED_KEPT, Fleet
from runbook_bot.playground.cloud.course import Course
from runbook_bot.playground.cloud.ecs_api import EcsApi
from runbook_bot.playground.cloud.logbook import Logbook
from runbook_bot.playground.cloud.plot import Concurrency, Reboot, Recovery, RunsOn, Says, Stops, Unhealthy
from runbook_bot.playground.cloud.scenario import Scenario
from runbook_bot.playground.cloud.vitals import Vital, vitals_of
from runbook_bot.playground.cloud.weather import Gauge
from runbook_bot.playground.cloud.wire import Call

_TAKES_HOLD = 1.0
"""Seconds from the repair's call until it begins to help."""
_COMPLAINT = 60.0
"""Seconds between two events about the same unhealthy targets."""
_COUNTED = ("RunningTaskCount", "DesiredTaskCount", "HealthyHostCount", "UnHealthyHostCount")


class SimulatedClock:
    """The real clock, moved by a constant."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset

    def now(self) -> float:
        return time.time() + self._offset


class World:
    def __init__(self, scenario: Scenario, target_groups: dict[str, str], balancer: str, now: float) -> None:
        self.scenario = scenario
        self.course = Course.of(scenario.fault, now)
        self.target_groups = target_groups
        resources = [each for service in scenario.services for each in service.resources]
        vitals = [
            vital
            for each in resources
            for vital in vitals_of(each, _suffix(target_groups.get(each.name, "")), _suffix(balancer))
        ]
        self.gauges = [Gauge(vital, scenario, self.course, now) for vital in vitals]
        self.logbooks = [Logbook(each, scenario, self.course, now) for each in resources if each.log_group]
        self._by_name = {(g.vital.on, g.vital.name): g for g in self.gauges}
        self._known_from = now - STOPPED_KEPT
        self.metrics_until = now
        self.logs_until = now
        fault = scenario.fault
        afflictions: list[Stops | Unhealthy | Says] = [*fault.stops, *fault.unhealthy, *fault.says] if fault else []
        self._afflicted = {each: self.course.began + each.delay.total_seconds() for each in afflictions}

    def vital(self, on: str, metric: str) -> Vital:
        return self._by_name[on, metric].vital

    def followed(self, gauge: Gauge) -> Gauge | None:
        return self._by_name.get((gauge.vital.on, gauge.vital.follows)) if gauge.vital.follows else None

    def healthy(self, now: float) -> bool:
        """No effect of the fault is left."""
        return self.severity(now) <= 0.01

    def severity(self, now: float) -> float:
        effects = self.scenario.fault.effects if self.scenario.fault else ()
        mendable = [e for e in effects if not e.stays]
        return max((float(self.course.severity([now], e.delay, e.rise)[0]) for e in mendable), default=0.0)

    def counted(self, gauge: Gauge, ecs: EcsApi, at: float) -> float | None:
        """Task and host counts as they really were at a moment; None for what is not counted, or not known any more."""
        if gauge.vital.name not in _COUNTED:
            return None
        fleet = ecs.fleets.named(gauge.vital.on.partition(":")[2])
        if fleet is None:
            return None
        if gauge.vital.name == "DesiredTaskCount":
            return fleet.desired
        running = len(fleet.running(at)) if at >= self._known_from else fleet.desired
        ill = min(self.unhealthy(fleet, at), running)
        return {"HealthyHostCount": running - ill, "UnHealthyHostCount": ill}.get(gauge.vital.name, running)

    def unhealthy(self, fleet: Fleet, at: float) -> int:
        """How many of a service's targets fail their health checks."""
        return sum(ill.count for ill in self.ailments(fleet) if self._holds(ill, at))

    def ailments(self, fleet: Fleet) -> list[Unhealthy]:
        found = self.scenario.fault.unhealthy if self.scenario.fault else ()
        return [ill for ill in found if ill.of.partition(":")[2] == fleet.name]

    def afflict(self, ecs: EcsApi, now: float) -> None:
        """What the fault did to tasks since the last look: some stopped, some failed their health checks."""
        for each, last in self._afflicted.items():
            fleet = ecs.fleets.named(each.of.partition(":")[2])
            every = _COMPLAINT if isinstance(each, Unhealthy) else each.every.total_seconds()
            at = last
            while fleet and at + every <= now:
                at += every
                if not self._holds(each, at):
                    continue
                if isinstance(each, Stops):
                    fleet.lose(at, each.reason, each.container_reason, each.exit_code, replaced=each.replaced)
                elif isinstance(each, Says):
                    fleet.tell(at, each.text)
                else:
                    fleet.complain(at, each.count, each.description)
            self._afflicted[each] = at

    def _holds(self, affliction: Stops | Unhealthy | Says, at: float) -> bool:
        return bool(self.course.severity([at], affliction.delay, timedelta(0))[0] > 0)

    def changed(self, call: Call, ecs: EcsApi) -> None:
        """A change went through: does it mend the fault, or bring it back?"""
        if call.service == "lambda" and (gauge := self._concurrency_of(call)):
            reserved = call.parameters.get("ReservedConcurrentExecutions")
            gauge.ceiling = float(reserved) if reserved is not None else None
        met = [each for each in self.scenario.recovers_when if _concerns(each, call)]
        if not met:
            return
        if any(_mends(each, call, ecs) for each in met):
            self.course.mend(call.at + _TAKES_HOLD)
        elif any(_is_state(each) for each in met) and _sets_state(call):
            self.course.relapse(call.at + _TAKES_HOLD)

    def _concurrency_of(self, call: Call) -> Gauge | None:
        if call.operation not in ("PutFunctionConcurrency", "DeleteFunctionConcurrency"):
            return None
        name = str(call.parameters.get("FunctionName", "")).rpartition(":")[2]
        return self._by_name.get((f"lambda_function:{name}", "ConcurrentExecutions"))


def _concerns(recovery: Recovery, call: Call) -> bool:
    match recovery:
        case RunsOn():
            named = str(call.parameters.get("service", "")).rpartition("/")[2]
            return call.action == "ecs:UpdateService" and named == recovery.service
        case Concurrency():
            named = str(call.parameters.get("FunctionName", "")).rpartition(":")[2]
            operations = ("lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency")
            return call.action in operations and named == recovery.function
        case Reboot():
            named = str(call.parameters.get("DBInstanceIdentifier", ""))
            return call.action == "rds:RebootDBInstance" and named == recovery.instance
    return False


def _mends(recovery: Recovery, call: Call, ecs: EcsApi) -> bool:
    match recovery:
        case RunsOn():
            fleet = ecs.fleets.named(recovery.service)
            if fleet is None or fleet.rollout is None:
                return False
            if recovery.restarted and fleet.rollout.created >= call.at:
                return True
            environment = ecs.environment(fleet)
            if recovery.image:
                return ecs.image(fleet) == recovery.image
            return bool(recovery.environment) and all(
                environment.get(name) == value for name, value in recovery.environment.items()
            )
        case Concurrency():
            if call.operation == "DeleteFunctionConcurrency":
                return True
            return int(call.parameters.get("ReservedConcurrentExecutions") or 0) >= recovery.at_least
    return True


def _is_state(recovery: Recovery) -> bool:
    """Whether it asks for a state that can be left again, not for an act such as a restart."""
    return isinstance(recovery, Concurrency) or (isinstance(recovery, RunsOn) and not recovery.restarted)


def _sets_state(call: Call) -> bool:
    return bool(call.parameters.get("taskDefinition")) or call.service == "lambda"


def _suffix(arn: str) -> str:
    """`targetgroup/checkout-api/0123…` or `app/shop-public/0123…`, as CloudWatch's dimensions have it."""
    last = arn.rpartition(":")[2]
    return last.removeprefix("loadbalancer/")
