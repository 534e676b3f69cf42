"""What can be asked of CloudFormation."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import one_line
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.secrecy import shown_pair

_MOST_STACKS = 1000
_MOST_EVENTS = 600
_MOST_SETS = 8
_MOST_DRIFTS = 500
_TROUBLE = re.compile(r"FAILED|ROLLBACK")
_CANCELLED = re.compile(r"cancell?ed", re.IGNORECASE)
"""What other resources say once one has failed: never the cause."""


def trouble(status: str) -> int:
    """0: failed or rolled back; 1: under way; 2: at rest."""
    return 0 if _TROUBLE.search(status) else 1 if status.endswith("_IN_PROGRESS") else 2


def _link(place: Place, stack: str = "", tab: str = "stackinfo") -> str:
    start = f"https://{console_host(place.region)}/cloudformation/home?region={place.region}#/stacks"
    return f"{start}/{tab}?stackId={quote(stack, safe='')}" if stack else start


class Stacks(Operation):
    """Stacks with status, reason, last update and drift: those in trouble first, then those that are changing."""

    kind: ClassVar[str] = "aws.cloudformation.stacks"
    service = "cloudformation"
    calls = ("DescribeStacks",)
    words = ("cloudformation stacks", "stacks", "failed stacks", "stack status", "stacks in rollback")

    name: str | None = Field(default=None, description="Part of the stack's name; none means all stacks")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await place.gather("cloudformation", "DescribeStacks", "Stacks", _MOST_STACKS)
        wanted = (self.name or "").casefold()
        stacks = [each for each in found if wanted in str(each.get("StackName", "")).casefold()]
        stacks.sort(
            key=lambda each: (
                trouble(str(each.get("StackStatus", ""))),
                newest_first(each.get("LastUpdatedTime") or each.get("CreationTime")),
            )
        )
        more = f"only the first {_MOST_STACKS} stacks were read" if len(found) >= _MOST_STACKS else ""
        empty = "no stack has that in its name" if self.name else "there is no stack here"
        return self.table(place, [_stack(each) for each in stacks], empty=empty, more=more, console=_link(place))


def _stack(told: Answer) -> Row:
    drift: Answer = told.get("DriftInformation") or {}
    return Row(
        name=str(told.get("StackName", "?")),
        at=told.get("LastUpdatedTime") or told.get("CreationTime"),
        facts={
            "status": told.get("StackStatus"),
            "reason": told.get("StackStatusReason"),
            "created": told["CreationTime"].isoformat() if told.get("CreationTime") else None,
            "drift": drift.get("StackDriftStatus"),
            "drift_checked": drift["LastCheckTimestamp"].isoformat() if drift.get("LastCheckTimestamp") else None,
            "description": told.get("Description"),
            "parent": str(told["ParentId"]).split("/")[1] if "/" in str(told.get("ParentId") or "") else None,
        },
    )


class StackEvents(Operation):
    """Events of one stack: the resource that failed first, then the other failures, then the rest, newest first."""

    kind: ClassVar[str] = "aws.cloudformation.stack_events"
    service = "cloudformation"
    calls = ("DescribeStackEvents",)
    words = ("stack events", "cloudformation events", "why did the stack fail", "why did the stack roll back")

    name: str = Field(description="Name or ARN of the stack; a deleted stack is found by its ARN only")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the latest operation")

    async def answer(self, place: Place, now: datetime) -> Result:
        events, more = await self._read(place)
        first = first_failure(events)
        rows = sorted(
            (_event(each, first) for each in events),
            key=lambda row: (
                not row.facts.get("first_failure"),
                "FAILED" not in str(row.facts["status"]),
                newest_first(row.at),
            ),
        )
        empty = "the stack has no event in this window" if self.window else "the stack has no events"
        return self.table(place, rows, empty=empty, more=more, console=_link(place, self.name, "events"))

    async def _read(self, place: Place) -> tuple[list[Answer], str]:
        """Newest first, back to the start of the window or of the latest operation."""
        found: list[Answer] = []
        async for page in place.pages("cloudformation", "DescribeStackEvents", StackName=self.name):
            for each in page.get("StackEvents") or []:
                if each.get("Timestamp") is None:
                    continue
                at = utc(each["Timestamp"])
                if self.window and at < self.window.start:
                    return found, ""
                if self.window is None or at < self.window.end:
                    found.append(each)
                if self.window is None and _begins(each):
                    return found, "only the latest operation is shown; name a window to see earlier ones"
            if len(found) >= _MOST_EVENTS:
                return found, f"only the newest {len(found)} events were read; name a shorter window"
        return found, ""


def _of_stack_itself(told: Answer) -> bool:
    return told.get("PhysicalResourceId") == told.get("StackId")


def _begins(told: Answer) -> bool:
    """Whether the event is the stack's own beginning of an operation (a rollback belongs to the one before)."""
    status = str(told.get("ResourceStatus", ""))
    starts = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
    return _of_stack_itself(told) and status in starts


def first_failure(events: Sequence[Answer]) -> str:
    """The id of the event that the others follow from; empty where nothing failed. `events` are newest first."""
    for each in reversed(events):
        if _of_stack_itself(each) or not str(each.get("ResourceStatus", "")).endswith("_FAILED"):
            continue
        if not _CANCELLED.search(str(each.get("ResourceStatusReason", ""))):
            return str(each.get("EventId", ""))
    return ""


def _event(told: Answer, first: str) -> Row:
    return Row(
        name=str(told.get("LogicalResourceId", "?")),
        at=told.get("Timestamp"),
        facts={
            "status": told.get("ResourceStatus"),
            "reason": told.get("ResourceStatusReason"),
            "first_failure": True if first and told.get("EventId") == first else None,
            "type": told.get("ResourceType"),
            "physical_id": told.get("PhysicalResourceId"),
            "hook": told.get("HookStatusReason") or told.get("HookStatus"),
        },
    )


class StackDrift(Operation):
    """Resources of a stack that differ from its template, with expected and actual values, as of the last detection."""

    kind: ClassVar[str] = "aws.cloudformation.drift"
    service = "cloudformation"
    calls = ("DescribeStackResourceDrifts", "DescribeStacks")
    words = ("stack drift", "cloudformation drift", "drifted resources", "changed by hand")

    name: str = Field(description="Name or ARN of the stack")

    async def answer(self, place: Place, now: datetime) -> Result:
        filtered = {"StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
        drifts = await place.gather(
            "cloudformation", "DescribeStackResourceDrifts", "StackResourceDrifts", _MOST_DRIFTS,
            StackName=self.name, **filtered,
        )  # fmt: skip
        rows = sorted((_drift(each) for each in drifts), key=lambda row: row.facts["drift"] != "DELETED")
        empty = "" if rows else await self._without(place)
        more = f"only the first {_MOST_DRIFTS} drifted resources were read" if len(drifts) >= _MOST_DRIFTS else ""
        return self.table(place, rows, empty=empty, more=more, console=_link(place, self.name, "drifts"))

    async def _without(self, place: Place) -> str:
        """Never checked is not the same as in sync."""
        stacks = (await place.call("cloudformation", "DescribeStacks", StackName=self.name)).get("Stacks") or [{}]
        drift: Answer = stacks[0].get("DriftInformation") or {}
        checked = drift.get("LastCheckTimestamp")
        if checked is None:
            return "drift of this stack was never detected, so nothing is known; this does not start a detection"
        return f"no resource differed when drift was last detected, {utc(checked).isoformat()}"


def _drift(told: Answer) -> Row:
    differences: Json = {}
    for each in told.get("PropertyDifferences") or []:
        path = str(each.get("PropertyPath", "?"))
        name = path.rpartition("/")[2]
        expected, actual = shown_pair(name, str(each.get("ExpectedValue")), str(each.get("ActualValue")))
        differences[path] = one_line(f"{expected} → {actual}", 300)
    return Row(
        name=str(told.get("LogicalResourceId", "?")),
        at=told.get("Timestamp"),
        facts={
            "drift": told.get("StackResourceDriftStatus"),
            "type": told.get("ResourceType"),
            "physical_id": told.get("PhysicalResourceId"),
            "differences": differences or None,
        },
    )


class ChangeSets(Operation):
    """Change sets of a stack that wait or failed, newest first, and which resources they change or replace."""

    kind: ClassVar[str] = "aws.cloudformation.change_sets"
    service = "cloudformation"
    calls = ("ListChangeSets", "DescribeChangeSet")
    words = ("change sets", "changesets", "pending stack changes")

    name: str = Field(description="Name or ARN of the stack")

    async def answer(self, place: Place, now: datetime) -> Result:
        listed = await place.gather("cloudformation", "ListChangeSets", "Summaries", 200, StackName=self.name)
        listed.sort(key=lambda each: newest_first(each.get("CreationTime")))

        async def describe(summary: Answer) -> Answer:
            which = summary.get("ChangeSetId") or summary.get("ChangeSetName")
            return await place.call(
                "cloudformation", "DescribeChangeSet", ChangeSetName=which, StackName=self.name
            )  # the first page holds up to a hundred changes: more than a row can show

        described, failures = await for_each(listed[:_MOST_SETS], describe)
        rows = [_change_set({**summary, **whole}) for summary, whole in described]
        rows += [_change_set(each) for each in listed[_MOST_SETS:]]
        empty = "the stack has no change set; those that were executed are kept as stack events only"
        return self.table(place, rows, empty=empty, failures=failures, console=_link(place, self.name, "changesets"))


def _change_set(told: Answer) -> Row:
    changes = [each.get("ResourceChange") or {} for each in told.get("Changes") or []]
    changes.sort(key=lambda each: (each.get("Action") != "Remove", each.get("Replacement") != "True"))
    lines: list[JsonValue] = [
        f"{each.get('Action')} {each.get('LogicalResourceId')} ({each.get('ResourceType')})"
        + (", replaced" if each.get("Replacement") == "True" else "")
        for each in changes
    ]
    return Row(
        name=str(told.get("ChangeSetName", "?")),
        at=told.get("CreationTime"),
        facts={
            "status": told.get("Status"),
            "execution": told.get("ExecutionStatus"),
            "reason": told.get("StatusReason"),
            "description": told.get("Description"),
            "changes": lines[:20] or None,
            "changes_left_out": len(lines) - 20 if len(lines) > 20 else None,
        },
    )


OPERATIONS = (Stacks, StackEvents, StackDrift, ChangeSets)
