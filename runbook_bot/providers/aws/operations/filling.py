"""The arguments of an operation, taken from what a question names: resources, values beside a field's name, times."""

import re
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from runbook_bot.domain.asking import Question
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.matching import stems
from runbook_bot.providers.aws.operations.operation import Operation

MOST_QUERIES = 6
"""Resources that one question is put to; more are left out, and counted."""
USUAL = timedelta(hours=3)
_OF: dict[R, tuple[tuple[str, ...], tuple[str, ...]]] = {
    R.ecs_service: (("ecs", "application-autoscaling"), ("service",)),
    R.lambda_function: (("lambda",), ("function",)),
    R.ec2_instance: (("ec2",), ("instance",)),
    R.autoscaling_group: (("autoscaling",), ("group",)),
    R.rds_instance: (("rds", "pi"), ("instance", "database")),
    R.rds_cluster: (("rds", "pi"), ("cluster", "database")),
    R.dynamodb_table: (("dynamodb", "application-autoscaling"), ("table",)),
    R.elasticache_cluster: (("elasticache",), ("cluster", "cache", "group")),
    R.load_balancer: (("elbv2",), ("balancer",)),
    R.target_group: (("elbv2",), ("target",)),
    R.api_gateway: (("apigateway", "apigatewayv2"), ("api",)),
    R.sqs_queue: (("sqs",), ("queue",)),
    R.kinesis_stream: (("kinesis",), ("stream",)),
    R.s3_bucket: (("s3",), ("bucket",)),
    R.log_group: (("logs",), ("group", "log")),
    R.alarm: (("cloudwatch",), ("alarm",)),
    R.eks_cluster: (("eks",), ("cluster",)),
    R.amplify_app: (("amplify",), ("app",)),
}
"""Which AWS services can say something about a resource, and what their fields call it."""
_GENERIC = frozenset({"name", "names", "id", "ids", "identifier", "identifiers", "resource", "resources"})
_ANY_RESOURCE = frozenset({"cloudtrail", "config", "cloudformation", "codedeploy", "codepipeline", "xray",
                           "application-signals", "health"})  # fmt: skip
_SINCE = frozenset({"since", "start", "begin", "after", "from_time"})
_UNTIL = frozenset({"until", "end", "before", "to_time"})
_LENGTHS = {"minutes": 60.0, "hours": 3600.0, "days": 86400.0}
_VALUE = r"[\s=:]+[\"'`]?([^\s\"'`,;?]{1,256})"
_IDENTIFIER = re.compile(r"[\"'`“]([^\"'`”]{1,200})[\"'`”]|(?<![\w/])((?=[^\s]*[\d/_.:-])[A-Za-z/][\w./:@+=-]{2,255})")
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_NO_VALUES = frozenset({"is", "are", "was", "of", "in", "on", "for", "the", "a", "an", "and", "or", "with", "to", "by",
                        "has", "have", "that", "which", "who", "name", "named"})  # fmt: skip


@dataclass
class Filled:
    """The operation, ready to be asked of each resource that is meant; or what is missing."""

    queries: list[Operation] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    left_out: int = 0
    """Resources that fit as well and are too many."""


def services_of(resources: Iterable[Resource]) -> frozenset[str]:
    """The AWS services that can say something about any of them."""
    return frozenset(name for each in resources for name in _OF.get(each.type, ((), ()))[0])


def kinds_of(resources: Iterable[Resource]) -> frozenset[str]:
    """What people call such resources: `database`, `queue`."""
    told = [each for each in resources if each.type not in (R.log_group, R.alarm)]
    return frozenset(noun for each in told for noun in _OF.get(each.type, ((), ()))[1])


def filled(operation: type[Operation], question: Question) -> Filled:
    """One query for each resource that fits, or one for all; none where a field that is needed stays empty."""
    said = _said(operation, question)
    fitting = _fitting(operation, question.resources)
    if not fitting and not _enough(operation, said):
        everything = [resource for service in question.graph for resource in service.resources]
        lacking = {*_required(operation), "cluster"} - said.keys()
        fitting = [{name: value for name, value in each.items() if name in lacking}
                   for each in _fitting(operation, everything) if lacking & each.keys()]  # fmt: skip
    wanted = list({str(sorted(each.items())): {**each, **said} for each in fitting or [{}]}.values())
    wanted = [{**_named_alone(operation, question, each), **each} for each in wanted]
    result = Filled(left_out=max(0, len(wanted) - MOST_QUERIES))
    for arguments in wanted[:MOST_QUERIES]:
        query, missing = _made(operation, arguments, question.text)
        if query is not None and all(query.key != other.key for other in result.queries):
            result.queries.append(query)
        elif missing and not result.missing:
            result.missing = missing
    return result


def _made(operation: type[Operation], arguments: dict[str, Any], text: str) -> tuple[Operation | None, tuple[str, ...]]:
    lacking = [name for name in _required(operation) if name not in arguments]
    loose = [one or two for one, two in _IDENTIFIER.findall(text)]
    if len(lacking) == 1 and loose and _is_text(operation.model_fields[lacking[0]]):
        arguments = {**arguments, lacking[0]: _many(operation.model_fields[lacking[0]], loose[-1])}
        lacking = []
    if lacking:
        return None, tuple(lacking)
    try:
        return operation.model_validate(arguments), ()
    except ValidationError as error:
        return None, tuple(dict.fromkeys(str(each["loc"][0]) for each in error.errors() if each["loc"]))


def _named_alone(operation: type[Operation], question: Question, known: dict[str, Any]) -> dict[str, Any]:
    """The one name in the text that is nothing else, where the operation has a field for a name and nothing in it."""
    taken = {*question.services, *(each.name for each in question.resources), *map(str, known.values())}
    loose = [one or two for one, two in _IDENTIFIER.findall(question.text)]
    names = [each for each in loose if each not in taken and not _REGION.fullmatch(each)]
    open_to = [name for name, info in operation.model_fields.items() if name in _GENERIC and _is_text(info)]
    if len(names) != 1 or len(open_to) != 1 or open_to[0] in known:
        return {}
    return {open_to[0]: _many(operation.model_fields[open_to[0]], names[0].rstrip(".:"))}


def _required(operation: type[Operation]) -> list[str]:
    return [name for name, info in operation.model_fields.items() if info.is_required()]


def _enough(operation: type[Operation], said: dict[str, Any]) -> bool:
    """Whether it can be asked of everything. An ECS cluster's default is a cluster of that name, not all of them."""
    return set(_required(operation)) <= said.keys() and "cluster" not in operation.model_fields.keys() - said.keys()


def _fitting(operation: type[Operation], resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """What each resource puts into the operation's fields, without those that put nothing there."""
    found = []
    for resource in resources:
        values = {name: value for name, info in operation.model_fields.items()
                  if (value := _from(resource, operation, name, info)) is not None}  # fmt: skip
        if values:
            found.append(values)
    return found


def _from(resource: Resource, operation: type[Operation], name: str, info: FieldInfo) -> Any:
    services, nouns = _OF.get(resource.type, ((), ()))
    if Resource in _kinds(info):
        fits = resource.type in operation.subjects or operation.service in (*services, *_ANY_RESOURCE)
        return _many(info, resource) if fits else None
    if not _is_text(info):
        return None
    words = set(name.split("_"))
    about = set(stems((info.description or "").partition(";")[0]))
    if operation.service not in services:
        anything = (
            operation.service in _ANY_RESOURCE
            and words <= _GENERIC
            and bool({"resource", *stems("resource")} & (words | about))
        )
        return _many(info, resource.name) if anything else None
    if "cluster" in words and resource.type is R.ecs_service:
        return resource.cluster
    nouns_of = {stem for noun in nouns for stem in stems(noun)}
    named = set(stems(" ".join(words))) & nouns_of or (words <= _GENERIC and about & nouns_of)
    return _many(info, resource.name) if named else None


def _said(operation: type[Operation], question: Question) -> dict[str, Any]:
    """What the text says of the fields: times, choices, and values that stand beside a field's name."""
    said: dict[str, Any] = {}
    for name, info in operation.model_fields.items():
        value = _time(name, info, question)
        if value is None and (choices := _choices(info)):
            value = next((each for each in choices if _has(question.text, str(each).replace("_", " "))), None)
        if value is None and _is_text(info) and not choices:
            value = _beside(name, question.text)
            value = _many(info, value) if value else None
        if value is None and name == "address" and (address := _ADDRESS.search(question.text)):
            value = address[0]
        if value is None and {int, float} & set(_kinds(info)):
            number = _beside(name, question.text) or ""
            value = number if number.isdecimal() and len(number) < 10 else None
        if value is None and bool in _kinds(info) and _has(question.text, name.replace("_", " ")):
            value = True
        if value is not None:
            said[name] = value
    return said


def _time(name: str, info: FieldInfo, question: Question) -> Any:
    window = question.window
    kinds = _kinds(info)
    if TimeWindow in kinds:
        usual = TimeWindow(start=question.now - USUAL, end=question.now)
        return window or (usual if info.is_required() else None)
    if datetime in kinds:
        if window is None:
            return question.now - USUAL if info.is_required() and name in _SINCE else None
        return window.start if name in _SINCE else window.end if name in _UNTIL else None
    seconds = _LENGTHS.get(name.rpartition("_")[2])
    if window is None or seconds is None or not {int, float} & set(kinds):
        return None
    return max(1, round((question.now - window.start).total_seconds() / seconds))


def _choices(info: FieldInfo) -> Sequence[Any]:
    found: list[Any] = []
    for kind in _kinds(info):
        if get_origin(kind) is Literal:
            found += get_args(kind)
        elif isinstance(kind, type) and issubclass(kind, Enum):
            found += [each.value for each in kind]
    return found


def _kinds(info: FieldInfo) -> list[Any]:
    """The types that a field takes, taken out of unions and tuples."""
    return list(_parts(info.annotation))


def _parts(annotation: Any) -> Iterable[Any]:
    if get_origin(annotation) in (Union, types.UnionType, tuple, list, frozenset):
        for each in get_args(annotation):
            yield from _parts(each)
    elif hasattr(annotation, "__metadata__"):
        yield from _parts(annotation.__origin__)
    elif annotation not in (type(None), ...):
        yield annotation


def _is_text(info: FieldInfo) -> bool:
    return str in _kinds(info)


def _many(info: FieldInfo, value: Any) -> Any:
    several = any(
        get_origin(each) in (tuple, list, frozenset) for each in (info.annotation, *get_args(info.annotation))
    )
    return (value,) if several else value


def _beside(name: str, text: str) -> str | None:
    found = re.search(rf"(?<![\w-])(?:--)?{re.escape(name).replace('_', '[ _-]')}{_VALUE}", text, re.IGNORECASE)
    if not found or found[1].casefold() in _NO_VALUES:
        return None
    return found[1]


def _has(text: str, words: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", text, re.IGNORECASE) is not None
