"""What can be asked of DynamoDB's auto scaling: its targets, and what it did or could not do."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.noun import utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.dynamodb import capacity, tables_link
from runbook_bot.providers.aws.operations.listing import cut_short
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_SCALING = "application-autoscaling"
_MOST_TARGETS = 400
_MOST_ACTIVITIES = 500
_MOST_TABLES = 30
_BAD = ("Failed", "Unfulfilled", "Overridden")


class Targets(Operation):
    """Auto scaling of tables and indexes: present, least and most capacity, and its aim; those at their most first."""

    kind: ClassVar[str] = "aws.dynamodb.scaling_targets"
    service = _SCALING
    calls = ("DescribeScalableTargets", "DescribeScalingPolicies", "dynamodb:DescribeTable")
    words = ("dynamodb autoscaling", "table autoscaling", "scaling targets of tables")

    name: str | None = Field(default=None, description="Name of the table; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await place.gather(
            _SCALING, "DescribeScalableTargets", "ScalableTargets", _MOST_TARGETS, ServiceNamespace="dynamodb"
        )
        targets = [each for each in listed if self.name in (None, _table(each))]
        failures: list[CallFailed] = []
        policies: list[Answer] = []
        if targets:
            try:
                policies = await place.gather(
                    _SCALING, "DescribeScalingPolicies", "ScalingPolicies", _MOST_TARGETS, ServiceNamespace="dynamodb"
                )
            except CallFailed as failure:
                failures.append(failure)
        names = list(dict.fromkeys(_table(each) for each in targets))
        described, failed = await for_each(
            names[:_MOST_TABLES], lambda name: place.call("dynamodb", "DescribeTable", TableName=name)
        )
        tables = {name: answer.get("Table") or {} for name, answer in described}
        rows = [_target(each, policies, tables.get(_table(each)) or {}) for each in targets]
        rows.sort(key=lambda row: (not row.facts["at_most"], not row.facts["suspended"], row.name))
        cut = f"the present capacity was read of {_MOST_TABLES} tables only; name one"
        cut = cut_short(listed, _MOST_TARGETS, "there are more") or (cut if len(names) > _MOST_TABLES else "")
        return self.table(
            place,
            rows,
            empty="no table or index is scaled by Application Auto Scaling",
            failures=few([*failures, *failed]),
            more=cut,
            console=tables_link(place, self.name),
        )


def _table(told: Answer) -> str:
    """`table/carts/index/by-user` is about `carts`."""
    parts = str(told.get("ResourceId", "")).split("/")
    return parts[1] if len(parts) > 1 else ""


def _target(told: Answer, policies: Sequence[Answer], table: Answer) -> Row:
    resource, dimension = str(told.get("ResourceId", "")), str(told.get("ScalableDimension", ""))
    own = [
        each for each in policies if (each.get("ResourceId"), each.get("ScalableDimension")) == (resource, dimension)
    ]
    aims = [(each.get("TargetTrackingScalingPolicyConfiguration") or {}).get("TargetValue") for each in own]
    index = resource.partition("/index/")[2]
    part: Answer = next((i for i in table.get("GlobalSecondaryIndexes") or [] if i.get("IndexName") == index), {})
    reads, writes = capacity(table, part if index else table)
    present = reads if "Read" in dimension else writes
    most = told.get("MaxCapacity")
    suspended = [name for name, value in (told.get("SuspendedState") or {}).items() if value]
    return Row(
        name=resource.removeprefix("table/"),
        at=told.get("CreationTime"),
        facts={
            "capacity": "read" if "Read" in dimension else "write",
            "present_per_s": present,
            "least_per_s": told.get("MinCapacity"),
            "most_per_s": most,
            "at_most": present is not None and most is not None and present >= most,
            "aims_at_percent": next((aim for aim in aims if aim is not None), None),
            "suspended": ", ".join(suspended),
        },
    )


class Activities(Operation):
    """What DynamoDB's auto scaling did and could not do, with cause; what failed or was held back first."""

    kind: ClassVar[str] = "aws.dynamodb.scaling_activities"
    service = _SCALING
    calls = ("DescribeScalingActivities",)
    words = ("dynamodb scaling activities", "table scaling history")

    name: str | None = Field(default=None, description="Name of the table; none means all")
    window: TimeWindow | None = Field(default=None, description="When; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather(
            _SCALING,
            "DescribeScalingActivities",
            "ScalingActivities",
            _MOST_ACTIVITIES,
            ServiceNamespace="dynamodb",
            IncludeNotScaledActivities=True,
        )
        window = last(24, now, self.window)
        own = [
            each
            for each in found
            if self.name in (None, _table(each)) and each.get("StartTime") and window.holds(utc(each["StartTime"]))
        ]
        rows = [_activity(each) for each in own]
        rows.sort(key=lambda row: (_rank(row), -(row.at.timestamp() if row.at else 0.0)))
        more = f"only the latest {_MOST_ACTIVITIES} were read" if len(found) >= _MOST_ACTIVITIES else ""
        empty = "auto scaling did nothing to tables in this window (it remembers six weeks)"
        return self.table(place, rows, empty=empty, more=more, console=tables_link(place, self.name))


def _rank(row: Row) -> int:
    return 0 if row.facts["status"] in _BAD else 1 if row.facts.get("held_back") else 2


def _activity(told: Answer) -> Row:
    held = [
        f"{why.get('Code')} ({why.get('CurrentCapacity')} now, {why.get('MinCapacity')} to {why.get('MaxCapacity')})"
        for why in told.get("NotScaledReasons") or []
    ]
    return Row(
        name=str(told.get("ResourceId", "")).removeprefix("table/"),
        at=told.get("StartTime"),
        facts={
            "capacity": "read" if "Read" in str(told.get("ScalableDimension", "")) else "write",
            "status": told.get("StatusCode"),
            "what": one_line(str(told.get("Description") or "")),
            "cause": one_line(str(told.get("Cause") or ""), 300),
            "message": one_line(str(told.get("StatusMessage") or ""), 300) or None,
            "held_back": "; ".join(held) or None,
        },
    )


OPERATIONS = (Targets, Activities)
