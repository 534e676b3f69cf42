"""Logs: the right group, the right pattern, and a second look where a pattern finds nothing."""

import json
from datetime import timedelta

import pytest

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.log_lines import chosen
from runbook_bot.providers.aws.logs import filter_pattern
from runbook_bot.providers.aws.provider import AwsProvider
from tests.providers.conftest import NOW
from tests.providers.shop import CHECKOUT, ORDERS_DB, RECEIPTS, Shop
from tests.providers.stand_in import Answer, StandIn

GROUP = Resource(type=ResourceType.log_group, name="/ecs/checkout-api")


async def test_a_service_logs_where_its_task_definition_says(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.service(shop.revision())
    shop.logs(["all is well", "ERROR Connection refused to orders-db"])
    result = await provider.ask(SearchLogs(resource=CHECKOUT, window=window, any_of=("connection refused", "oom")))
    assert [line.text for line in result.lines] == ["ERROR Connection refused to orders-db"]
    assert "/ecs/checkout-api" in result.where


async def test_a_service_whose_task_definition_names_no_group_is_looked_up_by_the_usual_name(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.service(shop.revision(), name="chat")
    shop.client("ecs").register_task_definition(
        family="chat", containerDefinitions=[{"name": "chat", "image": "chat:1", "memory": 64}]
    )
    shop.client("ecs").update_service(cluster="prod", service="chat", taskDefinition="chat")
    chat = Resource(type=ResourceType.ecs_service, cluster="prod", name="chat")
    unread = await provider.ask(SearchLogs(resource=chat, window=window, any_of=("boom",)))
    assert unread.status is Status.error
    assert unread.message == "its configuration names no log group in CloudWatch Logs"
    assert unread.asked == {"calls": [], "resources": [chat.key], "any_of": ["boom"]}
    shop.logs(["boom elsewhere"], group="/ecs/chat-worker")
    shop.logs(["boom"], group="/ecs/chat")
    with reading_afresh():
        read = await provider.ask(SearchLogs(resource=chat, window=window, any_of=("boom",)))
    assert [line.text for line in read.lines] == ["boom"]


async def test_a_function_logs_to_its_own_group(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    shop.function()
    shop.logs(["Task timed out after 3.00 seconds"], group="/aws/lambda/receipts")
    result = await provider.ask(SearchLogs(resource=RECEIPTS, window=window))
    assert [line.text for line in result.lines] == ["Task timed out after 3.00 seconds"]


async def test_a_database_logs_to_the_groups_that_exist(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    group = "/aws/rds/instance/orders-db/postgresql"
    shop.logs(["FATAL: remaining connection slots are reserved"], group=group)
    result = await provider.ask(SearchLogs(resource=ORDERS_DB, window=window, any_of=("connection slots",)))
    assert len(result.lines) == 1
    assert group in result.where


async def test_unicode_and_control_characters_arrive_as_they_are(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.logs(["Straße 火事 \x1b[31mrot", "ok"])
    result = await provider.ask(SearchLogs(resource=GROUP, window=window, any_of=("STRASSE", "火事")))
    assert [line.text for line in result.lines] == ["Straße 火事 \x1b[31mrot"]


async def test_a_pattern_that_finds_nothing_is_looked_for_again_without_it(
    aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    """Some stand-ins for CloudWatch return nothing for a pattern of alternatives."""
    shop.logs(["fine", "ERROR boom"])
    aws.answers["FilterLogEvents"] = lambda body: (
        Answer(200, b'{"events": []}') if "filterPattern" in json.loads(body) else None
    )
    result = await provider.ask(SearchLogs(resource=GROUP, window=window, any_of=("boom",)))
    assert [line.text for line in result.lines] == ["ERROR boom"]


async def test_nothing_found_says_how_much_was_read(shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    shop.logs(["fine", "good"])
    result = await provider.ask(SearchLogs(resource=GROUP, window=window, any_of=("boom",)))
    assert result.status is Status.no_data
    assert result.message == "no line has “boom” (2 lines read)"


async def test_too_many_lines_are_cut_to_those_nearest_to_the_onset(
    shop: Shop, provider: AwsProvider, window: TimeWindow
) -> None:
    shop.logs([f"line {index}" for index in range(60)], ago=timedelta(minutes=5))
    onset = NOW - timedelta(minutes=5) + timedelta(seconds=30)
    result = await provider.ask(SearchLogs(resource=GROUP, window=window.with_onset(onset), limit=5))
    assert result.status is Status.truncated
    assert [line.text for line in result.lines] == [f"line {index}" for index in range(28, 33)]
    assert "5 of at least 60 lines" in result.message


async def test_a_group_that_is_not_there_is_no_data(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert result.status is Status.no_data
    assert "does not exist" in result.message


async def test_denied_names_the_permission(aws: StandIn, shop: Shop, provider: AwsProvider, window: TimeWindow) -> None:
    shop.logs(["x"])
    text = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: logs:FilterLogEvents on resource: arn:g"
    aws.refuses("FilterLogEvents", "AccessDeniedException", text)
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert result.status is Status.denied
    assert "logs:FilterLogEvents on arn:g" in result.message


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(at=NOW + timedelta(seconds=index), text=text) for index, text in enumerate(texts)]


MINUTE = TimeWindow(start=NOW, end=NOW + timedelta(minutes=1))


def test_the_newest_lines_are_kept_where_there_is_no_onset() -> None:
    kept, left = chosen(lines("0", "1", "2", "3", "4"), 2, MINUTE, filtered=False)
    assert [line.text for line in kept] == ["3", "4"]
    assert left == 3


def test_lines_that_complain_are_kept_before_others() -> None:
    found = lines("ERROR first", *["fine"] * 50, "timed out", *["fine"] * 5)
    kept, left = chosen(found, 4, MINUTE, filtered=False)
    assert [line.text for line in kept] == ["ERROR first", "timed out", "fine", "fine"]
    assert left == 53


def test_too_many_complaints_are_thinned_kind_by_kind_in_their_proportion() -> None:
    before, after = ["slow error 1"] * 300, ["slow error 2"] * 900
    found = lines(*before, "ERROR rare, once", *after)
    kept, _ = chosen(found, 101, MINUTE, filtered=False)
    assert len(kept) == 101
    assert sum(line.text == "ERROR rare, once" for line in kept) == 1
    assert sum(line.text == "slow error 1" for line in kept) == 25  # a quarter, as in the whole


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("OOM",), '?"OOM" ?"oom" ?"Oom"'),
        (('say "hi"',), '?"say \\"hi\\"" ?"SAY \\"HI\\"" ?"Say \\"hi\\"" ?"Say \\"Hi\\""'),
        ((), None),
        (("  ",), None),
        (tuple(f"a very long phrase number {i} of many" for i in range(40)), None),
    ],
)
def test_a_pattern_says_one_of_these_in_any_case(words: tuple[str, ...], expected: str | None) -> None:
    assert filter_pattern(words) == expected
