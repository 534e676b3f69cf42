"""AppConfig in the shape of the service model: moto lists neither environments nor deployments."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.operations.appconfig import Deployments
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.stand_in import StandIn

HOUR = timedelta(hours=1)


def deployment(number: int, state: str, began: timedelta) -> dict[str, Any]:
    return {
        "DeploymentNumber": number,
        "ConfigurationName": "flags",
        "ConfigurationVersion": str(number),
        "State": state,
        "PercentageComplete": 40.0,
        "StartedAt": NOW - began,
    }


def _canned(aws: StandIn) -> None:
    aws.tells("appconfig", "ListApplications", {"Items": [{"Id": "app1", "Name": "checkout"}]})
    alarm = "arn:aws:cloudwatch:us-east-1:1:alarm:checkout-5xx"
    environment = {"Id": "env1", "Name": "prod", "State": "ROLLED_BACK", "Monitors": [{"AlarmArn": alarm}]}
    aws.tells("appconfig", "ListEnvironments", {"Items": [environment]})
    listed = [deployment(8, "COMPLETE", HOUR), deployment(7, "ROLLED_BACK", 2 * HOUR)]
    aws.tells("appconfig", "ListDeployments", {"Items": listed})
    events = [
        {"EventType": "ROLLBACK_COMPLETED", "TriggeredBy": "CLOUDWATCH_ALARM", "OccurredAt": NOW - HOUR},
        {"EventType": "ROLLBACK_STARTED", "TriggeredBy": "CLOUDWATCH_ALARM", "OccurredAt": NOW - 1.5 * HOUR,
         "Description": "checkout-5xx went into alarm"},
        {"EventType": "DEPLOYMENT_STARTED", "TriggeredBy": "USER", "OccurredAt": NOW - 2 * HOUR},
    ]  # fmt: skip
    aws.tells("appconfig", "GetDeployment", {"EventLog": events})


async def test_what_was_rolled_back_comes_first_with_the_reason(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    result = await provider.ask(Deployments())
    assert result.status is Status.ok, result.message
    assert [row.name for row in result.rows] == ["checkout/prod #7", "checkout/prod #8"]
    first = result.rows[0].facts
    assert (first["state"], first["rolled_back_by"], first["started_by"]) == ("ROLLED_BACK", "cloudwatch alarm", "user")
    assert first["rolled_back_for"] == "checkout-5xx went into alarm"
    assert (first["configuration"], first["version"], first["done_percent"]) == ("flags", "7", 40)
    assert first["rolls_back_on"] == ["checkout-5xx"]
    assert not aws.asked("GetConfiguration"), "what the configuration says is nobody's business here"


async def test_only_those_of_a_window_an_application_and_an_environment(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    window = TimeWindow(start=NOW - 1.5 * HOUR, end=NOW)
    result = await provider.ask(Deployments(application="checkout", environment="prod", window=window))
    assert [row.name for row in result.rows] == ["checkout/prod #8"]
    other = await provider.ask(Deployments(environment="staging"))
    assert (other.status, other.message) == (Status.no_data, "AppConfig rolled nothing out")
    gone = await provider.ask(Deployments(application="gone"))
    assert (gone.status, gone.message) == (Status.no_data, "there is no AppConfig application gone")


async def test_reasons_that_may_not_be_read(aws: StandIn, provider: AwsProvider) -> None:
    _canned(aws)
    aws.refuses("GetDeployment", "AccessDeniedException", "no", 403)
    result = await provider.ask(Deployments())
    assert result.status is Status.truncated
    assert "appconfig:GetDeployment" in result.message
    assert len(result.rows) == 2
