"""Whoever waits for an answer that takes a moment sees that somebody is at it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from runbook_bot.errors import DeskError
from runbook_bot.slack.answers import Answers
from runbook_bot.slack.delivery import Delivery

log = structlog.get_logger(__name__)

AFTER = 1.0
"""Seconds; a quicker answer needs no notice."""


@contextlib.asynccontextmanager
async def looking(answers: Answers, delivery: Delivery) -> AsyncIterator[None]:
    """Around what takes long. The notice has arrived, or never will, when it is left: it cannot overtake the answer."""
    found = asyncio.Event()
    telling = asyncio.create_task(_tell(answers, delivery, found), name=f"looking {delivery.key}")
    try:
        yield
    finally:
        found.set()
        await telling


async def _tell(answers: Answers, delivery: Delivery, found: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(found.wait(), AFTER)
        return
    try:
        await answers.notice(delivery)
        await found.wait()
        await answers.notice_over(delivery)
    except DeskError as error:
        log.info("no notice was shown", key=delivery.key, error=str(error))
