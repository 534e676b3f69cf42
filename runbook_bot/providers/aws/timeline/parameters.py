"""Parameters and secrets that a configuration refers to: when they were set or rotated, never their values."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.timeline.arn_names import arn_names, tail
from runbook_bot.providers.aws.timeline.claims import Claim
from runbook_bot.providers.aws.timeline.scene import Scene, Source, Told, absent

_MOST = 20


def _wanted(scene: Scene, what: str) -> list[str]:
    """The names of the parameters or secrets that the resources refer to."""
    names = [n for _, footing in scene.footings for n in footing.arns if footing.things.get(n) == f"{what} {n}"]
    return list(dict.fromkeys(names))[:_MOST]


async def _parameters(scene: Scene) -> Told:
    names = _wanted(scene, "parameter")
    asked = [{"Key": "Name", "Option": "Equals", "Values": names}]
    try:
        found = await scene.place.gather("ssm", "DescribeParameters", "Parameters", 50, ParameterFilters=asked)
    except CallFailed as failure:
        return Told(failures=absent(failure, scene))
    told = Told()
    for each in found:
        version, at = each.get("Version"), each.get("LastModifiedDate")
        for resource, thing in _users(scene, "parameter", str(each.get("Name") or "")):
            before = {"version": str(version - 1)} if isinstance(version, int) and version > 1 else {}
            summary = f"{thing}, used by {resource.name}, was set: version {version}"
            who = tail(each.get("LastModifiedUser"))
            after = {"version": str(version)}
            told.claims += _claim(scene, at, "configuration", summary, who, resource, thing, before, after)
    return told


async def _secrets(scene: Scene) -> Told:
    asked = [{"Key": "name", "Values": _wanted(scene, "secret")[:10]}]
    try:
        found = await scene.place.gather("secretsmanager", "ListSecrets", "SecretList", 100, Filters=asked)
    except CallFailed as failure:
        return Told(failures=absent(failure, scene))
    told = Told()
    for each in found:
        rotated, changed = each.get("LastRotatedDate"), each.get("LastChangedDate")
        turned = rotated is not None and scene.window.holds(utc(rotated))
        for resource, thing in _users(scene, "secret", str(each.get("Name") or "")):
            said = "was rotated" if turned else "was changed"
            summary = f"{thing}, used by {resource.name}, {said}"
            who = "Secrets Manager" if turned else ""
            told.claims += _claim(
                scene, rotated if turned else changed, "access", summary, who, resource, thing, {}, {}
            )
    return told


def _users(scene: Scene, what: str, name: str) -> Iterator[tuple[Resource, str]]:
    for resource, footing in scene.footings:
        thing = next((footing.things[n] for n in (name, *arn_names(name)) if n in footing.things), "")
        if name and thing.startswith(f"{what} "):
            yield resource, thing


def _claim(
    scene: Scene,
    at: datetime | None,
    kind: ChangeKind,
    summary: str,
    actor: str,
    resource: Resource,
    through: str,
    before: dict[str, str],
    after: dict[str, str],
) -> list[Claim]:
    if at is None or not scene.window.holds(utc(at)):
        return []
    told: dict[str, Any] = {"actor": actor, "resource": resource, "through": through, "before": before, "after": after}
    return [Claim(Change(at=utc(at), kind=kind, summary=summary, **told), depth=2)]


PARAMETERS = Source(("ssm.DescribeParameters",), lambda scene: bool(_wanted(scene, "parameter")), _parameters)
SECRETS = Source(("secretsmanager.ListSecrets",), lambda scene: bool(_wanted(scene, "secret")), _secrets)
