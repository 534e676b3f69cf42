"""A loopback Slack and, connected to it over a real WebSocket, a real Bolt app."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.playground.slack import LoopbackSlack

Connect = Callable[[AsyncApp], "contextlib.AbstractAsyncContextManager[AsyncSocketModeHandler]"]


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as running:
        # a busy machine is no reason to fail; who tests being late says so
        running.socket.ack_limit = running.state.trigger_life = 30.0
        running.socket.retry_delays = (0.0, 0.1, 0.2)
        yield running


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client)


@pytest.fixture
def connect(slack: LoopbackSlack) -> Connect:
    @contextlib.asynccontextmanager
    async def connected(app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
        handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.2)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
        await slack.wait_for(lambda: slack.connected, 60, "a connection")
        try:
            yield handler
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # likewise
            await asyncio.sleep(0)

    return connected
