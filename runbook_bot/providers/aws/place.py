"""One account in one region: sessions and clients made when first needed, every call bounded in time."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from runbook_bot.domain.noun import Json, iso
from runbook_bot.providers.aws.config import AwsAccount
from runbook_bot.providers.aws.failure import UNREADABLE, CallFailed, failure_of, timed_out
from runbook_bot.providers.aws.roles import AssumedRole

Answer = dict[str, Any]
"""What AWS said, as boto3 parsed it; it does not leave this room."""

CALL_SECONDS = 5.0
_QUICK_RETRY_SECONDS = 0.15
_RECALLED = 2000
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


class Threads:
    """The bounded pool that all blocking calls share."""

    def __init__(self, workers: int = 16) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="aws")

    async def run(self, work: Callable[[], _T], seconds: float) -> _T:
        """Raises TimeoutError after `seconds`; the thread itself ends with boto3's own time-outs."""
        return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._pool, work), seconds)


def endpoint_overridden(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether calls go to something that may not be AWS itself."""
    return any(name.startswith("AWS_ENDPOINT_URL") and value for name, value in environment.items())


def client_config() -> Config:
    """Short time-outs; no retries against a stand-in for AWS, where a failed call is usually a missing one."""
    overridden = endpoint_overridden()
    return Config(
        connect_timeout=2,
        read_timeout=4,
        retries={"total_max_attempts": 1 if overridden else 3, "mode": "standard" if overridden else "adaptive"},
        max_pool_connections=16,
        user_agent_extra="runbook-bot",
    )


class Place:
    """One account in one region, as something that answers calls."""

    def __init__(self, region: str, threads: Threads, *, profile: str | None, account: AwsAccount | None) -> None:
        self.region = region
        self.account = account
        self._profile = profile if profile != "default" else None
        self._threads = threads
        self._making = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._identity: Identity | None = None
        self._recalled: dict[Hashable, tuple[float, Any]] = {}
        self._elsewhere: dict[str, Place] = {}

    @property
    def name(self) -> str:
        return f"{self.account.name}/{self.region}" if self.account else self.region

    def at(self, region: str) -> "Place":
        """The same account in another region."""
        if region == self.region:
            return self
        if region not in self._elsewhere:
            self._elsewhere[region] = Place(region, self._threads, profile=self._profile, account=self.account)
        return self._elsewhere[region]

    async def call(self, service: str, action: str, /, **parameters: Any) -> Answer:
        """One call, in the API's own words. Raises `CallFailed`."""
        return await self._bounded(service, action, lambda: self._send(service, action, parameters))

    async def read(self, service: str, action: str, key: str, most: int, /, **parameters: Any) -> bytes:
        """The first `most` bytes of a call that answers with a stream under `key`. Raises `CallFailed`."""

        def fetch() -> bytes:
            with closing(self._send(service, action, parameters)[key]) as stream:
                content: bytes = stream.read(most)
            return content

        return await self._bounded(service, action, fetch)

    async def pages(self, service: str, action: str, /, **parameters: Any) -> AsyncIterator[Answer]:
        """The answers of a paginated call, one page a step. Raises `CallFailed`."""

        def first() -> tuple[Any, Answer | None]:
            paginator = self._client(service).get_paginator(xform_name(action))
            pages = iter(paginator.paginate(**parameters))
            return pages, next(pages, None)

        pages, page = await self._bounded(service, action, first)
        while page is not None:
            yield page
            # a page iterator that failed is spent: no second try here, whoever reads keeps what came before
            page = await self._once(service, action, lambda: next(pages, None))

    async def gather(self, service: str, action: str, key: str, limit: int, /, **parameters: Any) -> list[Any]:
        """The items under `key` of a paginated call, at most `limit`. Raises `CallFailed`."""
        found: list[Any] = []
        async for page in self.pages(service, action, **parameters):
            found.extend(page.get(key) or [])
            if len(found) >= limit:
                break
        return found[:limit]

    async def prepare(self, services: Iterable[str]) -> None:
        """Make clients before somebody waits for one: the first of a service takes a while. Asks nothing."""
        for service in services:
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._client, service)
            except (ClientError, BotoCoreError):  # no credentials, no such profile: said when something is asked
                return

    async def identity(self) -> Identity:
        """Account and partition of the credentials; asked once. Raises `CallFailed`."""
        if self._identity is None:
            answer = await self.call("sts", "GetCallerIdentity")
            self._identity = Identity(str(answer.get("Account", "")), str(answer.get("Arn", "")))
        return self._identity

    async def recall(self, key: Hashable, seconds: float, look: Callable[[], Awaitable[_T]]) -> _T:
        """What `look` found at most `seconds` ago, or finds now. A failure is not remembered."""
        known = self._recalled.get(key)
        if known is not None and time.monotonic() < known[0]:
            value: _T = known[1]
            return value
        found = await look()
        if len(self._recalled) >= _RECALLED:
            self._recalled.clear()
        self._recalled[key] = (time.monotonic() + seconds, found)
        return found

    async def _bounded(self, service: str, action: str, work: Callable[[], _T]) -> _T:
        """One quick second try for what may pass by itself; a call that is not answered here is not repeated."""
        try:
            return await self._once(service, action, work)
        except CallFailed as failure:
            if failure.kind not in ("throttled", "unreachable"):
                raise
        await asyncio.sleep(_QUICK_RETRY_SECONDS)
        return await self._once(service, action, work)

    async def _once(self, service: str, action: str, work: Callable[[], _T]) -> _T:
        try:
            return await self._threads.run(work, CALL_SECONDS)
        except TimeoutError:
            raise timed_out(service, action, CALL_SECONDS) from None
        except (ClientError, BotoCoreError, *UNREADABLE) as error:
            raise failure_of(error, service, action) from error

    def _send(self, service: str, action: str, parameters: Answer) -> Answer:
        answer: Answer = getattr(self._client(service), xform_name(action))(**parameters)
        return answer

    def _client(self, service: str) -> Any:
        """Clients may be shared between threads, sessions may not: making one is serialized."""
        client = self._clients.get(service)
        if client is None:
            with self._making:
                client = self._clients.get(service) or self._make_client(service)
        return client

    def _make_client(self, service: str) -> Any:
        client = self._open_session().client(service, region_name=self.region, config=client_config())
        client.meta.events.register("after-call", _refuse_other_text)
        self._clients[service] = client
        return client

    def _open_session(self) -> Any:
        if self._session is None:
            ambient = boto3.Session(profile_name=self._profile, region_name=self.region)
            if self.account is None:
                self._session = ambient
            else:
                role = AssumedRole(self.account.role_arn, "runbook-read", external_id=self.account.external_id)
                self._session = role.session(ambient, self.region, client_config())
        return self._session


def _refuse_other_text(http_response: Any, model: Any, **_: Any) -> None:
    """A web page sent with success is no answer; botocore would make an empty one of it, and that is no absence."""
    if model.has_streaming_output:  # an object may well be a web page, and is read by who asked for it
        return
    content = bytes(http_response.content or b"").lstrip()
    speaks_json = model.service_model.metadata.get("protocol") in ("json", "rest-json")
    page = content[:9].lower().startswith((b"<!doctype", b"<html"))
    if http_response.status_code < 300 and (page or (speaks_json and content[:1] not in (b"{", b""))):
        raise ValueError("text instead of an answer")


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
