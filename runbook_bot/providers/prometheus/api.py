"""The HTTP API: a question and its data, or in one line why there is none."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp

from runbook_bot.domain.tools import Status
from runbook_bot.providers.prometheus.config import PrometheusSettings

SECONDS = 8.0
"""For one answer."""
AT_ONCE = 6
MOST_BYTES = 20_000_000


class Unanswered(Exception):
    """There is no answer; `status` tells whether it was denied."""

    def __init__(self, text: str, status: Status = Status.error) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """One Prometheus. A session is made for each question: questions are few, and event loops differ."""

    def __init__(self, settings: PrometheusSettings) -> None:
        assert settings.url is not None
        parts = urlsplit(settings.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        place = f"{host}:{parts.port}" if parts.port else host
        self.base = urlunsplit((parts.scheme, place, parts.path, "", ""))
        """Without credentials: it may be shown."""
        self._headers = {"Accept": "application/json"}
        if settings.token is not None:
            self._headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        elif parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        self._room = asyncio.Semaphore(AT_ONCE)

    async def ask(self, path: str, form: Mapping[str, str] | None = None, seconds: float = SECONDS) -> Any:
        """The `data` of an answer. `form` is posted, for an expression may be longer than an address.

        Raises `Unanswered`.
        """
        limit = aiohttp.ClientTimeout(total=seconds)
        async with self._room:
            try:
                async with (
                    aiohttp.ClientSession(timeout=limit, headers=self._headers) as session,
                    session.request("GET" if form is None else "POST", f"{self.base}{path}", data=form) as answer,
                ):
                    return await _data(answer)
            except TimeoutError:
                raise Unanswered(f"{self.base} did not answer within {seconds:g} s") from None
            except (aiohttp.ClientError, ValueError) as problem:
                told = str(problem) if isinstance(problem, aiohttp.ClientConnectorError) else type(problem).__name__
                raise Unanswered(f"{self.base} cannot be reached: {told[:200]}") from None


async def _data(answer: aiohttp.ClientResponse) -> Any:
    """Raises `Unanswered` for anything that is not a success in Prometheus's own envelope."""
    if answer.status in (401, 403):
        raise Unanswered(f"it answers {answer.status}: the token or the password is not accepted", Status.denied)
    body = await answer.content.read(MOST_BYTES)
    if not answer.content.at_eof():
        raise Unanswered(f"the answer is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        told = await asyncio.to_thread(json.loads, body)
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("status") not in ("success", "error"):
        raise Unanswered(f"it answers {answer.status}, and not as Prometheus does; is the address right?")
    if told["status"] == "error":
        raise Unanswered(f"it answers {answer.status}, {told.get('errorType')}: {str(told.get('error'))[:300]}")
    return told.get("data")
