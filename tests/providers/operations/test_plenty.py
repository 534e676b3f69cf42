"""Where AWS has more than anybody asked for, every operation comes to an end, and keeps nobody waiting meanwhile.

What is measured is the processor time that one callback of the event loop took, by the loop's own thread: a busy
machine does not lengthen it. The collector's pauses are nobody's in particular and are left out; what is really slow is
slow each time.
"""

import asyncio
import gc
import random
from collections.abc import Iterator

import pytest

from runbook_bot.providers.aws.operations.operation import Operation, answered
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.threads import Threads
from tests.benchmarks.first_investigation import Stopwatch
from tests.providers.conftest import NOW
from tests.providers.operations.hasty import hasty
from tests.providers.operations.plenty import Plenty, Unhurried
from tests.providers.operations.test_any_answer import made

LONGEST = 0.05
MOST_CALLS = 500
MOST_ROWS = 1000
TIMES = 3
_MANY_POINTS = 1440


@pytest.fixture(scope="module")
def plenty() -> Plenty:
    """One for all: a client takes long to make."""
    return Plenty()


@pytest.fixture
def stopwatch() -> Iterator[Stopwatch]:
    stopwatch = Stopwatch()
    gc.disable()
    stopwatch.start()
    yield stopwatch
    stopwatch.stop()
    gc.enable()


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
async def test_what_never_ends_is_bounded_and_the_loop_is_free(
    operation: type[Operation], plenty: Plenty, stopwatch: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing goes there; and nothing is repeated
    plenty.points = _MANY_POINTS if operation.service == "cloudwatch" else 60
    asked = made(hasty(operation), random.Random(operation.kind), more=0)  # noqa: S311  # not for secrets
    for _ in range(TIMES):
        plenty.calls.clear()
        await asyncio.sleep(0)
        stopwatch.busy = 0.0
        result = await answered(asked, Unhurried("us-east-1", plenty, Threads(8), None), NOW)
        await asyncio.sleep(0)  # or the last stretch, in which the answer is put together, is not over yet
        assert len(result.rows) <= MOST_ROWS
        assert len(result.message) < 4000
        assert len(plenty.calls) < MOST_CALLS
        if stopwatch.busy < LONGEST:
            return
    pytest.fail(f"the loop was kept for {stopwatch.busy:.3f} s of its own time by {stopwatch.by}")
