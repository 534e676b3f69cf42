"""Changes of a queue: send dead letters back to where they came from, or throw everything away."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from runbook_bot.domain.approval import Proposal, Risk
from runbook_bot.domain.noun import Json
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.mutations.mutation import AwsMutation, Plan, Unfit, account_of
from runbook_bot.providers.aws.place import Place


class _Queue(AwsMutation):
    """A change of one queue."""

    service: ClassVar[str] = "sqs"
    any_target: ClassVar[str] = "*"

    queue: str = Field(pattern=r"^[A-Za-z0-9_-]{1,75}(\.fifo)?$", description="Name of the queue")

    @property
    def target(self) -> Resource:
        return Resource(type=ResourceType.sqs_queue, name=self.queue)

    @property
    def resource_path(self) -> str:
        return self.queue

    async def state(self, place: Place) -> Json:
        url = str((await place.call("sqs", "GetQueueUrl", QueueName=self.queue)).get("QueueUrl", ""))
        told = await place.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
        found = told.get("Attributes") or {}
        return {
            "url": url,
            "arn": str(found.get("QueueArn", "")),
            "messages": int(found.get("ApproximateNumberOfMessages") or 0),
            "in_flight": int(found.get("ApproximateNumberOfMessagesNotVisible") or 0),
        }


class Redrive(_Queue):
    """Move the messages of a dead-letter queue back to the queues they came from."""

    operation: ClassVar[str] = "sqs.redrive"
    action: ClassVar[str] = "StartMessageMoveTask"
    reads: ClassVar[tuple[str, ...]] = ("sqs:ListMessageMoveTasks", "sqs:ListDeadLetterSourceQueues")

    arn_of_queue: str = Field(alias="arn", pattern=r"^arn:aws[\w-]*:sqs:[^:]+:\d+:.+$", description="Its ARN")
    per_second: int = Field(default=50, ge=1, le=500, description="Messages moved in a second")

    @property
    def request(self) -> dict[str, Any]:
        return {"SourceArn": self.arn_of_queue, "MaxNumberOfMessagesPerSecond": self.per_second}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("arn",)

    async def plan(self, place: Place, state: Json) -> Plan:
        if state["arn"] != self.arn_of_queue:
            raise Unfit(f"{self.arn_of_queue} is not the queue {self.queue}")
        told = await place.call("sqs", "ListDeadLetterSourceQueues", QueueUrl=str(state["url"]))
        sources = [str(each).rpartition("/")[2] for each in told.get("queueUrls") or []]
        if not sources:
            raise Unfit(f"{self.queue} is no queue's dead-letter queue, so nothing says where its messages belong")
        if not state["messages"]:
            raise Unfit(f"{self.queue} is empty")
        moved = f"{state['messages']} messages"
        return Plan(
            title=f"Send {moved} of {self.queue} back",
            summary=f"{moved} → {', '.join(sources[:5])}, {self.per_second} a second",
            impact=f"about {moved} are handled again by the readers of {', '.join(sources[:5])}; what they do twice "
            "happens twice, and what still fails comes back here",
            risk=Risk.high,
            back=None,
            account=account_of(state["arn"]),
        )

    async def took_effect(self, place: Place, proposal: Proposal) -> bool | None:
        told = await place.call("sqs", "ListMessageMoveTasks", SourceArn=self.arn_of_queue)
        started = [int(each.get("StartedTimestamp") or 0) / 1000 for each in told.get("Results") or []]
        return any(at >= proposal.created_at.timestamp() for at in started)


class Purge(_Queue):
    """Throw away every message of a queue."""

    operation: ClassVar[str] = "sqs.purge_queue"
    action: ClassVar[str] = "PurgeQueue"

    url: str = Field(pattern=r"^https?://\S+$", description="Its URL")

    @property
    def request(self) -> dict[str, Any]:
        return {"QueueUrl": self.url}

    @property
    def watched(self) -> tuple[str, ...]:
        return ("arn",)

    async def plan(self, place: Place, state: Json) -> Plan:
        if urlsplit(str(state["url"])).path != urlsplit(self.url).path:
            raise Unfit(f"{self.url} is not the queue {self.queue}")
        waiting = f"{state['messages']} waiting and {state['in_flight']} in flight"
        return Plan(
            title=f"Throw away every message of {self.queue}",
            summary=f"{waiting} → none",
            impact=f"about {state['messages']} waiting and {state['in_flight']} messages in flight are lost for good, "
            "and those that arrive within the next minute may be too",
            risk=Risk.critical,
            back=None,
            account=account_of(state["arn"]),
        )


MUTATIONS = (Redrive, Purge)
