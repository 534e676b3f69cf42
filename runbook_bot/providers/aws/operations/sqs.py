"""What can be asked of SQS: queues with depth and age, what lies in dead-letter queues, and who may use a queue."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field

from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Result
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.console import console_host
from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.levels import MEASURING, Asked, Gauge, Levels, last, read_levels, share
from runbook_bot.providers.aws.operations.operation import Operation
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.resource_policy import statements

_MOST_QUEUES = 100
_MOST_IN_FLIGHT = 120_000
"""From the SQS guide, "message quotas"; the same for standard and FIFO queues."""
_SQS = "AWS/SQS"
_GAUGES = (
    Gauge("oldest_message_age_s", _SQS, "ApproximateAgeOfOldestMessage", "Maximum", "latest"),
    Gauge("oldest_message_age_peak_s", _SQS, "ApproximateAgeOfOldestMessage", "Maximum", "peak"),
    Gauge("messages_before", _SQS, "ApproximateNumberOfMessagesVisible", "Average", "first"),
    Gauge("messages_peak", _SQS, "ApproximateNumberOfMessagesVisible", "Maximum", "peak"),
    Gauge("sent", _SQS, "NumberOfMessagesSent", "Sum", "total"),
    Gauge("deleted", _SQS, "NumberOfMessagesDeleted", "Sum", "total"),
    Gauge("received_empty", _SQS, "NumberOfEmptyReceives", "Sum", "total"),
)
_NUMBERS = {
    "messages": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
    "visibility_timeout_s": "VisibilityTimeout",
    "retention_s": "MessageRetentionPeriod",
    "delivery_delay_s": "DelaySeconds",
    "receive_wait_s": "ReceiveMessageWaitTimeSeconds",
}
_Attributes = Mapping[str, str]


def _link(place: Place) -> str:
    return f"https://{console_host(place.region)}/sqs/v3/home?region={place.region}#/queues"


async def _queues(place: Place, name: str | None) -> tuple[dict[str, _Attributes], list[CallFailed], str]:
    """The attributes of each queue by name; what failed; and what was left out."""
    if name is not None:
        return {name: await _attributes(place, name)}, [], ""
    urls = await place.gather("sqs", "ListQueues", "QueueUrls", _MOST_QUEUES + 1, MaxResults=1000)
    read, failures = await for_each(urls[:_MOST_QUEUES], lambda url: _of_url(place, str(url)))
    more = f"only the first {_MOST_QUEUES} queues were read; name one" if len(urls) > _MOST_QUEUES else ""
    return {str(url).rpartition("/")[2]: attributes for url, attributes in read}, failures, more


async def _attributes(place: Place, name: str, owner: str | None = None) -> _Attributes:
    """Raises `CallFailed`, `missing` where there is no such queue."""
    of = {"QueueOwnerAWSAccountId": owner} if owner else {}
    answer = await place.call("sqs", "GetQueueUrl", QueueName=name, **of)
    return await _of_url(place, str(answer.get("QueueUrl", "")))


async def _of_url(place: Place, url: str) -> _Attributes:
    answer = await place.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    return {str(key): str(value) for key, value in (answer.get("Attributes") or {}).items()}


def _redrive(attributes: _Attributes) -> tuple[str, int | None]:
    """The ARN of the dead-letter queue, and after how many receives a message goes there; empty where there is none."""
    try:
        policy = json.loads(attributes.get("RedrivePolicy") or "{}")
        return str(policy.get("deadLetterTargetArn") or ""), int(policy.get("maxReceiveCount") or 0) or None
    except (ValueError, TypeError, AttributeError):
        return "", None


def _count(attributes: _Attributes, ours: str) -> int | None:
    value = attributes.get(_NUMBERS[ours], "")
    return int(value) if value.isdecimal() else None


class Queues(Operation):
    """Queues with messages waiting and in flight, the oldest one's age against retention, and dead letters."""

    kind: ClassVar[str] = "aws.sqs.queues"
    service = "sqs"
    calls = ("ListQueues", "GetQueueUrl", "GetQueueAttributes", *MEASURING)
    words = ("queues", "queue depth", "message age", "messages in flight", "backlog")

    name: str | None = Field(default=None, description="Name of the queue; none means all")
    window: TimeWindow | None = Field(default=None, description="When it is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found, failures, more = await _queues(place, self.name)
        letters, failed = await _dead_letters(place, found)
        asked = [Asked(name, {"QueueName": name}, _GAUGES) for name in found]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        targets = {_redrive(attributes)[0] for attributes in found.values()}
        rows = [_queue(name, each, levels[name], letters, targets) for name, each in found.items()]
        rows.sort(
            key=lambda row: (not _dead(row), -_n(row, "age_percent_of_retention"), -_n(row, "messages"), row.name)
        )
        return self.table(
            place, rows, empty="SQS has no queue here", failures=few([*failures, *failed, *unread]), more=more,
            console=_link(place),
        )  # fmt: skip


async def _dead_letters(
    place: Place, found: Mapping[str, _Attributes]
) -> tuple[dict[str, _Attributes | None], list[CallFailed]]:
    """The attributes of each queue that dead letters go to, by ARN; None where it does not exist."""
    known = {attributes.get("QueueArn", ""): attributes for attributes in found.values()}
    wanted = {_redrive(attributes)[0] for attributes in found.values()} - {""}
    letters: dict[str, _Attributes | None] = {arn: known[arn] for arn in wanted if arn in known}

    async def look(arn: str) -> _Attributes | None:
        parts = arn.split(":")
        try:
            return await _attributes(place.at(parts[3]) if parts[3] else place, parts[-1], parts[4])
        except CallFailed as failure:
            if failure.kind == "missing":
                return None
            raise

    elsewhere = sorted(arn for arn in wanted - letters.keys() if arn.count(":") >= 5)
    read, failures = await for_each(elsewhere, look)
    return letters | dict(read), failures


def _queue(
    name: str,
    told: _Attributes,
    levels: Levels,
    letters: Mapping[str, _Attributes | None],
    targets: set[str],
) -> Row:
    arn, receives = _redrive(told)
    dead = letters.get(arn)
    made = told.get("CreatedTimestamp", "")
    return Row(
        name=name,
        at=datetime.fromtimestamp(int(made), UTC) if made.isdecimal() else None,
        facts={
            "messages": _count(told, "messages"),
            "oldest_message_age_s": levels.get("oldest_message_age_s"),
            "age_percent_of_retention": share(levels.get("oldest_message_age_s"), _count(told, "retention_s")),
            "dead_letters": _count(dead, "messages") if dead else None,
            "in_flight": _count(told, "in_flight"),
            "in_flight_percent": share(_count(told, "in_flight"), _MOST_IN_FLIGHT) or None,
            "delayed": _count(told, "delayed") or None,
            **levels,
            "retention_s": _count(told, "retention_s"),
            "visibility_timeout_s": _count(told, "visibility_timeout_s"),
            "delivery_delay_s": _count(told, "delivery_delay_s") or None,
            "fifo": told.get("FifoQueue") == "true" or None,
            "dead_letters_to": arn or None,
            "after_receives": receives,
            "dead_letter_queue_is_gone": True if arn and arn in letters and dead is None else None,
            "is_dead_letter_queue": True if told.get("QueueArn") in targets else None,
        },
    )


def _n(row: Row, fact: str) -> float:
    value = row.facts.get(fact)
    return float(value) if isinstance(value, int | float) else -1.0


def _dead(row: Row) -> bool:
    """Messages have been given up, or would be lost."""
    own = bool(row.facts.get("is_dead_letter_queue")) and _n(row, "messages") > 0
    return own or _n(row, "dead_letters") > 0 or bool(row.facts.get("dead_letter_queue_is_gone"))


class DeadLetters(Operation):
    """Dead-letter queues with what lies in them, how it grew, when it expires, and the queues that it came from."""

    kind: ClassVar[str] = "aws.sqs.dead_letters"
    service = "sqs"
    calls = ("ListQueues", "GetQueueUrl", "GetQueueAttributes", *MEASURING)
    words = ("dead letters", "dead letter queues", "dlq", "poison messages")

    name: str | None = Field(default=None, description="Name of a dead-letter queue, or of a queue that has one")
    window: TimeWindow | None = Field(default=None, description="When growth is measured; none means the last hour")

    async def answer(self, place: Place, now: datetime) -> Result:
        found, failures, more = await _queues(place, None)
        letters, failed = await _dead_letters(place, found)
        sources: dict[str, list[str]] = {}
        for name, attributes in found.items():
            if _redrive(attributes)[0]:
                sources.setdefault(_redrive(attributes)[0], []).append(name)
        wanted = {
            arn: names
            for arn, names in sources.items()
            if self.name in (None, arn.rpartition(":")[2]) or self.name in names
        }
        asked = [Asked(arn, {"QueueName": arn.rpartition(":")[2]}, _GAUGES) for arn in wanted]
        levels, unread = await read_levels(place, asked, last(1, now, self.window), now)
        rows = [_letters(arn, letters.get(arn), levels[arn], names, arn in letters) for arn, names in wanted.items()]
        rows.sort(key=lambda row: (not row.facts.get("is_gone"), -_n(row, "messages"), row.name))
        empty = "no queue sends its dead letters anywhere" + (f", as far as {self.name} goes" if self.name else "")
        return self.table(
            place, rows, empty=empty, failures=few([*failures, *failed, *unread]), more=more, console=_link(place)
        )


def _letters(arn: str, told: _Attributes | None, levels: Levels, sources: Sequence[str], looked: bool) -> Row:
    attributes = told or {}
    messages, before = _count(attributes, "messages"), levels.get("messages_before")
    return Row(
        name=arn.rpartition(":")[2],
        facts={
            "is_gone": True if looked and told is None else None,
            "messages": messages,
            "grew_by": None if messages is None or before is None else messages - before,
            "oldest_message_age_s": levels.get("oldest_message_age_s"),
            "age_percent_of_retention": share(levels.get("oldest_message_age_s"), _count(attributes, "retention_s")),
            "retention_s": _count(attributes, "retention_s"),
            "from": _named(sources),
        },
    )


def _named(queues: Sequence[str]) -> str:
    """`2 queues: mails, orders`; a generated name that stood alone would look like a secret."""
    more = f" and {len(queues) - 20} more" if len(queues) > 20 else ""
    return f"{len(queues)} queue{'s' if len(queues) > 1 else ''}: {', '.join(sorted(queues)[:20])}{more}"


class QueuePolicy(Operation):
    """Who may do what with a queue by its own policy; what anyone may do comes first."""

    kind: ClassVar[str] = "aws.sqs.policy"
    service = "sqs"
    calls = ("GetQueueUrl", "GetQueueAttributes")
    words = ("queue policy", "who may send to the queue", "queue permissions")

    name: str = Field(description="Name of the queue")

    async def answer(self, place: Place, now: datetime) -> Result:
        attributes = await _attributes(place, self.name)
        document = attributes.get("Policy", "")
        empty = f"queue {self.name} has no policy of its own: only permissions of its own account's identities count"
        return self.table(place, statements(document) if document else [], empty=empty, console=_link(place))


OPERATIONS = (Queues, DeadLetters, QueuePolicy)
