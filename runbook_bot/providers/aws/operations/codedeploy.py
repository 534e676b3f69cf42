"""What can be asked of CodeDeploy."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.listing import batches, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 300
_IN_ONE_CALL = 25
_DAYS = 7
_ORDER = {"Failed": 0, "Stopped": 1, "InProgress": 2, "Baking": 2, "Created": 2, "Queued": 2, "Ready": 2}


class Deployments(Operation):
    """Deployments with status, error, revision and who made them: failed ones first, then those under way."""

    kind: ClassVar[str] = "aws.codedeploy.deployments"
    service = "codedeploy"
    calls = ("ListDeployments", "BatchGetDeployments")
    words = ("codedeploy deployments", "failed deployments", "codedeploy", "deployment errors")

    application: str | None = Field(default=None, description="Name of the application; none means all of them")
    group: str | None = Field(default=None, description="Name of the deployment group; none means all of them")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last seven days")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24 * _DAYS, now, self.window)
        which: Answer = {"createTimeRange": {"start": window.start, "end": window.end}}
        if self.application and self.group:  # the call takes both or neither
            which |= {"applicationName": self.application, "deploymentGroupName": self.group}
        ids = await place.gather("codedeploy", "ListDeployments", "deployments", _MOST, **which)
        told: list[Answer] = []
        for batch in batches(ids, _IN_ONE_CALL):
            told += (await place.call("codedeploy", "BatchGetDeployments", deploymentIds=batch)).get(
                "deploymentsInfo"
            ) or []
        mine = [
            each
            for each in told
            if self.application in (None, each.get("applicationName"))
            and self.group in (None, each.get("deploymentGroupName"))
        ]
        mine.sort(key=lambda each: (_ORDER.get(str(each.get("status")), 3), newest_first(each.get("createTime"))))
        more = f"only the first {_MOST} deployments were read; name a shorter window" if len(ids) >= _MOST else ""
        of = f" of {self.application}" if self.application else ""
        return self.table(
            place,
            await asyncio.to_thread(lambda: [_deployment(each) for each in mine]),
            empty=f"CodeDeploy made no deployment{of} in this window",
            more=more,
            console=f"https://{console_host(place.region)}/codesuite/codedeploy/deployments?region={place.region}",
        )


def _deployment(told: Answer) -> Row:
    error: Answer = told.get("errorInformation") or {}
    rollback: Answer = told.get("rollbackInfo") or {}
    counts: Answer = told.get("deploymentOverview") or {}
    return Row(
        name=str(told.get("deploymentId", "?")),
        at=told.get("completeTime") or told.get("startTime") or told.get("createTime"),
        facts={
            "status": told.get("status"),
            "application": told.get("applicationName"),
            "group": told.get("deploymentGroupName"),
            "error_code": error.get("code"),
            "error": error.get("message"),
            "rollback": rollback.get("rollbackMessage"),
            "rolled_back_by": rollback.get("rollbackDeploymentId"),
            "rolls_back": rollback.get("rollbackTriggeringDeploymentId"),
            "creator": told.get("creator"),
            "description": told.get("description"),
            "platform": told.get("computePlatform"),
            "revision": _revision(told.get("revision") or {}),
            "previous_revision": _revision(told.get("previousRevision") or {}),
            "targets": {name.lower(): count for name, count in counts.items() if count} or None,
            "configuration": told.get("deploymentConfigName"),
        },
    )


def _revision(told: Answer) -> str | None:
    """Where the code came from; never an AppSpec's content, which may carry an environment."""
    if git := told.get("gitHubLocation"):
        return f"{git.get('repository')}@{str(git.get('commitId'))[:12]}"
    if bucket := told.get("s3Location"):
        version = bucket.get("version") or bucket.get("eTag")
        return f"s3://{bucket.get('bucket')}/{bucket.get('key')}" + (f" ({version})" if version else "")
    text: Answer = told.get("string") or told.get("appSpecContent") or {}
    return f"sha256:{text['sha256'][:12]}" if text.get("sha256") else None


class DeploymentTargets(Operation):
    """What one deployment did to each instance, function or service: failed lifecycle events with their output."""

    kind: ClassVar[str] = "aws.codedeploy.targets"
    service = "codedeploy"
    calls = ("ListDeploymentTargets", "BatchGetDeploymentTargets")
    words = ("deployment targets", "lifecycle events", "which instances failed to deploy")

    deployment: str = Field(description="Id of the deployment, e.g. d-A1B2C3D4E")

    async def answer(self, place: Place, now: datetime) -> Result:
        ids = await place.gather(
            "codedeploy", "ListDeploymentTargets", "targetIds", _MOST, deploymentId=self.deployment
        )
        told: list[Answer] = []
        for batch in batches(ids, _IN_ONE_CALL):
            answer = await place.call(
                "codedeploy", "BatchGetDeploymentTargets", deploymentId=self.deployment, targetIds=batch
            )
            told += answer.get("deploymentTargets") or []
        rows = await asyncio.to_thread(lambda: [_target(inner) for each in told for inner in _inside(each)])
        rows.sort(key=lambda row: (row.facts.get("status") != "Failed", row.facts.get("status") == "Succeeded"))
        link = (
            f"https://{console_host(place.region)}/codesuite/codedeploy/deployments/{quote(self.deployment, safe='')}"
        )
        more = f"only the first {_MOST} targets were read" if len(ids) >= _MOST else ""
        return self.table(
            place, rows, empty="the deployment has no targets yet", more=more, console=f"{link}?region={place.region}"
        )


def _inside(told: Answer) -> Iterator[Answer]:
    """The target itself, whichever kind it is of."""
    for kind in ("instanceTarget", "lambdaTarget", "ecsTarget", "cloudFormationTarget"):
        if told.get(kind):
            yield told[kind]


def _target(told: Answer) -> Row:
    events: list[Answer] = told.get("lifecycleEvents") or []
    failed: list[JsonValue] = [_failed_event(each) for each in events if each.get("status") == "Failed"]
    function: Answer = told.get("lambdaFunctionInfo") or {}
    sets: list[JsonValue] = [
        f"{each.get('status')}: {each.get('runningCount')} of {each.get('desiredCount')} running, "
        f"{each.get('trafficWeight')} % of traffic"
        for each in told.get("taskSetsInfo") or []
    ]
    return Row(
        name=str(told.get("targetId", "?")),
        at=told.get("lastUpdatedAt"),
        facts={
            "status": told.get("status"),
            "failed_events": failed or None,
            "last_event": _last_event(events),
            "label": told.get("instanceLabel"),
            "function_alias": function.get("functionAlias"),
            "versions": f"{function.get('currentVersion')} → {function.get('targetVersion')}" if function else None,
            "task_sets": sets or None,
        },
    )


def _failed_event(told: Answer) -> Json:
    diagnostics: Answer = told.get("diagnostics") or {}
    tail = str(diagnostics.get("logTail") or "").strip()
    found = {
        "event": told.get("lifecycleEventName"),
        "error_code": diagnostics.get("errorCode"),
        "script": diagnostics.get("scriptName"),
        "message": diagnostics.get("message"),
        "output": one_line(tail[-600:], 600) if tail else None,
    }
    return {name: value for name, value in found.items() if value}


def _last_event(events: list[Answer]) -> str | None:
    begun = [each for each in events if each.get("status") not in (None, "Pending")]
    return f"{begun[-1].get('lifecycleEventName')} {begun[-1].get('status')}" if begun else None


OPERATIONS = (Deployments, DeploymentTargets)
