"""However much AWS answers, no query keeps the event loop: its work is done beside it.

What is measured is the processor time that one callback took, which is what asyncio's debug mode reports, without the
share of a busy machine that other processes and threads take meanwhile.
"""

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    ReadState,
    SearchLogs,
    Status,
)
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.provider import AwsProvider
from tests.benchmarks.first_investigation import Stopwatch
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, Shop
from tests.providers.stand_in import Answer, StandIn
from tests.providers.timeline.trail import event, tell

LONGEST = 0.05
EVENTS = 100_000
A_PAGE = 10_000


@pytest.fixture
def stopwatch() -> Iterator[Stopwatch]:
    """Of all that this process ever imported nothing is looked through meanwhile: whose turn that is, is chance."""
    gc.collect()
    gc.freeze()
    stopwatch = Stopwatch()
    stopwatch.start()
    yield stopwatch
    stopwatch.stop()
    gc.unfreeze()


async def stopwatch_from_here(stopwatch: Stopwatch) -> None:
    """What the test itself did so far does not count."""
    await asyncio.sleep(0)
    stopwatch.busy = 0.0


def floods(aws: StandIn, window: TimeWindow) -> None:
    """A hundred thousand lines, ten thousand to a page."""
    first = int(window.start.timestamp() * 1000)
    step = int(window.length.total_seconds() * 1000) // EVENTS
    pages = [
        [
            {
                "timestamp": first + step * (start + n),
                "message": f"ERROR order {start + n} failed",
                "logStreamName": "s",
            }
            for n in range(A_PAGE)
        ]
        for start in range(0, EVENTS, A_PAGE)
    ]

    def answer(body: str) -> Answer:
        number = int(json.loads(body).get("nextToken", "0"))
        more = {"nextToken": str(number + 1)} if number + 1 < len(pages) else {}
        return Answer(200, json.dumps({"events": pages[number], **more}).encode())

    aws.answers["FilterLogEvents"] = answer


async def test_a_hundred_thousand_log_events(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, stopwatch: Stopwatch
) -> None:
    floods(aws, window)
    await stopwatch_from_here(stopwatch)
    group = Resource(type=ResourceType.log_group, name="/ecs/checkout-api")
    result = await provider.ask(SearchLogs(resource=group, window=window))
    assert result.status is Status.truncated
    assert len(result.lines) == 2000
    assert list(result.lines) == sorted(result.lines, key=lambda line: line.at)
    assert "of at least" in result.message or "more" in result.message
    assert stopwatch.busy < LONGEST, stopwatch.by


async def test_the_metrics_of_a_hundred_resources_over_a_day(
    aws: StandIn, provider: AwsProvider, stopwatch: Stopwatch
) -> None:
    minutes = 24 * 60
    times = [NOW.timestamp() - 60 * n for n in reversed(range(minutes))]

    def answer(body: str) -> Answer:
        wanted = [each["Id"] for each in json.loads(body)["MetricDataQueries"]]
        results = [
            {"Id": id, "Label": id, "StatusCode": "Complete", "Timestamps": times, "Values": [1.0] * minutes}
            for id in wanted[:60]
        ]
        return Answer(200, json.dumps({"MetricDataResults": results}).encode())

    aws.answers["GetMetricData"] = answer
    resources = tuple(Resource(type=ResourceType.sqs_queue, name=f"queue-{n}") for n in range(100))
    window = TimeWindow(start=NOW - timedelta(days=1), end=NOW)
    await stopwatch_from_here(stopwatch)
    result = await provider.ask(ReadMetrics(resources=resources, window=window))
    assert sum(len(each.times) for each in result.series) > 50_000
    assert stopwatch.busy < LONGEST, stopwatch.by


async def test_two_hundred_events_that_are_each_about_sixty_resources(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, stopwatch: Stopwatch
) -> None:
    queues = tuple(Resource(type=ResourceType.sqs_queue, name=f"queue-{n}") for n in range(60))
    names = {str(n): f"https://sqs/1/queue-{n}" for n in range(60)}
    tell(aws, *(event("SetQueueAttributes", "sqs", NOW - timedelta(seconds=n), names, id=str(n)) for n in range(200)))
    await stopwatch_from_here(stopwatch)
    result = await provider.ask(ListChanges(resources=queues, window=window))
    assert len(result.changes) == 200
    assert stopwatch.busy < LONGEST, stopwatch.by


async def test_every_question_that_all_vendors_are_asked(
    shop: Shop, provider: AwsProvider, window: TimeWindow, stopwatch: Stopwatch
) -> None:
    shop.service(shop.revision())
    shop.balanced("checkout-api")
    questions: list[Query] = [
        FindAlarms(),
        ReadMetrics(resources=(CHECKOUT,), window=window),
        SearchLogs(resource=CHECKOUT, window=window),
        ListEvents(resource=CHECKOUT, window=window),
        ListChanges(resources=(CHECKOUT,), window=window),
        ReadState(resource=CHECKOUT),
    ]
    await stopwatch_from_here(stopwatch)
    for question in questions:
        await provider.ask(question)
        assert stopwatch.busy < LONGEST, f"{question.kind}: {stopwatch.by}"


async def test_the_first_client_of_the_largest_service(aws: StandIn, stopwatch: Stopwatch) -> None:
    place = Places(AwsSettings()).all[0]
    await place.call("ec2", "DescribeInstances")
    assert stopwatch.busy < LONGEST, stopwatch.by
