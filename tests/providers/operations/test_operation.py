"""What all operations have in common: their sign, their permissions, and an answer whatever AWS says."""

import pytest

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.operations.ecs import StoppedTasks
from runbook_bot.providers.aws.operations.operation import Operation, fit
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import FixedClock
from tests.providers.stand_in import StandIn


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
def test_it_says_what_it_is(operation: type[Operation]) -> None:
    assert operation.kind.startswith("aws.")
    assert operation.kind.count(".") == 2
    assert operation.__doc__
    assert operation.__doc__.endswith(".")
    assert operation.words
    assert all(each == each.lower() for each in operation.words)
    assert operation.permissions()
    for name, field in operation.model_fields.items():
        assert field.description, f"{operation.kind}.{name} is not described"


def test_no_two_have_the_same_name() -> None:
    kinds = [each.kind for each in operations()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
def test_no_call_brings_secrets_or_credentials_or_changes_anything(operation: type[Operation]) -> None:
    reading = ("Describe", "List", "Get", "Lookup", "Filter", "Batch", "Simulate", "Query", "StartQuery", "StopQuery",
               "Search", "Select", "Generate", "GET", "Head", "Test", "Download")  # fmt: skip
    for permission in operation.permissions():
        action = permission.partition(":")[2]
        assert action.startswith(reading), permission
        assert action not in {
            "GetSecretValue",
            "GetParameter",
            "GetParameters",
            "GetSessionToken",
            "GetAuthorizationToken",
        }


async def test_denied_names_the_permission(aws: StandIn, provider: AwsProvider) -> None:
    told = "User: arn:aws:iam::1:user/x is not authorized to perform: ecs:ListTasks on resource: *"
    aws.refuses("ListTasks", "AccessDeniedException", told)
    result = await provider.ask(StoppedTasks(cluster="prod"))
    assert result.status is Status.denied
    assert "ecs:ListTasks" in result.message


async def test_every_region_is_asked_and_a_row_says_where_it_is_from(aws: StandIn) -> None:
    aws.says("ListTasks", {"taskArns": ["arn:aws:ecs:us-east-1:1:task/prod/abc"]})
    aws.says("DescribeTasks", {"tasks": [{"taskArn": "arn:aws:ecs:us-east-1:1:task/prod/abc", "stoppedReason": "x"}]})
    both = AwsProvider(AwsSettings(regions=("us-east-1", "eu-west-1")), FixedClock())
    result: Result = await both.ask(StoppedTasks(cluster="prod"))
    assert [row.place for row in result.rows] == ["us-east-1", "eu-west-1"]


def test_what_is_kept_of_an_answer_has_no_secret_and_an_end() -> None:
    kept = fit({"db_password": "hunter2", "note": "x" * 5000, "nothing": None, "inner": {"api_secret": "abc"}})
    assert kept["db_password"] != "hunter2"
    assert len(str(kept["note"])) == 1000
    assert "nothing" not in kept
    assert "abc" not in str(kept["inner"])
