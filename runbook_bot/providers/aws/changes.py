"""The change timeline: what each service tells of its own changes, joined with CloudTrail's who."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Change
from runbook_bot.domain.tools import ListChanges, Result, Status
from runbook_bot.domain.vocabulary import ResourceType as R
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, gaps, worst
from runbook_bot.providers.aws.cloudtrail import LAG, Trail, read_global, read_trail
from runbook_bot.providers.aws.console import changes_link
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place, asked
from runbook_bot.providers.aws.related import Footing, footing_of
from runbook_bot.providers.aws.timeline.claims import Claim, joined, once, trail_claim
from runbook_bot.providers.aws.timeline.earlier import with_earlier
from runbook_bot.providers.aws.timeline.matching import through
from runbook_bot.providers.aws.timeline.sources import SOURCES, Scene, Told
from runbook_bot.providers.aws.timeline.widening import widened

SOURCE = "aws.changes"
_MOST = 200
_NAMED = 8
_QUIET = (R.log_group, R.alarm, R.metric)
"""Types whose changes rarely matter: not worth a look-up of their own."""
_PASSIVE = ("subnet", "cluster", "target group", "load balancer")
"""Things that are rarely changed, or whose changes name the resource too."""


async def list_changes(place: Place, query: ListChanges, now: datetime) -> Result:
    resources = query.resources
    footings = await asyncio.gather(*(footing_of(place, each) for each in resources))
    shared = [name for each in footings for name, what in each.things.items() if not what.startswith(_PASSIVE)]
    names = [each.name for each in resources if each.type not in _QUIET]
    trail, elsewhere = await asyncio.gather(
        read_trail(place, query.window, names, shared), _global(place, query, footings)
    )
    events = Trail(
        tuple(sorted((*trail.events, *elsewhere.events), key=lambda each: each.at)),
        (*trail.failures, *elsewhere.failures),
        trail.unread,
    )
    pairs = list(zip(resources, await widened(place, resources, footings, events), strict=True))
    scene = Scene(place, query.window, tuple(pairs), events, now)
    claims = await asyncio.to_thread(_seen, scene)
    own, seen = await asyncio.gather(_told(scene), with_earlier(place, claims))
    changes = await asyncio.to_thread(lambda: once(joined([*own.claims, *seen])))
    failures = [*events.failures, *own.failures]
    answered = bool(own.claims) or own.answered or trail.answered
    return _result(scene, query, changes, failures, answered=answered)


async def _global(place: Place, query: ListChanges, footings: Sequence[Footing]) -> Trail:
    """IAM and Route 53, where anything of theirs is stood on and this is another region than theirs."""
    if not any(each.roles or each.hosts for each in footings):
        return Trail(())
    return await read_global(place, query.window)


def _seen(scene: Scene) -> list[Claim]:
    """What CloudTrail tells of the resources; each event is held against each resource, so this is work."""
    found = []
    for resource, footing in scene.footings:
        for event in scene.trail.events:
            place = through(event, resource, footing)
            if place is not None:
                found.append(trail_claim(event, resource, place))
    return found


async def _told(scene: Scene) -> Told:
    """What every other source tells, all asked at the same time."""
    parts = await asyncio.gather(*(source.tell(scene) for source in SOURCES if source.fits(scene)))
    return Told(
        [claim for part in parts for claim in part.claims],
        [failure for part in parts for failure in part.failures],
        answered=any(part.answered for part in parts),
    )


def _result(
    scene: Scene, query: ListChanges, changes: Sequence[Change], failures: Sequence[CallFailed], *, answered: bool
) -> Result:
    kept, left = _nearest(changes, query.window)
    told = [] if changes else ["no change was found in this window"]
    if left:
        told.append(f"{left} more changes, farther from the onset, are left out; narrow the window to see them")
    if scene.trail.unread:
        told.append(scene.trail.unread)
    if failures:
        told.append(f"not seen: {gaps(failures)}")
    if changes or answered:
        whole = not failures and not left and not scene.trail.unread
        status = Status.truncated if not whole else Status.ok if changes else Status.no_data
    else:
        status = worst(failures)
    return Result(
        status=status,
        source=SOURCE,
        asked=_asked(scene),
        where=f"changes of {_names(scene)} in {scene.place.name}, {between(query.window)}{_lag(scene)}",
        message="; ".join(told),
        changes=tuple(kept),
        console=changes_link(scene.place.region),
    )


def _nearest(changes: Sequence[Change], window: TimeWindow) -> tuple[list[Change], int]:
    """The changes in order of time; of too many, those nearest to the onset, or to the end where it is not known."""
    if len(changes) <= _MOST:
        return list(changes), 0
    moment = window.onset or window.end
    grace = timedelta(minutes=3)

    def distance(change: Change) -> tuple[bool, bool, float]:
        return change.at > moment + grace, bool(change.through), abs((moment - change.at).total_seconds())

    kept = sorted(changes, key=distance)[:_MOST]
    return sorted(kept, key=lambda each: each.at), len(changes) - _MOST


def _names(scene: Scene) -> str:
    names = [f"{each.type} {each.name}" for each in scene.resources]
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _lag(scene: Scene) -> str:
    """CloudTrail is late; what it does not list yet may still have happened."""
    late = scene.now - LAG
    if scene.window.end <= late or scene.window.start > scene.now:
        return ""
    return f" (CloudTrail lags by up to 15 minutes: what was made after {late:%H:%M} UTC may be missing from it)"


def _asked(scene: Scene) -> Json:
    trail = asked(
        "cloudtrail",
        "LookupEvents",
        {
            "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            "StartTime": scene.window.start,
            "EndTime": scene.window.end,
        },
    )
    calls: list[JsonValue] = [trail, *(call for source in SOURCES if source.fits(scene) for call in source.calls)]
    return {"calls": calls, "resources": [each.key for each in scene.resources]}
