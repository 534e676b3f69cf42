"""What can be asked of CloudTrail."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import Field, JsonValue

from runbook_bot.domain.noun import iso, utc
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.cloudtrail import home_region
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.differences import told as difference
from runbook_bot.providers.aws.failure import CallFailed, one_line
from runbook_bot.providers.aws.levels import last
from runbook_bot.providers.aws.operations.listing import newest_first
from runbook_bot.providers.aws.operations.operation import MOST_ROWS, Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.timeline.actors import actor
from runbook_bot.providers.aws.timeline.requests import changed

_HOURS = 3
_PAGES = 12
_SECONDS = 20.0
"""CloudTrail answers two calls a second, fifty events each."""
_SIGN_INS = 200
_DENIED = re.compile(r"AccessDenied|Unauthorized|Forbidden|NotAuthorized", re.IGNORECASE)
_LAMBDA_VERSION = re.compile(r"\d{8}(v\d)?$")
_LAMBDA_CALL = re.compile(
    r"UpdateFunction(?:Code|Configuration)|\w+EventSourceMapping|Publish(?:Layer)?Version|PutFunction"
)
"""Calls that Lambda alone has; other services have a CreateFunction and a CreateAlias too."""


@dataclass(frozen=True)
class _Event:
    """One event of the trail with its detail, as CloudTrail tells it."""

    told: Answer
    detail: Answer

    @property
    def name(self) -> str:
        return _LAMBDA_VERSION.sub("", str(self.told.get("EventName") or self.detail.get("eventName") or "?"))

    @property
    def at(self) -> datetime:
        moment: datetime = self.told["EventTime"]
        return utc(moment)

    @property
    def who(self) -> str:
        return actor(self.told, self.detail)

    @property
    def service(self) -> str:
        source = str(self.told.get("EventSource") or self.detail.get("eventSource") or "")
        return source.removesuffix(".amazonaws.com")

    @property
    def error(self) -> str:
        return str(self.detail.get("errorCode") or "")

    @property
    def reads(self) -> bool:
        return self.detail.get("readOnly") is True or str(self.told.get("ReadOnly")).lower() == "true"

    def part(self, name: str) -> Answer:
        value = self.detail.get(name)
        return value if isinstance(value, dict) else {}


def _event(told: Answer) -> _Event | None:
    """None for what has no time; an event whose detail cannot be read is still one."""
    if not told.get("EventTime"):
        return None
    try:
        detail = json.loads(told.get("CloudTrailEvent") or "{}")
    except ValueError:
        detail = {}
    return _Event(told, detail if isinstance(detail, dict) else {})


@dataclass
class _Read:
    events: list[_Event] = field(default_factory=list)
    more: str = ""


async def _look_up(
    place: Place, window: TimeWindow, key: str, value: str, wanted: Callable[[_Event], bool], most: int
) -> _Read:
    """The newest events of the window that are wanted. Raises `CallFailed` where not even the first page came."""
    request = {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]} if value else {}
    found = _Read()
    clock = asyncio.get_running_loop().time
    began, pages, oldest = clock(), 0, window.end
    try:
        async for page in place.pages(
            "cloudtrail", "LookupEvents", StartTime=window.start, EndTime=window.end, **request
        ):
            pages += 1
            read = [each for told in page.get("Events") or [] if (each := _event(told)) is not None]
            found.events += [each for each in read if window.holds(each.at) and wanted(each)]
            oldest = min([oldest, *(each.at for each in read)])
            done = pages >= _PAGES or len(found.events) >= most or clock() - began > _SECONDS
            if done and page.get("NextToken"):
                found.more = f"CloudTrail was read back to {iso(oldest)} only; name a shorter window or a resource"
                break
    except CallFailed as failure:
        if not pages:
            raise
        found.more = f"CloudTrail was read back to {iso(oldest)} only: {failure}"
    return found


def _link(place: Place, key: str = "", value: str = "") -> str:
    chosen = f"?{key}={quote(value, safe='')}" if value else ""
    return f"https://{console_host(place.region)}/cloudtrailv2/home?region={place.region}#/events{chosen}"


class Events(Operation):
    """Who did what in the account, newest first: writes unless reads are asked for, failed calls with their error."""

    kind: ClassVar[str] = "aws.cloudtrail.events"
    service = "cloudtrail"
    calls = ("LookupEvents",)
    words = ("cloudtrail", "who changed", "who deleted", "api calls", "audit trail", "write events", "who did")

    user: str | None = Field(default=None, description="User name or role session; none means anybody")
    resource: str | None = Field(default=None, description="Name or id of a resource that the event names")
    event: str | None = Field(default=None, description="Name of the call, e.g. UpdateService")
    of_service: str | None = Field(default=None, description="Service that was called, e.g. ecs or iam")
    reads: bool = Field(default=False, description="Also calls that only read")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last three hours")

    async def answer(self, place: Place, now: datetime) -> Result:
        key, value = self._most_telling()
        window = last(_HOURS, now, self.window)
        read = await _look_up(place, window, key, value, self._wanted, 2 * MOST_ROWS)
        once = {str(each.told.get("EventId") or id(each)): each for each in read.events}
        rows = sorted((_row(each) for each in once.values()), key=lambda row: newest_first(row.at))
        what = "call" if self.reads else "write"
        empty = f"CloudTrail has no such {what} in this window; an event shows up there up to 15 minutes late"
        return self.table(place, rows, empty=empty, more=read.more, console=_link(place, key, value))

    def _most_telling(self) -> tuple[str, str]:
        """The one attribute that the call looks up by; the others are looked at here."""
        service = "lambda" if self._of_lambda() else self.of_service
        source = service and f"{service.removesuffix('.amazonaws.com')}.amazonaws.com"
        choices = [
            ("ResourceName", self.resource),
            ("EventName", None if self._of_lambda() else self.event),
            ("Username", self.user and self.user.rpartition("/")[2]),
            ("EventSource", source),
            ("ReadOnly", "" if self.reads else "false"),
        ]
        return next(((key, value) for key, value in choices if value), ("", ""))

    def _of_lambda(self) -> bool:
        """Whether it is a call of Lambda, whose events are named with a version: `UpdateFunctionCode20150331v2`."""
        return self.event is not None and (self.of_service == "lambda" or bool(_LAMBDA_CALL.match(self.event)))

    def _wanted(self, event: _Event) -> bool:
        if event.reads and not self.reads:
            return False
        if self.event and event.name != _LAMBDA_VERSION.sub("", self.event):
            return False
        if self.of_service and event.service != self.of_service.removesuffix(".amazonaws.com"):
            return False
        return not self.user or self.user.casefold() in f"{event.who} {event.told.get('Username', '')}".casefold()


def _row(event: _Event) -> Row:
    change = changed(event.name, event.part("requestParameters"), event.part("responseElements"))
    named = [str(each.get("ResourceName")) for each in event.told.get("Resources") or [] if each.get("ResourceName")]
    resources: list[JsonValue] = [*dict.fromkeys(named)]
    return Row(
        name=event.name,
        at=event.at,
        facts={
            "who": event.who or None,
            "service": event.service or None,
            "error": event.error or None,
            "error_message": event.detail.get("errorMessage"),
            "resources": resources[:8] or None,
            "change": difference(change.before, change.after, 6) or None,
            "from_address": event.detail.get("sourceIPAddress"),
            "with": one_line(str(event.detail.get("userAgent") or ""), 80) or None,
            "read": True if event.reads else None,
            "id": event.told.get("EventId"),
        },
    )


class DeniedCalls(Operation):
    """Calls that were refused for want of a permission, by principal and action, the most frequent first."""

    kind: ClassVar[str] = "aws.cloudtrail.denied"
    service = "cloudtrail"
    calls = ("LookupEvents",)
    words = ("access denied", "denied calls", "permission errors", "who is denied", "unauthorized calls")

    user: str | None = Field(default=None, description="User name or role session; none means anybody")
    of_service: str | None = Field(default=None, description="Service that was called, e.g. s3 or kms")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        key, value = "", ""
        if self.user:
            key, value = "Username", self.user.rpartition("/")[2]
        elif self.of_service:
            key, value = "EventSource", f"{self.of_service.removesuffix('.amazonaws.com')}.amazonaws.com"
        read = await _look_up(place, last(1, now, self.window), key, value, self._wanted, 2000)
        groups: dict[tuple[str, str], list[_Event]] = {}
        for each in read.events:
            groups.setdefault((each.who, f"{each.service}:{each.name}"), []).append(each)
        rows = [_denial(who, action, events) for (who, action), events in groups.items()]
        rows.sort(key=lambda row: (-int(str(row.facts["times"])), newest_first(row.at)))
        empty = "no call was denied in this window, as far as CloudTrail records management events"
        return self.table(place, rows, empty=empty, more=read.more, console=_link(place))

    def _wanted(self, event: _Event) -> bool:
        if not _DENIED.search(event.error):
            return False
        return not self.of_service or event.service == self.of_service.removesuffix(".amazonaws.com")


def _denial(who: str, action: str, events: list[_Event]) -> Row:
    newest = max(events, key=lambda each: each.at)
    return Row(
        name=who or "?",
        at=newest.at,
        facts={
            "action": action,
            "times": len(events),
            "first": iso(min(each.at for each in events)),
            "error": newest.error,
            "message": newest.detail.get("errorMessage"),
            "from_address": newest.detail.get("sourceIPAddress"),
        },
    )


class SignIns(Operation):
    """Sign-ins to the console: failed ones first, then those of root, then those without a second factor."""

    kind: ClassVar[str] = "aws.cloudtrail.sign_ins"
    service = "cloudtrail"
    calls = ("LookupEvents",)
    words = ("console logins", "sign-ins", "who logged in", "failed logins", "root login")
    scope = "account"

    user: str | None = Field(default=None, description="User name; none means anybody")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last day")

    async def answer(self, place: Place, now: datetime) -> Result:
        """A sign-in is recorded in the region whose sign-in page was used, most often the partition's first."""
        window = last(24, now, self.window)
        regions = dict.fromkeys([place.region, home_region(place.region)])
        found: list[_Event] = []
        failures: list[CallFailed] = []
        more = []
        for region in regions:
            try:
                read = await _look_up(place.at(region), window, "EventName", "ConsoleLogin", self._wanted, _SIGN_INS)
            except CallFailed as failure:
                failures.append(failure)
                continue
            found += read.events
            more += [read.more] if read.more else []
        once = {str(each.told.get("EventId") or id(each)): each for each in found}
        rows = sorted((_sign_in(each) for each in once.values()), key=_alarming)
        return self.table(
            place,
            rows,
            empty=f"nobody signed in to the console in this window, as {' and '.join(regions)} recorded",
            failures=failures,
            more="; ".join(more),
            console=_link(place, "EventName", "ConsoleLogin"),
        )

    def _wanted(self, event: _Event) -> bool:
        return not self.user or self.user.casefold() in f"{event.who} {event.told.get('Username', '')}".casefold()


def _sign_in(event: _Event) -> Row:
    return Row(
        name=event.who or "?",
        at=event.at,
        facts={
            "outcome": event.part("responseElements").get("ConsoleLogin"),
            "error": event.detail.get("errorMessage"),
            "root": True if event.part("userIdentity").get("type") == "Root" else None,
            "second_factor": event.part("additionalEventData").get("MFAUsed"),
            "from_address": event.detail.get("sourceIPAddress"),
            "with": one_line(str(event.detail.get("userAgent") or ""), 80) or None,
            "region": event.detail.get("awsRegion"),
        },
    )


def _alarming(row: Row) -> tuple[bool, bool, bool, float]:
    facts = row.facts
    return facts["outcome"] == "Success", not facts["root"], facts["second_factor"] == "Yes", newest_first(row.at)


class EventsOfResource(Operation):
    """What was done to one resource over the last days, by whom, with the values that were set."""

    kind: ClassVar[str] = "aws.cloudtrail.of_resource"
    service = "cloudtrail"
    calls = ("LookupEvents",)
    words = ("history of resource", "who touched", "who modified", "changes to resource")

    name: str = Field(description="Name or id of the resource as CloudTrail has it, e.g. sg-0abc or checkout-api")
    window: TimeWindow | None = Field(default=None, description="From when to when; none means the last seven days")

    async def answer(self, place: Place, now: datetime) -> Result:
        window = last(24 * 7, now, self.window)
        read = await _look_up(place, window, "ResourceName", self.name, lambda each: not each.reads, 2 * MOST_ROWS)
        rows = sorted((_row(each) for each in read.events), key=lambda row: newest_first(row.at))
        empty = "CloudTrail has no write that names this resource in this window; some services name only its ARN"
        return self.table(place, rows, empty=empty, more=read.more, console=_link(place, "ResourceName", self.name))


OPERATIONS = (Events, EventsOfResource, DeniedCalls, SignIns)
