"""Opens an investigation: one journal with one entry, and a word to the queue. The rest is the worker's."""

import asyncio
import hashlib

from runbook_bot.domain.incident import Request, Source
from runbook_bot.domain.journal import Opened
from runbook_bot.slack import words
from runbook_bot.slack.answers import Answer, plain
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.spoken import LIMIT
from runbook_bot.slack.verbs import Ask


def id_of(delivery_key: str) -> str:
    """The same delivery, handled twice, opens the same investigation."""
    return "inv-" + hashlib.sha256(delivery_key.encode()).hexdigest()[:10]


async def investigate(desk: Desk, ask: Ask) -> Answer | None:
    if not any(char.isalnum() for char in ask.words):
        return plain(words.NOTHING_SAID)
    await begin(desk, ask.delivery, ask.words, ask.delivery.thread)
    return plain(words.TRIM_NOTE.format(limit=LIMIT)) if len(ask.words) > LIMIT else None


async def begin(desk: Desk, delivery: Delivery, text: str, thread: str | None) -> None:
    """In that thread, or with a new one where None."""
    id = id_of(delivery.key)
    request = Request(
        text=text[:LIMIT],
        requester=delivery.user,
        team=delivery.team,
        channel=delivery.channel,
        thread=thread,
        source=Source.slack,
    )
    await asyncio.to_thread(desk.journals.create, id, Opened(request=request, reasoner=desk.reasoner))
    await desk.queue.advance(id)
