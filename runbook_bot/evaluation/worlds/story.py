"""What a family of worlds gives back: where it hurts, what a good answer is, and what else is as good."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runbook_bot.domain.vocabulary import FailureMode
from runbook_bot.evaluation.worlds.town import DURATION, FAILED, Json, Town


@dataclass(frozen=True)
class Accepted:
    """Another answer that is as good, and why."""

    failure_mode: FailureMode
    service: str | None
    because: str


@dataclass
class Story:
    """The fault of a town, and how somebody comes to ask about it."""

    town: Town
    mode: FailureMode
    service: str | None
    resource: str | None = None
    alarm: Json = field(default_factory=dict)
    question: str = ""
    accepted: list[Accepted] = field(default_factory=list)
    fault: Json = field(default_factory=dict)
    """Onset, rise and the like; the effects are the town's."""
    blips: list[Json] = field(default_factory=list)
    silences: list[Json] = field(default_factory=list)
    deny: list[str] = field(default_factory=list)
    more: Json = field(default_factory=dict)
    answerable: bool = True
    """Whether there is enough to be found; where not, saying so is the right answer."""


Tell = Callable[[Town], Story]


@dataclass(frozen=True)
class Family:
    """One way to fail, in as many worlds as there are seeds."""

    name: str
    mode: FailureMode
    tell: Tell
    unfit: frozenset[str] = frozenset()
    """Variants that would make it another fault, or none."""


FAMILIES: dict[str, Family] = {}


def family(name: str, mode: str, *, unfit: tuple[str, ...] = ()) -> Callable[[Tell], Tell]:
    def enter(tell: Tell) -> Tell:
        FAMILIES[name] = Family(name, FailureMode(mode), tell, frozenset(unfit))
        return tell

    return enter


_COMPLAINTS = (
    "{name} fails for many people",
    "users report errors in {name}",
    "{name} throws errors since a while ago",
    "people cannot finish what they do in {name}",
)
_SLOWNESS = (
    "{name} is very slow",
    "{name} takes ages to answer",
    "pages of {name} load slowly for everybody",
    "{name} hangs, what is going on?",
)


def failing(town: Town, service: str, share: float) -> Json:
    """The alarm on failed requests of a task that rings when so much of it fails."""
    usual, requests = town.level(service, FAILED), town.level(service, "RequestCount")
    added = requests * share * town.strength
    threshold = max(usual * 2.2 + 12, usual + added * 0.35)
    return alarm(f"{service}-errors", f"target_group:{service}", FAILED, threshold, "Sum")


def slow(town: Town, service: str, factor: float) -> Json:
    """The alarm on the mean answer time of a task that rings when it is so much slower."""
    usual = town.level(service, DURATION)
    threshold = usual * max(1.3, 1 + (factor - 1) * town.strength * 0.35)
    return alarm(f"{service}-latency", f"target_group:{service}", DURATION, threshold)


def alarm(name: str, of: str, metric: str, threshold: float, statistic: str = "Average", **more: Any) -> Json:
    found = {"name": name, "of": of, "metric": metric, "statistic": statistic, "threshold": round(threshold, 4)}
    return {**found, "evaluation_periods": 3, **more}


def complaint(town: Town, service: str) -> str:
    return town.dice.word(_COMPLAINTS).format(name=service)


def slowness(town: Town, service: str) -> str:
    return town.dice.word(_SLOWNESS).format(name=service)
