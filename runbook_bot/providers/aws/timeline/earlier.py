"""What a setting was before it was changed: what the call before that one, up to ninety days ago, had set it to."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from runbook_bot.domain.observation import Change
from runbook_bot.providers.aws.cloudtrail import TrailEvent, read_about
from runbook_bot.providers.aws.differences import Fields, told
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.timeline.claims import Claim

_MOST = 2
"""Look-ups for one question; CloudTrail allows two a second."""
_KINDS = ("configuration", "scaling", "access", "network")


async def with_earlier(place: Place, seen: Sequence[Claim]) -> list[Claim]:
    """The same claims, the newest of those that only say what something was set to with what it was before."""
    asking: dict[str, Claim] = {}
    for each in seen:
        if _unknown(each):
            asking.setdefault(each.change.reference, each)  # of several resources the first: of it the change is told
    chosen = sorted(asking.values(), key=lambda each: each.change.at)[-_MOST:]
    found = dict(zip(map(id, chosen), await asyncio.gather(*(_filled(place, each) for each in chosen)), strict=True))
    return [found.get(id(each), each) for each in seen]


def _unknown(claim: Claim) -> bool:
    change = claim.change
    added = ": added " in change.summary
    return bool(change.after) and not change.before and change.kind in _KINDS and not added


def _subject(claim: Claim) -> str:
    """`orders-db`, or the last word of `security group sg-1`."""
    change = claim.change
    return change.through.removesuffix(" (by its name)").rpartition(" ")[2] if change.through else _name(change)


def _name(change: Change) -> str:
    return change.resource.name if change.resource else ""


async def _filled(place: Place, claim: Claim) -> Claim:
    change = claim.change
    event = change.summary.partition(" ")[0]
    try:
        events = await read_about(place, _subject(claim), change.at)
    except CallFailed:
        return claim  # what it was before stays unknown; what was changed is told all the same
    before = _before(change, event, events)
    if not before:
        return claim
    old = {name: value for name, value in before.items() if value != change.after.get(name)}
    new = {name: value for name, value in change.after.items() if before.get(name) != value}
    head = change.summary.partition(": ")[0]
    said = told(old, new) or "the same as before"
    update = {"before": old, "after": new or change.after, "summary": one_line(f"{head}: {said}", 400)}
    return replace(claim, change=change.model_copy(update=update))


def _before(change: Change, event: str, events: Sequence[TrailEvent]) -> Fields:
    """The last known value of each field, from earlier calls of the same name."""
    found: Fields = {}
    for each in events:
        if each.name == event and each.id != change.reference:
            for name, value in each.changed.after.items():
                if name in change.after:
                    found.setdefault(name, value)
    return found
