"""CloudTrail: who changed what, read from the write events of a window."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from runbook_bot.domain.observation import ChangeKind
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.actors import actor
from runbook_bot.providers.aws.timeline.arn_names import names_in
from runbook_bot.providers.aws.timeline.requests import Changed, changed
from runbook_bot.providers.aws.trail_names import KINDS, NOT_CHANGES

LAG = timedelta(minutes=15)
"""CloudTrail lists most events within about five minutes and all of them within about fifteen."""
_MOST_PAGES = 4
_MOST_NAMES = 6
_SECONDS = 6.0
"""CloudTrail allows two look-ups a second in a region; a sweep ends where it has taken this long."""
_REMEMBERED_SECONDS = 60.0
_STEP = timedelta(minutes=5)
_LAMBDA_VERSION = re.compile(r"\d{8}(v\d)?$")
_READS = re.compile(r"^(Describe|List|Get|Lookup|Head|BatchGet|Filter|Query|Search|Test)")
_GLOBAL_SOURCES = ("iam.amazonaws.com", "route53.amazonaws.com")


@dataclass(frozen=True)
class TrailEvent:
    """One write event, as far as it matters here."""

    id: str
    at: datetime
    name: str
    source: str
    actor: str
    parameters: Answer
    names: frozenset[str]
    """Every name that occurs in it, ARNs also by the names inside them."""
    answer: Answer = field(default_factory=dict)

    @property
    def kind(self) -> ChangeKind:
        if self.name == "UpdateService" and self.source in ("", "ecs.amazonaws.com"):
            return self._service_kind
        if self.name == "PutRule" and self.parameters.get("eventPattern"):
            return "configuration"
        return KINDS.get(self.name, "other")

    @property
    def _service_kind(self) -> ChangeKind:
        if self.parameters.get("taskDefinition"):
            return "deployment"
        if self.parameters.get("desiredCount") is not None:
            return "scaling"
        return "other" if self.parameters.get("forceNewDeployment") else "configuration"

    @cached_property
    def changed(self) -> Changed:
        """The fields it set, with secrets hidden."""
        return changed(self.name, self.parameters, self.answer)


@dataclass(frozen=True)
class Trail:
    """What CloudTrail told, and what it could not."""

    events: tuple[TrailEvent, ...]
    failures: tuple[CallFailed, ...] = ()
    unread: str = ""
    """What of the window was not read, as a clause; empty where all of it was."""

    @property
    def answered(self) -> bool:
        return bool(self.events) or not self.failures

    @property
    def whole(self) -> bool:
        """Whether every write of the window stands in it."""
        return not self.failures and not self.unread


async def read_trail(place: Place, window: TimeWindow, names: Sequence[str], shared: Sequence[str] = ()) -> Trail:
    """The write events of the window; by resource name too where they are too many, or cannot be asked for at once.

    names: of the resources, asked for first.
    shared: of what they stand on.
    """
    told, complete, swept = await _sweep(place, window)
    if swept is not None and swept.kind not in ("invalid", "failed", "throttled"):
        return Trail((), (swept,))
    failures = [swept] if swept is not None else []
    unread = ""
    events = list(told)
    if not complete or not events:
        asked = list(dict.fromkeys((*names, *shared)))[:_MOST_NAMES]
        for name in asked:
            more, _, failure = await _look_up(place, _span(window), "ResourceName", name, 1)
            events += more
            if failure is not None:
                failures.append(failure)
                break
            if complete and not events:
                break  # it is quiet: one name was tried, for a stand-in that tells writes by name only
        else:
            failures = [] if asked else failures
        if not complete and told:
            unread = _cut(told, asked)
        elif swept is not None and not failures:
            unread = (
                f"of all writes CloudTrail did not tell ({swept}); those that name {', '.join(asked[:4])} were read"
            )
    return Trail(await asyncio.to_thread(_parsed, events, window), tuple(failures), unread)


def _parsed(events: Sequence[Answer], window: TimeWindow) -> tuple[TrailEvent, ...]:
    """Each once, in order of time."""
    found = {each.id: each for each in (parse(told) for told in events) if each is not None}
    return tuple(sorted((each for each in found.values() if window.holds(each.at)), key=lambda each: each.at))


def _cut(told: Sequence[Answer], asked: Sequence[str]) -> str:
    times = [each["EventTime"] for each in told if each.get("EventTime")]
    oldest = f" since {min(times).astimezone(UTC):%H:%M} UTC" if times else ""
    return (
        f"CloudTrail lists too many events: the newest {len(told)}{oldest} were read, "
        f"and those that name {', '.join(asked[:4]) or 'nothing'}; narrow the window to read all"
    )


async def read_global(place: Place, window: TimeWindow) -> Trail:
    """The events of services that are the same in every region (IAM, Route 53): CloudTrail lists them in one only."""
    home = place.at(home_region(place.region))
    if home is place:
        return Trail(())
    events: list[Answer] = []
    failures: list[CallFailed] = []
    for source in _GLOBAL_SOURCES:
        found, _, failure = await _remembered(home, window, "EventSource", source, 2)
        events += found
        failures += [failure] if failure is not None else []
    return Trail(await asyncio.to_thread(_parsed, events, window), tuple(failures[:1]))


def home_region(region: str) -> str:
    """Where a partition keeps the events of its global services."""
    if region.startswith("cn-"):
        return "cn-north-1"
    return "us-gov-west-1" if region.startswith("us-gov-") else "us-east-1"


async def read_about(place: Place, name: str, before: datetime) -> list[TrailEvent]:
    """The write events of the last 90 days before that moment that name one resource, newest first."""

    async def look() -> list[Answer]:
        found, _, failure = await _look_up(place, {"EndTime": before}, "ResourceName", name, 1)
        if failure is not None and not found:
            raise failure
        return found

    told = await place.recall(("trail about", name, before.isoformat()), 600.0, look)
    events = [each for each in (parse(one) for one in told) if each is not None and each.at < before]
    return sorted(events, key=lambda each: each.at, reverse=True)


def _span(window: TimeWindow) -> Answer:
    """Whole steps of time, so that questions a moment apart are the same question."""
    step = _STEP.total_seconds()
    start = datetime.fromtimestamp(window.start.timestamp() // step * step, UTC)
    end = datetime.fromtimestamp(-(-window.end.timestamp() // step) * step, UTC)
    return {"StartTime": start, "EndTime": end}


_Found = tuple[list[Answer], bool, CallFailed | None]


async def _sweep(place: Place, window: TimeWindow) -> _Found:
    return await _remembered(place, window, "ReadOnly", "false", _MOST_PAGES)


async def _remembered(place: Place, window: TimeWindow, key: str, value: str, pages: int) -> _Found:
    span = _span(window)

    async def look() -> _Found:
        found = await _look_up(place, span, key, value, pages)
        if found[2] is not None and not found[0]:
            raise found[2]
        return found

    try:
        return await place.recall(("trail", value, *map(str, span.values())), _REMEMBERED_SECONDS, look)
    except CallFailed as failure:
        return [], False, failure


async def _look_up(place: Place, span: Answer, key: str, value: str, pages: int) -> _Found:
    """Events, whether these are all, and what stopped it."""
    wanted = [{"AttributeKey": key, "AttributeValue": value}]
    found: list[Answer] = []
    read, began = 0, time.monotonic()
    try:
        async for page in place.pages("cloudtrail", "LookupEvents", LookupAttributes=wanted, **span):
            found += page.get("Events") or []
            read += 1
            late = read >= pages or time.monotonic() - began > _SECONDS
            if late and page.get("NextToken"):
                return found, False, None
    except CallFailed as failure:
        return found, False, failure
    return found, True, None


def parse(told: Answer) -> TrailEvent | None:
    """None for what only reads, for what failed, and for what cannot be understood."""
    try:
        detail = json.loads(told.get("CloudTrailEvent") or "{}")
    except ValueError:
        detail = {}
    if not isinstance(detail, dict):
        detail = {}
    name = _LAMBDA_VERSION.sub("", str(told.get("EventName") or detail.get("eventName") or ""))
    at = told.get("EventTime")
    reads = detail.get("readOnly") is True or str(told.get("ReadOnly")).lower() == "true" or _READS.match(name)
    if not name or at is None or reads or detail.get("errorCode") or name in NOT_CHANGES:
        return None
    parameters = detail.get("requestParameters")
    answer = detail.get("responseElements")
    resources = [str(each.get("ResourceName", "")) for each in told.get("Resources") or []]
    return TrailEvent(
        id=str(told.get("EventId") or detail.get("eventID") or f"{name}@{at.isoformat()}"),
        at=at,
        name=name,
        source=str(told.get("EventSource") or detail.get("eventSource") or ""),
        actor=actor(told, detail),
        parameters=parameters if isinstance(parameters, dict) else {},
        names=frozenset(names_in([parameters, resources, detail.get("resources"), detail.get("serviceEventDetails")])),
        answer=answer if isinstance(answer, dict) else {},
    )
