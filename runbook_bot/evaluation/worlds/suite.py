"""The suite: which families in which variants with which seeds, and which of them nobody looks at.

Split in two ways at once. Failure modes drawn by lot are in the unseen part alone, with all their families; of the
others, each part has worlds of its own with other seeds, other names, other programming languages and other wordings.
"""

import random
from collections.abc import Iterator
from datetime import timedelta

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds import compute, habits, limits, network, releases, stores  # noqa: F401  # they enter
from runbook_bot.evaluation.worlds.case import Case
from runbook_bot.evaluation.worlds.dice import Dice, Part
from runbook_bot.evaluation.worlds.story import FAMILIES, Accepted, Family, Story
from runbook_bot.evaluation.worlds.town import Json, Town
from runbook_bot.evaluation.worlds.variants import BARE, STRENGTHS, fitting, vary

SEED = 2611
"""The suite's own; another one gives other worlds of the same kinds."""
_LOT = 77
"""Drawn once; which modes are held out does not depend on the seed of the worlds."""
_HELD_OUT = 10
_COMMON = (FailureMode.none, FailureMode.bad_deployment, FailureMode.configuration_change)
"""Too common in practice to be missing from either part."""
_PER_FAMILY = {Part.seen: 3, Part.unseen: 2}
_PER_HELD_OUT_FAMILY = 4


def held_out() -> frozenset[FailureMode]:
    """Failure modes of which no world is in the seen part."""
    modes = sorted({each.mode for each in FAMILIES.values()} - set(_COMMON))
    return frozenset(random.Random(_LOT).sample(modes, _HELD_OUT))  # noqa: S311  # a lot that can be drawn again


def suite(part: Part | None = None, *, seed: int = SEED, limit: int | None = None) -> list[Case]:
    """The cases of a part, or of both; with a limit, that many of them, spread evenly over the families."""
    found = [each for one in Part if part in (None, one) for each in _cases(one, seed)]
    if limit is None or limit >= len(found):
        return found
    order = list(range(len(found)))
    random.Random(seed).shuffle(order)  # noqa: S311  # a sample that can be drawn again
    return [found[index] for index in sorted(order[: max(limit, 0)])]


def _cases(part: Part, seed: int) -> Iterator[Case]:
    hidden = held_out()
    for number, (name, family) in enumerate(sorted(FAMILIES.items())):
        if part is Part.seen and family.mode in hidden:
            continue
        times = _PER_HELD_OUT_FAMILY if family.mode in hidden else _PER_FAMILY[part]
        variants = fitting(family)
        first = number * 5 + (0 if part is Part.seen else 2)
        chosen = [variants[(first + turn * 3) % len(variants)] for turn in range(times)]
        if name in BARE:
            chosen.append("scant")
        for turn, variant in enumerate(chosen):
            yield make(family, variant, part, f"{seed}/{part}/{name}/{turn}")


def make(family: Family, variant: str, part: Part, key: str) -> Case:
    """The same key gives the same world."""
    dice = Dice(key, part)
    town = Town(dice, STRENGTHS.get(variant, 1.0))
    story = family.tell(town)
    vary(story, variant)
    by_alarm = dice.likely(0.5) or not story.answerable
    past = variant == "past"
    mapped = variant != "unmapped"
    return Case(
        id=f"{part}-{family.name}-{variant}-{key.rpartition('/')[2]}",
        family=family.name,
        variant=variant,
        part=part,
        scenario=_scenario(story, family, variant),
        text=story.alarm["name"] if by_alarm and not past else story.question,
        mode=story.mode,
        service=story.service,
        ago=timedelta(minutes=town.onset - 4) if past else None,
        mapped=mapped,
        answerable=story.answerable,
        accepted=(*story.accepted, *(() if mapped else _nameless(story))),
    )


def _nameless(story: Story) -> Iterator[Accepted]:
    """A partner that nobody wrote down has no name here but that of whoever calls it."""
    services = story.town.services
    if story.service and not services[story.service]["resources"]:
        for name, service in services.items():
            if story.service in service["depends_on"]:
                yield Accepted(story.mode, name, "without services.yaml nothing says that the partner exists")


def _scenario(story: Story, family: Family, variant: str) -> Json:
    town, dice = story.town, story.town.dice
    written: Json = {
        "title": f"{family.name}, {variant}",
        "seed": dice.seed,
        "region": town.region,
        "cluster": town.trade,
        "load_balancer": f"{town.trade}-lb",
        "peak_in": f"{dice.whole(-10, 10)}h",
        "whole_day": False,
        "swing": round(dice.between(0.1, 0.3), 2),
        "actors": {town.robot: town.role},
        "services": list(town.services.values()),
        "changes": town.changes,
        "alarms": [story.alarm],
        "blips": story.blips,
        "silences": story.silences,
        "deny": story.deny,
        "expected": {
            "failure_mode": str(story.mode),
            "service": story.service,
            "resource": None,
            "repair": None,
            "alarm": story.alarm["name"],
            "question": story.question,
        },
        **story.more,
    }
    if town.effects:
        what = {"effects": town.effects, "logs": town.logs, **town.happenings}
        written["fault"] = {"onset": town.ago(town.onset), **what, **story.fault}
    return written
