"""What can be asked of ECS."""

from collections import Counter
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import short_name

_MOST_TASKS = 100


class StoppedTasks(Operation):
    """Tasks that ECS stopped within about the last hour, with reason, exit codes, and how often each occurred."""

    kind: ClassVar[str] = "aws.ecs.stopped_tasks"
    service = "ecs"
    calls = ("ListTasks", "DescribeTasks")
    words = ("stopped tasks", "why did tasks stop", "task exit codes", "killed tasks")

    cluster: str = Field(default="default", description="Name of the cluster")
    name: str | None = Field(default=None, description="Name of the service; none means all of the cluster")

    async def answer(self, place: Place, now: datetime) -> Result:
        which = {"cluster": self.cluster, "desiredStatus": "STOPPED"} | (
            {"serviceName": self.name} if self.name else {}
        )
        arns = await place.gather("ecs", "ListTasks", "taskArns", _MOST_TASKS + 1, **which)
        tasks: list[Answer] = []
        if arns:
            described = await place.call("ecs", "DescribeTasks", cluster=self.cluster, tasks=arns[:_MOST_TASKS])
            tasks = described.get("tasks") or []
        times = Counter(str(task.get("stoppedReason", "")) for task in tasks)
        rows = [_stopped(task, times[str(task.get("stoppedReason", ""))]) for task in tasks]
        rows.sort(key=lambda row: row.at.timestamp() if row.at else 0.0, reverse=True)
        more = (
            f"the cluster has more than {_MOST_TASKS} stopped tasks; name a service" if len(arns) > _MOST_TASKS else ""
        )
        return self.table(place, rows, empty="ECS knows of no stopped task; it forgets them after an hour", more=more)


def _stopped(task: Answer, times: int) -> Row:
    containers: list[Answer] = task.get("containers") or []
    return Row(
        name=short_name(str(task.get("taskArn", ""))),
        at=task.get("stoppedAt") or task.get("stoppingAt") or task.get("createdAt"),
        facts={
            "reason": task.get("stoppedReason"),
            "stop_code": task.get("stopCode"),
            "same_reason": times,
            "exit_codes": {str(each.get("name", "?")): each.get("exitCode") for each in containers},
            "container_reasons": [str(each["reason"]) for each in containers if each.get("reason")],
            "task_definition": short_name(str(task.get("taskDefinitionArn", ""))),
            "service": str(task.get("group", "")).removeprefix("service:"),
            "zone": task.get("availabilityZone"),
        },
    )


OPERATIONS = (StoppedTasks,)
