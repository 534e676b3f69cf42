"""One place while discovery looks around in it: bounded calls, and a note of all that could not be seen."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from runbook_bot.providers.aws.discovered import TagsByArn
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Answer, Identity, Place

_T = TypeVar("_T")

AT_ONCE = 10
"""Calls of one discovery that are under way; an investigation beside it finds threads left."""
NOT_OFFERED = ("unsupported", "not_enabled", "missing")
"""A service that is not there has nothing that could be seen in it."""


@dataclass
class Looking:
    """Shared by all parts of one look at one place."""

    place: Place
    identity: Identity
    turn: asyncio.Semaphore
    now: datetime
    tags: TagsByArn = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    failures: list[CallFailed] = field(default_factory=list)
    absent: list[CallFailed] = field(default_factory=list)
    """Of services that are not there."""

    def arn(self, service: str, tail: str) -> str:
        """The ARN of something in this account and region, in its own partition."""
        return f"arn:{self.identity.partition}:{service}:{self.place.region}:{self.identity.account}:{tail}"

    def tagged(self, arn: str) -> dict[str, str]:
        return dict(self.tags.get(arn, {}))

    async def call(self, service: str, action: str, **parameters: Any) -> Answer:
        """Raises `CallFailed`."""
        async with self.turn:
            return await self.place.call(service, action, **parameters)

    async def listed(
        self, service: str, action: str, key: str, limit: int, *, page: int | None = None, **parameters: Any
    ) -> list[Any]:
        """All items of a paginated call, at most `limit`: a note says where there are more. Raises `CallFailed`."""
        if page:
            parameters["PaginationConfig"] = {"PageSize": page}
        async with self.turn:
            found = await self.place.gather(service, action, key, limit + 1, **parameters)
        if len(found) > limit:
            self.unseen.append(f"{action}: only the first {limit:,} were read")
        return found[:limit]

    async def turned(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Other work that makes a call, in turn."""
        async with self.turn:
            return await work()

    async def part(self, what: str, work: Awaitable[_T], otherwise: _T) -> _T:
        """The part's result; where a call fails, a note of it and `otherwise`."""
        try:
            return await work
        except CallFailed as failure:
            self.note(what, failure)
            return otherwise

    def note(self, what: str, failure: CallFailed) -> None:
        if failure.kind not in NOT_OFFERED:
            self.failures.append(failure)
            self.unseen.append(f"{what}: {failure}")
        elif failure.kind != "missing":
            self.absent.append(failure)
