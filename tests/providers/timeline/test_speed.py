"""A hundred resources that all stand on one group, and as many events as are read: no wait for anybody else."""

import asyncio
import time
from datetime import timedelta

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.cloudtrail import parse
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.related import footing
from runbook_bot.providers.aws.timeline.claims import joined, once, trail_claim
from runbook_bot.providers.aws.timeline.matching import through
from tests.providers.conftest import NOW
from tests.providers.stand_in import StandIn
from tests.providers.timeline.trail import event, tell


def test_twenty_thousand_pairs_of_event_and_resource() -> None:
    resources = [Resource(type=ResourceType.ecs_service, cluster="prod", name=f"service-{n}") for n in range(100)]
    stands_on = footing(groups=["sg-1"], roles=["task"], hosts=["db.example.org"])
    rule = {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}
    request = {"groupId": "sg-1", "ipPermissions": {"items": [rule]}}
    told = [
        event("AuthorizeSecurityGroupIngress", "ec2", NOW - timedelta(seconds=n), request, id=str(n))
        for n in range(200)
    ]
    began = time.perf_counter()
    events = [made for each in told if (made := parse({**each, "EventTime": NOW})) is not None]
    claims = [
        trail_claim(each, resource, place)
        for resource in resources
        for each in events
        if (place := through(each, resource, stands_on)) is not None
    ]
    changes = once(joined(claims))
    assert len(changes) == 200
    assert len(changes[0].also) == 30
    assert time.perf_counter() - began < 10, "a minute where each pair is compared with each"


async def test_nobody_else_waits_meanwhile(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    queues = tuple(Resource(type=ResourceType.sqs_queue, name=f"queue-{n}") for n in range(60))
    names = {str(n): f"https://sqs/1/queue-{n}" for n in range(60)}
    tell(aws, *(event("SetQueueAttributes", "sqs", NOW - timedelta(seconds=n), names, id=str(n)) for n in range(200)))
    longest = 0.0
    asking = asyncio.create_task(provider.ask(ListChanges(resources=queues, window=window)))
    while not asking.done():
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        longest = max(longest, time.perf_counter() - began)
    assert len((await asking).changes) == 200
    assert longest < 0.5, "generous, for a machine that does other things too"
