"""ECS task definitions: one revision as flat fields, and what it says about logs and neighbours."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook_bot.providers.aws.differences import Fields
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place

_FOREVER_SECONDS = 3600.0
_TASK_FIELDS = {
    "cpu": "cpu",
    "memory": "memory",
    "taskRoleArn": "task_role",
    "executionRoleArn": "execution_role",
    "networkMode": "network_mode",
}
_CONTAINER_FIELDS = {
    "image": "image",
    "command": "command",
    "entryPoint": "entry_point",
    "memoryReservation": "memory_reservation",
    "healthCheck": "health_check",
    "portMappings": "ports",
    "ulimits": "ulimits",
    "stopTimeout": "stop_timeout",
    "user": "user",
    "workingDirectory": "working_directory",
    "dependsOn": "starts_after",
    "mountPoints": "mounts",
}


@dataclass(frozen=True)
class Revision:
    """One revision of a family."""

    family: str
    number: int
    arn: str
    registered_at: datetime | None
    registered_by: str
    told: Answer

    @property
    def name(self) -> str:
        return f"{self.family}:{self.number}"

    @property
    def containers(self) -> list[Answer]:
        found: list[Answer] = self.told.get("containerDefinitions") or []
        return found

    @property
    def image(self) -> str:
        return str(self.containers[0].get("image", "")) if self.containers else ""

    @property
    def environment(self) -> dict[str, str]:
        """All containers' variables with their raw values: not to be shown."""
        return {
            str(v.get("name")): str(v.get("value", "")) for c in self.containers for v in c.get("environment") or []
        }

    @property
    def log_groups(self) -> list[str]:
        options = [(c.get("logConfiguration") or {}) for c in self.containers]
        groups = [o.get("options", {}).get("awslogs-group") for o in options if o.get("logDriver") == "awslogs"]
        return list(dict.fromkeys(str(group) for group in groups if group))

    @property
    def fields(self) -> Fields:
        """Flat: the first container's fields carry no prefix, a sidecar's carry its name."""
        found = {ours: str(self.told[theirs]) for theirs, ours in _TASK_FIELDS.items() if self.told.get(theirs)}
        for index, container in enumerate(self.containers):
            prefix = "" if index == 0 else f"{container.get('name', index)}."
            for name, value in _container_fields(container).items():
                found.setdefault(prefix + name, value)
        return found


def _container_fields(container: Answer) -> Fields:
    found = {ours: _text(container[theirs]) for theirs, ours in _CONTAINER_FIELDS.items() if container.get(theirs)}
    found |= {name: str(container[name]) for name in ("memory", "cpu") if container.get(name)}
    found |= {f"environment.{v.get('name')}": str(v.get("value", "")) for v in container.get("environment") or []}
    found |= {f"secrets.{v.get('name')}": str(v.get("valueFrom", "")) for v in container.get("secrets") or []}
    logging = container.get("logConfiguration") or {}
    found |= {f"logging.{key}": str(value) for key, value in (logging.get("options") or {}).items()}
    return found


def _text(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return json.dumps(value, sort_keys=True, default=str)


def short_name(task_definition: str) -> str:
    """`family:7` of an ARN or of a short name."""
    return task_definition.rpartition("/")[2]


def family_and_number(task_definition: str) -> tuple[str, int | None]:
    family, _, number = short_name(task_definition).partition(":")
    return family, int(number) if number.isdecimal() else None


async def read_revision(place: Place, task_definition: str) -> Revision:
    """A revision never changes, so it is read once. Raises `CallFailed`."""

    async def look() -> Revision:
        answer = await place.call("ecs", "DescribeTaskDefinition", taskDefinition=task_definition)
        told: Answer = answer.get("taskDefinition") or {}
        if not told:
            text = f"task definition {short_name(task_definition)} was not described"
            raise CallFailed("missing", text, action="ecs:DescribeTaskDefinition")
        return Revision(
            family=str(told.get("family") or family_and_number(task_definition)[0]),
            number=int(told.get("revision") or family_and_number(task_definition)[1] or 0),
            arn=str(told.get("taskDefinitionArn") or task_definition),
            registered_at=told.get("registeredAt"),
            registered_by=str(told.get("registeredBy") or ""),
            told=told,
        )

    named = family_and_number(task_definition)[1] is not None
    return await place.recall(
        ("task definition", short_name(task_definition)), _FOREVER_SECONDS if named else 5.0, look
    )


async def revision_before(place: Place, revision: Revision, reach: int = 5) -> Revision | None:
    """The nearest lower revision that can still be described. Raises `CallFailed` where none can be told."""
    last: CallFailed | None = None
    for number in range(revision.number - 1, max(0, revision.number - 1 - reach), -1):
        try:
            return await read_revision(place, f"{revision.family}:{number}")
        except CallFailed as failure:
            if failure.kind not in ("missing", "invalid"):
                raise
            last = failure
    if last is not None and last.kind == "invalid":
        raise last
    return None


async def revisions_of(place: Place, family: str, limit: int = 10) -> list[Revision]:
    """The newest revisions of a family, newest first. Raises `CallFailed`."""
    arns: list[str] = []
    async for page in place.pages("ecs", "ListTaskDefinitions", familyPrefix=family, sort="DESC"):
        arns += [str(each) for each in page.get("taskDefinitionArns") or []]
        if len(arns) >= 200:
            break
    own = [each for each in arns if family_and_number(each)[0] == family]
    own.sort(key=lambda each: family_and_number(each)[1] or 0, reverse=True)
    found: list[Revision] = []
    for each in own[:limit]:
        try:
            found.append(await read_revision(place, each))
        except CallFailed as failure:
            if failure.kind != "missing":
                raise
    return found
