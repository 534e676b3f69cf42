"""What can be asked of SNS: topics, their subscriptions, what was not delivered, and who may publish."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Answer, Place
from runbook_bot.providers.aws.resource_policy import statements

_MOST_TOPICS = 1000
_MOST_READ = 100
_MOST_SUBSCRIPTIONS = 1000
_SNS = "AWS/SNS"
_GAUGES = (
    Gauge("published", _SNS, "NumberOfMessagesPublished", "Sum", "total", "same", True),
    Gauge("delivered", _SNS, "NumberOfNotificationsDelivered", "Sum", "total", "same", True),
    Gauge("failed", _SNS, "NumberOfNotificationsFailed", "Sum", "total", "same", True),
    Gauge("filtered_out", _SNS, "NumberOfNotificationsFilteredOut", "Sum", "total", "same", True),
    Gauge("to_dead_letters", _SNS, "NumberOfNotificationsRedrivenToDlq", "Sum", "total", "same", True),
    Gauge("lost", _SNS, "NumberOfNotificationsFailedToRedriveToDlq", "Sum", "total", "same", True),
)


def _link(place: Place, arn: str = "") -> str:
    page = f"/topic/{arn}" if arn else "/topics"
    return f"https://{console_host(place.region)}/sns/v3/home?region={place.region}#{page}"


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


async def _topics(place: Place, name: str | None) -> list[str]:
    """The ARNs of the topic of that name, or of all. Raises `CallFailed`."""
    if name is not None and name.startswith("arn:"):
        return [name]
    listed = await place.gather("sns", "ListTopics", "Topics", _MOST_TOPICS)
    arns = [str(each.get("TopicArn")) for each in listed if each.get("TopicArn")]
    if name is None:
        return arns
    own = [arn for arn in arns if _name(arn) == name]
    if not own:
        more = f" among the first {_MOST_TOPICS}; give its ARN" if len(arns) >= _MOST_TOPICS else ""
        raise CallFailed("missing", f"there is no topic {name}{more}", action="sns:ListTopics")
    return own


class Topics(Operation):
    """Topics with how many subscriptions are confirmed, pending and deleted, FIFO, and encryption."""

    kind: ClassVar[str] = "aws.sns.topics"
    service = "sns"
    calls = ("ListTopics", "GetTopicAttributes")
    words = ("topics", "sns topics")

    name: str | None = Field(default=None, description="Name or ARN of the topic; none means all")

    async def answer(self, place: Place, now: datetime) -> Result:
        arns = await _topics(place, self.name)
        read, failures = await for_each(
            arns[:_MOST_READ], lambda arn: place.call("sns", "GetTopicAttributes", TopicArn=arn)
        )
        rows = [_topic(arn, answer.get("Attributes") or {}) for arn, answer in read]
        rows.sort(key=lambda row: (not row.facts["pending"], row.facts["confirmed"] != 0, row.name))
        more = f"{len(arns) - _MOST_READ} topics were not read; name one" if len(arns) > _MOST_READ else ""
        return self.table(
            place, rows, empty="SNS has no topic here", failures=failures, more=more, console=_link(place)
        )


def _topic(arn: str, told: Mapping[str, str]) -> Row:
    counts = {
        ours: int(told.get(theirs) or 0)
        for ours, theirs in (
            ("confirmed", "SubscriptionsConfirmed"),
            ("pending", "SubscriptionsPending"),
            ("deleted", "SubscriptionsDeleted"),
        )
    }
    return Row(
        name=_name(arn),
        facts={
            **counts,
            "fifo": told.get("FifoTopic") == "true" or None,
            "encrypted": bool(told.get("KmsMasterKeyId")),
            "delivery_policy": "its own" if told.get("DeliveryPolicy") else None,
            "arn": arn,
        },
    )


class Subscriptions(Operation):
    """Subscriptions of a topic with protocol, endpoint, whether they are confirmed, filter, and dead-letter queue."""

    kind: ClassVar[str] = "aws.sns.subscriptions"
    service = "sns"
    calls = ("ListTopics", "ListSubscriptionsByTopic", "GetSubscriptionAttributes")
    words = ("subscriptions", "who is subscribed", "pending confirmation", "topic subscribers")

    name: str = Field(description="Name or ARN of the topic")

    async def answer(self, place: Place, now: datetime) -> Result:
        (arn, *_) = await _topics(place, self.name)
        listed = await place.gather(
            "sns", "ListSubscriptionsByTopic", "Subscriptions", _MOST_SUBSCRIPTIONS, TopicArn=arn
        )
        confirmed = [str(e.get("SubscriptionArn")) for e in listed if str(e.get("SubscriptionArn")).startswith("arn:")]
        read, failures = await for_each(
            confirmed[:_MOST_READ], lambda each: place.call("sns", "GetSubscriptionAttributes", SubscriptionArn=each)
        )
        details = {each: answer.get("Attributes") or {} for each, answer in read}
        rows = [_subscription(each, details.get(str(each.get("SubscriptionArn")))) for each in listed]
        rows.sort(key=lambda row: (row.facts["state"] == "confirmed", row.name))
        left = len(confirmed) - _MOST_READ
        more = f"filters and dead-letter queues of {left} subscriptions were not read" if left > 0 else ""
        if len(listed) >= _MOST_SUBSCRIPTIONS:
            more = f"only the first {_MOST_SUBSCRIPTIONS} subscriptions were read, and the filters of {_MOST_READ}"
        empty = f"topic {_name(arn)} has no subscription: what is published there goes nowhere"
        return self.table(place, rows, empty=empty, failures=failures, more=more, console=_link(place, arn))


def _subscription(told: Answer, details: Mapping[str, str] | None) -> Row:
    arn = str(told.get("SubscriptionArn"))
    known = details or {}
    waits = arn == "PendingConfirmation" or known.get("PendingConfirmation") == "true"
    protocol = str(told.get("Protocol", ""))
    return Row(
        name=endpoint(protocol, str(told.get("Endpoint", ""))),
        facts={
            "state": "pending confirmation" if waits else "deleted" if arn == "Deleted" else "confirmed",
            "protocol": protocol,
            "owner": told.get("Owner"),
            "filter": known.get("FilterPolicy"),
            "filter_on": known.get("FilterPolicyScope") if known.get("FilterPolicy") else None,
            "raw": known.get("RawMessageDelivery") == "true" or None,
            "dead_letters_to": _redrive(known),
        },
    )


def _redrive(told: Mapping[str, str]) -> str | None:
    try:
        return str(json.loads(told.get("RedrivePolicy") or "{}").get("deadLetterTargetArn") or "") or None
    except (ValueError, AttributeError):
        return None


def endpoint(protocol: str, address: str) -> str:
    """Where it goes, as it may be shown: people's addresses and what a URL carries are cut."""
    if protocol.startswith("email"):
        name, at, domain = address.partition("@")
        return f"{name[:1]}…{at}{domain}"
    if protocol == "sms":
        return "…" + re.sub(r"\D", "", address)[-2:]
    if protocol in ("http", "https"):
        try:
            parts = urlsplit(address)
            host, path = parts.hostname or "?", parts.path
        except ValueError:
            return f"{protocol}://?"
        # webhooks carry their secret in the path
        return f"{protocol}://{host}/{path.strip('/').partition('/')[0]}" + ("/…" if path.count("/") > 1 else "")
    return address or "(not told)"


class Deliveries(Operation):
    """What topics published, delivered and could not deliver, and what went to dead letters or was lost."""

    kind: ClassVar[str] = "aws.sns.deliveries"
    service = "sns"
    calls = ("ListTopics", *MEASURING)
    words = ("delivery failures", "notifications failed", "undelivered notifications", "sns failures")

    name: str | None = Field(default=None, description="Name or ARN of the topic; none means all that published")
    window: TimeWindow | None = Field(default=None, description="When; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        arns = await _topics(place, self.name)
        asked = [Asked(arn, {"TopicName": _name(arn)}, _GAUGES) for arn in arns[: 4 * _MOST_READ]]
        levels, failures = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_delivered(arn, found) for arn, found in levels.items() if self.name or any(found.values())]
        rows.sort(key=lambda row: (-_n(row, "lost"), -_n(row, "failed"), -_n(row, "to_dead_letters"), row.name))
        left = len(arns) - len(asked)
        return self.table(
            place, rows, empty=f"none of {len(arns)} topics published in this window", failures=failures,
            more=f"{left} topics were not read; name one" if left > 0 else "", console=_link(place),
        )  # fmt: skip


def _delivered(arn: str, levels: Levels) -> Row:
    failed, delivered = levels.get("failed"), levels.get("delivered")
    tried = None if failed is None or delivered is None else failed + delivered
    return Row(name=_name(arn), facts={"failed_percent": share(failed, tried), **levels})


def _n(row: Row, fact: str) -> float:
    value = row.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0


class TopicPolicy(Operation):
    """Who may do what with a topic by its own policy; what anyone may do comes first."""

    kind: ClassVar[str] = "aws.sns.policy"
    service = "sns"
    calls = ("ListTopics", "GetTopicAttributes")
    words = ("topic policy", "who may publish", "topic permissions")

    name: str = Field(description="Name or ARN of the topic")

    async def answer(self, place: Place, now: datetime) -> Result:
        (arn, *_) = await _topics(place, self.name)
        answer = await place.call("sns", "GetTopicAttributes", TopicArn=arn)
        document = str((answer.get("Attributes") or {}).get("Policy") or "")
        rows = statements(document) if document else []
        return self.table(place, rows, empty=f"topic {_name(arn)} has no policy", console=_link(place, arn))


OPERATIONS = (Topics, Subscriptions, Deliveries, TopicPolicy)
