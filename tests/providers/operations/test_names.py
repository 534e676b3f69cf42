"""Names with slashes and letters of any language are asked for as they are; what has none such is not there."""

import random
from typing import Any

import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.operations.test_any_answer import made
from tests.providers.stand_in import StandIn

_EDGE = ("acm", "apigateway", "cloudfront", "elbv2", "iam", "route53", "s3", "secretsmanager", "ssm")
_NAME = "größe/ünï"


def _named(operation: type[Operation]) -> list[str]:
    """The fields that take a name."""
    return [name for name, info in operation.model_fields.items() if info.annotation in (str, str | None)]


@pytest.mark.parametrize(
    "operation",
    [each for each in operations() if each.kind.split(".")[1] in _EDGE and _named(each)],
    ids=lambda each: each.kind,
)
async def test_a_name_of_any_language_is_looked_for(
    aws: StandIn, provider: AwsProvider, operation: type[Operation]
) -> None:
    """Against moto; a simulation, which moto has not, in the shape of the service model."""
    aws.tells("iam", "SimulatePrincipalPolicy", {"EvaluationResults": []})
    required: dict[str, Any] = made(operation, random.Random(0)).model_dump()  # noqa: S311  # nothing is kept secret
    question = operation.model_validate({**required, **dict.fromkeys(_named(operation), _NAME)})
    result = await provider.ask(question)
    assert result.status is Status.no_data, result.message
    assert result.message
