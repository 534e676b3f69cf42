"""What is done after the acknowledgement: supervised, drained at the end, its errors told to whoever waits."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import structlog

from runbook_bot.domain.ports import Inbox
from runbook_bot.errors import RunbookError
from runbook_bot.slack import words
from runbook_bot.slack.answers import Answer, Answers, Untold, plain
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.door import Door

log = structlog.get_logger(__name__)

Handler = Callable[[], Awaitable[None]]


class Aftermath:
    """Bolt keeps no hold of its listeners' tasks; these are held, and a delivery is done only when its task is."""

    def __init__(self, inbox: Inbox, door: Door, answers: Answers) -> None:
        self._inbox = inbox
        self._door = door
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, delivery: Delivery, handler: Handler, *, door: bool = True) -> None:
        """Handle it now, in the background. Without the door: for what only asks, or what the gate rules on anyway."""
        self._hold(self._handle(delivery, handler, door), f"{delivery.kind} {delivery.key}")

    def tell(self, delivery: Delivery, text: str) -> None:
        """One private line, nothing else."""
        self._hold(self._tell(delivery, plain(text)), f"tell {delivery.key}")

    async def drain(self, seconds: float) -> None:
        """Finish what was begun; what is not finished by then is cancelled and stays pending for the next start."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _hold(self, work: "Awaitable[None]", name: str) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        task.set_name(name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, delivery: Delivery, handler: Handler, door: bool) -> None:
        try:
            refusal = await self._door.refusal(delivery) if door else ""
            if refusal:
                await self._answers.give(delivery, plain(refusal))
            else:
                await handler()
        except Untold as error:
            log.info("nothing to do", kind=delivery.kind, key=delivery.key, error=str(error))
            await self._tell(delivery, plain(str(error)))
        except Exception:  # the outer edge of a delivery: whoever waits is told, with a reference
            reference = uuid.uuid4().hex[:8]
            log.exception("broken", kind=delivery.kind, key=delivery.key, reference=reference)
            await self._tell(delivery, plain(words.BROKEN.format(reference=reference)))
        await self._inbox.done(delivery.key)

    async def _tell(self, delivery: Delivery, answer: Answer) -> None:
        try:
            await self._answers.give(delivery, answer)
        except RunbookError as error:
            log.warning("could not be told", kind=delivery.kind, key=delivery.key, error=str(error))
