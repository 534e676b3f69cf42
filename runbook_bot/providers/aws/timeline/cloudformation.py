"""CloudFormation: what updates of stacks did to the resources, and why they were rolled back."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer
from runbook_bot.providers.aws.timeline.arn_names import arn_names
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.documents import pick
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_SOURCE = "cloudformation.amazonaws.com"
_MOST_STACKS = 4
_MOST_LISTED = 300
_MOST_EVENTS = 500
_SETTLING = timedelta(hours=2)
"""An update that began this long before the window may still have touched things in it."""
_KINDS: dict[str, ChangeKind] = {
    "AWS::ECS::Service": "deployment",
    "AWS::ECS::TaskDefinition": "deployment",
    "AWS::Lambda::Function": "deployment",
    "AWS::Lambda::Version": "deployment",
    "AWS::Lambda::Alias": "deployment",
    "AWS::EC2::SecurityGroup": "network",
    "AWS::IAM::Role": "access",
    "AWS::IAM::Policy": "access",
    "AWS::IAM::ManagedPolicy": "access",
    "AWS::Route53::RecordSet": "network",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scaling",
    "AWS::Events::Rule": "schedule",
}


def _fits(scene: Scene) -> bool:
    """Only where CloudTrail tells of stacks, or of what was done for them, or tells nothing."""
    told = any(e.source == _SOURCE or e.actor.endswith("CloudFormation") for e in scene.trail.events)
    return bool(scene.resources) and (told or not scene.trail.whole)


async def _tell(scene: Scene) -> Told:
    try:
        stacks = await _stacks(scene)
    except CallFailed as failure:
        return Told(failures=absent(failure, scene))
    told = Told()
    parts = await asyncio.gather(*(_of_stack(scene, stack) for stack in stacks[:_MOST_STACKS]))
    for part in parts:
        if isinstance(part, CallFailed):
            told.failures += absent(part, scene)
        else:
            told.claims += part
    return told


async def _stacks(scene: Scene) -> list[str]:
    """Names of the stacks that were changed in the window."""
    named = [pick(event.parameters, "stackName") for event in scene.trail.events if event.source == _SOURCE]
    names = [next(iter(arn_names(str(each))), str(each)) for each in named if each]
    if names:
        return list(dict.fromkeys(reversed(names)))
    listed = await scene.place.gather("cloudformation", "DescribeStacks", "Stacks", _MOST_LISTED)
    recent = [
        each
        for each in listed
        if (at := each.get("LastUpdatedTime") or each.get("CreationTime"))
        and scene.window.start - _SETTLING <= utc(at) < scene.window.end
    ]
    return [str(each.get("StackName")) for each in recent]


async def _of_stack(scene: Scene, stack: str) -> list[Claim] | CallFailed:
    events: list[Answer] = []
    try:
        async for page in scene.place.pages("cloudformation", "DescribeStackEvents", StackName=stack):
            events += page.get("StackEvents") or []
            oldest = events[-1].get("Timestamp") if events else None
            if len(events) >= _MOST_EVENTS or (oldest and utc(oldest) < scene.window.start - _SETTLING):
                break
    except CallFailed as failure:
        if not events:
            return failure
    events = [each for each in events if each.get("Timestamp")]
    events.sort(key=lambda each: utc(each["Timestamp"]))
    found: list[Claim] = []
    for physical in dict.fromkeys(str(each.get("PhysicalResourceId") or "") for each in events):
        mine = [each for each in events if each.get("PhysicalResourceId") == physical]
        for name in [physical, *arn_names(physical)]:
            for resource, through in scene.named(name) if name else ():
                found += _claims(scene, stack, resource, through, mine, _reason(events))
    return list({(c.change.reference, c.change.resource and c.change.resource.key): c for c in found}.values())


def _reason(events: Sequence[Answer]) -> str:
    """What failed first, where the update was rolled back."""
    if not any("ROLLBACK" in str(each.get("ResourceStatus")) for each in events):
        return ""
    failed = [e for e in events if str(e.get("ResourceStatus")).endswith("_FAILED") and e.get("ResourceStatusReason")]
    return f"{failed[0].get('LogicalResourceId')}: {failed[0]['ResourceStatusReason']}" if failed else ""


def _claims(
    scene: Scene, stack: str, resource: Resource, through: str, events: Sequence[Answer], reason: str
) -> list[Claim]:
    """One for each time that the resource was worked on: from IN_PROGRESS to its end."""
    found: list[Claim] = []
    began: Answer | None = None
    for event in events:
        status = str(event.get("ResourceStatus"))
        if status.endswith("IN_PROGRESS") and began is None:
            began = event
        elif status.endswith(("_COMPLETE", "_FAILED")) and not status.endswith("CLEANUP_COMPLETE"):
            found += _claim(scene, stack, resource, through, began or event, event, reason)
            began = None
    if began is not None:
        found += _claim(scene, stack, resource, through, began, began, reason)
    return found


def _claim(
    scene: Scene, stack: str, resource: Resource, through: str, began: Answer, ended: Answer, reason: str
) -> list[Claim]:
    at, until = utc(began["Timestamp"]), utc(ended["Timestamp"])
    if not scene.window.holds(at):
        return []
    type, status = str(ended.get("ResourceType")), str(ended.get("ResourceStatus"))
    why = str(ended.get("ResourceStatusReason") or "") if status.endswith("_FAILED") else ""
    said = f"CloudFormation stack {stack}: {type} {ended.get('LogicalResourceId')} {status}"
    if why or "ROLLBACK" in status or reason:
        said += f" ({why or 'rolled back because of ' + reason if reason or why else 'rolled back'})"
    if through:
        said += f", {through}, used by {resource.name}"
    actor, event = _who(scene, stack, began)
    change = Change(
        at=at,
        kind=_KINDS.get(type, "configuration"),
        summary=one_line(said, 400),
        actor=actor,
        resource=resource,
        reference=", ".join(part for part in (str(began.get("EventId") or ""), event) if part),
        through=through,
    )
    return [Claim(change, depth=1, until=until)]


def _who(scene: Scene, stack: str, began: Answer) -> tuple[str, str]:
    """Whoever last had the stack changed before that, and the id of that call."""
    at = utc(began["Timestamp"])
    calls = [e for e in scene.trail.events if e.source == _SOURCE and stack in e.names and e.at <= at]
    return (calls[-1].actor, calls[-1].id) if calls else ("CloudFormation", "")


SOURCE = Source(("cloudformation.DescribeStacks", "cloudformation.DescribeStackEvents"), _fits, _tell)
