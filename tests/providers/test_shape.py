"""Answers of another shape than promised: put right where they can mean something, left out where not."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.ecs import Services
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.shape import conform
from tests.providers.stand_in import StandIn


def shape(service: str, operation: str) -> Any:
    return botocore.session.get_session().get_service_model(service).operation_model(operation).output_shape


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"desiredCount": "4"}, {"desiredCount": 4}),
        ({"desiredCount": 4.0}, {"desiredCount": 4}),
        ({"desiredCount": 2.5, "runningCount": True, "pendingCount": [1]}, {}),
        ({"desiredCount": "18446744073709551616"}, {"desiredCount": 2**64}),
        ({"serviceName": 7, "status": {"a": 1}}, {"serviceName": "7"}),
        ({"createdAt": "yesterday"}, {}),
        ({"createdAt": datetime(2026, 1, 1, tzinfo=UTC)}, {"createdAt": datetime(2026, 1, 1, tzinfo=UTC)}),
        ({"enableExecuteCommand": "true", "enableECSManagedTags": 1}, {"enableExecuteCommand": True}),
        ({"events": [None, {"message": "a"}, "b"]}, {"events": [{"message": "a"}]}),
        ({"events": "none"}, {}),
        ({"taskSets": [{"scale": {"value": "NaN-ish"}}]}, {"taskSets": [{"scale": {}}]}),
        ({"taskSets": [{"scale": {"value": "99.5"}}]}, {"taskSets": [{"scale": {"value": 99.5}}]}),
        ({"unheardOf": {"a": [1]}}, {"unheardOf": {"a": [1]}}),
    ],
)
def test_one_service_of_an_answer(told: dict[str, Any], kept: dict[str, Any]) -> None:
    answer = {"services": [told], "ResponseMetadata": {"HTTPStatusCode": 200}}
    conform(answer, shape("ecs", "DescribeServices"))
    assert answer == {"services": [kept], "ResponseMetadata": {"HTTPStatusCode": 200}}


def test_a_map_and_a_document_keep_what_fits() -> None:
    answer: dict[str, Any] = {"Environment": {"Variables": {"A": "1", "B": ["x"], "C": None}}}
    conform(answer, shape("lambda", "GetFunctionConfiguration"))
    assert answer == {"Environment": {"Variables": {"A": "1"}}}


async def test_an_operation_never_sees_another_type(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListServices", {"serviceArns": ["arn:aws:ecs:us-east-1:1:service/prod/a", None, 7]})
    odd = {"serviceName": ["a"], "desiredCount": "4", "runningCount": {"n": 1}, "deployments": [None], "events": None}
    aws.says("DescribeServices", {"services": [odd]})
    result = await provider.ask(Services(cluster="prod"))
    assert result.status is Status.ok
    assert (result.rows[0].name, result.rows[0].facts["desired"]) == ("?", 4)
    assert "running" not in result.rows[0].facts
