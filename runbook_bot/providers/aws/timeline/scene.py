"""What every source of changes is told: where, when, of which resources, and what CloudTrail has said already."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.cloudtrail import Trail
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.related import Footing
from runbook_bot.providers.aws.timeline.claims import Claim


@dataclass(frozen=True)
class Scene:
    """One question about changes."""

    place: Place
    window: TimeWindow
    footings: tuple[tuple[Resource, Footing], ...]
    trail: Trail
    now: datetime

    @property
    def resources(self) -> list[Resource]:
        return [resource for resource, _ in self.footings]

    def of(self, *types: ResourceType) -> list[Resource]:
        return [each for each in self.resources if each.type in types]

    def named(self, name: str) -> list[tuple[Resource, str]]:
        """The resources of that name (""), and those that stand on a thing of that name (what it is)."""
        found = [(resource, "") for resource in self.resources if resource.name == name]
        return found or [
            (resource, footing.things[name]) for resource, footing in self.footings if name in footing.things
        ]


@dataclass
class Told:
    """What a source told, and what it could not."""

    claims: list[Claim] = field(default_factory=list)
    failures: list[CallFailed] = field(default_factory=list)
    answered: bool = False
    """Whether the service of one of the resources itself was asked and answered, even if it had nothing to tell."""


@dataclass(frozen=True)
class Source:
    """A part of AWS that knows of changes."""

    calls: tuple[str, ...]
    """What it asks, e.g. `ecs.DescribeServices`."""
    fits: Callable[[Scene], bool]
    """Whether it is worth asking about these resources."""
    tell: Callable[[Scene], Awaitable[Told]]


def claims(changes: Sequence[Change], depth: int = 2) -> list[Claim]:
    return [Claim(each, depth) for each in changes]


def absent(failure: CallFailed, scene: Scene) -> list[CallFailed]:
    """A source that is not there leaves no gap where CloudTrail was read: every write stands in it too."""
    return [] if failure.kind in ("missing", "unsupported") and not scene.trail.failures else [failure]
