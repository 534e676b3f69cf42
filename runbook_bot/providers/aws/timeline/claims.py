"""Several accounts of one change made into one: what from who knows it best, who from who saw it done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.providers.aws.cloudtrail import TrailEvent
from runbook_bot.providers.aws.differences import told
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.timeline.actors import by_itself
from runbook_bot.providers.aws.timeline.requests import phrase

SAME = timedelta(minutes=2)
"""Within this time two sources that tell of a change of one resource tell of the same one."""
_JOINED = frozenset({"deployment", "configuration", "other"})
_SUMMARY = 400
_MOST_ALSO = 30
"""Others that a change is said to touch: a journal holds each of them with each change."""


@dataclass(frozen=True)
class Claim:
    """One source's account of a change."""

    change: Change
    depth: int
    """How well the source knows what was changed: 0 CloudTrail, 1 what steers a roll-out, 2 the service itself."""
    until: datetime | None = None
    """When it was over, for what takes a while."""

    @property
    def end(self) -> datetime:
        return self.until or self.change.at


def trail_claim(event: TrailEvent, resource: Resource, through: str) -> Claim:
    """CloudTrail's account of an event about that resource."""
    found = event.changed
    said = phrase(found, told)
    place = f"{through}, used by {resource.name}" if through else resource.name
    return Claim(
        Change(
            at=event.at,
            kind=event.kind,
            summary=one_line(f"{event.name} on {place}" + (f": {said}" if said else ""), _SUMMARY),
            actor=event.actor,
            resource=resource,
            before=found.before,
            after=found.after,
            reference=event.id,
            through=through,
            automatic=event.kind == "scaling" and event.actor.endswith("Auto Scaling"),
        ),
        depth=0,
    )


def joined(claims: Iterable[Claim]) -> list[Change]:
    """Each change once. Two accounts of one source are two changes; a person's name is kept before a service's."""
    kept: list[Claim] = []
    deep: dict[str, list[int]] = {}  # where those stand that another account may belong to, by the resource
    for claim in sorted(claims, key=lambda each: (-each.depth, each.change.at)):
        key = claim.change.resource.key if claim.change.resource else ""
        fitting = [i for i in deep.get(key, ()) if kept[i].depth > claim.depth and _same(kept[i], claim)]
        if not fitting:
            if claim.depth:
                deep.setdefault(key, []).append(len(kept))
            kept.append(claim)
            continue
        index = min(fitting, key=lambda i: abs(kept[i].change.at - claim.change.at))
        kept[index] = _merged(kept[index], claim)
    return [each.change for each in kept]


def _same(deep: Claim, other: Claim) -> bool:
    mine, theirs = deep.change, other.change
    if mine.resource is None or theirs.resource is None or mine.resource.key != theirs.resource.key:
        return False
    if mine.through != theirs.through:
        return False
    kinds = {mine.kind, theirs.kind}
    alike = kinds <= _JOINED or (len(kinds) == 1 and _agree(mine, theirs))
    start, end = min(mine.at, theirs.at), max(mine.at, theirs.at)
    near = end - start <= SAME
    within = mine.at - SAME <= theirs.at <= deep.end + SAME or theirs.at - SAME <= mine.at <= other.end + SAME
    return alike and (near or within)


def _agree(mine: Change, theirs: Change) -> bool:
    """Whether two accounts name no different values."""
    return all(theirs.after.get(name, value) == value for name, value in mine.after.items())


def _merged(deep: Claim, other: Claim) -> Claim:
    mine, theirs = deep.change, other.change
    named = {name: value for name, value in theirs.after.items() if name not in mine.after}
    earlier = {name: value for name, value in theirs.before.items() if name not in mine.before}
    references = [part for each in (mine, theirs) for part in each.reference.split(", ") if part]
    summary = mine.summary
    if other.depth == 1 and theirs.summary:
        summary = one_line(f"{mine.summary} ({theirs.summary})", _SUMMARY)
    change = mine.model_copy(
        update={
            "at": theirs.at if other.depth == 0 else min(mine.at, theirs.at),
            "kind": _kind(mine, theirs),
            "summary": summary,
            "actor": mine.actor if by_itself(theirs.actor) and mine.actor else theirs.actor,
            "before": {**mine.before, **earlier},
            "after": {**mine.after, **named},
            "reference": ", ".join(dict.fromkeys(references)),
            "automatic": mine.automatic or theirs.automatic,
        }
    )
    return replace(deep, change=change, until=max(deep.end, other.end))


def _kind(mine: Change, theirs: Change) -> str:
    """Where there was nothing to compare with, the other account says whether it was code or configuration."""
    if mine.before or mine.after or theirs.kind == "other":
        return mine.kind
    return "deployment" if "deployment" in (theirs.kind, mine.kind) else theirs.kind


def once(changes: Sequence[Change]) -> list[Change]:
    """One event may be about several resources: it is told once, of the one that was changed itself if there is one."""
    same: dict[tuple[str, str], list[Change]] = {}
    for index, each in enumerate(changes):
        same.setdefault((each.reference or str(index), each.at.isoformat()), []).append(each)
    kept = [_of_all(each) for each in same.values()]
    return sorted(kept, key=lambda each: each.at)


def _of_all(told: Sequence[Change]) -> Change:
    chosen = next((each for each in told if not each.through), told[0])
    others = {e.resource.key: e.resource for e in told if e.resource is not None and e.resource != chosen.resource}
    return chosen.model_copy(update={"also": tuple(others.values())[:_MOST_ALSO]}) if others else chosen
