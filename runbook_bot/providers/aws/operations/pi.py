"""What can be asked of Performance Insights: what sessions wait for, and who makes them."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.insights import By, Load, Top, monitored, read_load, read_top, resource_id
from runbook_bot.providers.aws.levels import last, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.rds_limits import class_vcpus

_NONE = "Performance Insights has no load in this window; it keeps seven days unless longer retention is paid for"
_READING = ("rds:DescribeDBInstances", "rds:DescribeDBClusters")


class Waits(Operation):
    """What a database's active sessions waited for (CPU, IO, locks), and their number against its processors."""

    kind: ClassVar[str] = "aws.pi.waits"
    service = "pi"
    calls = ("GetResourceMetrics", *_READING)
    words = ("database waits", "what do sessions wait for", "database load", "performance insights", "locks")

    name: str = Field(description="Identifier of a DB instance; of a cluster its writer is looked at")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        instance = await _enabled(place, self.name)
        load = await read_load(place, instance, last(1, now, self.window))
        rows = _waits(load, class_vcpus(str(instance.get("DBInstanceClass", "")))) if load.sessions else []
        return self.table(place, rows, empty=_NONE, console=_link(place, instance))


def _waits(load: Load, vcpus: int | None) -> list[Row]:
    moments = sorted(load.sessions)
    start, end = moments[0], moments[-1] + 1
    means = [(wait, wait.mean(start, end, moments)) for wait in load.waits]
    kinds: dict[str, float] = {}
    for wait, mean in means:
        kinds[wait.kind] = kinds.get(wait.kind, 0.0) + mean
    whole = Row(
        name="all sessions",
        facts={
            "active_sessions": rounded(load.mean),
            "active_sessions_peak": rounded(load.peak),
            "vcpus": vcpus,
            "peak_percent_of_vcpus": share(load.peak, vcpus),
            "percent_by_kind": {kind: share(kinds[kind], load.mean) for kind in sorted(kinds, key=lambda k: -kinds[k])},
        },
    )
    return [whole] + [
        Row(
            name=wait.name,
            facts={
                "kind": wait.kind,
                "active_sessions": rounded(mean),
                "percent": share(mean, load.mean),
                "peak": rounded(max(wait.sessions.values())),
            },
        )
        for wait, mean in means
    ]


class TopStatements(Operation):
    """The statements that load a database most, without the values in them, each with its waits and its rate."""

    kind: ClassVar[str] = "aws.pi.top_statements"
    service = "pi"
    calls = ("DescribeDimensionKeys", *_READING)
    words = ("top sql", "slow queries", "slowest statements", "which queries", "heaviest queries")

    name: str = Field(description="Identifier of a DB instance; of a cluster its writer is looked at")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _compared(self, place, self.name, last(1, now, self.window), "sql")


class TopClients(Operation):
    """The users, hosts, applications or databases whose sessions load a database most, with what they wait for."""

    kind: ClassVar[str] = "aws.pi.top_clients"
    service = "pi"
    calls = ("DescribeDimensionKeys", *_READING)
    words = ("who loads the database", "top database users", "top database hosts", "database clients")

    name: str = Field(description="Identifier of a DB instance; of a cluster its writer is looked at")
    by: Literal["user", "host", "application", "database"] = Field(default="host", description="Whose load to compare")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        return await _compared(self, place, self.name, last(1, now, self.window), self.by)


async def _compared(asked: Operation, place: Place, name: str, window: TimeWindow, by: By) -> Result:
    """Who or what makes the load, most first."""
    instance = await _enabled(place, name)
    found = await read_top(place, instance, window, by)
    return asked.table(place, _tops(found), empty=_NONE, console=_link(place, instance))


def _tops(found: list[Top]) -> list[Row]:
    whole = sum(each.sessions for each in found)
    return [
        Row(
            name=redact(each.name) or "(not told)",
            facts={
                "active_sessions": rounded(each.sessions),
                "percent_of_these": share(each.sessions, whole),
                "waits_percent": {
                    wait: share(value, each.sessions) for wait, value in sorted(each.waits.items(), key=lambda w: -w[1])
                },
                **{name: rounded(value) for name, value in each.statistics.items()},
                "id": each.id if each.id != each.name else None,
            },
        )
        for each in sorted(found, key=lambda each: -each.sessions)
    ]


async def _enabled(place: Place, name: str) -> Answer:
    """Raises `CallFailed`, also where Performance Insights is off."""
    instance = await monitored(place, name)
    resource_id(instance)
    return instance


def _link(place: Place, instance: Answer) -> str:
    page = f"rds/home?region={place.region}#performance-insights-v20206:/resourceId/{instance.get('DbiResourceId')}"
    return f"https://{console_host(place.region)}/{page}"


OPERATIONS = (Waits, TopStatements, TopClients)
