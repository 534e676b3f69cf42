"""A hundred resources that all stand on one group, and as many events as are read, are held against each other."""

import time
from datetime import timedelta

from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.cloudtrail import parse
from runbook_bot.providers.aws.related import footing
from runbook_bot.providers.aws.timeline.claims import joined, once, trail_claim
from runbook_bot.providers.aws.timeline.matching import through
from tests.providers.conftest import NOW
from tests.providers.timeline.trail import event


def test_twenty_thousand_pairs_of_event_and_resource() -> None:
    resources = [Resource(type=ResourceType.ecs_service, cluster="prod", name=f"service-{n}") for n in range(100)]
    stands_on = footing(groups=["sg-1"], roles=["task"], hosts=["db.example.org"])
    rule = {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}
    request = {"groupId": "sg-1", "ipPermissions": {"items": [rule]}}
    told = [
        event("AuthorizeSecurityGroupIngress", "ec2", NOW - timedelta(seconds=n), request, id=str(n))
        for n in range(200)
    ]
    began = time.thread_time()
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
    assert time.thread_time() - began < 10, "a minute where each pair is compared with each"
