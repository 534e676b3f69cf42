"""Amplify, in the form of the service model: moto does not have it."""

from datetime import timedelta
from typing import Any

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.amplify import Apps, Branches, Jobs
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.stand_in import StandIn


def app(name: str, status: str) -> dict[str, Any]:
    return {
        "appId": f"id-{name}",
        "appArn": f"arn:aws-cn:amplify:cn-north-1:1:apps/id-{name}",
        "name": name,
        "createTime": NOW,
        "updateTime": NOW,
        "defaultDomain": "x.amplifyapp.com",
        "environmentVariables": {"API_KEY": "alpha", "STAGE": "prod"},
        "basicAuthCredentials": "YWxwaGE6YnJhdm8=",
        "productionBranch": {"branchName": "main", "status": status, "lastDeployTime": NOW},
    }


def job(id: str, status: str, minutes: int) -> dict[str, Any]:
    return {
        "jobArn": f"arn:aws:amplify:us-east-1:1:apps/a/branches/b/jobs/{id}",
        "jobId": id,
        "commitId": "ab" * 20,
        "commitMessage": "new header",
        "commitTime": NOW,
        "startTime": NOW - timedelta(minutes=minutes),
        "status": status,
        "jobType": "RELEASE",
    }


def shop(aws: StandIn) -> None:
    aws.tells("amplify", "ListApps", {"apps": [app("shop", "SUCCEED"), app("préview/x", "FAILED")]})
    aws.tells(
        "amplify", "ListBranches", {"branches": [{"branchName": "feat/über", "updateTime": NOW, "stage": "BETA"}]}
    )


async def test_apps_whose_production_failed_come_first_and_show_no_values(aws: StandIn, provider: AwsProvider) -> None:
    shop(aws)
    result = await provider.ask(Apps())
    assert [row.name for row in result.rows] == ["préview/x", "shop"]
    assert result.rows[0].facts["variables"] == ["API_KEY", "STAGE"]
    assert "alpha" not in result.model_dump_json()
    assert "YWxwaGE6YnJhdm8=" not in result.model_dump_json()


async def test_branches_of_an_app_by_its_name(aws: StandIn, provider: AwsProvider) -> None:
    shop(aws)
    result = await provider.ask(Branches(app="préview/x"))
    assert result.rows[0].name == "feat/über"
    missing = await provider.ask(Branches(app="nope"))
    assert missing.status is Status.no_data
    assert missing.message == "there is no Amplify app nope"


async def test_a_failed_job_names_the_step_that_failed(aws: StandIn, provider: AwsProvider) -> None:
    shop(aws)
    jobs = [job("3", "SUCCEED", 1), job("2", "FAILED", 60)]
    aws.tells("amplify", "ListJobs", {"jobSummaries": jobs})
    steps = [
        {"stepName": "BUILD", "startTime": NOW, "endTime": NOW, "status": "FAILED", "statusReason": "npm exited 1"},
        {"stepName": "DEPLOY", "startTime": NOW, "endTime": NOW, "status": "CANCELLED"},
    ]
    aws.tells("amplify", "GetJob", {"job": {"summary": jobs[1], "steps": steps}})
    result = await provider.ask(Jobs(app="id-shop"))
    assert [row.name for row in result.rows] == ["feat/über #2", "feat/über #3"]
    assert result.rows[0].facts["failed_steps"] == ["BUILD: npm exited 1"]
    assert len(aws.asked("GetJob")) == 1
    assert "feat%2F" in aws.asked("GetJob")[0].path


async def test_no_jobs(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("amplify", "ListApps", {"apps": [app("shop", "SUCCEED")]})
    aws.tells("amplify", "ListBranches", {"branches": []})
    assert (await provider.ask(Jobs(app="shop"))).message == "no job has run"


async def test_no_apps(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells("amplify", "ListApps", {"apps": []})
    assert (await provider.ask(Apps())).status is Status.no_data


async def test_a_job_that_cannot_be_explained_is_still_shown(aws: StandIn, provider: AwsProvider) -> None:
    shop(aws)
    aws.tells("amplify", "ListJobs", {"jobSummaries": [job("2", "FAILED", 60)]})
    aws.refuses("GetJob", "AccessDeniedException")
    result = await provider.ask(Jobs(app="shop", branch="main"))
    assert result.status is Status.truncated
    assert result.rows[0].name == "main #2"
    assert "amplify:GetJob" in result.message


async def test_without_a_name_the_jobs_of_all_apps_are_told(aws: StandIn, provider: AwsProvider) -> None:
    shop(aws)
    aws.tells("amplify", "ListJobs", {"jobSummaries": [job("1", "SUCCEED", 5)]})
    result = await provider.ask(Jobs())
    assert [row.name for row in result.rows] == ["shop/feat/über #1", "préview/x/feat/über #1"]
