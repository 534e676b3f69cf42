"""What the page is served: its three files, the live feed, the deeds of its people, files and exports."""

import asyncio
import json
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from runbook_bot.playground.slack.acting import Acting
from runbook_bot.playground.slack.calls import Calls
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.plain_text import PlainText
from runbook_bot.playground.slack.socket import Socket
from runbook_bot.playground.slack.state import State

PAGE = Path(__file__).parent.parent / "page"
_FILES = {
    "": ("index.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
_POLICY = "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
_HEARTBEAT = 15.0
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Feed:
    """The page's side of the loopback Slack."""

    def __init__(self, state: State, socket: Socket, acting: Acting, calls: Calls) -> None:
        self.state = state
        self.socket = socket
        self.acting = acting
        self.calls = calls
        self.closing = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The routes of feed and page."""
        return [
            web.get("/feed", self._feed),
            web.post("/act", self._act),
            web.get("/calls", self._calls),
            web.get("/files/{file_id}", self._file),
            web.get("/export/{channel}.txt", self._export),
            web.get("/{name:|page\\.css|page\\.js}", self._page),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        name, kind = _FILES[request.match_info["name"]]
        path = PAGE / name
        if not await asyncio.to_thread(path.is_file):
            raise web.HTTPNotFound(text=f"{name} is not part of this installation")
        text = await asyncio.to_thread(path.read_text, "utf-8")
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=text, content_type=kind, headers=headers)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        with self.state.bulletin.reader() as news:
            try:
                await _send(response, "state", self.state.snapshot(bool(self.socket.connections)))
                while not self.closing.is_set():
                    await self._send_next(response, news)
            except ConnectionError:
                pass  # the page was closed; there is nobody left to tell
        return response

    async def _send_next(self, response: web.StreamResponse, news: "asyncio.Queue[tuple[str, Json]]") -> None:
        waiting = asyncio.ensure_future(news.get())
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            await asyncio.wait({waiting, closing}, timeout=_HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                event, data = waiting.result()
                await _send(response, event, data)
            else:
                await response.write(b": still here\n\n")
        finally:
            waiting.cancel()
            closing.cancel()

    async def _act(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return web.json_response({"ok": False, "error": "the body must be a JSON object"}, status=400)
        return web.json_response(await self.acting.act(body))

    async def _calls(self, request: web.Request) -> web.Response:
        method = request.query.get("method")
        shown = [
            {"method": one.method, "args": one.args, "at": one.at, "status": one.status, "answer": one.answer}
            for one in self.calls
            if method in {None, one.method}
        ]
        return web.json_response(shown)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.state.files.get(request.match_info["file_id"])
        if file is None or file.content is None:
            raise web.HTTPNotFound(text="no such file")
        # Whatever was uploaded is shown or downloaded, never run.
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)

    async def _export(self, request: web.Request) -> web.Response:
        channel = self.state.channels.get(request.match_info["channel"])
        if channel is None:
            raise web.HTTPNotFound(text="no such channel")
        return web.Response(text=PlainText(self.state).channel(channel))


async def _send(response: web.StreamResponse, event: str, data: Json) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())


@web.middleware
async def same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends here, and names that were made to point at this machine."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise web.HTTPForbidden(text="requests from other sites are refused")
    if request.host.rpartition(":")[0] not in LOCAL_NAMES:
        raise web.HTTPForbidden(text=f"this server answers to {', '.join(sorted(LOCAL_NAMES))} only")
    return await handler(request)
