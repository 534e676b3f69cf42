"""What can be asked of CodePipeline."""

from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300
_LOOKED_AT = 40
_EXECUTIONS = 50
_ORDER = {"Failed": 0, "Stopped": 1, "Stopping": 1, "Abandoned": 1, "InProgress": 2, "Cancelled": 3, "Superseded": 3}


def _rank(status: object) -> int:
    return _ORDER.get(str(status), 4)


def _link(place: Place, pipeline: str = "") -> str:
    start = f"https://{console_host(place.region)}/codesuite/codepipeline/pipelines"
    return start + (f"/{quote(pipeline, safe='')}/view" if pipeline else "") + f"?region={place.region}"


class Pipelines(Operation):
    """Pipelines with their latest execution and what it was made of: failed ones first, then those under way."""

    kind: ClassVar[str] = "aws.codepipeline.pipelines"
    service = "codepipeline"
    calls = ("ListPipelines", "ListPipelineExecutions")
    words = ("pipelines", "codepipeline", "failed pipelines", "which pipelines are running")

    name: str | None = Field(default=None, description="Part of the pipeline's name; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await place.gather("codepipeline", "ListPipelines", "pipelines", _MOST)
        wanted = (self.name or "").casefold()
        mine = [each for each in listed if wanted in str(each.get("name", "")).casefold()]
        mine.sort(key=lambda each: newest_first(each.get("updated")))

        async def latest(pipeline: Answer) -> Answer:
            told = await place.call(
                "codepipeline", "ListPipelineExecutions", pipelineName=pipeline.get("name"), maxResults=1
            )
            return next(iter(told.get("pipelineExecutionSummaries") or []), {})

        found, failures = await for_each(mine[:_LOOKED_AT], latest)
        found.sort(key=lambda pair: (_rank(pair[1].get("status")), newest_first(pair[1].get("lastUpdateTime"))))
        left = len(mine) - _LOOKED_AT
        more = f"{left} pipelines that were changed longer ago were not looked at; name one" if left > 0 else ""
        if len(listed) >= _MOST:
            more = f"only the first {_MOST} pipelines were listed"
        return self.table(
            place,
            [_execution(last, str(pipeline.get("name", "?"))) for pipeline, last in found],
            empty="no pipeline has that in its name" if self.name else "there is no pipeline here",
            failures=failures,
            more=more,
            console=_link(place),
        )


class Executions(Operation):
    """Executions of one pipeline, newest first, with status, trigger and the revisions they were made of."""

    kind: ClassVar[str] = "aws.codepipeline.executions"
    service = "codepipeline"
    calls = ("ListPipelineExecutions",)
    words = ("pipeline executions", "pipeline runs", "pipeline history", "pipeline revisions")

    name: str = Field(description="Name of the pipeline")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather(
            "codepipeline", "ListPipelineExecutions", "pipelineExecutionSummaries", _EXECUTIONS, pipelineName=self.name
        )
        rows = [_execution(each, str(each.get("pipelineExecutionId", "?"))) for each in found]
        more = f"only the newest {_EXECUTIONS} executions were read" if len(found) >= _EXECUTIONS else ""
        return self.table(place, rows, empty="the pipeline has never run", more=more, console=_link(place, self.name))


def _execution(told: Answer, name: str) -> Row:
    revisions: list[JsonValue] = [
        " ".join(
            part
            for part in (
                str(each.get("actionName", "")) + ":",
                str(each.get("revisionId", ""))[:12],
                str(each.get("revisionSummary") or "").strip(),
            )
            if part
        )
        for each in told.get("sourceRevisions") or []
    ]
    trigger: Answer = told.get("trigger") or {}
    id = str(told.get("pipelineExecutionId", ""))
    return Row(
        name=name,
        at=told.get("lastUpdateTime") or told.get("startTime"),
        facts={
            "status": told.get("status") or "never ran",
            "summary": told.get("statusSummary"),
            "execution": id if id != name else None,
            "started": told["startTime"].isoformat() if told.get("startTime") else None,
            "trigger": trigger.get("triggerType"),
            "trigger_detail": trigger.get("triggerDetail"),
            "revisions": revisions or None,
            "type": told.get("executionType"),
            "stopped_because": (told.get("stopTrigger") or {}).get("reason"),
        },
    )


class PipelineState(Operation):
    """Where one pipeline stands, action by action: the failed ones with their message first, and closed transitions."""

    kind: ClassVar[str] = "aws.codepipeline.state"
    service = "codepipeline"
    calls = ("GetPipelineState",)
    words = ("pipeline state", "pipeline stages", "why did the pipeline fail", "failed actions")

    name: str = Field(description="Name of the pipeline")

    async def answer(self, place: Place, now: datetime) -> Result:
        told = await place.call("codepipeline", "GetPipelineState", name=self.name)
        stages: list[Answer] = told.get("stageStates") or []
        rows = [_action(stage, action) for stage in stages for action in stage.get("actionStates") or []]
        rows.sort(key=lambda row: (_rank(row.facts.get("status")), newest_first(row.at)))
        closed = [
            _closed(each) for each in stages if (each.get("inboundTransitionState") or {}).get("enabled") is False
        ]
        return self.table(place, closed + rows, empty="the pipeline has no actions", console=_link(place, self.name))


def _closed(stage: Answer) -> Row:
    transition: Answer = stage["inboundTransitionState"]
    return Row(
        name=f"into {stage.get('stageName', '?')}",
        at=transition.get("lastChangedAt"),
        facts={
            "status": "transition disabled",
            "message": transition.get("disabledReason"),
            "changed_by": transition.get("lastChangedBy"),
        },
    )


def _action(stage: Answer, action: Answer) -> Row:
    latest: Answer = action.get("latestExecution") or {}
    error: Answer = latest.get("errorDetails") or {}
    revision: Answer = action.get("currentRevision") or {}
    return Row(
        name=f"{stage.get('stageName', '?')} / {action.get('actionName', '?')}",
        at=latest.get("lastStatusChange"),
        facts={
            "status": latest.get("status") or "did not run",
            "error_code": error.get("code"),
            "message": error.get("message"),
            "summary": latest.get("summary"),
            "revision": str(revision["revisionId"])[:12] if revision.get("revisionId") else None,
            "updated_by": latest.get("lastUpdatedBy"),
            "external_execution": latest.get("externalExecutionId"),
            "external_url": latest.get("externalExecutionUrl"),
            "stage_status": (stage.get("latestExecution") or {}).get("status"),
        },
    )


OPERATIONS = (Pipelines, Executions, PipelineState)
