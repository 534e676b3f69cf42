"""What AWS said a moment ago: an identical call is answered from here, and one that is under way is waited for.

Only reads are kept, and never those by which something is waited for; of failures only that a service is not there,
which asking again does not change. Whoever is answered from
here learns how old that is: `aged` collects it, and the answer to the whole question says it.
"""

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from runbook_bot.domain.errand import errand
from runbook_bot.providers.aws.failure import CallFailed

Answer = dict[str, Any]
"""What AWS said, as boto3 parsed it. It does not leave this room, and nobody changes it: others are given it too."""

KEPT_SECONDS = 60.0
PASSING_SECONDS = 15.0
MOST_BYTES = 8_000_000
"""Of all answers together, as they came over the wire."""
LARGEST_BYTES = 1_200_000
"""A larger answer is not kept; a page of log lines has up to a megabyte."""
_UNTOLD_BYTES = 20_000
"""Taken for the size of an answer that does not tell it."""

_LASTING = ("unsupported", "not_enabled")
"""Kinds of failures that asking again a moment later does not change."""
_READS = re.compile(r"(Describe|List|Get|Lookup|Filter|Batch(Get|Describe)|Search|Select)[A-Z]")
_WAITED_FOR = frozenset({
    "GetQueryResults", "DescribeQueries", "DescribeStackDriftDetectionStatus", "GetServiceLastAccessedDetails",
    "GetConsoleOutput", "GetCallerIdentity",
})  # fmt: skip
"""Asked until they say what is hoped for, or about the one who asks: always asked anew."""
_PASSING = frozenset({
    "DescribeAlarms", "DescribeTasks", "ListTasks", "DescribeTargetHealth", "GetQueueAttributes", "DescribeExecution",
    "ListExecutions", "DescribeScalingActivities", "DescribeInstanceStatus",
})  # fmt: skip
"""What may well be otherwise in a minute."""


@dataclass
class _Kept:
    at: float
    until: float
    size: int
    answer: Answer | CallFailed


_ages: ContextVar[list[float] | None] = ContextVar("ages", default=None)


@contextmanager
def aged() -> Iterator[list[float]]:
    """The ages in seconds of whatever is answered from memory inside; empty where all was read now."""
    found: list[float] = []
    token = _ages.set(found)
    try:
        yield found
    finally:
        _ages.reset(token)


def note_age(seconds: float) -> None:
    """Something that old goes into the answer which is being put together."""
    ages = _ages.get()
    if ages is not None:
        ages.append(seconds)


class Memory:
    """The answers of the last minute, of all places together, bounded by their size."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._asking: dict[str, asyncio.Task[Answer]] = {}
        self._forgotten = 0

    async def answer(
        self,
        place: str,
        service: str,
        action: str,
        parameters: Mapping[str, Any],
        ask: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """From memory, or from the same call that is under way, or by asking now. Raises what `ask` raises."""
        if not _READS.match(action) or action in _WAITED_FOR:
            return await ask()
        key = json.dumps([place, service, action, parameters], sort_keys=True, default=str)
        if errand().afresh:
            answer = await ask()
            self._keep(key, action, answer)
            return answer
        kept = self._kept.get(key)
        if kept is not None and self._now() < kept.until:
            self._kept.move_to_end(key)
            note_age(self._now() - kept.at)
            return _told(kept.answer)
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._asked(key, action, ask))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._done(key, done))
        return await asyncio.shield(asking)

    def forget(self) -> None:
        """The world was changed: nothing read before that is served any more."""
        self._kept.clear()
        self._asking.clear()
        self._size = 0
        self._forgotten += 1

    async def _asked(self, key: str, action: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        forgotten = self._forgotten
        answer: Answer | CallFailed
        try:
            answer = await ask()
        except CallFailed as failure:
            if failure.kind not in _LASTING:
                raise
            answer = failure
        if forgotten == self._forgotten:
            self._keep(key, action, answer)
        return _told(answer)

    def _done(self, key: str, done: "asyncio.Task[Answer]") -> None:
        if self._asking.get(key) is done:
            del self._asking[key]
        if not done.cancelled():
            done.exception()  # whoever waited may have gone

    def _keep(self, key: str, action: str, answer: Answer | CallFailed) -> None:
        size = _size(answer) + len(key)
        before = self._kept.pop(key, None)
        self._size -= before.size if before else 0
        if size > LARGEST_BYTES:
            return
        now = self._now()
        self._kept[key] = _Kept(now, now + (PASSING_SECONDS if action in _PASSING else KEPT_SECONDS), size, answer)
        self._size += size
        while self._size > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size


def _told(answer: Answer | CallFailed) -> Answer:
    if isinstance(answer, CallFailed):
        raise answer.again()
    return answer


def _size(answer: Answer | CallFailed) -> int:
    if isinstance(answer, CallFailed):
        return len(str(answer))
    told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-length", "")
    return int(told) if str(told).isdigit() else _UNTOLD_BYTES
