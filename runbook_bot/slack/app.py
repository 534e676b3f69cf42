"""The Slack app: connected over Socket Mode, every delivery recorded, acknowledged, then handled."""

import asyncio
import json
import logging

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from runbook_bot.domain.ports import Clock, Inbox, Journals, Knowledge, Queue
from runbook_bot.errors import DeskError, RunbookError
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.slack import actions, commands, home, mentions, shortcuts, submissions
from runbook_bot.slack.aftermath import Aftermath
from runbook_bot.slack.answers import Answers
from runbook_bot.slack.cases import Cases
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.directory import SlackDirectory
from runbook_bot.slack.door import Door
from runbook_bot.slack.intake import AGAIN, Intake
from runbook_bot.slack.outbox import Outbox

log = structlog.get_logger(__name__)

CONNECT_WITHIN = 30.0
DRAIN_WITHIN = 10.0
PING = 3.0
"""Seconds in which a cut connection is noticed. Slack sends no command or click again, so a deaf second loses some;
four pings without an answer count as cut."""


async def _broken(error: Exception) -> None:
    """Bolt's error handler: what failed before or beside the handling of a delivery. Events are delivered again."""
    if isinstance(error, RunbookError):
        log.error("a delivery was not taken", error=str(error))
    else:
        log.error("a listener is broken", exc_info=error)


class SlackDesk:
    """`connection`, `outbox` and `directory` are shared with the board and the gate, and closed by their maker."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        directory: SlackDirectory,
        *,
        journals: Journals,
        queue: Queue,
        inbox: Inbox,
        knowledge: Knowledge | None,
        asker: Asker,
        clock: Clock,
        reasoner: str,
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._directory = directory
        self._journals = journals
        self._queue = queue
        self._inbox = inbox
        self._knowledge = knowledge
        self._asker = asker
        self._clock = clock
        self._reasoner = reasoner
        self._answers = Answers(outbox)
        self._aftermath = Aftermath(inbox, Door(directory), self._answers)
        self._handler: AsyncSocketModeHandler | None = None

    async def start(self) -> None:
        """Returns connected, with what was left from before in hand; `stop` closes it, also where this fails.

        Raises `SettingsError` or `DeskError`.
        """
        app = await self.listeners()
        before = await self._inbox.pending()
        address = await self._connection.socket_url()
        handler = AsyncSocketModeHandler(
            app, self._connection.app_token, web_client=self._connection.listening, ping_interval=PING
        )
        handler.client.wss_uri = address
        self._handler = handler
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt and its SDK leave it untyped
        except TimeoutError as error:
            raise DeskError(f"no connection to Slack's Socket Mode within {CONNECT_WITHIN:g} s") from error
        log.info("connected to slack", left_from_before=len(before))
        for key, delivery in before:
            await self._again(app, key, delivery)

    async def stop(self) -> None:
        """Take no more, finish what was begun, close."""
        if self._handler is None:
            return
        self._handler.client.auto_reconnect_enabled = False
        await self._handler.client.disconnect()  # type: ignore[no-untyped-call]  # Bolt and its SDK leave it untyped
        await self._aftermath.drain(DRAIN_WITHIN)
        await self._handler.close_async()  # type: ignore[no-untyped-call]  # Bolt and its SDK leave it untyped
        self._handler = None

    async def connected(self) -> bool:
        return self._handler is not None and await self._handler.client.is_connected()

    async def listeners(self) -> AsyncApp:
        """The Bolt app with everything registered, not connected."""
        workspace = await self._connection.workspace()
        bot = AuthorizeResult(
            enterprise_id=None,
            team_id=workspace.team,
            bot_user_id=workspace.bot_user,
            bot_id=workspace.bot_id,
            bot_token=self._connection.bot_token,
        )

        async def authorize() -> AuthorizeResult:
            return bot

        bolt = logging.getLogger("slack_bolt.runbook")
        bolt.setLevel(logging.ERROR)  # or Bolt warns that the SLACK_BOT_TOKEN it finds in the environment is not used
        app = AsyncApp(name="runbook", client=self._connection.listening, authorize=authorize, logger=bolt)
        bolt.setLevel(logging.WARNING)
        app.use(Intake(self._inbox, self._aftermath, workspace.team))
        desk = Desk(
            workspace=workspace,
            connection=self._connection,
            outbox=self._outbox,
            directory=self._directory,
            journals=self._journals,
            queue=self._queue,
            knowledge=self._knowledge,
            asker=self._asker,
            clock=self._clock,
            reasoner=self._reasoner,
            cases=Cases(self._journals),
            answers=self._answers,
            aftermath=self._aftermath,
        )
        for room in (commands, mentions, actions, shortcuts, home):
            room.register(app, desk)
        submissions.register(app, desk, self._inbox)
        app.error(_broken)
        return app

    async def _again(self, app: AsyncApp, key: str, delivery: str) -> None:
        """Through the same middleware and listeners; a trigger that has expired is told to whoever pressed."""
        log.info("handled again after a restart", key=key)
        body = json.loads(delivery)
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body, headers={AGAIN: [key]}))
        if answer.status != 200:
            log.error("nobody handles it any more", key=key, status=answer.status)
            await self._inbox.done(key)
