"""How an answer reaches the person: privately, or in the thread where the question stands."""

from dataclasses import dataclass

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from runbook_bot.domain.noun import Json
from runbook_bot.errors import DeskError
from runbook_bot.slack import words
from runbook_bot.slack.blocks import section
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.message import Message
from runbook_bot.slack.outbox import Outbox
from runbook_bot.slack.refusals import AnswerLost


class Untold(DeskError):
    """Nothing was done, and the message is the one line for whoever asked."""


@dataclass(frozen=True)
class Answer:
    """`private`: for whoever asked only, even where the question was asked in public."""

    text: str
    blocks: tuple[Json, ...] = ()
    private: bool = True


def plain(text: str, *, private: bool = True) -> Answer:
    """`text` is mrkdwn, its untrusted parts escaped already."""
    return Answer(text, (section(text),), private)


class Answers:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._noticed: set[str] = set()
        """Addresses at which a notice stands that the answer is to replace."""

    async def give(self, delivery: Delivery, answer: Answer) -> None:
        """Raises `DeskError` where it reaches nobody."""
        if delivery.kind == "message" and not (answer.private and delivery.channel[:1] != "D"):
            await self._say(delivery, answer)
        elif not (delivery.response_url and await self._respond(delivery.response_url, answer)):
            await self._whisper(delivery, answer)

    async def notice(self, delivery: Delivery) -> None:
        """That somebody is at it: gone as soon as the answer comes. Raises `DeskError` where Slack does not take it."""
        if delivery.kind == "message":
            await self._status(delivery, words.LOOKING_STATUS)
        elif delivery.response_url and await self._respond(delivery.response_url, plain(words.LOOKING)):
            self._noticed.add(delivery.response_url)

    async def notice_over(self, delivery: Delivery) -> None:
        """Takes the notice away where the answer does not do so by itself. Raises `DeskError`."""
        if delivery.kind == "message":
            await self._status(delivery, "")

    async def _status(self, delivery: Delivery, status: str) -> None:
        """The line below a thread: Slack takes it away with the next message in it, or after two minutes."""
        await self._outbox.call(
            "assistant.threads.setStatus",
            self._outbox.client.assistant_threads_setStatus,
            channel_id=delivery.channel,
            thread_ts=delivery.thread or delivery.message,
            status=status,
        )

    async def _respond(self, url: str, answer: Answer) -> bool:
        """By the address that came with the command or click; it works in channels that the bot is not in."""
        client = AsyncWebhookClient(url, timeout=10)
        replaces = url in self._noticed
        self._noticed.discard(url)
        try:
            response = await client.send(
                text=answer.text, blocks=list(answer.blocks), response_type="ephemeral", replace_original=replaces
            )
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        return response.status_code == 200

    async def _whisper(self, delivery: Delivery, answer: Answer) -> None:
        if not delivery.channel:
            raise DeskError("there is no channel to answer in")
        thread = delivery.thread if delivery.kind != "command" else None
        await self._outbox.whisper(
            Message("answer", delivery.channel, thread, answer.text, answer.blocks, to=delivery.user)
        )

    async def _say(self, delivery: Delivery, answer: Answer) -> None:
        """In the thread of the question; a question in a channel opens one under itself, a DM stays flat."""
        flat = delivery.channel.startswith("D") and delivery.thread is None
        thread = None if flat else delivery.thread or delivery.message
        try:
            await self._outbox.post(Message("answer", delivery.channel, thread, answer.text, answer.blocks))
        except AnswerLost:
            return  # most likely it stands there; saying it twice would be worse than once or never
