"""CodeDeploy, in the form of the service model: moto has neither targets nor errors."""

from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.codedeploy import Deployments, DeploymentTargets
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.stand_in import StandIn

SUCCEEDED = {
    "deploymentId": "d-GOOD",
    "applicationName": "checkout",
    "deploymentGroupName": "prod",
    "status": "Succeeded",
    "createTime": NOW - timedelta(minutes=5),
    "creator": "user",
    "revision": {"revisionType": "GitHub", "gitHubLocation": {"repository": "shop/checkout", "commitId": "ab" * 20}},
}
BROKEN = {
    "deploymentId": "d-BAD",
    "applicationName": "checkout",
    "deploymentGroupName": "prod",
    "status": "Failed",
    "createTime": NOW - timedelta(hours=2),
    "errorInformation": {"code": "HEALTH_CONSTRAINTS", "message": "The overall deployment failed"},
    "rollbackInfo": {"rollbackDeploymentId": "d-BACK", "rollbackMessage": "rolled back"},
    "deploymentOverview": {"Succeeded": 1, "Failed": 2, "Pending": 0},
    "revision": {
        "revisionType": "AppSpecContent",
        "appSpecContent": {"content": "PASSWORD: alpha", "sha256": "cd" * 32},
    },
}


async def test_failed_deployments_come_first_with_their_error(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListDeployments", {"deployments": ["d-GOOD", "d-BAD"]})
    aws.tells("codedeploy", "BatchGetDeployments", {"deploymentsInfo": [SUCCEEDED, BROKEN]})
    result = await provider.ask(Deployments())
    assert [row.name for row in result.rows] == ["d-BAD", "d-GOOD"]
    facts = result.rows[0].facts
    assert facts["error_code"] == "HEALTH_CONSTRAINTS"
    assert facts["targets"] == {"succeeded": 1, "failed": 2}
    assert facts["revision"] == "sha256:cdcdcdcdcdcd"
    assert "alpha" not in result.model_dump_json()
    assert result.rows[1].facts["revision"] == "shop/checkout@abababababab"


async def test_an_application_alone_is_picked_here(aws: StandIn, provider: AwsProvider) -> None:
    """ListDeployments takes an application only together with a group."""
    aws.says("ListDeployments", {"deployments": ["d-GOOD"]})
    aws.tells("codedeploy", "BatchGetDeployments", {"deploymentsInfo": [SUCCEEDED]})
    result = await provider.ask(Deployments(application="billing"))
    assert result.status is Status.no_data
    assert "applicationName" not in aws.asked("ListDeployments")[0].body
    await provider.ask(Deployments(application="checkout", group="prod"))
    assert "applicationName" in aws.asked("ListDeployments")[1].body


async def test_no_deployment_is_no_data(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListDeployments", {"deployments": []})
    result = await provider.ask(Deployments())
    assert result.status is Status.no_data
    assert result.message == "CodeDeploy made no deployment in this window"


async def test_a_failed_lifecycle_event_shows_the_end_of_its_output(aws: StandIn, provider: AwsProvider) -> None:
    failed = {
        "lifecycleEventName": "AfterInstall",
        "status": "Failed",
        "diagnostics": {
            "errorCode": "ScriptFailed",
            "scriptName": "migrate.sh",
            "logTail": "x" * 900 + "\nno such table",
        },
    }
    targets = [
        {
            "deploymentTargetType": "InstanceTarget",
            "instanceTarget": {"targetId": "i-1", "status": "Succeeded", "lastUpdatedAt": NOW},
        },
        {
            "deploymentTargetType": "InstanceTarget",
            "instanceTarget": {
                "targetId": "i-2",
                "status": "Failed",
                "lifecycleEvents": [failed],
                "lastUpdatedAt": NOW,
            },
        },
    ]
    aws.says("ListDeploymentTargets", {"targetIds": ["i-1", "i-2"]})
    aws.tells("codedeploy", "BatchGetDeploymentTargets", {"deploymentTargets": targets})
    result = await provider.ask(DeploymentTargets(deployment="d-BAD"))
    assert [row.name for row in result.rows] == ["i-2", "i-1"]
    told = str(result.rows[0].facts["failed_events"])
    assert "migrate.sh" in told
    assert "no such table" in told
    assert len(told) < 800


async def test_denied_names_the_permission(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListDeployments", {"deployments": ["d-1"]})
    aws.refuses("BatchGetDeployments", "AccessDeniedException")
    result = await provider.ask(Deployments())
    assert result.status is Status.denied
    assert "codedeploy:BatchGetDeployments" in result.message
