"""A stand-in for the loopback Slack: serves the page, tells the feed what a test says, keeps every deed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

PAGE = Path(__file__).parents[2] / "runbook_bot" / "playground" / "page"
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="480" height="150"><path d="M0 0h480v150H0z" fill="#dde"/></svg>'
)
_KINDS = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}

Json = dict[str, Any]


class FakeFeed:
    """Holds a state and the open streams. `deeds` are the bodies of /act in order; `answers` go out once each."""

    def __init__(self, state: Json) -> None:
        self.state = state
        self.deeds: list[Json] = []
        self.answers: list[Json] = []
        self.url = ""
        self._readers: list[asyncio.Queue[tuple[str, Json] | None]] = []
        self._heard = asyncio.Condition()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["FakeFeed"]:
        """Runs on a free port until the block ends."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/{name:page\\.css|page\\.js}", self._page),
                web.get("/feed", self._feed),
                web.post("/act", self._act),
                web.get("/files/{id}", self._file),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.cut()
            await runner.cleanup()

    def tell(self, event: str, data: Json) -> None:
        """One increment to everyone who listens."""
        for reader in self._readers:
            reader.put_nowait((event, data))

    def cut(self) -> None:
        """Ends every open stream, as a restart of the server would."""
        for reader in self._readers:
            reader.put_nowait(None)

    async def deed(self, kind: str) -> Json:
        """The next deed of that kind, waited for; deeds before it are passed over."""
        async with asyncio.timeout(60), self._heard:
            while True:
                for i, body in enumerate(self.deeds):
                    if body["do"] == kind:
                        del self.deeds[: i + 1]
                        return body
                await self._heard.wait()

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        return web.Response(body=await asyncio.to_thread((PAGE / name).read_bytes), content_type=_KINDS[name])

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        reader: asyncio.Queue[tuple[str, Json] | None] = asyncio.Queue()
        self._readers.append(reader)
        await response.write(b"retry: 100\n" + _event("state", self.state))
        while (told := await reader.get()) is not None:
            await response.write(_event(*told))
        self._readers.remove(reader)
        return response

    async def _act(self, request: web.Request) -> web.Response:
        body = await request.json()
        answer = self.answers.pop(0) if self.answers else {"ok": True}
        async with self._heard:
            self.deeds.append(body)
            self._heard.notify_all()
        return web.json_response(answer)

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=PICTURE, content_type="image/svg+xml")


def _event(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
