"""The arguments of an operation as they are typed on a command line."""

from collections.abc import Sequence
from typing import Any

from pydantic.fields import FieldInfo

from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.errors import UsageError
from runbook_bot.providers.aws.operations.documentation import kind_of, taken
from runbook_bot.providers.aws.operations.operation import Operation


def arguments(operation: type[Operation], given: Sequence[str], window: TimeWindow | None) -> dict[str, Any]:
    """Values by field, as text that pydantic turns into what the field takes. Raises `UsageError`.

    given: `--name value`, `--name=value`, `--switch`; where a field takes several, repeated or separated by commas.
    window: what --since and --until say; it goes where the operation wants times.
    """
    found: dict[str, Any] = {}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise UsageError(f"{word[:60]!r} belongs to no argument; write --NAME {word[:60]}")
        name, equals, value = word[2:].partition("=")
        field = name.replace("-", "_")
        info = operation.model_fields.get(field)
        if info is None or "TimeWindow" in str(info.annotation):
            raise UsageError(f"{operation.kind} has no argument --{name[:60]}; it takes {taken(operation)}")
        if not equals:
            switch = kind_of(info) == "switch" and (not rest or rest[0].startswith("--"))
            if not switch and not rest:
                raise UsageError(f"--{name} needs a value")
            value = "true" if switch else rest.pop(0)
        found[field] = _added(found.get(field), info, value)
    return {**found, **_times(operation, window, found)}


def _added(before: Any, info: FieldInfo, value: str) -> Any:
    kind = kind_of(info)
    parts = [each.strip() for each in value.split(",") if each.strip()] if kind.endswith("several") else [value]
    values = [_resource(each) for each in parts] if kind.startswith("TYPE") else parts
    return [*(before or []), *values] if kind.endswith("several") else values[0]


def _resource(said: str) -> dict[str, str]:
    """`ecs_service:prod/cart` as a resource."""
    type, colon, name = said.partition(":")
    if not colon or type not in ResourceType.__members__:
        raise UsageError(f"{said[:80]!r} is no resource; write TYPE:NAME, with TYPE one of {', '.join(ResourceType)}")
    if type == ResourceType.ecs_service:
        cluster, slash, service = name.partition("/")
        return {"type": type, "cluster": cluster if slash else "default", "name": service if slash else name}
    return {"type": type, "name": name}


def _times(operation: type[Operation], window: TimeWindow | None, given: dict[str, Any]) -> dict[str, Any]:
    if window is None:
        return {}
    for name, info in operation.model_fields.items():
        if "TimeWindow" in str(info.annotation) and name not in given:
            return {name: window}
    raise UsageError(f"{operation.kind} knows no window of time; leave --since and --until out")
