"""ECS operations whose answers moto leaves empty or stale: services, tasks, and the dates of task definitions."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from runbook_bot.playground.cloud.containers import ROLL, Fleet, Fleets, Task
from runbook_bot.playground.cloud.identities import ACCOUNT, Identities
from runbook_bot.playground.cloud.upstream import Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Parameters

_PAST_ROLL = 150.0
"""Seconds that a roll-out took which lies before the loading."""


@dataclass(frozen=True)
class Scaling:
    """A change of a service's desired count."""

    at: float
    fleet: Fleet
    before: int
    after: int
    call: Call


class EcsApi:
    def __init__(self, upstream: Upstream, identities: Identities, seed: int) -> None:
        self._upstream = upstream
        self._identities = identities
        self._dice = random.Random(seed)  # noqa: S311  # ids that are the same for the same scenario
        self._registered: dict[str, tuple[float, str]] = {}
        self.definitions: dict[str, Parameters] = {}
        """Task definition ARN → as registered."""
        self.scalings: list[Scaling] = []
        self.fleets = Fleets()

    def handlers(self) -> Handlers:
        return {
            "ecs:RegisterTaskDefinition": self._register,
            "ecs:DescribeTaskDefinition": self._describe_definition,
            "ecs:CreateService": self._create,
            "ecs:UpdateService": self._update,
            "ecs:DescribeServices": self._describe,
            "ecs:ListTasks": self._list_tasks,
            "ecs:DescribeTasks": self._describe_tasks,
            "ecs:StopTask": self._stop_task,
            "ecs:DescribeClusters": self._describe_clusters,
        }

    def image(self, fleet: Fleet) -> str:
        return str(self._container(fleet).get("image", ""))

    def environment(self, fleet: Fleet) -> dict[str, str]:
        return {each["name"]: each["value"] for each in self._container(fleet).get("environment") or ()}

    def _container(self, fleet: Fleet) -> Parameters:
        assert fleet.rollout
        containers = self.definitions.get(fleet.rollout.definition, {}).get("containerDefinitions") or [{}]
        first: Parameters = containers[0]
        return first

    async def _register(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        definition = answer["taskDefinition"]
        arn = definition["taskDefinitionArn"]
        self._registered[arn] = (call.at, self._identities.of(call.access_key).arn)
        self.definitions[arn] = definition
        return {**answer, "taskDefinition": self._dated(definition)}

    async def _describe_definition(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        return {**answer, "taskDefinition": self._dated(answer["taskDefinition"])}

    def _dated(self, definition: Parameters) -> Parameters:
        at, who = self._registered.get(definition["taskDefinitionArn"], (None, ""))
        if at is None:
            return definition
        return {**definition, "registeredAt": at, "registeredBy": who}

    async def _create(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        service = answer["service"]
        balancer: Parameters = next(iter(call.parameters.get("loadBalancers") or ()), {})
        fleet = Fleet(
            cluster=service["clusterArn"].rpartition("/")[2],
            name=service["serviceName"],
            region=call.region,
            created=call.at,
            desired=int(call.parameters.get("desiredCount", 1)),
            container=balancer.get("containerName", "app"),
            port=int(balancer.get("containerPort", 8080)),
            target_group=balancer.get("targetGroupArn"),
            _dice=random.Random(self._dice.random()),  # noqa: S311  # the same for the same scenario
        )
        fleet.roll(service["taskDefinition"], call.at, _took(call))
        self.fleets.add(fleet)
        return {**answer, "service": self._shown(service, fleet, call.at)}

    async def _update(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        asked = call.parameters
        fleet = self.fleets.find(asked.get("cluster"), asked["service"])
        if fleet is None or fleet.rollout is None:
            return answer
        wanted = answer["service"]["taskDefinition"] if asked.get("taskDefinition") else fleet.rollout.definition
        definition = await self._full_arn(call, wanted)
        desired = asked.get("desiredCount")
        rolls = asked.get("forceNewDeployment") or definition != fleet.rollout.definition
        if rolls:
            fleet.desired = fleet.desired if desired is None else int(desired)
            fleet.roll(definition, call.at, _took(call))
        elif desired is not None and int(desired) != fleet.desired:
            self.scalings.append(Scaling(call.at, fleet, fleet.desired, int(desired), call))
            fleet.scale(int(desired), call.at)
        return {**answer, "service": self._shown(answer["service"], fleet, call.at)}

    async def _full_arn(self, call: Call, name: str) -> str:
        if name.startswith("arn:"):
            return name
        family, _, revision = name.partition(":")
        prefix = f"arn:aws:ecs:{call.region}:{ACCOUNT}:task-definition/{family}:"
        newest = max((int(a.rpartition(":")[2]) for a in self.definitions if a.startswith(prefix)), default=1)
        return f"{prefix}{revision or newest}"

    async def _describe(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        shown = []
        for service in answer.get("services") or ():
            fleet = self.fleets.find(service["clusterArn"], service["serviceName"])
            shown.append(self._shown(service, fleet, call.at) if fleet else service)
        return {**answer, "services": shown}

    def _shown(self, service: Parameters, fleet: Fleet, now: float) -> Parameters:
        assert fleet.rollout
        running = len(fleet.running(now))
        return {
            **service,
            "taskDefinition": fleet.rollout.definition,
            "desiredCount": fleet.desired,
            "runningCount": running,
            "pendingCount": max(0, fleet.desired - running),
            "deployments": fleet.deployments(now),
            "events": fleet.told(now),
            "createdAt": _moment(fleet.created),
            "healthCheckGracePeriodSeconds": 60,
        }

    async def _list_tasks(self, call: Call) -> Parameters:
        asked = call.parameters
        cluster = (asked.get("cluster") or "default").rpartition("/")[2]
        wanted_stopped = asked.get("desiredStatus") == "STOPPED"
        found = []
        for fleet in self.fleets:
            if fleet.cluster != cluster or asked.get("serviceName", fleet.name).rpartition("/")[2] != fleet.name:
                continue
            tasks = fleet.stopped(call.at) if wanted_stopped else fleet.running(call.at)
            family = asked.get("family")
            found += [t.arn for t in tasks if family in (None, t.definition.rpartition("/")[2].partition(":")[0])]
        first, size = int(asked.get("nextToken") or 0), int(asked.get("maxResults") or 100)
        answer: Parameters = {"taskArns": found[first : first + size]}
        if first + size < len(found):
            answer["nextToken"] = str(first + size)
        return answer

    async def _describe_tasks(self, call: Call) -> Parameters:
        known = {task.id: (fleet, task) for fleet in self.fleets for task in fleet.tasks}
        shown, failures = [], []
        for wanted in call.parameters.get("tasks") or ():
            if pair := known.get(wanted.rpartition("/")[2]):
                shown.append(_task(*pair, call.at))
            else:
                failures.append({"arn": wanted, "reason": "MISSING"})
        return {"tasks": shown, "failures": failures}

    async def _stop_task(self, call: Call) -> Parameters:
        wanted = call.parameters["task"].rpartition("/")[2]
        for fleet in self.fleets:
            for task in fleet.running(call.at):
                if task.id == wanted:
                    fleet.replace(task, call.at, call.parameters.get("reason") or "Task stopped by user")
                    return {"task": _task(fleet, task, call.at)}
        raise AwsError("InvalidParameterException", "The referenced task was not found.")

    async def _describe_clusters(self, call: Call) -> Parameters:
        answer = await self._upstream.ask(call)
        for cluster in answer.get("clusters") or ():
            mine = [fleet for fleet in self.fleets if fleet.cluster == cluster["clusterName"]]
            cluster["runningTasksCount"] = sum(len(fleet.running(call.at)) for fleet in mine)
            cluster["activeServicesCount"] = len(mine)
        return answer


def _task(fleet: Fleet, task: Task, now: float) -> Parameters:
    stopped = task.stopped is not None and task.stopped <= now
    container: Parameters = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{fleet.container}",
        "taskArn": task.arn,
        "name": fleet.container,
        "lastStatus": "STOPPED" if stopped else "RUNNING",
        "healthStatus": "UNKNOWN" if stopped else "HEALTHY",
        "networkInterfaces": [{"attachmentId": task.id[:8], "privateIpv4Address": task.address}],
    }
    shown: Parameters = {
        "taskArn": task.arn,
        "clusterArn": f"arn:aws:ecs:{fleet.region}:{ACCOUNT}:cluster/{fleet.cluster}",
        "taskDefinitionArn": task.definition,
        "group": f"service:{fleet.name}",
        "launchType": "FARGATE",
        "startedBy": task.rollout,
        "desiredStatus": "STOPPED" if stopped else "RUNNING",
        "lastStatus": "STOPPED" if stopped else "RUNNING",
        "healthStatus": "UNKNOWN" if stopped else "HEALTHY",
        "connectivity": "DISCONNECTED" if stopped else "CONNECTED",
        "createdAt": _moment(task.started - 1),
        "startedAt": _moment(task.started),
        "containers": [container],
        "attachments": [],
        "tags": [],
        "version": 3,
    }
    if stopped and task.stopped is not None:
        if task.exit_code is not None:
            container["exitCode"] = task.exit_code
        if task.container_reason:
            container["reason"] = task.container_reason
        shown |= {
            "stoppingAt": _moment(task.stopped - 1),
            "stoppedAt": _moment(task.stopped),
            "stoppedReason": task.reason,
            "stopCode": task.code,
        }
    return shown


def _took(call: Call) -> float:
    return _PAST_ROLL if call.past else ROLL


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
