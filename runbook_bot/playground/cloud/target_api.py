"""ELBv2 target health, as the tasks behind a target group are."""

from collections.abc import Callable

from runbook_bot.playground.cloud.ecs_api import EcsApi
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters
from runbook_bot.playground.cloud.world import World

_JUST_STARTED = 2.0


class TargetApi:
    def __init__(self, ecs: EcsApi, world: Callable[[], World | None]) -> None:
        self._ecs = ecs
        self._world = world

    def handlers(self) -> Handlers:
        return {"elbv2:DescribeTargetHealth": self._health}

    async def _health(self, call: Call) -> Parameters:
        arn = call.parameters.get("TargetGroupArn") or ""
        fleet = self._ecs.fleets.behind(arn)
        if fleet is None:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        world = self._world()
        ill = world.unhealthy(fleet, call.at) if world else 0
        why = next((each.description for each in world.ailments(fleet)), "") if world else ""
        described = []
        for i, task in enumerate(sorted(fleet.running(call.at), key=lambda task: task.started)):
            health: Parameters = {"State": "healthy"}
            if i < ill:
                health = {"State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": why}
            elif call.at - task.started < _JUST_STARTED:
                health = {
                    "State": "initial",
                    "Reason": "Elb.InitialHealthChecking",
                    "Description": "Initial health checks in progress",
                }
            target = {"Id": task.address, "Port": fleet.port, "AvailabilityZone": f"{call.region}{'abc'[i % 3]}"}
            described.append({"Target": target, "HealthCheckPort": str(fleet.port), "TargetHealth": health})
        return {"TargetHealthDescriptions": described}
