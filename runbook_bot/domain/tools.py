"""What the bot can do: ask a `Query`, take a `Note`, or propose a `Mutation`; and what comes back.

The docstring and the field texts of an argument model are the schema that a language model sees.
"""

from enum import StrEnum
from functools import cached_property
from typing import ClassVar

from pydantic import ConfigDict, Field

from runbook_bot.domain.noun import Json, Noun, Value, digest
from runbook_bot.domain.observation import Alarm, Change, Fact, LogLine, Row, Series
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.domain.window import TimeWindow


class Arguments(Value):
    """The arguments of a tool: frozen, nothing unknown allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Query(Arguments):
    """A question to the world. It reads and never changes anything."""

    kind: ClassVar[str]

    @cached_property
    def key(self) -> str:
        """Equal for identical questions; the journal serves the answer to the second one."""
        return digest({"kind": self.kind, "arguments": self.model_dump(mode="json")})


class ReadMetrics(Query):
    """Read some signals of some resources over one window. One call, many series."""

    kind: ClassVar[str] = "read_metrics"
    resources: tuple[Resource, ...] = Field(description="The resources to read, at most 100")
    signals: tuple[Signal, ...] = Field(
        default=(), description="Which signals; none means the vital signs of each resource's type"
    )
    window: TimeWindow
    step: float = Field(default=60.0, description="Seconds between points; finer only where the source has it")


class SearchLogs(Query):
    """Find log lines of one resource (its log group is found from its configuration)."""

    kind: ClassVar[str] = "search_logs"
    resource: Resource
    window: TimeWindow
    any_of: tuple[str, ...] = Field(
        default=(), description="Words or phrases, at least one of which must occur; none means every line"
    )
    limit: int = Field(default=2000, ge=1, le=10000)


class ListEvents(Query):
    """The vendor's own events about one resource: placements, stopped tasks with reasons, restarts, failovers."""

    kind: ClassVar[str] = "list_events"
    resource: Resource
    window: TimeWindow


class ListChanges(Query):
    """Who changed what about these resources: deployments, configuration, scaling, access, network."""

    kind: ClassVar[str] = "list_changes"
    resources: tuple[Resource, ...]
    window: TimeWindow


class ReadState(Query):
    """The current configuration and health of one resource, as facts."""

    kind: ClassVar[str] = "read_state"
    resource: Resource


class FindAlarms(Query):
    """Alarms by name, or all that are in alarm now."""

    kind: ClassVar[str] = "find_alarms"
    name: str | None = Field(default=None, description="Exact alarm name; none means those in alarm now")


class Status(StrEnum):
    """How a query ended. Only `ok`, `truncated` and `no_data` are knowledge; the others are `unknown`."""

    ok = "ok"
    no_data = "no_data"
    denied = "denied"
    error = "error"
    truncated = "truncated"


class Result(Noun):
    """What a query brought back, and what was searched and where."""

    status: Status
    source: str
    """Who answered, e.g. `aws.cloudwatch.metrics`, `aws.ecs`."""
    asked: Json = Field(default_factory=dict)
    """The vendor's own call and parameters, exactly."""
    where: str
    """One phrase for people: what was searched, where, over which window."""
    message: str = ""
    """For `denied`, `error`, `no_data`, `truncated`: what came back, the missing permission, how much was left out."""
    series: tuple[Series, ...] = ()
    lines: tuple[LogLine, ...] = ()
    changes: tuple[Change, ...] = ()
    facts: tuple[Fact, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    rows: tuple[Row, ...] = ()
    """Most notable first."""
    console: str | None = None
    """A link to the same view in the vendor's console."""
    age: float = 0.0
    """Seconds since the oldest part of it was read; 0 where all was read for this question. `where` says it too."""

    @cached_property
    def digest(self) -> str:
        """Over what was brought back, not over how it was asked."""
        brought = {"status", "series", "lines", "changes", "facts", "alarms", "rows"}
        return digest(self.model_dump(mode="json", include=brought))

    @property
    def known(self) -> bool:
        return self.status in (Status.ok, Status.truncated, Status.no_data)

    def fact(self, name: str) -> object:
        return next((fact.value for fact in self.facts if fact.name == name), None)


class Mutation(Arguments):
    """A change to the world, as typed parameters. It is run by its provider, with an `Approval` in hand, or never."""

    operation: ClassVar[str]
    """The allow-listed name, e.g. `ecs.update_service`."""
