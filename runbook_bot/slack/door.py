"""Who may ask anything of the bot, and where: full members of this workspace, in its own channels."""

import asyncio
import time
from collections.abc import Callable

import structlog

from runbook_bot.errors import DeskError
from runbook_bot.slack import words
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.directory import FRESH, SlackDirectory

log = structlog.get_logger(__name__)


class Door:
    """Asked after the acknowledgement, as it calls Slack. Where Slack cannot say, the answer is no.

    What was learnt of a person is believed for a minute; approvals are the gate's, which asks anew each time.
    """

    def __init__(self, directory: SlackDirectory, *, now: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._now = now
        self._known: dict[str, tuple[float, str]] = {}

    async def refusal(self, delivery: Delivery) -> str:
        """One polite line, or "" for those who may."""
        try:
            person, shared = await asyncio.gather(self._person(delivery.user), self._shared(delivery.channel))
        except DeskError as error:
            log.warning("cannot tell who may", user=delivery.user, channel=delivery.channel, error=str(error))
            return words.CANNOT_TELL
        return person or (words.SHARED if shared else "")

    async def _person(self, user: str) -> str:
        known = self._known.get(user)
        if known and self._now() - known[0] < FRESH:
            return known[1]
        asked = self._now()
        person = await self._directory.person(user)
        refusal = ""
        if person is None or person.bot or person.deactivated or person.stranger:
            refusal = words.STRANGER
        elif person.guest:
            refusal = words.GUEST
        if len(self._known) > 1000:
            self._known.clear()
        self._known[user] = (asked, refusal)
        return refusal

    async def _shared(self, channel: str) -> bool:
        return bool(channel) and await self._directory.shared(channel)
