"""One account in one region, as something that answers calls: in threads, bounded in time, rate and number."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from runbook_bot.domain.errand import errand
from runbook_bot.domain.noun import Json, iso
from runbook_bot.providers.aws.access import Access
from runbook_bot.providers.aws.failure import UNREADABLE, CallFailed, failure_of, left_alone, not_there, timed_out
from runbook_bot.providers.aws.memory import Answer, Memory, aged, note_age
from runbook_bot.providers.aws.paging import Paging
from runbook_bot.providers.aws.rates import Turnstile, limit_of
from runbook_bot.providers.aws.silence import Silence
from runbook_bot.providers.aws.threads import Threads
from runbook_bot.providers.aws.together import Together
from runbook_bot.providers.aws.wire import LONGEST_WAIT

__all__ = ("AT_ONCE", "Answer", "Identity", "Place", "asked", "plain")

AT_ONCE = 8
"""Calls under way in one place: so many threads a silent region can keep busy, and no more."""
_QUICK_RETRY_SECONDS = 0.15
_MODEL_SECONDS = 10.0
_RECALLED = 2000
_EMPTY_PAGES = 50
"""In a row, after which nothing more is hoped for: a stand-in may hand out tokens without end."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        parts = self.arn.split(":")
        return parts[1] if len(parts) > 1 and parts[1] else "aws"


class Place:
    """One account in one region. All places of a provider share the threads and the memory, those of an account the
    access.
    """

    def __init__(self, region: str, access: Access, threads: Threads, memory: Memory | None) -> None:
        """`memory`: None where every answer has to be of this moment."""
        self.region = region
        self.account = access.account
        self._access = access
        self._threads = threads
        self._memory = memory
        self._room = asyncio.Semaphore(AT_ONCE)
        self._turnstiles: dict[str, Turnstile] = {}
        self._silence = Silence()
        self._together = Together()
        self._clients: dict[str, Any] = {}
        self._paging: dict[tuple[str, str], Paging] = {}
        self._identity: Identity | None = None
        self._recalled: dict[Hashable, tuple[float, float, Any]] = {}
        self._forgotten = 0
        self._elsewhere: dict[str, Place] = {}

    @property
    def name(self) -> str:
        return f"{self.account.name}/{self.region}" if self.account else self.region

    def at(self, region: str) -> "Place":
        """The same account in another region."""
        if region == self.region:
            return self
        if region not in self._elsewhere:
            self._elsewhere[region] = Place(region, self._access, self._threads, self._memory)
        return self._elsewhere[region]

    async def call(self, service: str, action: str, /, **parameters: Any) -> Answer:
        """One call, in the API's own words. Raises `CallFailed`."""

        async def ask() -> Answer:
            return await self._bounded(service, action, lambda: self._send(service, action, parameters))

        if self._memory is None:
            return await ask()
        return await self._memory.answer(self.name, service, action, parameters, ask)

    async def named(
        self, service: str, action: str, parameter: str, name: str, most: int, /, **parameters: Any
    ) -> Answer:
        """A call that takes at most `most` names under `parameter`, for one of them. Raises `CallFailed`.

        The answer may tell of others too: those that are asked for at the same moment are asked for together.
        """

        async def ask(names: list[str]) -> Answer:
            request = {**parameters, parameter: names}
            return await self._bounded(service, action, lambda: self._send(service, action, request))

        kind = json.dumps([service, action, parameter, parameters], sort_keys=True, default=str)
        join = partial(self._together.answer, kind, name, most, ask)
        if self._memory is None:
            return await join()
        return await self._memory.answer(self.name, service, action, {**parameters, parameter: [name]}, join)

    async def read(self, service: str, action: str, key: str, most: int, /, **parameters: Any) -> bytes:
        """The first `most` bytes of a call that answers with a stream under `key`. Raises `CallFailed`."""

        def fetch() -> bytes:
            with closing(self._send(service, action, parameters)[key]) as stream:
                content: bytes = stream.read(most)
            return content

        return await self._bounded(service, action, fetch)

    async def pages(self, service: str, action: str, /, **parameters: Any) -> AsyncIterator[Answer]:
        """The answers of a paginated call, one page a step. Raises `CallFailed`."""
        paging = await self._paged(service, action)
        request: Answer | None = paging.first(parameters)
        while request is not None:
            page = await self.call(service, action, **request)
            yield page
            request = paging.following(request, page)

    async def gather(self, service: str, action: str, key: str, limit: int, /, **parameters: Any) -> list[Any]:
        """The items under `key` of a paginated call, at most `limit`. Raises `CallFailed`."""
        found: list[Any] = []
        empty = 0
        async for page in self.pages(service, action, **parameters):
            items = page.get(key) or []
            found.extend(items)
            empty = 0 if items else empty + 1
            if len(found) >= limit or empty >= _EMPTY_PAGES:
                break
        return found[:limit]

    def forget(self) -> None:
        """What was recalled is not true any more, nor what is being looked up now."""
        self._recalled.clear()
        self._forgotten += 1
        for place in self._elsewhere.values():
            place.forget()

    async def prepare(self, services: Iterable[str]) -> None:
        """Make clients before somebody waits for one: the first of a service takes a while. Asks nothing."""
        for service in services:
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._client, service)
            except (ClientError, BotoCoreError):  # no such profile: said when something is asked
                return

    async def takes_nothing(self, service: str, action: str) -> bool:
        """Whether the call has no argument that must be given. Raises `CallFailed`."""
        look = partial(self._access.required, service, action, self.region)
        return not await self._in_thread(service, action, look, _MODEL_SECONDS)

    async def identity(self) -> Identity:
        """Account and partition of the credentials; asked once. Raises `CallFailed`."""
        if self._identity is None or errand().afresh:
            answer = await self.call("sts", "GetCallerIdentity")
            self._identity = Identity(str(answer.get("Account", "")), str(answer.get("Arn", "")))
        return self._identity

    async def recall(self, key: Hashable, seconds: float, look: Callable[[], Awaitable[_T]]) -> _T:
        """What `look` found at most `seconds` ago, or finds now. A failure is not remembered.

        For what is made out of answers, or cannot change for longer than an answer is remembered.
        """
        known = self._recalled.get(key)
        if known is not None and time.monotonic() < known[1] and not errand().afresh:
            value: _T = known[2]
            note_age(time.monotonic() - known[0])
            return value
        forgotten = self._forgotten
        with aged() as ages:
            found = await look()
        for age in ages:
            note_age(age)
        if forgotten == self._forgotten:
            self._keep(key, time.monotonic() - max(ages, default=0.0), seconds, found)
        return found

    def _keep(self, key: Hashable, at: float, seconds: float, found: object) -> None:
        """`at`: when the oldest part of it was read."""
        if len(self._recalled) >= _RECALLED:
            self._recalled.clear()
        self._recalled[key] = (at, at + seconds, found)

    async def _bounded(self, service: str, action: str, work: Callable[[], _T]) -> _T:
        """One quick second try for what may pass by itself; a call that is not answered here is not repeated."""
        try:
            return await self._once(service, action, work)
        except CallFailed as failure:
            if failure.kind not in ("throttled", "unreachable") or failure.wait > LONGEST_WAIT:
                raise
            pause = failure.wait or _QUICK_RETRY_SECONDS
        await asyncio.sleep(pause)
        return await self._once(service, action, work)

    async def _once(self, service: str, action: str, work: Callable[[], _T]) -> _T:
        if self._silence.of(service):
            raise left_alone(service, action, self.region)
        turnstile = self._turnstile(service, action)
        async with turnstile.room:
            await turnstile.turn()
            found = await self._in_thread(service, action, work, turnstile.limit.seconds)
        self._silence.answered(service)
        return found

    async def _in_thread(self, service: str, action: str, work: Callable[[], _T], seconds: float) -> _T:
        try:
            return await self._threads.run(work, seconds, (self._room,))
        except TimeoutError:
            self._silence.timed_out(service)
            raise timed_out(service, action, seconds) from None
        except (ClientError, BotoCoreError, *UNREADABLE) as error:
            raise await self._understood(error, service, action) from error

    async def _understood(self, error: Exception, service: str, action: str) -> CallFailed:
        failure = failure_of(error, service, action, region=self.region, profile=self._access.profile)
        if failure.kind == "timeout":
            self._silence.timed_out(service)
        elif failure.kind != "unreachable":
            self._silence.answered(service)
        if failure.kind == "credentials":
            self._access.refused()
        if failure.kind == "unreachable" and not await asyncio.to_thread(self._access.offers, service, self.region):
            return not_there(service, action, self.region)
        return failure

    def _turnstile(self, service: str, action: str) -> Turnstile:
        key, limit = limit_of(service, action)
        if key not in self._turnstiles:
            self._turnstiles[key] = Turnstile(limit)
        return self._turnstiles[key]

    async def _paged(self, service: str, action: str) -> Paging:
        known = self._paging.get((service, action))
        if known is None:
            look = partial(self._access.paging, service, action, self.region)
            known = self._paging[service, action] = await self._in_thread(service, action, look, _MODEL_SECONDS)
        return known

    def _send(self, service: str, action: str, parameters: Answer) -> Answer:
        answer: Answer = getattr(self._client(service), xform_name(action))(**parameters)
        return answer

    def _client(self, service: str) -> Any:
        """Blocking, the first time for a service."""
        client = self._clients.get(service)
        if client is None:
            client = self._clients.setdefault(service, self._access.client(service, self.region))
        return client


def asked(service: str, action: str, parameters: Mapping[str, Any]) -> Json:
    """The vendor's own call as JSON, for the record."""
    return {"call": f"{service}.{action}", "parameters": plain(parameters)}


def plain(value: Any) -> Any:
    """An answer or a request of boto3 as JSON: times in ISO 8601, bytes and the rest as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return iso(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
