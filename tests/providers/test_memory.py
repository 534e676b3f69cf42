"""What was read a moment ago: not asked again, told with its age, and forgotten after a change."""

import asyncio
import time

import pytest

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import ReadState
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.ecs import read_service
from runbook_bot.providers.aws.elb import target_group
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.memory import MOST_BYTES, Memory, aged
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.provider import AwsProvider
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


async def test_an_identical_question_is_answered_from_memory_and_says_how_old_that_is(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    first = await provider.ask(STATE)
    asked = len(aws.calls)
    await asyncio.sleep(1.1)
    second = await provider.ask(STATE)
    assert len(aws.calls) == asked
    assert (first.age, second.facts) == (0, first.facts)
    assert second.age >= 1
    assert second.where == f"{first.where} ({second.age:.0f} s ago)"


async def test_what_has_to_be_fresh_is_read_and_so_is_what_comes_after_a_change(
    aws: StandIn, shop: Shop, provider: AwsProvider
) -> None:
    shop.service(shop.revision())
    assert (await provider.ask(STATE)).fact("desired_count") == 4
    shop.client("ecs").update_service(cluster="prod", service="checkout-api", desiredCount=7)
    assert (await provider.ask(STATE)).fact("desired_count") == 4, "that is what was read"
    with reading_afresh():
        assert (await provider.ask(STATE)).fact("desired_count") == 7
    assert (await provider.ask(STATE)).fact("desired_count") == 7, "what was read afresh is remembered"
    shop.client("ecs").update_service(cluster="prod", service="checkout-api", desiredCount=2)
    provider.forget()
    assert (await provider.ask(STATE)).fact("desired_count") == 2


async def test_the_same_question_at_the_same_time_is_put_once(aws: StandIn, shop: Shop, provider: AwsProvider) -> None:
    shop.service(shop.revision())
    results = await asyncio.gather(*(provider.ask(STATE) for _ in range(20)))
    assert len({result.digest for result in results}) == 1
    assert len(aws.asked("DescribeServices")) == 1


async def test_who_gives_up_waiting_takes_nothing_from_the_others(aws: StandIn, place: Place) -> None:
    def slowly(_: str) -> Answer:
        time.sleep(0.4)
        return Answer(200, b'{"clusterArns": []}')

    aws.answers["ListClusters"] = slowly
    hasty = asyncio.create_task(place.call("ecs", "ListClusters"))
    await asyncio.sleep(0.1)
    patient = asyncio.create_task(place.call("ecs", "ListClusters"))
    await asyncio.sleep(0.05)
    hasty.cancel()
    assert (await patient)["clusterArns"] == []
    assert len(aws.asked("ListClusters")) == 1


async def test_failures_polls_and_old_answers_are_not_remembered() -> None:
    clock, asked = [0.0], []
    memory = Memory(lambda: clock[0])

    async def ask() -> dict[str, object]:
        asked.append(clock[0])
        if len(asked) == 1:
            raise CallFailed("throttled", "later", action="ecs:ListClusters")
        return {"n": len(asked)}

    with pytest.raises(CallFailed):
        await memory.answer("p", "ecs", "ListClusters", {}, ask)
    assert (await memory.answer("p", "ecs", "ListClusters", {}, ask))["n"] == 2
    clock[0] = 59
    with aged() as ages:
        assert (await memory.answer("p", "ecs", "ListClusters", {}, ask))["n"] == 2
    assert ages == [59]
    clock[0] = 61
    assert (await memory.answer("p", "ecs", "ListClusters", {}, ask))["n"] == 3
    for _ in range(2):
        await memory.answer("p", "logs", "GetQueryResults", {"queryId": "q"}, ask)
        await memory.answer("p", "logs", "StartQuery", {}, ask)
    assert len(asked) == 7
    await memory.answer("q", "ecs", "ListClusters", {}, ask)
    assert len(asked) == 8, "another place is another question"


async def test_that_a_service_is_not_there_is_remembered_and_a_denial_is_not(aws: StandIn, place: Place) -> None:
    aws.refuses("ListClusters", "SubscriptionRequiredException", "You need a support plan")
    aws.refuses("ListTables", "AccessDeniedException", "no")
    for _ in range(3):
        with pytest.raises(CallFailed, match="You need a support plan"):
            await place.call("ecs", "ListClusters")
        with pytest.raises(CallFailed, match="access denied"):
            await place.call("dynamodb", "ListTables")
    assert (len(aws.asked("ListClusters")), len(aws.asked("ListTables"))) == (1, 3)


async def test_names_asked_for_at_the_same_moment_are_asked_for_together(
    aws: StandIn, shop: Shop, place: Place
) -> None:
    for name in ("checkout-api", "pricing-api", "search"):
        shop.service(shop.revision(), name=name)
    wanted = [
        Resource(type=ResourceType.ecs_service, cluster="prod", name=each)
        for each in ("checkout-api", "pricing-api", "search", "nothing-of-the-kind")
    ]
    found = await asyncio.gather(*(read_service(place, each) for each in wanted), return_exceptions=True)
    named = [each["serviceName"] for each in found if isinstance(each, dict)]
    assert named == ["checkout-api", "pricing-api", "search"]
    assert isinstance(found[3], CallFailed)
    assert found[3].kind == "missing"
    assert len(aws.asked("DescribeServices")) == 1
    await read_service(place, wanted[1])
    assert len(aws.asked("DescribeServices")) == 1, "each of them is remembered by its own name"


async def test_one_name_that_is_not_there_spoils_nothing_for_the_others(aws: StandIn, shop: Shop, place: Place) -> None:
    """ELB refuses the whole call."""
    shop.balanced("checkout-api")
    both = await asyncio.gather(
        target_group(place, "checkout-api"), target_group(place, "gone"), return_exceptions=True
    )
    assert isinstance(both[0], dict)
    assert isinstance(both[1], CallFailed)
    assert both[1].kind == "missing"


async def test_memory_has_a_bound_and_keeps_no_giants() -> None:
    memory = Memory()

    async def ask(size: int) -> dict[str, object]:
        return {"ResponseMetadata": {"HTTPHeaders": {"content-length": str(size)}}}

    for number in range(100):
        await memory.answer("p", "ecs", "ListTasks", {"n": number}, lambda: ask(400_000))
    assert memory._size <= MOST_BYTES
    assert len(memory._kept) == memory._size // 400_000
    await memory.answer("p", "ecs", "ListTasks", {"n": "giant"}, lambda: ask(2_000_000))
    assert not any("giant" in key for key in memory._kept)


async def test_what_is_made_of_remembered_answers_is_as_old_as_the_oldest_of_them(aws: StandIn, place: Place) -> None:
    aws.says("ListClusters", {"clusterArns": []})
    await place.call("ecs", "ListClusters")
    await asyncio.sleep(0.3)
    ages = []
    for _ in range(2):
        with aged() as found:
            await place.recall("clusters", 60, lambda: place.gather("ecs", "ListClusters", "clusterArns", 5))
        ages.append(max(found))
    assert 0.3 <= ages[0] <= ages[1]


async def test_nothing_that_was_read_before_a_change_is_recalled_after_it_in_any_region(place: Place) -> None:
    read, go = [], asyncio.Event()

    async def look() -> int:
        read.append(1)
        await go.wait()
        return len(read)

    for where in (place, place.at("eu-west-1")):
        read.clear()
        go.clear()
        early = asyncio.ensure_future(where.recall("x", 60, look))
        await asyncio.sleep(0)
        place.forget()
        go.set()
        assert [await early, await where.recall("x", 60, look), await where.recall("x", 60, look)] == [1, 2, 2]
