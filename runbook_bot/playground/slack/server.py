"""The loopback Slack itself: one port that is Slack to the bot and a page to its people."""

import socket as sockets
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from aiohttp import web

from runbook_bot.errors import PortTaken
from runbook_bot.playground.slack.acting import Acting
from runbook_bot.playground.slack.api.files import receive_upload
from runbook_bot.playground.slack.api.method import Desk
from runbook_bot.playground.slack.bulletin import Bulletin
from runbook_bot.playground.slack.calls import Calls
from runbook_bot.playground.slack.events import Events
from runbook_bot.playground.slack.faults import Faults
from runbook_bot.playground.slack.feed import Feed, same_origin
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.plain_text import PlainText
from runbook_bot.playground.slack.response_urls import receive_response
from runbook_bot.playground.slack.socket import Socket
from runbook_bot.playground.slack.state import Channel, State
from runbook_bot.playground.slack.web_api import WebApi
from runbook_bot.playground.slack.workspace import Workspace

T = TypeVar("T")

HOST = "127.0.0.1"


class LoopbackSlack:
    """A Slack workspace on loopback.

    Start it inside a running loop, give `api_url` and the two tokens to the bot, and `page_url` to a person.
    Tests read `calls`, `deliveries` and `messages`, let people `act`, and order `faults`.
    """

    def __init__(self, workspace: Workspace | None = None) -> None:
        self.workspace = workspace or Workspace.demo()
        self.bulletin = Bulletin()
        self.state = State(self.workspace, self.bulletin)
        self.socket = Socket(self.workspace.app_id, self.bulletin)
        self.events = Events(self.state, self.socket)
        self.faults = Faults()
        self.calls = Calls()
        self._desk = Desk(self.state, self.socket, self.events, self.faults)
        self._acting = Acting(self._desk)
        self._feed = Feed(self.state, self.socket, self._acting, self.calls)
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> "LoopbackSlack":
        """Listen on a port (0: any free one); PortTaken when it is taken."""
        app = web.Application(middlewares=[same_origin], client_max_size=64 * 1024 * 1024)
        api = WebApi(self._desk, self.calls)
        app.add_routes(
            [
                web.post("/api/{method}", api.serve),
                web.get("/api/{method}", api.serve),
                web.get("/socket", self.socket.serve),
                web.post("/upload/{file_id}/{key}", partial(receive_upload, self._desk)),
                web.post("/response/{key}", partial(receive_response, self._desk)),
                *self._feed.routes(),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        listener = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM)
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            listener.close()
            await self._runner.cleanup()
            text = f"cannot listen on port {port}: {error.strerror}; choose another with --port"
            raise PortTaken(text) from error
        self.port = int(listener.getsockname()[1])
        self._desk.base_url = f"http://{HOST}:{self.port}"
        await web.SockSite(self._runner, listener).start()
        return self

    async def stop(self) -> None:
        """Close every connection and the port."""
        self._feed.closing.set()
        await self.socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "LoopbackSlack":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # what the bot and its people are told

    @property
    def api_url(self) -> str:
        """The base URL of the Web API, for SLACK_API_URL."""
        return f"http://{HOST}:{self.port}/api/"

    @property
    def page_url(self) -> str:
        """The page where people act."""
        return f"http://{HOST}:{self.port}/"

    @property
    def bot_token(self) -> str:
        """The xoxb- token."""
        return self.workspace.bot_token

    @property
    def app_token(self) -> str:
        """The xapp- token."""
        return self.workspace.app_token

    @property
    def connected(self) -> bool:
        """Whether a socket of the app is open."""
        return bool(self.socket.connections)

    # in-process use by tests and the headless demo

    async def act(self, body: Json) -> Json:
        """What a person does, exactly as `POST /act`."""
        return await self._acting.act(body)

    def channel(self, name: str) -> Channel:
        """A channel by id or name; LookupError when there is none."""
        found = self.state.channel_named(name)
        if found is None:
            raise LookupError(f"there is no channel {name!r}")
        return found

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """The messages of a channel, or of one thread of it, oldest first."""
        found = self.channel(channel)
        return found.thread(thread_ts) if thread_ts else list(found.messages.values())

    def thread_text(self, channel: str, ts: str | None = None) -> str:
        """A thread, or the whole channel with its threads, as plain text."""
        found, render = self.channel(channel), PlainText(self.state)
        return render.thread(found, ts) if ts else render.channel(found)

    async def wait_for(
        self,
        predicate: Callable[[], T | None],
        timeout: float = 10.0,  # noqa: ASYNC109 - the seconds are part of the error's sentence
        what: str = "what was waited for",
    ) -> T:
        """The first true value of `predicate`, tried after every change; TimeoutError says `what` did not come."""
        return await self.bulletin.wait_for(predicate, timeout, what)

    def emit(self, event: Json, channel: str | None = None) -> None:
        """Send the app any other event, such as `channel_shared`, if it subscribed to it."""
        self.events.emit(event, None, self.channel(channel) if channel else None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send a disconnect frame on every connection."""
        await self.socket.disconnect(reason)

    def cut(self) -> None:
        """Break every socket connection without a word."""
        self.socket.cut()
