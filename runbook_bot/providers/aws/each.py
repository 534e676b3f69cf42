"""The same question about each of many things: side by side, what is gone meanwhile skipped, what fails named."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from runbook_bot.providers.aws.failure import CallFailed, Kind

_AT_ONCE = 8
_TOLD = 2
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


async def for_each(
    items: Iterable[_Item], look: Callable[[_Item], Awaitable[_Found]]
) -> tuple[list[tuple[_Item, _Found]], list[CallFailed]]:
    """What `look` found of each, in the order of the items; one that is missing was deleted since it was listed."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _Item) -> tuple[_Item, _Found] | CallFailed:
        async with gate:
            try:
                return item, await look(item)
            except CallFailed as failure:
                return failure

    answers = await asyncio.gather(*(one(item) for item in items))
    failures = [each for each in answers if isinstance(each, CallFailed) and each.kind != "missing"]
    return [each for each in answers if not isinstance(each, CallFailed)], few(failures)


def few(failures: Iterable[CallFailed]) -> list[CallFailed]:
    """The first two of each sort, and how many more there were: fifty denials say no more than two."""
    kept: list[CallFailed] = []
    seen: Counter[tuple[Kind, str]] = Counter()
    for each in failures:
        seen[each.kind, each.action] += 1
        if seen[each.kind, each.action] <= _TOLD:
            kept.append(each)
    for (kind, action), times in seen.items():
        if times > _TOLD:
            kept.append(CallFailed(kind, f"{times - _TOLD} more calls needing {action} ended so", action=action))
    return kept
