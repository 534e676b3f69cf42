"""The client: what was read a moment ago, who is waited for and how long, and what each failure is called."""

import asyncio
import json
import threading
import time

import pytest

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.tools import FindAlarms, ReadState, Result, Status
from runbook_bot.providers.aws.answers import combined
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.provider import AwsProvider
from runbook_bot.providers.aws.rates import LIMITS, Limit, Pace, Turnstile
from runbook_bot.providers.aws.silence import REST, Silence
from runbook_bot.providers.aws.threads import Threads
from tests.providers.conftest import FixedClock
from tests.providers.shop import CHECKOUT, Shop
from tests.providers.stand_in import Answer, StandIn

STATE = ReadState(resource=CHECKOUT)


@pytest.fixture
def place(aws: StandIn) -> Place:
    return Places(AwsSettings()).all[0]


async def failure(place: Place, service: str = "ecs", action: str = "ListClusters") -> CallFailed:
    with reading_afresh(), pytest.raises(CallFailed) as caught:
        await place.call(service, action)
    return caught.value


# --- how much at once, how fast, how long ---------------------------------------------------------------------------


def test_the_pace_is_a_second_s_worth_at_once_and_then_one_by_one() -> None:
    clock = [100.0]
    pace = Pace(2, lambda: clock[0])
    assert [round(pace.wait(), 2) for _ in range(5)] == [0, 0, 0.5, 1.0, 1.5]
    clock[0] = 110
    assert [round(pace.wait(), 2) for _ in range(3)] == [0, 0, 0.5], "an idle time is not saved up"


async def test_cloudtrail_is_asked_no_faster_than_it_allows(aws: StandIn, place: Place) -> None:
    aws.says("LookupEvents", {"Events": []})
    began = time.monotonic()
    await asyncio.gather(*(place.call("cloudtrail", "LookupEvents", MaxResults=n) for n in range(1, 6)))
    assert time.monotonic() - began >= 1.4, "two at once, then one each half second"


async def test_only_so_many_at_once_are_under_way(aws: StandIn, place: Place) -> None:
    under_way, most = [0], [0]
    door = threading.Condition()

    def answer(_: str) -> Answer:
        with door:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            door.notify_all()
            door.wait_for(lambda: most[0] >= 2, timeout=4)
        time.sleep(0.1)  # long enough for one too many to come, if it may
        with door:
            under_way[0] -= 1
        return Answer(200, b'{"TableNames": []}')

    aws.answers["ListTables"] = answer
    await asyncio.gather(*(place.call("dynamodb", "ListTables", Limit=n) for n in range(1, 31)))
    assert 2 <= most[0] <= Limit().at_once


def test_every_limit_is_one_that_lets_something_through() -> None:
    for key, limit in LIMITS.items():
        assert limit.at_once >= 1, key
        assert limit.seconds <= 9, "a place has nine seconds for a whole answer"
        assert Turnstile(limit).room


async def test_time_is_counted_from_the_work_and_not_from_the_queue() -> None:
    threads, go = Threads(1), threading.Event()
    first = asyncio.ensure_future(threads.run(go.wait, 30))
    second = asyncio.ensure_future(threads.run(lambda: "done", 1))
    await asyncio.sleep(1.2)
    assert not second.done()
    go.set()
    assert [await first, await second] == [True, "done"]


async def test_a_region_that_hangs_does_not_hold_up_the_others(aws: StandIn, shop: Shop) -> None:
    shop.service(shop.revision())
    aws.silent.add("eu-west-1")
    settings = AwsSettings(regions=("us-east-1", "eu-west-1", "eu-central-1"))
    provider = AwsProvider(settings, FixedClock())
    results: list[Result] = []
    for _ in range(4):
        with reading_afresh():
            pair = await asyncio.gather(provider.ask(STATE), provider.ask(FindAlarms()))
        results += pair
        assert pair[0].fact("desired_count") == 4, "what the others have is there"
    assert "eu-west-1: AWS did not answer" in results[0].message
    left_alone = "eu-west-1: DescribeServices was not asked: ecs in eu-west-1 has just let"
    assert left_alone in results[-2].message, "who let several calls run out of time is left alone for a while"


def test_who_is_left_alone_and_for_how_long() -> None:
    clock = [0.0]
    silence = Silence(lambda: clock[0])
    silence.timed_out("ecs")
    assert not silence.of("ecs")
    silence.timed_out("ecs")
    assert silence.of("ecs")
    assert not silence.of("rds")
    silence.timed_out("rds")
    silence.timed_out("sqs")
    assert silence.of("lambda"), "the whole place is silent"
    clock[0] = REST + 1
    assert not silence.of("ecs")
    silence.timed_out("ecs")
    assert silence.of("ecs"), "one more is enough: it never answered meanwhile"
    silence.answered("ecs")
    assert not silence.of("ecs")


# --- what each failure is called ------------------------------------------------------------------------------------

_USER = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecs:ListClusters on resource: *"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            f"{_USER} because no identity-based policy allows the ecs:ListClusters action",
            "access denied: ecs:ListClusters on * is not allowed to these credentials",
        ),
        (
            f"{_USER} with an explicit deny in a service control policy",
            "access denied: ecs:ListClusters on * is not allowed to these credentials, by an explicit deny in a "
            "service control policy: only who runs the organization can allow it",
        ),
        (
            f"{_USER} with an explicit deny in an identity-based policy",
            "access denied: ecs:ListClusters on * is not allowed to these credentials, by an explicit deny in a "
            "identity-based policy",
        ),
        (
            "You are not authorized to perform this operation. Encoded authorization failure message: 4GIOHlTkIaWHQD0Q",
            "access denied: ecs:ListClusters is not allowed to these credentials; AWS encoded the reason, "
            "aws sts decode-authorization-message tells it",
        ),
    ],
)
async def test_a_denial_says_what_on_what_and_who_can_mend_it(
    aws: StandIn, place: Place, message: str, told: str
) -> None:
    aws.refuses("ListClusters", "AccessDeniedException", message)
    found = await failure(place)
    assert (found.kind, found.action, str(found)) == ("denied", "ecs:ListClusters", told)


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"])
async def test_a_region_that_is_not_enabled(aws: StandIn, code: str) -> None:
    """AWS has no word of its own for it: keys of an account are unknown in a region that it has not enabled."""
    aws.refuses("ListClusters", code, "The security token included in the request is invalid.")
    opt_in, usual = Places(AwsSettings(regions=("me-south-1", "eu-west-1"))).all
    found = await failure(opt_in)
    assert found.kind == "not_enabled"
    assert str(found).startswith("region me-south-1 is not enabled in this account, or the credentials are wrong")
    assert (await failure(usual)).kind == "credentials"


async def test_what_the_account_has_not_opted_in_to(aws: StandIn, place: Place) -> None:
    aws.refuses("ListClusters", "OptInRequired", "You are not subscribed to this service")
    found = await failure(place)
    assert (found.kind, found.status) == ("not_enabled", Status.error)
    assert str(found) == (
        "ListClusters is not enabled for this account in us-east-1 (OptInRequired): "
        "You are not subscribed to this service"
    )


async def test_a_service_that_is_not_in_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    place = Places(AwsSettings(regions=("ap-southeast-3",))).all[0]
    found = await failure(place, "amplify", "ListApps")
    assert (found.kind, str(found)) == (
        "not_enabled",
        "service amplify is not in region ap-southeast-3: nothing answers ListApps there",
    )
    assert (await failure(place)).kind == "unreachable"


async def test_a_place_that_is_denied_leaves_the_other_s_answer(aws: StandIn, shop: Shop) -> None:
    shop.service(shop.revision())
    denied = json.dumps(
        {"__type": "AccessDeniedException", "message": _USER.replace("ListClusters", "DescribeServices")}
    )
    aws.regional["eu-west-1"] = Answer(400, denied.encode())
    result = await AwsProvider(AwsSettings(regions=("us-east-1", "eu-west-1")), FixedClock()).ask(STATE)
    assert result.fact("desired_count") == 4
    assert result.status is Status.ok, "it is found where it is"
    assert "eu-west-1: access denied: ecs:DescribeServices on * is not allowed" in result.message


def test_a_list_is_not_whole_where_one_place_could_not_be_asked() -> None:
    alarm = Alarm(name="a", state="alarm")
    here = Result(status=Status.ok, source="aws", where="alarms in one", alarms=(alarm,), age=3.5)
    there = Result(status=Status.error, source="aws", where="alarms in two", message="silent")
    both = combined([("one", here), ("two", there)])
    assert (both.status, both.message, both.alarms, both.age) == (Status.truncated, "two: silent", (alarm,), 3.5)
    assert combined([("one", here), ("two", here)]).status is Status.ok


async def test_pages_are_read_to_the_end_and_within_a_bound(aws: StandIn, place: Place) -> None:
    def page(body: str) -> Answer:
        number = int(json.loads(body).get("nextToken", "0"))
        following = {"nextToken": str(number + 1)} if number < 9 else {}
        return Answer(200, json.dumps({"clusterArns": [f"{number}-{n}" for n in range(10)], **following}).encode())

    aws.answers["ListClusters"] = page
    assert len(await place.gather("ecs", "ListClusters", "clusterArns", 1000)) == 100
    assert len(aws.asked("ListClusters")) == 10
    with reading_afresh():
        assert len(await place.gather("ecs", "ListClusters", "clusterArns", 25)) == 25
    assert len(aws.asked("ListClusters")) == 13


async def test_a_token_that_stays_the_same_ends_it(aws: StandIn, place: Place) -> None:
    aws.says("ListClusters", {"clusterArns": ["a"], "nextToken": "again"})
    assert await place.gather("ecs", "ListClusters", "clusterArns", 1000) == ["a", "a"]


async def test_a_call_that_botocore_cannot_paginate_is_continued_by_its_token(aws: StandIn, place: Place) -> None:
    def page(body: str) -> Answer:
        more = {} if json.loads(body).get("NextToken") else {"NextToken": "2"}
        return Answer(200, json.dumps({"Keys": [{"Total": 1.0, "Dimensions": {}}], **more}).encode())

    aws.answers["DescribeDimensionKeys"] = page
    asked = {
        "ServiceType": "RDS", "Identifier": "db-1", "StartTime": 0, "EndTime": 60, "Metric": "db.load.avg",
        "GroupBy": {"Group": "db.wait_event"},
    }  # fmt: skip
    assert len(await place.gather("pi", "DescribeDimensionKeys", "Keys", 10, **asked)) == 2


async def test_a_listing_that_goes_on_without_end_and_tells_nothing_is_given_up(aws: StandIn, place: Place) -> None:
    def page(body: str) -> Answer:
        return Answer(200, json.dumps({"clusterArns": [], "nextToken": f"{len(body)}-{len(aws.calls)}"}).encode())

    aws.answers["ListClusters"] = page
    assert await place.gather("ecs", "ListClusters", "clusterArns", 10) == []
    assert len(aws.asked("ListClusters")) == 50
