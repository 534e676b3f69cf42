"""Where CloudTrail cannot be read whole: the moments of change that the services themselves keep, without a who."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told

_MOST = 300
_MOST_GROUPS = 4
_GROUP = "parameter group "


async def _tell(scene: Scene) -> Told:
    told = Told()
    work = [_queue(scene, each) for each in scene.of(R.sqs_queue)]
    work += [_stages(scene, each) for each in scene.of(R.api_gateway)]
    work += [_parameters(scene, group, users) for group, users in _groups(scene)]
    for part in await asyncio.gather(*work):
        if isinstance(part, CallFailed):
            told.failures += [] if part.kind == "missing" else [part]
        else:
            told.claims += part
    return told


def _groups(scene: Scene) -> list[tuple[str, list[Resource]]]:
    """The databases' own parameter groups, with who uses them."""
    users: dict[str, list[Resource]] = {}
    for resource, footing in scene.footings:
        if resource.type in (R.rds_instance, R.rds_cluster):
            for name, what in footing.things.items():
                if what == f"{_GROUP}{name}":
                    users.setdefault(name, []).append(resource)
    return list(users.items())[:_MOST_GROUPS]


async def _queue(scene: Scene, resource: Resource) -> list[Claim] | CallFailed:
    try:
        url = (await scene.place.call("sqs", "GetQueueUrl", QueueName=resource.name)).get("QueueUrl")
        answer = await scene.place.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    except CallFailed as failure:
        return failure
    stamp = str((answer.get("Attributes") or {}).get("LastModifiedTimestamp") or "")
    at = datetime.fromtimestamp(int(stamp), UTC) if stamp.isdecimal() else None
    return _claims(scene, [(at, "configuration", f"attributes of queue {resource.name} were set", "")], [resource])


async def _stages(scene: Scene, resource: Resource) -> list[Claim] | CallFailed:
    try:
        apis = await scene.place.gather("apigateway", "GetRestApis", "items", _MOST)
        id = next((each.get("id") for each in apis if each.get("name") == resource.name), None)
        if id is None:
            return []
        stages = (await scene.place.call("apigateway", "GetStages", restApiId=id)).get("item") or []
    except CallFailed as failure:
        return failure
    found: list[tuple[datetime | None, ChangeKind, str, str]] = [
        (
            each.get("lastUpdatedDate"),
            "deployment",
            f"stage {each.get('stageName')} of {resource.name} was set to deployment {each.get('deploymentId')}",
            "",
        )
        for each in stages
    ]
    return _claims(scene, found, [resource])


async def _parameters(scene: Scene, group: str, users: list[Resource]) -> list[Claim] | CallFailed:
    try:
        events = await scene.place.gather(
            "rds", "DescribeEvents", "Events", _MOST, SourceIdentifier=group, SourceType="db-parameter-group",
            StartTime=scene.window.start, EndTime=scene.window.end,
        )  # fmt: skip
    except CallFailed as failure:
        return failure
    found: list[tuple[datetime | None, ChangeKind, str, str]] = [
        (each.get("Date"), "configuration", f"{_GROUP}{group}: {each.get('Message')}", f"{_GROUP}{group}")
        for each in events
        if each.get("SourceIdentifier") in (group, None)
    ]
    return _claims(scene, found, users)


def _claims(
    scene: Scene, found: Iterable[tuple[datetime | None, ChangeKind, str, str]], users: Iterable[Resource]
) -> list[Claim]:
    """Of moments, kinds, summaries and what it goes through, those that lie in the window, for each user."""
    return [
        Claim(
            Change(at=utc(at), kind=kind, summary=one_line(said, 400), resource=user, through=through, reference=said),
            depth=2,
        )
        for at, kind, said, through in found
        if at is not None and scene.window.holds(utc(at))
        for user in users
    ]


SOURCE = Source(
    ("sqs.GetQueueAttributes", "apigateway.GetStages", "rds.DescribeEvents"),
    lambda scene: not scene.trail.whole and bool(scene.of(R.sqs_queue, R.api_gateway) or _groups(scene)),
    _tell,
)
