"""The names inside an ARN or a path: those that people know a thing by."""

import re
from collections.abc import Iterator
from typing import Any

_DEPTH = 7
_MOST = 400
_SECRET_TAIL = re.compile(r"-[A-Za-z0-9]{6}$")
_BALANCED = ("loadbalancer", "listener", "listener-rule")


def names_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text of a nested value, ARNs and paths also by the names that stand in them."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for each in value.values():
            yield from names_in(each, depth + 1)
    elif isinstance(value, list):
        for each in value[:_MOST]:
            yield from names_in(each, depth + 1)
    elif isinstance(value, str) and value:
        yield value
        yield from arn_names(value)


def arn_names(text: str) -> list[str]:
    """`checkout-api` of `arn:aws:ecs:…:service/prod/checkout-api`, in every partition; the last part of a path."""
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        tail = text.rpartition("/")[2] if "/" in text else text.rpartition(":")[2]
        return [tail] if tail and tail != text else []
    service, rest = parts[2], parts[5]
    steps = rest.replace(":", "/").split("/")
    if service == "elasticloadbalancing":
        at = 2 if steps[0] in _BALANCED and len(steps) > 2 else 1
        return steps[at : at + 1]
    if service == "s3":
        return steps[:1]
    if service == "ecs":
        return [rest.rpartition("/")[2]]
    if service in ("lambda", "states", "codedeploy", "rds", "elasticache") and ":" in rest:
        return [steps[1]]
    if service == "logs":
        return [rest.removeprefix("log-group:").partition(":")[0]]
    if service == "secretsmanager":
        name = rest.removeprefix("secret:").partition(":")[0]
        return list(dict.fromkeys([_SECRET_TAIL.sub("", name), name]))
    if service == "ssm":
        name = rest.removeprefix("parameter")
        return list(dict.fromkeys([name, name.lstrip("/")]))
    if service in ("dynamodb", "cloudformation", "kinesis", "eks") and len(steps) > 1:
        return [steps[1], *([steps[2]] if service == "eks" and len(steps) > 2 else [])]
    return [steps[-1]] if steps[-1] else []


def tail(arn: object) -> str:
    """The last part of an ARN or a path."""
    return str(arn or "").rpartition("/")[2]
