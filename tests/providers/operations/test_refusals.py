"""Data, messaging and watching services that refuse, break, or say nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.provider import AwsProvider
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
