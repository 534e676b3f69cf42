"""CodeDeploy: deployments in the window, with their targets, how they ended, and what was rolled back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.differences import Fields
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.timeline.arn_names import arn_names
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_MOST = 25
"""Deployments that one call describes."""
_MOST_WITH_TARGETS = 6
_BEFORE = timedelta(hours=1)
"""A roll-out that began this long before the window may still have been under way in it."""
_BY_ITSELF = ("codeDeployRollback", "autoscaling", "codeDeployAutoUpdate")
_STEERED = (R.ecs_service, R.lambda_function, R.autoscaling_group, R.ec2_instance)


def _fits(scene: Scene) -> bool:
    """Only where CloudTrail tells of CodeDeploy, or tells nothing."""
    if not scene.of(*_STEERED):
        return False
    told = any(e.source == "codedeploy.amazonaws.com" or "CodeDeploy" in e.actor for e in scene.trail.events)
    return told or not scene.trail.whole


async def _tell(scene: Scene) -> Told:
    period = {"start": scene.window.start - _BEFORE, "end": scene.window.end}
    try:
        ids = await scene.place.gather("codedeploy", "ListDeployments", "deployments", _MOST, createTimeRange=period)
        if not ids:
            return Told()
        answer = await scene.place.call("codedeploy", "BatchGetDeployments", deploymentIds=ids)
    except CallFailed as failure:
        return Told(failures=absent(failure, scene))
    told = Told()
    deployments = sorted(answer.get("deploymentsInfo") or [], key=lambda each: _began(each, scene), reverse=True)
    for index, deployment in enumerate(deployments):
        targets: list[Answer] = []
        if index < _MOST_WITH_TARGETS:
            try:
                targets = await _targets(scene, str(deployment.get("deploymentId")))
            except CallFailed as failure:
                told.failures += absent(failure, scene)
        told.claims += _claims(scene, deployment, targets)
    return told


async def _targets(scene: Scene, id: str) -> list[Answer]:
    ids = await scene.place.gather("codedeploy", "ListDeploymentTargets", "targetIds", _MOST, deploymentId=id)
    if not ids:
        return []
    answer = await scene.place.call("codedeploy", "BatchGetDeploymentTargets", deploymentId=id, targetIds=ids)
    found: list[Answer] = answer.get("deploymentTargets") or []
    return [inner for each in found for inner in each.values() if isinstance(inner, dict)]


def _began(deployment: Answer, scene: Scene) -> datetime:
    at = deployment.get("startTime") or deployment.get("createTime")
    return utc(at) if at is not None else scene.window.start


def _claims(scene: Scene, deployment: Answer, targets: Sequence[Answer]) -> list[Claim]:
    at = _began(deployment, scene)
    until = utc(deployment["completeTime"]) if deployment.get("completeTime") else scene.now
    if until < scene.window.start or at >= scene.window.end:
        return []
    id = str(deployment.get("deploymentId"))
    actor, reference = _who(scene, deployment, id)
    before, after = _versions(targets)
    return [
        Claim(
            Change(
                at=at,
                kind="deployment",
                summary=one_line(_summary(deployment, id, targets), 300),
                actor=actor,
                resource=resource,
                before=before,
                after=after,
                reference=reference,
            ),
            depth=1,
            until=until,
        )
        for resource in _deployed_to(scene, deployment, targets)
    ]


def _who(scene: Scene, deployment: Answer, id: str) -> tuple[str, str]:
    """The actor, and the ids under which the deployment is known."""
    if deployment.get("creator") in _BY_ITSELF:
        return "CodeDeploy", id
    event = next((e for e in scene.trail.events if e.answer.get("deploymentId") == id), None)
    return (event.actor, f"{id}, {event.id}") if event is not None else ("", id)


def _deployed_to(scene: Scene, deployment: Answer, targets: Sequence[Answer]) -> list[Resource]:
    names = {name for each in targets for name in arn_names(str(each.get("targetArn") or ""))}
    names |= {str((each.get("lambdaFunctionInfo") or {}).get("functionName") or "") for each in targets}
    names |= {str(each.get("targetId") or "").rpartition(":")[2] for each in targets}
    if not targets:
        names = {str(deployment.get(name) or "") for name in ("applicationName", "deploymentGroupName")}
    groups = {str(each) for each in (deployment.get("targetInstances") or {}).get("autoScalingGroups") or []}
    return [each for each in scene.of(*_STEERED) if each.name in names | groups]


def _versions(targets: Sequence[Answer]) -> tuple[Fields, Fields]:
    """Of a function, the version before and after."""
    for each in targets:
        told = each.get("lambdaFunctionInfo") or {}
        if told.get("targetVersion"):
            return {"version": str(told.get("currentVersion") or "")}, {"version": str(told["targetVersion"])}
    return {}, {}


def _summary(deployment: Answer, id: str, targets: Sequence[Answer]) -> str:
    group = "/".join(str(deployment.get(k)) for k in ("applicationName", "deploymentGroupName") if deployment.get(k))
    rollback = deployment.get("rollbackInfo") or {}
    said = f"CodeDeploy {id} of {group}: {deployment.get('status', 'unknown')}"
    if rollback.get("rollbackTriggeringDeploymentId"):
        said += f", rolls back {rollback['rollbackTriggeringDeploymentId']}"
    elif rollback.get("rollbackDeploymentId"):
        said += f", rolled back by {rollback['rollbackDeploymentId']}"
    if rollback.get("rollbackMessage"):
        said += f" ({rollback['rollbackMessage']})"
    error = deployment.get("errorInformation") or {}
    if error.get("message"):
        said += f"; {error.get('code', '')}: {error['message']}"
    failed = [str(each.get("targetId")) for each in targets if each.get("status") == "Failed"]
    return said + (f"; {len(failed)} of {len(targets)} targets failed" if failed else "")


SOURCE = Source(
    (
        "codedeploy.ListDeployments",
        "codedeploy.BatchGetDeployments",
        "codedeploy.ListDeploymentTargets",
        "codedeploy.BatchGetDeploymentTargets",
    ),
    _fits,
    _tell,
)
