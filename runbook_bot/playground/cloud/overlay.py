"""The one endpoint: answers what moto lacks, passes on everything else, and sees every change go by."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runbook_bot.playground.cloud import past, trail, wire
from runbook_bot.playground.cloud.identities import Identities
from runbook_bot.playground.cloud.knobs import Knobs
from runbook_bot.playground.cloud.trail import Trail
from runbook_bot.playground.cloud.upstream import Refused, Upstream
from runbook_bot.playground.cloud.wire import AwsError, Call, Handlers, Request, Response
from runbook_bot.playground.cloud.world import SimulatedClock

if TYPE_CHECKING:
    from aiohttp import web

_LARGEST = 64 * 1024 * 1024
_VOLUMINOUS = ("cloudwatch", "logs")
"""Services whose answers are megabytes: written in a thread, since the product may run in the same loop."""


class Overlay:
    def __init__(
        self,
        upstream: Upstream,
        identities: Identities,
        record: Trail,
        clock: SimulatedClock,
        token: str,
        knobs: Knobs,
    ) -> None:
        self._upstream = upstream
        self._identities = identities
        self._trail = record
        self._clock = clock
        self._token = token
        self._knobs = knobs
        self._handlers: Handlers = {}
        self._runner: web.AppRunner | None = None
        self.on_change: Callable[[Call], Awaitable[None]] | None = None
        self.calls: dict[str, int] = {}
        """Action → how often it was called, the loader's calls apart."""

    def answers(self, handlers: Handlers) -> None:
        self._handlers |= handlers

    async def start(self, port: int) -> int:
        """The port it listens on. Raises `OSError` where the port is taken."""
        from aiohttp import web

        application = web.Application(client_max_size=_LARGEST)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, incoming: "web.Request") -> "web.Response":
        from aiohttp import web

        request = Request(
            incoming.method,
            incoming.raw_path.partition("?")[0],
            incoming.query_string and incoming.raw_path.partition("?")[2],
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
        )
        response = await self._respond(request)
        return web.Response(status=response.status, headers=response.headers, body=response.body)

    async def _respond(self, request: Request) -> Response:
        call = self._understood(request)
        if call is None:
            return await self._upstream.forward(request)
        if not call.past and (refusal := await self._met_a_knob(call)):
            return refusal
        try:
            response = await self._answered(call)
        except Refused as refused:
            if trail.changes(call):
                self._trail.record(call, {}, error="ClientException")
            return refused.response
        except AwsError as error:
            return wire.failure(call, error)
        return response

    def _understood(self, request: Request) -> Call | None:
        call = wire.understand(request)
        if call is None:
            return None
        if request.headers.get(past.TOKEN) == self._token:
            at, key = float(request.headers[past.AT]), request.headers[past.KEY]
            return dataclasses.replace(call, at=at, access_key=key, past=True)
        self.calls[call.action] = self.calls.get(call.action, 0) + 1
        return dataclasses.replace(call, at=self._clock.now())

    async def _met_a_knob(self, call: Call) -> Response | None:
        waits = [seconds for pattern, seconds in self._knobs.latency.items() if fnmatchcase(call.action, pattern)]
        if waits:
            await asyncio.sleep(max(waits))
        if any(fnmatchcase(call.action, pattern) for pattern in self._knobs.deny):
            if trail.changes(call):
                self._trail.record(call, {}, error="AccessDenied")
            return wire.denied(call, self._identities.of(call.access_key).arn)
        for pattern, left in self._knobs.throttle.items():
            if left > 0 and fnmatchcase(call.action, pattern):
                self._knobs.throttle[pattern] = left - 1
                return wire.throttled(call)
        return None

    async def _answered(self, call: Call) -> Response:
        handler = self._handlers.get(f"{call.service}:{call.operation}")
        if handler is not None:
            answer = await handler(call)
            if call.service in _VOLUMINOUS:
                response = await asyncio.to_thread(wire.answer, call, answer)
            else:
                response = wire.answer(call, answer)
        else:
            response = await self._upstream.forward(call.request)
            answer = {}
        if response.status < 400 and trail.changes(call):
            self._trail.record(call, answer)
            if self.on_change is not None and not call.past:
                await self.on_change(call)
        if call.action == "sts:AssumeRole" and response.status == 200:
            self._identities.learn(response.body)
        return response
