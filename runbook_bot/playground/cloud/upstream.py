"""The moto server behind the overlay: a process of its own, and the way a call is passed on to it."""

import asyncio
import json
import sys
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from runbook_bot.errors import PlaygroundError
from runbook_bot.playground.cloud import wire
from runbook_bot.playground.cloud.wire import Call, Parameters, Request, Response

_START = 120.0
"""Seconds that moto may take to come up, on a very busy machine; one that cannot come up ends at once."""
_DROPPED = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "accept-encoding"})


@dataclass
class Refused(Exception):
    """moto answered with an error; the client is to see it as it came."""

    response: Response


class Upstream:
    """A running moto server. `start` raises `PlaygroundError` where moto is not installed or does not come up."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._session: Any = None
        self._url = ""

    async def start(self) -> None:
        import aiohttp

        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "runbook_bot.playground.cloud.moto_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout
        try:
            async with asyncio.timeout(_START):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            why = await self._last_words()
            await self.stop()
            raise PlaygroundError(f"the simulated cloud did not start: {why}")
        self._url = json.loads(line)["url"]
        self._session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=16))

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._process is not None:
            # the pipes' transports close in the next turns of the loop, and would warn if it ended before
            self._process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to close it
            await asyncio.sleep(0)

    async def clear(self) -> None:
        """Forget everything that was made."""
        async with self._session.post(f"{self._url}/moto-api/reset") as answer:
            await answer.read()

    async def forward(self, request: Request) -> Response:
        """The request as it came, and moto's answer as it comes."""
        headers = {k: v for k, v in request.headers.items() if k not in _DROPPED}
        url = f"{self._url}{request.path}" + (f"?{request.query}" if request.query else "")
        from yarl import URL

        # As a file: aiohttp warns of long bodies in one piece, and a busy scenario writes megabytes of log lines.
        body_file = BytesIO(request.body) if request.body else None
        async with self._session.request(
            request.method, URL(url, encoded=True), headers=headers, data=body_file, allow_redirects=False
        ) as answer:
            body = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _DROPPED | {"server", "date"}}
            return Response(answer.status, kept, body)

    async def ask(self, call: Call) -> Parameters:
        """moto's answer in the words of the API. Raises `Refused`."""
        response = await self.forward(call.request)
        if response.status >= 400:
            raise Refused(response)
        return wire.read_answer(call, response)

    async def invent(self, call: Call, operation: str, parameters: Parameters) -> Parameters:
        """Another JSON operation of the same service, asked on behalf of a call; {} where moto refuses it."""
        target = call.request.headers.get("x-amz-target", "").rpartition(".")[0]
        headers = {**call.request.headers, "x-amz-target": f"{target}.{operation}"}
        headers.pop("content-encoding", None)
        response = await self.forward(Request("POST", "/", "", headers, json.dumps(parameters).encode()))
        return {} if response.status >= 400 else wire.read_answer(call, response)

    async def _last_words(self) -> str:
        assert self._process
        if self._process.returncode is None:
            try:
                async with asyncio.timeout(1):
                    await self._process.wait()
            except TimeoutError:
                return f"no answer within {_START:.0f} s"
        assert self._process.stderr
        text = (await self._process.stderr.read()).decode("utf-8", "replace").strip()
        if "No module named" in text:
            return "moto is not installed; install the extra `demo`: pip install 'runbook-bot[demo]'"
        return text.splitlines()[-1] if text else "it ended without a word"
