"""What can be asked of AWS Health."""

from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field, JsonValue

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.listing import batches, cut_short, newest_first
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place

_MOST = 100
_EXPLAINED = 30
_IN_ONE_CALL = 10
_MOST_ENTITIES = 300
_RECENT = timedelta(days=3)
_CATEGORIES = {"issue": 0, "investigation": 1, "scheduledChange": 2, "accountNotification": 3}


class HealthEvents(Operation):
    """AWS's own incidents, scheduled changes and notices that touch the account: open issues first, with resources."""

    kind: ClassVar[str] = "aws.health.events"
    service = "health"
    calls = ("DescribeEvents", "DescribeEventDetails", "DescribeAffectedEntities")
    words = ("aws health", "aws outage", "is aws down", "health events", "scheduled changes", "maintenance events")
    scope = "account"
    home = "us-east-1"

    region: str | None = Field(default=None, description="Only events of this region; none means all regions")
    of_service: str | None = Field(default=None, description="Only events of this service, e.g. EC2 or RDS")
    closed: bool = Field(default=False, description="Also those that ended within the last three days")

    async def answer(self, place: Place, now: datetime) -> Result:
        try:
            listings = [
                await place.gather("health", "DescribeEvents", "events", _MOST, filter=each)
                for each in self._filters(now)
            ]
        except CallFailed as failure:
            if "SubscriptionRequired" not in str(failure):
                raise
            return self._no_api(place)
        events = sorted((each for listed in listings for each in listed), key=_importance)
        arns = [str(each["arn"]) for each in events if each.get("arn")][:_EXPLAINED]
        texts, failures = await _texts(place, arns)
        entities, more = await _entities(place, arns)
        rows = [
            _row(each, texts.get(str(each.get("arn")), ""), entities.get(str(each.get("arn")), [])) for each in events
        ]
        empty = "AWS Health has no open event that touches this account"
        return self.table(
            place,
            rows,
            empty=empty,
            failures=[*failures, *more],
            more=cut_short(max(listings, key=len), _MOST, "name a region or a service"),
            console=_link(place),
        )

    def _filters(self, now: datetime) -> list[Answer]:
        """One for what goes on or is to come, however old; one for what ended lately."""
        common: Answer = {}
        if self.region:
            common["regions"] = [self.region, "global"]
        if self.of_service:
            common["services"] = [self.of_service.upper()]
        ended = {"eventStatusCodes": ["closed"], "endTimes": [{"from": now - _RECENT}]}
        return [{"eventStatusCodes": ["open", "upcoming"], **common}, *([{**ended, **common}] if self.closed else [])]

    def _no_api(self, place: Place) -> Result:
        """Not an absence of events: nobody can tell."""
        return Result(
            status=Status.error,
            source=self.source,
            asked=self.request(),
            where=self.where(place),
            message="the account's support plan has no AWS Health API (it comes with Business, Enterprise On-Ramp and "
            "Enterprise); the events can be seen in the console only",
            console=_link(place),
        )


def _link(place: Place) -> str | None:
    """Health has a console of its own in the commercial partition."""
    return None if place.region.startswith(("cn-", "us-gov-")) else "https://health.console.aws.amazon.com/health/home"


def _importance(event: Answer) -> tuple[bool, int, float]:
    category = _CATEGORIES.get(str(event.get("eventTypeCategory")), 4)
    return event.get("statusCode") == "closed", category, newest_first(event.get("lastUpdatedTime"))


async def _texts(place: Place, arns: list[str]) -> tuple[dict[str, str], list[CallFailed]]:
    found: dict[str, str] = {}
    failures: list[CallFailed] = []
    for batch in batches(arns, _IN_ONE_CALL):
        try:
            told = await place.call("health", "DescribeEventDetails", eventArns=batch)
        except CallFailed as failure:
            failures.append(failure)
            break
        for each in told.get("successfulSet") or []:
            arn = str((each.get("event") or {}).get("arn", ""))
            found[arn] = str((each.get("eventDescription") or {}).get("latestDescription") or "")
    return found, failures


async def _entities(place: Place, arns: list[str]) -> tuple[dict[str, list[str]], list[CallFailed]]:
    found: dict[str, list[str]] = {}
    for batch in batches(arns, _IN_ONE_CALL):
        try:
            told = await place.gather(
                "health", "DescribeAffectedEntities", "entities", _MOST_ENTITIES, filter={"eventArns": batch}
            )
        except CallFailed as failure:
            return found, [failure]
        for each in told:
            found.setdefault(str(each.get("eventArn", "")), []).append(str(each.get("entityValue", "?")))
    return found, []


def _row(event: Answer, text: str, entities: list[str]) -> Row:
    shown: list[JsonValue] = [*entities[:20]]
    return Row(
        name=str(event.get("eventTypeCode", "?")),
        at=event.get("startTime"),
        facts={
            "status": event.get("statusCode"),
            "category": event.get("eventTypeCategory"),
            "service": event.get("service"),
            "region": event.get("region"),
            "zone": event.get("availabilityZone"),
            "scope": event.get("eventScopeCode"),
            "updated": event["lastUpdatedTime"].isoformat() if event.get("lastUpdatedTime") else None,
            "ends": event["endTime"].isoformat() if event.get("endTime") else None,
            "description": " ".join(text.split()) or None,
            "affected": shown or None,
            "affected_count": len(entities) or None,
        },
    )


OPERATIONS = (HealthEvents,)
