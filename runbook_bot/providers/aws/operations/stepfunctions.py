"""What can be asked of Step Functions: state machines, executions with what failed them, and one execution's way."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from runbook_bot.domain.noun import Json, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, rounded, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST_MACHINES = 500
_MOST_EXECUTIONS = 200
_MOST_LOOKED_THROUGH = 1000
_MOST_EXPLAINED = 10
_MOST_HISTORY = 1000
_ENOUGH_HISTORY = 100
_TEXT = 500
_STATES = "AWS/States"
_GAUGES = (
    *(
        Gauge(fact, _STATES, metric, "Sum", "total", "same", True)
        for fact, metric in (
            ("failed", "ExecutionsFailed"),
            ("timed_out", "ExecutionsTimedOut"),
            ("aborted", "ExecutionsAborted"),
            ("throttled", "ExecutionThrottled"),
            ("started", "ExecutionsStarted"),
            ("succeeded", "ExecutionsSucceeded"),
        )
    ),
    Gauge("seconds_peak", _STATES, "ExecutionTime", "Maximum", "peak", "milliseconds"),
)
Ended = Literal["FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "SUCCEEDED"]
_ORDER: tuple[Ended, ...] = ("FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "SUCCEEDED")
_BAD = ("FAILED", "TIMED_OUT", "ABORTED")
_WENT_WRONG = re.compile(r"(?:Failed|TimedOut|Aborted)$")


def _link(place: Place, arn: str = "") -> str:
    page = (
        f"/executions/details/{arn}"
        if ":execution:" in arn
        else f"/statemachines/view/{arn}"
        if arn
        else "/statemachines"
    )
    return f"https://{console_host(place.region)}/states/home?region={place.region}#{page}"


async def _machines(place: Place, name: str | None) -> list[Answer]:
    """The state machine of that name or ARN, or all. Raises `CallFailed`."""
    found = await place.gather("stepfunctions", "ListStateMachines", "stateMachines", _MOST_MACHINES)
    if name is None:
        return found
    own = [each for each in found if name in (each.get("name"), each.get("stateMachineArn"))]
    if not own:
        more = f" among the first {_MOST_MACHINES}" if len(found) >= _MOST_MACHINES else ""
        raise CallFailed("missing", f"there is no state machine {name}{more}", action="states:ListStateMachines")
    return own[:1]


class StateMachines(Operation):
    """State machines with how many executions failed, timed out, were aborted, throttled and succeeded."""

    kind: ClassVar[str] = "aws.stepfunctions.state_machines"
    service = "stepfunctions"
    calls = ("ListStateMachines", *MEASURING)
    words = ("state machines", "step functions", "workflows", "failed executions")

    name: str | None = Field(default=None, description="Name or ARN of the state machine; none means all")
    window: TimeWindow | None = Field(default=None, description="When it is counted; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        found = await _machines(place, self.name)
        arns = [str(each.get("stateMachineArn", "")) for each in found]
        asked = [Asked(arn, {"StateMachineArn": arn}, _GAUGES) for arn in arns]
        levels, failures = await read_levels(place, asked, last(24, now, self.window), now)
        rows = [_machine(each, levels[arn]) for each, arn in zip(found, arns, strict=True)]
        rows.sort(
            key=lambda row: (
                -sum(_n(row, fact) for fact in ("failed", "timed_out", "throttled")),
                -_n(row, "aborted"),
                -_n(row, "started"),
                row.name,
            )
        )
        more = f"only the first {_MOST_MACHINES} were read" if len(found) >= _MOST_MACHINES else ""
        empty = "Step Functions has no state machine here"
        return self.table(place, rows, empty=empty, failures=failures, more=more, console=_link(place))


def _machine(told: Answer, levels: Levels) -> Row:
    ended = [levels.get(fact) for fact in ("failed", "timed_out", "aborted", "succeeded")]
    whole = None if None in ended else sum(each or 0 for each in ended)
    bad = None if whole is None else whole - (levels.get("succeeded") or 0)
    return Row(
        name=str(told.get("name", "?")),
        at=told.get("creationDate"),
        facts={
            **levels,
            "not_succeeded_percent": share(bad, whole),
            "type": str(told.get("type", "")).lower() or None,
            "arn": told.get("stateMachineArn"),
        },
    )


def _n(row: Row, fact: str) -> float:
    value = row.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0


class Executions(Operation):
    """Recent executions of a state machine, failed ones first, with the state that failed, the error and its cause."""

    kind: ClassVar[str] = "aws.stepfunctions.executions"
    service = "stepfunctions"
    calls = ("ListStateMachines", "ListExecutions", "GetExecutionHistory")
    words = ("executions", "why did the workflow fail", "which state failed", "step function errors")

    name: str = Field(description="Name or ARN of the state machine")
    status: Ended | None = Field(default=None, description="Only those that ended so; none means all")
    window: TimeWindow | None = Field(default=None, description="When they ran; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        (machine,) = await _machines(place, self.name)
        if machine.get("type") == "EXPRESS":
            text = f"{machine.get('name')} is an express workflow: of its executions only its own log group tells"
            raise CallFailed("unsupported", text, action="states:ListExecutions")
        arn, window = str(machine.get("stateMachineArn", "")), last(24, now, self.window)
        wanted = (self.status,) if self.status else _ORDER
        read, failures = await for_each(wanted, lambda status: _executions(place, arn, status, window))
        if failures and not read:
            raise failures[0]
        found = [each for _, (executions, _) in read for each in executions]
        bad = [each for each in found if each.get("status") in _BAD][:_MOST_EXPLAINED]
        explained, failed = await for_each(
            [str(each.get("executionArn")) for each in bad], lambda each: _history(place, each, _ENOUGH_HISTORY)
        )
        why = {execution: _failing(events) for execution, events in explained}
        same = Counter((str(w.get("state")), str(w.get("error"))) for w in why.values())
        rows = [_execution(each, why.get(str(each.get("executionArn"))), same, now) for each in found]
        cut = [status for status, (_, more) in read if more]
        told = []
        if cut:
            told.append(f"not all that are {', '.join(s.lower() for s in cut)} were looked at; name a later window")
        count = sum(each.get("status") in _BAD for each in found)
        if count > len(bad):
            told.append(f"the causes of the latest {len(bad)} of {count} were read")
        empty = "no execution ran in this window; those that ended more than 90 days ago are forgotten"
        return self.table(
            place,
            rows,
            empty=empty,
            failures=few([*failures, *failed]),
            more="; ".join(told),
            console=_link(place, arn),
        )


async def _executions(place: Place, arn: str, status: str, window: TimeWindow) -> tuple[list[Answer], bool]:
    """Those that ran in the window, the latest first, and whether there may be more."""
    listed = await place.gather(
        "stepfunctions", "ListExecutions", "executions", _MOST_LOOKED_THROUGH,
        stateMachineArn=arn, statusFilter=status, maxResults=_MOST_LOOKED_THROUGH,
    )  # fmt: skip
    within = [each for each in listed if _ran(each, window)]
    began = listed[-1].get("startDate") if len(listed) >= _MOST_LOOKED_THROUGH else None
    further = began is not None and utc(began) > window.start
    return within[:_MOST_EXECUTIONS], further or len(within) > _MOST_EXECUTIONS


def _ran(told: Answer, window: TimeWindow) -> bool:
    start, stop = told.get("startDate"), told.get("stopDate")
    return start is not None and utc(start) < window.end and (stop is None or utc(stop) >= window.start)


async def _history(place: Place, arn: str, most: int) -> list[Answer]:
    """The latest events of an execution, the last first, without the data that went through it."""
    return await place.gather(
        "stepfunctions", "GetExecutionHistory", "events", most,
        executionArn=arn, reverseOrder=True, includeExecutionData=False, maxResults=most,
    )  # fmt: skip


def _failing(events: Sequence[Answer]) -> Json:
    """From the end back to the state it was in: its name, and the error and cause that were told on the way."""
    by_id = {each.get("id"): each for each in events}
    at: Answer | None = events[0] if events else None
    error = cause = ""
    while at is not None:
        details = _details(at)
        # the inmost tells most: a task's own error rather than "States.TaskFailed" of what surrounds it
        error, cause = str(details.get("error") or error), str(details.get("cause") or cause)
        if str(at.get("type", "")).endswith("StateEntered"):
            break
        at = by_id.pop(at.get("previousEventId"), None)
    if at is None:
        at = next((each for each in events if str(each.get("type", "")).endswith("StateEntered")), None)
    state = str(((at or {}).get("stateEnteredEventDetails") or {}).get("name") or "")
    return {"state": state or None, "error": one_line(error) or None, "cause": one_line(cause, _TEXT) or None}


def _details(event: Answer) -> Mapping[str, object]:
    found = (value for key, value in event.items() if key.endswith("EventDetails") and isinstance(value, dict))
    return next(found, {})


def _execution(told: Answer, why: Json | None, same: Mapping[tuple[str, str], int], now: datetime) -> Row:
    start, stop = told.get("startDate"), told.get("stopDate")
    seconds = ((utc(stop) if stop else now) - utc(start)).total_seconds() if start else None
    known = why or {}
    times = same.get((str(known.get("state")), str(known.get("error"))), 0) if why else 0
    return Row(
        name=str(told.get("name", "?")),
        at=start,
        facts={
            "status": told.get("status"),
            "failed_state": known.get("state"),
            "error": known.get("error"),
            "cause": known.get("cause"),
            "same_state_and_error": times or None,
            "seconds": None if seconds is None else rounded(seconds),
            "redriven": told.get("redriveCount") or None,
            "items": told.get("itemCount"),
            "arn": told.get("executionArn"),
        },
    )


class Execution(Operation):
    """The way of one execution through its states, with seconds spent in each, attempts and errors; the worst first."""

    kind: ClassVar[str] = "aws.stepfunctions.execution"
    service = "stepfunctions"
    calls = ("GetExecutionHistory", "DescribeExecution")
    words = ("execution history", "states of the execution", "execution details")

    arn: str = Field(description="ARN of the execution")

    async def answer(self, place: Place, now: datetime) -> Result:
        about = place.call("stepfunctions", "DescribeExecution", executionArn=self.arn, includedData="METADATA_ONLY")
        events, described = await asyncio.gather(
            _history(place, self.arn, _MOST_HISTORY), about, return_exceptions=True
        )
        if isinstance(events, BaseException):
            raise events
        failures = [described] if isinstance(described, CallFailed) else []
        if isinstance(described, BaseException) and not failures:
            raise described
        status = str(described.get("status", "")) if isinstance(described, dict) else ""
        rows = _visits(sorted(events, key=lambda each: int(each.get("id") or 0)), status, now)
        rows.sort(key=lambda row: (not row.facts.get("error"), row.facts["left"] is True, -_n(row, "seconds")))
        more = f"only the last {_MOST_HISTORY} events were read" if len(events) >= _MOST_HISTORY else ""
        return self.table(
            place, rows, empty="no state was entered", failures=failures, more=more, console=_link(place, self.arn)
        )


def _visits(events: Sequence[Answer], status: str, now: datetime) -> list[Row]:
    """A row each time a state was entered; what happens next belongs to the visit that its chain of events leads to."""
    visit: dict[object, int] = {}
    facts: list[Json] = []
    entered: list[datetime | None] = []
    for event in events:
        type, id, at = str(event.get("type", "")), event.get("id"), event.get("timestamp")
        if type.endswith("StateEntered"):
            visit[id] = len(facts)
            name = str((event.get("stateEnteredEventDetails") or {}).get("name", "?"))
            facts.append({"state": name, "type": type.removesuffix("StateEntered"), "left": False, "attempts": 0})
            entered.append(utc(at) if at else None)
            continue
        number = visit.get(event.get("previousEventId"))
        if number is None:
            continue
        visit[id] = number
        own, began = facts[number], entered[number]
        if type.endswith("Scheduled"):
            own["attempts"] = int(str(own["attempts"])) + 1
        if type.endswith("StateExited"):
            own["left"] = True
        if _WENT_WRONG.search(type) and not (own.get("error") and type.startswith("Execution")):
            details = _details(event)
            own["error"] = one_line(str(details.get("error") or own.get("error") or type))
            own["cause"] = one_line(str(details.get("cause") or own.get("cause") or ""), _TEXT) or None
        if at and began:
            own["seconds"] = rounded((utc(at) - began).total_seconds())
    for own, began in zip(facts, entered, strict=True):
        if not own["left"] and status == "RUNNING" and began:
            own["seconds"] = rounded((now - began).total_seconds())
    return [
        Row(name=str(own.pop("state")), at=began, facts={**own, "attempts": own["attempts"] or None})
        for own, began in zip(facts, entered, strict=True)
    ]


OPERATIONS = (StateMachines, Executions, Execution)
