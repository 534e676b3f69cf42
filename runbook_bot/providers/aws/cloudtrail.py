"""CloudTrail: who changed what, read from the write events of a window."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook_bot.domain.observation import Change, ChangeKind
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.secrecy import shown
from runbook_bot.providers.aws.task_definitions import short_name
from runbook_bot.providers.aws.trail_names import KINDS, NOT_CHANGES, SHOWN, SOURCES

_MOST_PAGES = 4
_MOST_NAMES = 6
_LAMBDA_VERSION = re.compile(r"\d{8}(v\d)?$")
_DEPTH = 6
_READS = re.compile(r"^(Describe|List|Get|Lookup|Head|BatchGet|Filter|Query|Search|Test)")


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
    """Every name that occurs in it, ARNs also by their last part."""

    @property
    def kind(self) -> ChangeKind:
        if self.name == "UpdateService":
            return self._service_kind
        return KINDS.get(self.name, "other")

    @property
    def _service_kind(self) -> ChangeKind:
        if self.parameters.get("taskDefinition"):
            return "deployment"
        if self.parameters.get("desiredCount") is not None:
            return "scaling"
        return "other" if self.parameters.get("forceNewDeployment") else "configuration"

    @property
    def shown(self) -> dict[str, str]:
        """The parameters worth showing, with secrets hidden."""
        found = {SHOWN[key]: value for key, value in self.parameters.items() if key in SHOWN and value is not None}
        return {name: shown(name, _flat(value))[:300] for name, value in found.items() if not isinstance(value, dict)}


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return short_name(text) if text.startswith("arn:") and ":task-definition/" in text else text


@dataclass(frozen=True)
class Trail:
    """What CloudTrail told, and what it could not."""

    events: tuple[TrailEvent, ...]
    failures: tuple[CallFailed, ...] = ()


async def read_trail(place: Place, window: TimeWindow, names: Sequence[str]) -> Trail:
    """The write events of the window; by resource name where they are too many or cannot be asked for at once."""
    span: Answer = {"StartTime": window.start, "EndTime": window.end}
    events, complete, failure = await _look_up(place, span, "ReadOnly", "false", _MOST_PAGES)
    if failure is not None and failure.kind not in ("invalid", "failed", "throttled"):
        return Trail((), (failure,))
    failures = [failure] if failure is not None else []
    if not complete or not events:
        for name in names[:_MOST_NAMES]:
            more, _, failure = await _look_up(place, span, "ResourceName", name, 1)
            events += more
            if failure is not None:
                failures.append(failure)
                break
        else:
            failures = [] if names else failures
    parsed = {each.id: each for each in (parse(told) for told in events) if each is not None}
    kept = [each for each in parsed.values() if window.holds(each.at)]
    return Trail(tuple(sorted(kept, key=lambda each: each.at)), tuple(failures))


async def _look_up(
    place: Place, span: Answer, key: str, value: str, pages: int
) -> tuple[list[Answer], bool, CallFailed | None]:
    """Events, whether these are all, and what stopped it."""
    wanted = [{"AttributeKey": key, "AttributeValue": value}]
    found: list[Answer] = []
    read = 0
    try:
        async for page in place.pages("cloudtrail", "LookupEvents", LookupAttributes=wanted, **span):
            found += page.get("Events") or []
            read += 1
            if read >= pages and page.get("NextToken"):
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
    resources = [str(each.get("ResourceName", "")) for each in told.get("Resources") or []]
    return TrailEvent(
        id=str(told.get("EventId") or detail.get("eventID") or f"{name}@{at.isoformat()}"),
        at=at,
        name=name,
        source=str(told.get("EventSource") or detail.get("eventSource") or ""),
        actor=_actor(told, detail),
        parameters=parameters if isinstance(parameters, dict) else {},
        names=frozenset(_names([parameters, resources, detail.get("resources")])),
    )


def _actor(told: Answer, detail: Answer) -> str:
    """Person, role session or service: `ci/deploy-7`, `ada`, `application-autoscaling`."""
    who = detail.get("userIdentity")
    identity: Answer = who if isinstance(who, dict) else {}
    invoker = str(identity.get("invokedBy") or "")
    arn = str(identity.get("arn") or "")
    if ":assumed-role/" in arn:
        return one_line(arn.partition(":assumed-role/")[2], 120)
    name = identity.get("userName") or told.get("Username") or arn.rpartition("/")[2]
    return one_line(str(name or invoker.removesuffix(".amazonaws.com") or ""), 120)


def _names(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for each in value.values():
            yield from _names(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each, depth + 1)
    elif isinstance(value, str) and value:
        yield value
        tail = value.rpartition("/")[2] if "/" in value else value.rpartition(":")[2]
        if tail and tail != value:
            yield tail


def is_about(event: TrailEvent, resource: Resource, related: frozenset[str]) -> bool:
    """Whether the event changed the resource, or something it stands on (its role, its security group)."""
    own = SOURCES.get(event.source)
    if own is not None and resource.type in own:
        if resource.type is ResourceType.ecs_service and not _same_cluster(event, resource):
            return False
        return resource.name in event.names or f"function:{resource.name}" in event.names
    if own is None and resource.name in event.names:
        return True
    return bool(related & event.names)


def _same_cluster(event: TrailEvent, resource: Resource) -> bool:
    cluster = event.parameters.get("cluster")
    return cluster is None or short_name(str(cluster)) == (resource.cluster or "default")


def as_change(event: TrailEvent, resource: Resource) -> Change:
    after = event.shown
    detail = ", ".join(f"{name} {value}" for name, value in list(after.items())[:4])
    summary = f"{event.name} on {resource.name}" + (f": {detail}" if detail else "")
    return Change(
        at=event.at,
        kind=event.kind,
        summary=one_line(summary, 400),
        actor=event.actor,
        resource=resource,
        after=after,
        reference=event.id,
    )
