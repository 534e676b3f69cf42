"""ECS deployments as changes: which revision followed which, and in what the two differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.cloudtrail import TrailEvent
from runbook_bot.providers.aws.differences import compared, kind_of, told
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.task_definitions import (
    Revision,
    family_and_number,
    read_revision,
    revision_before,
    revisions_of,
    short_name,
)


@dataclass(frozen=True)
class Release:
    """A revision that began to run in a service."""

    at: datetime
    revision: str
    reference: str
    actor: str = ""


async def service_changes(
    place: Place, resource: Resource, window: TimeWindow, trail: Sequence[TrailEvent], *, whole: bool
) -> tuple[list[Change], list[CallFailed]]:
    """What was rolled out in the window.

    trail: the write events about this service.
    whole: whether these are all; else what was registered in the window is taken for rolled out.
    """
    try:
        service = await read_service(place, resource)
    except CallFailed as failure:
        return [], [failure]
    current = str(service.get("taskDefinition", ""))
    family = family_and_number(current)[0]
    failures: list[CallFailed] = []
    try:
        revisions = [] if whole else await revisions_of(place, family)
    except CallFailed as failure:
        failures.append(failure)
        revisions = []
    releases = releases_of(service, trail, family)
    known = {each.revision for each in releases if window.holds(each.at)}
    assumed = [
        Release(utc(each.registered_at), each.name, each.name, each.registered_by.rpartition("/")[2])
        for each in revisions
        if each.registered_at is not None and each.name not in known and window.holds(utc(each.registered_at))
    ]
    changes: list[Change] = []
    for release in sorted([*(r for r in releases if window.holds(r.at)), *assumed], key=lambda each: each.at):
        earlier = [each for each in releases if each.at < release.at]
        try:
            changes.append(await _change(place, resource, release, earlier, current, release in assumed))
        except CallFailed as failure:
            failures.append(failure)
    return changes, failures


def releases_of(service: Answer, trail: Sequence[TrailEvent], family: str) -> list[Release]:
    """Every release that is known of, oldest first; each deployment once."""
    found = [
        Release(each.at, short_name(str(each.parameters["taskDefinition"])), each.id, each.actor)
        for each in trail
        if each.name in ("UpdateService", "CreateService") and each.parameters.get("taskDefinition")
    ]
    # services that CodeDeploy rolls out have task sets instead of deployments
    for deployment in service.get("deployments") or service.get("taskSets") or []:
        at, name = deployment.get("createdAt"), short_name(str(deployment.get("taskDefinition", "")))
        if at is None or not name:
            continue
        id = str(deployment.get("id", ""))
        same = [i for i, r in enumerate(found) if r.revision == name and abs((r.at - at).total_seconds()) <= 120]
        if same:
            found[same[0]] = replace(found[same[0]], reference=f"{found[same[0]].reference}, {id}")
        else:
            found.append(Release(utc(at), name, id))
    numbered = [each for each in found if family_and_number(each.revision)[1] is not None]
    return sorted((each for each in numbered if each.revision.startswith(f"{family}:")), key=lambda each: each.at)


async def _change(
    place: Place, resource: Resource, release: Release, earlier: Sequence[Release], current: str, assumed: bool
) -> Change:
    revision = await read_revision(place, release.revision)
    before = await _before(place, revision, earlier)
    if before is None:
        summary = f"{resource.name}: {revision.name} is the first revision that can be read"
        return _made(resource, release, summary, {}, {"image": revision.image}, kind="deployment")
    if before.name == revision.name:
        summary = f"{resource.name}: all tasks replaced, same revision {revision.name}"
        return _made(resource, release, summary, {}, {}, kind="other")
    old, new = compared(before.fields, revision.fields)
    names = {"task_definition": before.name}, {"task_definition": revision.name}
    unused = assumed and revision.number > (family_and_number(current)[1] or revision.number)
    note = " (registered; it is not what runs now, and no deployment of it is known)" if unused else ""
    summary = f"{resource.name} {before.name} → {revision.name}: {told(old, new) or 'no difference'}{note}"
    kind = "other" if unused and not (old or new) else kind_of({**old, **new})
    return _made(resource, release, summary, {**names[0], **old}, {**names[1], **new}, kind=kind)


async def _before(place: Place, revision: Revision, earlier: Sequence[Release]) -> Revision | None:
    """What ran before: the release before this one where it is known, else the next lower revision."""
    if earlier:
        try:
            return await read_revision(place, earlier[-1].revision)
        except CallFailed as failure:
            if failure.kind != "missing":
                raise
    return await revision_before(place, revision)


def _made(
    resource: Resource, release: Release, summary: str, old: dict[str, str], new: dict[str, str], *, kind: str
) -> Change:
    return Change.model_validate(
        {
            "at": release.at,
            "kind": kind,
            "summary": summary,
            "actor": release.actor,
            "resource": resource,
            "before": old,
            "after": new,
            "reference": release.reference,
        }
    )
