"""What is asked for by name at the same moment goes into one call, where the API takes several names."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from runbook_bot.providers.aws.failure import CallFailed

_MOMENT_SECONDS = 0.005
_SPOILT_BY_ONE = ("missing", "invalid")
"""What one name that is not there makes of the call for all of them."""

_Answer = dict[str, Any]
_Ask = Callable[[list[str]], Awaitable[_Answer]]


@dataclass
class _Batch:
    names: set[str] = field(default_factory=set)
    asking: "asyncio.Task[_Answer] | None" = None


class Together:
    """Of one place."""

    def __init__(self) -> None:
        self._open: dict[str, _Batch] = {}

    async def answer(self, kind: str, name: str, most: int, ask: _Ask) -> _Answer:
        """The answer to a call of this kind for at most `most` names, `name` among them. Raises what `ask` raises."""
        batch = self._open.get(kind)
        if batch is None or len(batch.names) >= most:
            batch = self._open[kind] = _Batch()
            batch.asking = asyncio.ensure_future(self._asked(kind, batch, ask))
        batch.names.add(name)
        assert batch.asking is not None
        try:
            return await asyncio.shield(batch.asking)
        except CallFailed as failure:
            if failure.kind not in _SPOILT_BY_ONE or batch.names == {name}:
                raise
        return await ask([name])

    async def _asked(self, kind: str, batch: _Batch, ask: _Ask) -> _Answer:
        await asyncio.sleep(_MOMENT_SECONDS)
        if self._open.get(kind) is batch:
            del self._open[kind]
        return await ask(sorted(batch.names))
