"""An answer made of several calls, some of which may fail while the others are still worth telling."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from runbook_bot.providers.aws.each import few, for_each
from runbook_bot.providers.aws.failure import CallFailed

_T = TypeVar("_T")
_K = TypeVar("_K")


@dataclass
class Parts:
    """Asks for parts, and keeps which of them could not be had."""

    failures: list[CallFailed] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What was not asked for since there is too much of it, as clauses."""

    async def get(self, work: Awaitable[_T], otherwise: _T) -> _T:
        """What `work` brings, else `otherwise`. What has been deleted meanwhile is no failure: it is not there."""
        try:
            return await work
        except CallFailed as failure:
            if failure.kind != "missing":
                self.failures = few([*self.failures, failure])
            return otherwise

    async def each(self, keys: Iterable[_K], look: Callable[[_K], Awaitable[_T]]) -> list[tuple[_K, _T]]:
        """What `look` brings for each key, side by side; without those that failed or are gone."""
        found, failures = await for_each(keys, look)
        self.failures = [*self.failures, *failures]
        return found
