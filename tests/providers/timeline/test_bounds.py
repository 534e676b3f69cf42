"""Too many events, too many changes, half of the calls denied: what is left out is said, what is near is kept."""

import json
from datetime import timedelta
from typing import Any

import pytest

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ListChanges, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, CHECKOUT_GROUP, ORDERS_DB, RECEIPTS
from tests.providers.stand_in import Answer, StandIn
from tests.providers.timeline.trail import event, tell

QUEUE = Resource(type=ResourceType.sqs_queue, name="bestellungen-größe")
ONSET = NOW - timedelta(minutes=30)


async def test_of_too_many_those_next_to_the_onset_are_kept_in_order(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    def one(n: int) -> dict[str, Any]:
        request = {"queueUrl": f"https://sqs/1/{QUEUE.name}", "attributes": {"VisibilityTimeout": str(n)}}
        return event("SetQueueAttributes", "sqs", NOW - timedelta(seconds=10 * n), request, id=str(n))

    tell(aws, *(one(n) for n in range(1, 330)))
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window.with_onset(ONSET)))
    assert len(result.changes) == 200
    assert result.status is Status.truncated
    assert "129 more changes, farther from the onset, are left out" in result.message
    times = [change.at for change in result.changes]
    assert times == sorted(times)
    assert any(abs((at - ONSET).total_seconds()) < 15 for at in times)
    assert max(times) < NOW - timedelta(minutes=15), "what came long after the onset was left out"


async def test_a_hundred_thousand_events_are_not_read_and_that_is_said(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    mine = event("SetQueueAttributes", "sqs", ONSET, {"queueUrl": f"https://sqs/1/{QUEUE.name}", "attributes": {}})

    def endless(body: str) -> Answer:
        asked = json.loads(body)
        if asked["LookupAttributes"][0]["AttributeKey"] == "ResourceName":
            return Answer(200, json.dumps({"Events": [mine]}).encode())
        noise = [event("RunInstances", "ec2", NOW, {"n": n}, id=f"{asked.get('NextToken')}-{n}") for n in range(50)]
        return Answer(200, json.dumps({"Events": noise, "NextToken": f"{asked.get('NextToken', '')}x"}).encode())

    aws.answers["LookupEvents"] = endless
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window))
    assert len(result.changes) == 1
    assert result.status is Status.truncated
    assert "CloudTrail lists too many events: the newest 200 since" in result.message
    assert len(aws.asked("LookupEvents")) <= 10


async def test_one_sweep_serves_all_resources_and_the_next_question(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.says("ListVersionsByFunction", {"Versions": []})
    noise = event("DeleteBucket", "s3", ONSET, {"bucketName": "other"})
    tell(aws, noise)
    for resources in ((QUEUE, RECEIPTS, CHECKOUT_GROUP), (RECEIPTS,)):
        await provider.ask(ListChanges(resources=resources, window=window))
    assert len(aws.asked("LookupEvents")) == 1


async def test_half_of_the_calls_denied_the_rest_is_told_and_the_gaps_are_named(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    aws.refuses("DescribeServices", "AccessDeniedException", "no")
    aws.refuses_xml("DescribeEvents", "AccessDenied", "no", 403)
    aws.refuses("ListRules", "AccessDeniedException", "no")
    request = {"cluster": "prod", "service": "checkout-api", "desiredCount": 0}
    tell(aws, event("UpdateService", "ecs", ONSET, request))
    result = await provider.ask(ListChanges(resources=(CHECKOUT, ORDERS_DB), window=window))
    assert [change.after for change in result.changes] == [{"desired_count": "0"}]
    assert result.status is Status.truncated
    for permission in ("ecs:DescribeServices", "rds:DescribeEvents", "events:ListRules"):
        assert permission in result.message


@pytest.mark.parametrize(("ago", "said"), [(timedelta(0), True), (timedelta(hours=2), False)])
async def test_the_lag_of_cloudtrail_is_said_where_it_matters(
    aws: StandIn, provider: AwsProvider, ago: timedelta, *, said: bool
) -> None:
    tell(aws)
    frame = TimeWindow(start=NOW - ago - timedelta(hours=1), end=NOW - ago)
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=frame))
    assert ("CloudTrail lags by up to 15 minutes" in result.where) is said


async def test_what_cannot_be_understood_of_an_event_does_not_stop_the_others(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    broken = {**event("SetQueueAttributes", "sqs", ONSET, {}, id="broken"), "CloudTrailEvent": "{not json"}
    odd = event("SetQueueAttributes", "sqs", ONSET, {"attributes": ["?"], "queueUrl": f"x/{QUEUE.name}"}, id="odd")
    good = event("PurgeQueue", "sqs", ONSET, {"queueUrl": f"https://sqs/1/{QUEUE.name}"}, id="good")
    tell(aws, broken, odd, good)
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window))
    assert {change.reference for change in result.changes} == {"odd", "good"}


async def test_without_cloudtrail_the_services_own_moments_of_change_are_told(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Moto keeps no moment of change of a stage; the answers are in the shape of API Gateway's and SQS's."""
    aws.refuses("LookupEvents", "AccessDeniedException", "no")
    aws.says("GetQueueUrl", {"QueueUrl": "https://sqs/1/q"})
    aws.says("GetQueueAttributes", {"Attributes": {"LastModifiedTimestamp": str(int(ONSET.timestamp()))}})
    aws.says("GetRestApis", {"item": [{"id": "a1", "name": "front"}]})
    stage = {"stageName": "live", "deploymentId": "d2", "lastUpdatedDate": ONSET.timestamp()}
    old = {"stageName": "test", "deploymentId": "d1", "lastUpdatedDate": (NOW - timedelta(days=9)).timestamp()}
    aws.says("GetStages", {"item": [stage, old]})
    api = Resource(type=ResourceType.api_gateway, name="front")
    result = await provider.ask(ListChanges(resources=(QUEUE, api), window=window))
    assert {(change.kind, change.summary) for change in result.changes} == {
        ("configuration", f"attributes of queue {QUEUE.name} were set"),
        ("deployment", "stage live of front was set to deployment d2"),
    }
    assert result.status is Status.truncated
    assert "cloudtrail:LookupEvents" in result.message


async def test_where_nothing_was_written_it_is_not_asked_for_resource_by_resource(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    tell(aws)
    resources = tuple(QUEUE.model_copy(update={"name": f"queue-{n}"}) for n in range(6))
    result = await provider.ask(ListChanges(resources=resources, window=window))
    assert result.status is Status.no_data
    assert len(aws.asked("LookupEvents")) == 2, "all of it, and one name in case that is all that is understood"


async def test_where_only_names_can_be_asked_for_the_answer_is_no_whole_one(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    mine = event("SetQueueAttributes", "sqs", ONSET, {"queueUrl": f"https://sqs/1/{QUEUE.name}", "attributes": {}})

    def by_name(body: str) -> Answer:
        if '"ResourceName"' in body:
            return Answer(200, json.dumps({"Events": [mine]}).encode())
        return Answer(400, b'{"__type": "InvalidLookupAttributesException", "message": "ReadOnly is not known"}')

    aws.answers["LookupEvents"] = by_name
    result = await provider.ask(ListChanges(resources=(QUEUE,), window=window))
    assert (result.status, len(result.changes)) == (Status.truncated, 1)
    assert "of all writes CloudTrail did not tell" in result.message
    assert f"those that name {QUEUE.name} were read" in result.message
