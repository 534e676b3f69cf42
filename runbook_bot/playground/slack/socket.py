"""Socket Mode for real: tickets, connections, envelopes, the three seconds for an ack, and redelivery of events."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from runbook_bot.playground.slack.bulletin import Bulletin
from runbook_bot.playground.slack.json_value import Json

MOST_CONNECTIONS = 10


@dataclass(frozen=True)
class Outcome:
    """What became of one envelope: the ack's payload, or why none came (`timeout`, `connection_failed`)."""

    acked: bool
    payload: Json = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Delivery:
    """One envelope that was sent, for tests: what, which attempt, to how many, and how long the ack took."""

    kind: str
    payload: Json
    attempt: int
    retry_reason: str
    receivers: int
    outcome: Outcome
    seconds: float


@dataclass(eq=False)
class Connection:
    """One open WebSocket of the app."""

    id: str
    ws: web.WebSocketResponse
    request: web.Request
    waiting: dict[str, "asyncio.Future[Outcome]"] = field(default_factory=dict)

    async def send(self, frame: Json) -> None:
        """Send one frame; a peer that is gone is noticed by its reader."""
        with contextlib.suppress(ConnectionError):
            await self.ws.send_str(json.dumps(frame))


class Socket:
    """All connections of the app. Each payload goes to one of them, in turn, unless `deliver_to_all` is set.

    `retry_delays` are the pauses in seconds before the first, second and third redelivery of an event.
    An event that finds nobody connected waits for the next connection, no longer than those pauses together.
    """

    def __init__(self, app_id: str, bulletin: Bulletin) -> None:
        self.app_id = app_id
        self.bulletin = bulletin
        self.ack_limit = 3.0
        self.retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
        self.deliver_to_all = False
        self.deliveries: list[Delivery] = []
        self.connections: list[Connection] = []
        self._tickets: set[str] = set()
        self._turn = 0
        self._opened = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # connections

    def new_ticket(self) -> str:
        """A ticket for one WebSocket connection."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The life of one connection: hello, then acks until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="unknown or used ticket")
        self._tickets.discard(ticket)
        ws = web.WebSocketResponse(heartbeat=30)
        await ws.prepare(request)
        connection = Connection(secrets.token_hex(4), ws, request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await connection.send(self._disconnect("too_many_websockets"))
            await ws.close()
            return ws
        self.connections.append(connection)
        await connection.send(
            {
                "type": "hello",
                "num_connections": len(self.connections),
                "debug_info": {"host": "applink-loopback", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self.app_id},
            }
        )
        self._tell()
        try:
            async for message in ws:
                if message.type == WSMsgType.TEXT:
                    self._receive(connection, message.data)
        finally:
            self._drop(connection)
        return ws

    def _drop(self, connection: Connection) -> None:
        self.connections.remove(connection)
        for future in connection.waiting.values():
            others = any(future in one.waiting.values() for one in self.connections)
            if not others and not future.done():
                future.set_result(Outcome(False, reason="connection_failed"))
        self._tell()

    def _tell(self) -> None:
        if self.connections:
            self._opened.set()
        else:
            self._opened.clear()
        self.bulletin.publish("connected", {"connected": bool(self.connections)})

    def _receive(self, connection: Connection, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        if not isinstance(frame, dict):
            return
        future = connection.waiting.get(str(frame.get("envelope_id")))
        if future is not None and not future.done():
            payload = frame.get("payload")
            future.set_result(Outcome(True, payload if isinstance(payload, dict) else {}))

    @staticmethod
    def _disconnect(reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-loopback"}}

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to go: `warning`, `refresh_requested` or `link_disabled`."""
        for connection in tuple(self.connections):
            await connection.send(self._disconnect(reason))

    def cut(self) -> None:
        """Break every connection without a word, as a network does."""
        for connection in tuple(self.connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    # envelopes

    def _receivers(self) -> list[Connection]:
        if self.deliver_to_all or not self.connections:
            return list(self.connections)
        self._turn += 1
        return [self.connections[self._turn % len(self.connections)]]

    async def deliver(self, kind: str, payload: Json, *, answers: bool, attempt: int = 0, reason: str = "") -> Outcome:
        """Send one envelope and wait for its ack, at most `ack_limit` seconds."""
        receivers = self._receivers()
        started = time.monotonic()
        envelope: Json = {
            "envelope_id": secrets.token_hex(16),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": answers,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        outcome = await self._exchange(envelope, receivers)
        self.deliveries.append(
            Delivery(kind, payload, attempt, reason, len(receivers), outcome, time.monotonic() - started)
        )
        self.bulletin.touch()
        return outcome

    async def _exchange(self, envelope: Json, receivers: list[Connection]) -> Outcome:
        if not receivers:
            return Outcome(False, reason="connection_failed")
        name = envelope["envelope_id"]
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        for one in receivers:
            one.waiting[name] = future
        try:
            for one in receivers:
                await one.send(envelope)
            return await asyncio.wait_for(future, self.ack_limit)
        except TimeoutError:
            return Outcome(False, reason="timeout")
        finally:
            for one in receivers:
                one.waiting.pop(name, None)

    def send_event(self, body: Json) -> None:
        """Deliver an event in the background, again and again as Slack does, until it is acknowledged or given up."""
        self.in_background(self._deliver_event(body))

    async def _deliver_event(self, body: Json) -> None:
        reason = ""
        for attempt in range(len(self.retry_delays) + 1):
            if attempt and reason == "connection_failed":
                if not await self._somebody(sum(self.retry_delays)):
                    return
            elif attempt:
                await asyncio.sleep(self.retry_delays[attempt - 1])
            outcome = await self.deliver("events_api", body, answers=False, attempt=attempt, reason=reason)
            if outcome.acked:
                return
            reason = outcome.reason

    async def _somebody(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._opened.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        """Run something that nobody waits for; it ends with the server."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End every connection and forget what was not delivered."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in tuple(self.connections):
            await connection.ws.close()
