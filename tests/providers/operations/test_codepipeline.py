"""CodePipeline, in the form of the service model: moto knows neither states nor executions that ran."""

from datetime import timedelta

from runbook_bot.domain.tools import Status
from runbook_bot.providers.aws.operations.codepipeline import Executions, Pipelines, PipelineState
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.protocols import rendered
from tests.providers.stand_in import Answer, StandIn

REVISION = {"actionName": "Source", "revisionId": "ab" * 20, "revisionSummary": "smaller pool"}


def execution(status: str) -> dict[str, object]:
    return {
        "pipelineExecutionId": f"x-{status}",
        "status": status,
        "startTime": NOW - timedelta(minutes=9),
        "lastUpdateTime": NOW,
        "sourceRevisions": [REVISION],
        "trigger": {"triggerType": "Webhook", "triggerDetail": "main"},
    }


def latest(aws: StandIn, **status: str) -> None:
    def say(body: str) -> Answer:
        name = next(name for name in status if f'"{name}"' in body)
        told = {"pipelineExecutionSummaries": [execution(status[name])] if status[name] else []}
        return Answer(200, *rendered("codepipeline", "ListPipelineExecutions", told))

    aws.answers["ListPipelineExecutions"] = say


async def test_failed_pipelines_come_first(aws: StandIn, provider: AwsProvider) -> None:
    aws.tells(
        "codepipeline",
        "ListPipelines",
        {"pipelines": [{"name": each, "updated": NOW} for each in ("good", "bad", "new")]},
    )
    latest(aws, good="Succeeded", bad="Failed", new="")
    result = await provider.ask(Pipelines())
    assert result.rows[0].name == "bad"
    assert result.rows[0].facts["revisions"] == ["Source: abababababab smaller pool"]
    assert {row.name: row.facts["status"] for row in result.rows}["new"] == "never ran"


async def test_executions_of_one_pipeline(aws: StandIn, provider: AwsProvider) -> None:
    latest(aws, good="Succeeded")
    result = await provider.ask(Executions(name="good"))
    assert result.rows[0].facts["trigger_detail"] == "main"


async def test_a_pipeline_that_never_ran(aws: StandIn, provider: AwsProvider) -> None:
    latest(aws, good="")
    result = await provider.ask(Executions(name="good"))
    assert (result.status, result.message) == (Status.no_data, "the pipeline has never run")


async def test_the_failed_action_says_why_and_a_closed_transition_is_seen(aws: StandIn, provider: AwsProvider) -> None:
    stages = [
        {
            "stageName": "Source",
            "actionStates": [
                {"actionName": "Git", "latestExecution": {"status": "Succeeded", "lastStatusChange": NOW}}
            ],
        },
        {
            "stageName": "Build",
            "latestExecution": {"pipelineExecutionId": "x", "status": "Failed"},
            "actionStates": [
                {
                    "actionName": "Compile",
                    "latestExecution": {
                        "status": "Failed",
                        "lastStatusChange": NOW,
                        "errorDetails": {"code": "JobFailed", "message": "exit status 2"},
                    },
                }
            ],
        },
        {
            "stageName": "Deploy",
            "inboundTransitionState": {"enabled": False, "disabledReason": "freeze", "lastChangedBy": "ada"},
            "actionStates": [{"actionName": "Prod"}],
        },
    ]
    aws.tells("codepipeline", "GetPipelineState", {"pipelineName": "good", "stageStates": stages})
    result = await provider.ask(PipelineState(name="good"))
    assert [row.name for row in result.rows] == ["into Deploy", "Build / Compile", "Source / Git", "Deploy / Prod"]
    assert result.rows[0].facts["message"] == "freeze"
    assert result.rows[1].facts["message"] == "exit status 2"


async def test_no_pipeline_is_no_data_and_an_unknown_one_too(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListPipelines", {"pipelines": []})
    assert (await provider.ask(Pipelines())).message == "there is no pipeline here"
    aws.refuses("GetPipelineState", "PipelineNotFoundException", "no pipeline x")
    assert (await provider.ask(PipelineState(name="x"))).status is Status.no_data


async def test_a_part_that_is_denied_is_named(aws: StandIn, provider: AwsProvider) -> None:
    aws.says("ListPipelines", {"pipelines": [{"name": "good"}]})
    aws.refuses("ListPipelineExecutions", "AccessDeniedException")
    result = await provider.ask(Pipelines())
    assert result.status is Status.denied
    assert "codepipeline:ListPipelineExecutions" in result.message
