"""Every delivery is recorded, without secrets, before it is acknowledged; a second copy is dropped.

Runs before the acknowledgement and never calls Slack's Web API. Where recording fails it raises: then Bolt does not
acknowledge, and Slack delivers events again.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.response import BoltResponse

from runbook_bot.domain.ports import Inbox
from runbook_bot.domain.redaction import redact_json
from runbook_bot.slack import words
from runbook_bot.slack.aftermath import Aftermath
from runbook_bot.slack.delivery import Delivery, read

log = structlog.get_logger(__name__)

AGAIN = "x-runbook-again"
"""The header by which a delivery from before a restart is handed in again; nothing from outside can set it."""


class Intake:
    """Bolt's global middleware. What passes it is in the context as `delivery`."""

    def __init__(self, inbox: Inbox, aftermath: Aftermath, team: str) -> None:
        self._inbox = inbox
        self._aftermath = aftermath
        self._team = team

    async def __call__(
        self, body: dict[str, Any], req: AsyncBoltRequest, context: AsyncBoltContext, next: Callable[[], Awaitable[Any]]
    ) -> BoltResponse | None:
        delivery = read(body)
        if delivery is None:
            await next()
            return None
        refusal = self._refusal(delivery)
        if refusal:
            log.warning("turned away", kind=delivery.kind, team=delivery.team, home=delivery.home, user=delivery.user)
            self._aftermath.tell(delivery, refusal)
            return BoltResponse(status=200, body="")
        if AGAIN not in req.headers and not await self._inbox.accept(delivery.key, json.dumps(redact_json(body))):
            log.info("seen before", kind=delivery.kind, key=delivery.key)
            return BoltResponse(status=200, body="")
        context["delivery"] = delivery
        await next()
        return None

    def _refusal(self, delivery: Delivery) -> str:
        """What the envelope alone is enough to refuse."""
        if delivery.team != self._team:
            return words.WRONG_TEAM
        if delivery.home != self._team:
            return words.STRANGER
        return words.SHARED if delivery.outside else ""
