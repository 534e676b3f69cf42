"""What a query can bring back, in no vendor's words: series, log lines, changes, facts, alarms."""

from collections.abc import Container
from typing import Literal

from pydantic import Field, JsonValue, model_validator

from runbook_bot.domain.noun import Instant, Noun
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Signal


class Series(Noun):
    """One metric over time. `times` are epoch seconds, ascending; gaps are absent points, never zeros."""

    name: str
    signal: Signal
    resource: Resource
    unit: str = ""
    step: float = 60.0
    """Seconds between points, as asked for."""
    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _paired(self) -> "Series":
        if len(self.times) != len(self.values):
            raise ValueError(f"{len(self.times)} times for {len(self.values)} values")
        return self


class LogLine(Noun):
    """One line of a log, or one event of a vendor (task stopped, instance restarted)."""

    at: Instant
    text: str
    stream: str = ""


ChangeKind = Literal[
    "deployment", "configuration", "scaling", "schema", "access", "network", "schedule", "vendor", "other"
]
"""`schedule`: what runs by the clock, or its timetable; `vendor`: what the vendor itself did or announced."""


class Change(Noun):
    """Something that was changed, by whom, and what it was before and after."""

    at: Instant
    kind: ChangeKind
    summary: str
    actor: str = ""
    service: str = ""
    resource: Resource | None = None
    before: dict[str, str] = Field(default_factory=dict)
    after: dict[str, str] = Field(default_factory=dict)
    """Only the fields that differ, e.g. `image`, `environment.POOL_SIZE`, `memory`, `desired_count`."""
    reference: str = ""
    """The vendor's ids of the change, comma-separated: revision, event id, deployment id."""
    through: str = ""
    """The shared thing that was changed, where it is not the resource itself but something that it uses:
    `security group sg-1`, `role checkout-task`."""
    also: tuple[Resource, ...] = ()
    """Other resources that the same change touches, through something that they share."""
    automatic: bool = False
    """Made by a rule in answer to the load, as autoscaling does: as often a consequence of a trouble as its cause."""

    def touches(self, keys: Container[str]) -> bool:
        """Whether it touches one of the resources with these keys."""
        return any(each.key in keys for each in (self.resource, *self.also) if each is not None)


class Fact(Noun):
    """One current property of a resource, e.g. `desired_count`, `max_connections`, `reserved_concurrency`."""

    name: str
    value: JsonValue
    unit: str = ""


class Alarm(Noun):
    """An alarm and what it watches."""

    name: str
    state: Literal["ok", "alarm", "insufficient_data"]
    since: Instant | None = None
    metric: Resource | None = None
    """The metric it watches, as a resource of type `metric` (its namespace, name and dimensions)."""
    subject: Resource | None = None
    """The resource that the metric describes, where it can be told from the dimensions."""
    signal: Signal | None = None
    """The neutral signal, where the metric has one."""
    threshold: float | None = None
    comparison: Literal["above", "below", "outside"] | None = None
    period: float = 60.0
    """Seconds."""
    description: str = ""


class Row(Noun):
    """One thing found, as a line of a table: a stopped task, a rule of a security group, an access key."""

    name: str
    """What people call it; the vendor's own id where it has no better name."""
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    at: Instant | None = None
    """When it happened or was made, where that matters."""
    place: str = ""
    """Account and region, where several were looked in."""
