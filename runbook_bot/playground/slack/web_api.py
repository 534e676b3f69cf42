"""The door of the Web API: reads a call, checks token, scope and rate, runs the method, records the answer."""

import asyncio
import json

from aiohttp import web

from runbook_bot.playground.slack.api.method import Arguments, Desk, Method, Refused
from runbook_bot.playground.slack.calls import Calls
from runbook_bot.playground.slack.json_value import Json
from runbook_bot.playground.slack.methods import METHODS


class WebApi:
    """`POST /api/<method>` (and GET, which clients use for reading)."""

    def __init__(self, desk: Desk, calls: Calls) -> None:
        self.desk = desk
        self.calls = calls

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        name = request.match_info["method"]
        faults = self.desk.faults
        if seconds := faults.seconds_before(name):
            await asyncio.sleep(seconds)
        try:
            raw = await _read(request)
        except Refused as refusal:
            return self._answer(name, {}, 200, {"ok": False, "error": refusal.word, **refusal.more})
        token = _token(request, raw)
        method = METHODS.get(name)
        if method is None:
            return self._answer(name, raw, 200, {"ok": False, "error": "unknown_method", "req_method": name})
        try:
            self._check_token(method, token)
        except Refused as refusal:
            return self._answer(name, raw, 200, {"ok": False, "error": refusal.word, **refusal.more})
        wait = faults.retry_after(name, method.tier, str(raw.get("channel")) if method.per_channel else None)
        if wait is not None:
            return self._answer(name, raw, 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(wait)})
        if failure := faults.next_failure(name):
            return self._answer(name, raw, failure.status, {"ok": False, "error": failure.error})
        answer = await self._run(method, Arguments(raw))
        if faults.takes_answer(name):
            self.calls.add(name, raw, 200, answer, answered=False)
            self.desk.state.bulletin.touch()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return self._answer(name, raw, 200, answer)

    async def _run(self, method: Method, args: Arguments) -> Json:
        try:
            self.desk.require(*method.scopes)
            result = method.run(self.desk, args)
            answer = result if isinstance(result, dict) else await result
        except Refused as refusal:
            return {"ok": False, "error": refusal.word, **refusal.more}
        return {"ok": True, **answer}

    def _check_token(self, method: Method, token: str) -> None:
        space = self.desk.state.workspace
        if method.by == "anyone":
            return
        if not token:
            raise Refused("not_authed")
        if token not in {space.bot_token, space.app_token}:
            raise Refused("invalid_auth")
        if token != (space.app_token if method.by == "app" else space.bot_token):
            raise Refused("not_allowed_token_type")

    def _answer(
        self, name: str, args: Json, status: int, answer: Json, headers: dict[str, str] | None = None
    ) -> web.Response:
        # A copy: the stored message may change later, and the record says what was answered then.
        body = json.dumps(answer)
        self.calls.add(name, args, status, json.loads(body), answered=True)
        self.desk.state.bulletin.touch()
        scopes = self.desk.state.workspace.scopes
        more = {"X-OAuth-Scopes": ",".join(sorted(scopes))} if scopes is not None else {}
        return web.Response(
            text=body, status=status, content_type="application/json", headers={**more, **(headers or {})}
        )


async def _read(request: web.Request) -> Json:
    raw: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        raw.update(body)
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, str):
                raw[name] = value
    return raw


def _token(request: web.Request, raw: Json) -> str:
    """The token of a call, taken out of its arguments so that it is never recorded."""
    given = str(raw.pop("token", "") or "")
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else given
