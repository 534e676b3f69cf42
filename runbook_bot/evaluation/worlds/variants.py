"""The same fault under harder conditions: fainter, with holes in the data, beside innocent changes, long ago."""

from collections.abc import Callable
from datetime import timedelta

from runbook_bot.evaluation.worlds.story import Family, Story
from runbook_bot.evaluation.worlds.town import DURATION, FAILED, Json

STRENGTHS = {"faint": 0.45, "loud": 1.8}
"""Variants that scale every effect."""
VARIANTS = (
    "plain",
    "deploy-before",
    "gaps",
    "loud",
    "deploy-after",
    "unmapped",
    "recovered",
    "missing",
    "faint",
    "denied",
    "past",
    "two",
)
_LATER = timedelta(hours=4)
"""How much longer ago a past incident was."""
_DENIED = (("cloudtrail:*",), ("ecs:ListTasks", "ecs:DescribeTasks"), ("logs:*",), ("elasticloadbalancing:*",))


def fitting(family: Family) -> list[str]:
    """The variants that leave a family what it is."""
    return [name for name in VARIANTS if name not in family.unfit]


BARE = ("deploy-errors", "rare-data", "name-unknown", "setting-task", "policy-cut", "partner-down")
"""Families that are also asked about with nothing left to be found."""


def vary(story: Story, variant: str) -> None:
    change = _CHANGES.get(variant)
    if change is not None:
        change(story)


def _innocent(story: Story, minutes: float) -> None:
    """A deployment of a service that has no part in it."""
    town = story.town
    town.deploy(town.bystander, minutes, by=town.person)


def _deploy_before(story: Story) -> None:
    _innocent(story, story.town.onset + story.town.dice.between(2, 8))


def _deploy_after(story: Story) -> None:
    """Somebody rolled out something when it already hurt; of the edge itself, as one does in despair."""
    town = story.town
    edge = next(iter(town.services))
    town.deploy(edge, town.onset - town.dice.between(3, 7), by=town.person)


def _gaps(story: Story) -> None:
    """Minutes without a data point, before and after the onset, in what the alarm is about and elsewhere."""
    town = story.town
    for effect in town.effects:
        if town.dice.likely(0.6):
            begin = town.dice.whole(3, int(town.onset) + 25)
            story.silences.append(_silence(effect, f"-{begin}m", f"{town.dice.whole(2, 5)}m"))


def _missing(story: Story) -> None:
    """A third of the metrics that would have told of it are not collected; the alarm's own is."""
    town = story.town
    kept = (story.alarm["of"], story.alarm["metric"])
    moved = {(e["of"], e["metric"]): e for e in town.effects if (e["of"], e["metric"]) != kept}
    names = sorted(moved)
    for key in town.dice.some(names, len(names) // 3):
        story.silences.append({"of": key[0], "metric": key[1]})


def _silence(effect: Json, at: str, lasts: str) -> Json:
    return {"of": effect["of"], "metric": effect["metric"], "at": at, "lasts": lasts}


def _recovered(story: Story) -> None:
    town = story.town
    over = town.dice.whole(4, 7)
    story.fault |= {"lasts": f"{int(town.onset - over) * 60}s", "recovery": "30s"}


def _past(story: Story) -> None:
    """It was hours ago, it went away, and somebody asks about then."""
    town = story.town
    lasted = int(town.onset)
    story.fault |= {"lasts": story.fault.get("lasts", f"{lasted}m"), "recovery": "60s"}
    later = _LATER.total_seconds()
    for change in town.changes:
        change["at"] = f"-{int(float(change['at'][1:-1]) + later)}s"
    for blip in story.blips:
        blip["at"] = f"-{int(float(blip['at'][1:-1]) * 60 + later)}s"
    town.onset += later / 60
    story.more |= {"history": "7h"}


def _denied(story: Story) -> None:
    story.deny += story.town.dice.any(_DENIED)


def _two(story: Story) -> None:
    """Somewhere else something else is wrong, a little, and since another time."""
    town = story.town
    other = town.bystander
    town.fails(other, 0.02, delay="4m")
    text = "job <id> skipped: partner file is late"
    town.says(other, text, rate=6, level="WARN", delay="4m")


def _scant(story: Story) -> None:
    """Nothing is left but an alarm on the edge: what was wrong cannot be known from here."""
    town = story.town
    edge = next(iter(town.services))
    kept = (f"target_group:{edge}", FAILED)
    town.changes.clear()
    town.logs.clear()
    town.happenings.clear()
    named = {(e["of"], e["metric"]): e for e in town.effects}
    story.silences += [{"of": of, "metric": metric} for of, metric in sorted(named) if (of, metric) != kept]
    usual = [("CPUUtilization", "ecs_service"), ("MemoryUtilization", "ecs_service"), (DURATION, "target_group")]
    story.silences += [{"of": f"{kind}:{n}", "metric": m} for n in town.names[:1] for m, kind in usual]
    story.answerable = False


_CHANGES: dict[str, Callable[[Story], None]] = {
    "deploy-before": _deploy_before,
    "deploy-after": _deploy_after,
    "gaps": _gaps,
    "missing": _missing,
    "recovered": _recovered,
    "past": _past,
    "denied": _denied,
    "two": _two,
    "scant": _scant,
}
