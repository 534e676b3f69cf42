"""Data, messaging and watching services that refuse, break, say nothing, or never come to an end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.operation import MOST_ROWS, Operation
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered
from tests.providers.stand_in import HTML_500, Answer, StandIn

SERVICES = (
    "rds", "pi", "dynamodb", "elasticache", "sqs", "sns", "kinesis", "stepfunctions", "cloudformation", "codedeploy",
    "codepipeline", "amplify", "cloudtrail", "config", "health", "servicequotas", "ce", "xray", "applicationsignals",
)  # fmt: skip
ATTACKED = [each for each in operations() if each.kind.split(".")[1] in SERVICES]
NEEDED = {
    "arn": "arn:aws:states:us-east-1:123456789012:execution:app:1",
    "type": "AWS::EC2::SecurityGroup",
    "deployment": "d-A1B2C3D4E",
}
ALSO = {"aws.config.history": {"type": "AWS::EC2::SecurityGroup"}}
"""What an operation can tell from some names only."""
each_operation = pytest.mark.parametrize("operation", ATTACKED, ids=lambda each: each.kind)
PAGE = 100
FLOODED = list({(each.service, each.calls[0]): each for each in ATTACKED}.values())
"""One of those that begin with the same listing."""


def question(operation: type[Operation]) -> Operation:
    """With what it needs and no more."""
    needed = [name for name, field in operation.model_fields.items() if field.is_required()]
    return operation.model_validate({name: NEEDED.get(name, "app") for name in needed} | ALSO.get(operation.kind, {}))


class Always(dict[str, Callable[[str], Answer | None]]):
    """The same answer to every call."""

    def __init__(self, say: Callable[[str], Answer]) -> None:
        super().__init__()
        self.say = say

    def get(self, key: str, default: Any = None) -> Any:
        return self.say


def error(status: int, code: str) -> Callable[[str], Answer]:
    """In the protocol that was asked in."""
    told = json.dumps({"__type": code, "message": "no"}).encode()
    xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()

    def say(body: str) -> Answer:
        return Answer(status, told) if body[:1] in ("{", "/") else Answer(status, xml, "text/xml")

    return say


def nothing(body: str) -> Answer:
    return Answer(200, b"{}") if body[:1] in ("{", "/") else Answer(200, b"<R><A/></R>", "text/xml")


async def ask(aws: StandIn, provider: AwsProvider, operation: type[Operation], say: Callable[[str], Answer]) -> Result:
    aws.answers = Always(say)
    return await provider.ask(question(operation))


@each_operation
async def test_denied_missing_a_web_page_and_nothing_are_told_apart(
    aws: StandIn, provider: AwsProvider, operation: type[Operation]
) -> None:
    denied = await ask(aws, provider, operation, error(403, "AccessDeniedException"))
    assert denied.status is Status.denied, denied.message
    assert any(permission in denied.message for permission in operation.permissions())

    missing = await ask(aws, provider, operation, error(404, "ResourceNotFoundException"))
    assert missing.status in (Status.no_data, Status.error)

    page = await ask(aws, provider, operation, lambda _: Answer(200, HTML_500.encode(), "text/html"))
    assert page.status is Status.error, f"a web page is no empty answer: {page.message}"

    empty = await ask(aws, provider, operation, nothing)
    for each in (denied, missing, page, empty):
        assert each.message
        assert not each.rows


def _item(shape: Any, number: int, depth: int = 3) -> Any:
    """Something that the shape allows."""
    match shape.type_name:
        case "structure":
            return {k: _item(v, number, depth - 1) for k, v in shape.members.items() if depth > 0}
        case "list":
            return [_item(shape.member, number, depth - 1)] if depth > 0 else []
        case "map":
            return {}
        case "timestamp":
            return NOW
        case "boolean":
            return True
        case "integer" | "long":
            return number
        case "float" | "double":
            return float(number)
        case "blob":
            return b""
        case _:
            return str((shape.enum or [f"thing-{number}"])[0])


def _tokens(config: dict[str, Any]) -> Iterator[str]:
    told = config["output_token"]
    for each in told if isinstance(told, list) else [told]:
        yield from (name.strip() for name in each.split("||"))


def flood(service: str, action: str) -> Callable[[str], Answer]:
    """Page after page of a hundred, each with a token of its own; never the last."""
    session = botocore.session.get_session()
    shape = session.get_service_model(service).operation_model(action).output_shape
    told: dict[str, Any] = {name: _item(member, 1) for name, member in shape.members.items()} if shape else {}
    try:
        config = session.get_paginator_model(service).get_paginator(action)
    except (ValueError, botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
        config = {"output_token": [], "result_key": []}
    keys = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    for key in keys:
        if shape is not None and key in shape.members and shape.members[key].type_name == "list":
            told[key] = [_item(shape.members[key].member, number) for number in range(PAGE)]
    marks = [name for name in _tokens(config) if name in told]
    body, kind = rendered(service, action, {**told, **dict.fromkeys(marks, "TOKEN-TO-FOLLOW")})
    count = iter(range(10**6))

    def say(_: str) -> Answer:
        return Answer(200, body.replace(b"TOKEN-TO-FOLLOW", b"TOKEN-%09d" % next(count)), kind)

    return say


@pytest.mark.parametrize("operation", FLOODED, ids=lambda each: each.kind)
async def test_what_never_ends_is_bounded(aws: StandIn, provider: AwsProvider, operation: type[Operation]) -> None:
    for call in operation.calls:
        service, action = call.split(":") if ":" in call else (operation.service, call)
        if service == "cloudwatch":
            continue  # numbers are asked for by name and are as many
        aws.answers[action] = flood(service, action)
    started = time.monotonic()
    result = await provider.ask(question(operation))
    assert len(result.rows) <= MOST_ROWS
    assert len(result.message) < 4000
    assert len(aws.calls) < 500
    assert time.monotonic() - started < 30
