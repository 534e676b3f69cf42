"""Who may ask anything of the bot, and where: full members of this workspace, in its own channels."""

import asyncio

import structlog

from runbook_bot.errors import DeskError
from runbook_bot.slack import words
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.directory import SlackDirectory

log = structlog.get_logger(__name__)


class Door:
    """Asked after the acknowledgement, as it calls Slack. Where Slack cannot say, the answer is no."""

    def __init__(self, directory: SlackDirectory) -> None:
        self._directory = directory

    async def refusal(self, delivery: Delivery) -> str:
        """One polite line, or "" for those who may."""
        try:
            person, shared = await asyncio.gather(self._directory.person(delivery.user), self._shared(delivery.channel))
        except DeskError as error:
            log.warning("cannot tell who may", user=delivery.user, channel=delivery.channel, error=str(error))
            return words.CANNOT_TELL
        if person is None or person.bot or person.deactivated or person.stranger:
            return words.STRANGER
        if person.guest:
            return words.GUEST
        return words.SHARED if shared else ""

    async def _shared(self, channel: str) -> bool:
        return bool(channel) and await self._directory.shared(channel)
