"""Logs: the right group, the right pattern, and a second look where a pattern finds nothing."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.log_lines import chosen
from runbook_bot.providers.aws.logs import filter_pattern
from runbook_bot.providers.aws.logs_insights import run_query
from runbook_bot.providers.aws.places import Places
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


def flood(aws: StandIn, window: TimeWindow, per_minute: int, complains: Callable[[int], bool]) -> None:
    """FilterLogEvents as it answers about a group with that many lines a minute, a thousand a page."""
    start, step = int(window.start.timestamp() * 1000), 60_000 / per_minute

    def page(body: str) -> Answer:
        asked = json.loads(body)
        first = max(int(asked.get("nextToken") or 0), int((asked["startTime"] - start) / step))
        last = min(int((asked["endTime"] - start) / step), first + int(asked.get("limit") or 1000))
        events = [
            {
                "timestamp": int(start + i * step),
                "message": f"ERROR boom {i}" if complains(i) else f"ok {i}",
                "eventId": str(i),
            }
            for i in range(first, last)
        ]
        told: dict[str, object] = {"events": events}
        if last < int((asked["endTime"] - start) / step):
            told["nextToken"] = str(last)
        return Answer(200, json.dumps(told).encode())

    aws.answers["FilterLogEvents"] = page


def insight(aws: StandIn, lines: list[tuple[float, str]], *, matched: int, status: str = "Complete") -> None:
    """What Logs Insights answers: seconds before the end of the hour, and the line."""
    rows = [
        [
            {"field": "@timestamp", "value": (NOW - timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S.000")},
            {"field": "@message", "value": text},
            {"field": "@ptr", "value": "x"},
        ]
        for ago, text in lines
    ]
    statistics = {"recordsMatched": matched, "recordsScanned": 1_000_000, "bytesScanned": 2e9}
    aws.says("StartQuery", {"queryId": "q1"})
    aws.says("GetQueryResults", {"status": status, "results": rows, "statistics": statistics})


async def test_of_a_flood_all_complaints_are_found_and_what_that_costs_is_said(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    flood(aws, window, 10_000, lambda i: False)
    insight(
        aws, [(600, "ERROR boom"), (3000, "ERROR old"), (1, "a line that only Insights would take for one")], matched=3
    )
    query = SearchLogs(resource=GROUP, window=window.with_onset(NOW - timedelta(minutes=20)))
    result = await provider.ask(query)
    assert result.status is Status.truncated
    assert [line.text for line in result.lines if "ERROR" in line.text] == ["ERROR old", "ERROR boom"]
    assert len(result.lines) == 2000
    assert "1000000 events scanned, 2.00 GB, about 0.0100 USD" in result.message
    (started,) = aws.asked("StartQuery")
    assert "(?i)" in json.loads(started.body)["queryString"]
    assert str(result.asked).count("StartQuery") == 1


async def test_of_a_flood_of_complaints_samples_keep_the_proportion_of_before_and_after(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    """Half of all lines complain from the onset on, one in fifty before: more than Insights gives at once."""
    onset = NOW - timedelta(minutes=20)
    turn = (onset - window.start).total_seconds() / 60 * 10_000
    flood(aws, window, 10_000, lambda i: i % 2 == 0 if i >= turn else i % 50 == 0)
    insight(aws, [], matched=200_000)
    result = await provider.ask(SearchLogs(resource=GROUP, window=window.with_onset(onset), limit=4000))
    before = [line for line in result.lines if line.at < onset]
    after = [line for line in result.lines if line.at >= onset]
    assert 0.01 < sum("ERROR" in line.text for line in before) / len(before) < 0.05
    assert 0.4 < sum("ERROR" in line.text for line in after) / len(after) < 0.6
    assert "samples spread over the window" in result.message


async def test_insights_is_stopped_when_its_time_is_up(aws: StandIn, window: TimeWindow) -> None:
    insight(aws, [(5, "ERROR partial")], matched=1, status="Running")
    aws.says("StopQuery", {"success": True})
    place = Places(AwsSettings()).all[0]
    found = await run_query(place, ["/ecs/checkout-api"], "fields @message", window, limit=10, seconds=0.3)
    assert not found.complete
    assert [row["@message"] for row in found.rows] == ["ERROR partial"]
    assert len(aws.asked("StopQuery")) == 1


async def test_insights_is_stopped_when_nobody_waits_any_more(aws: StandIn, window: TimeWindow) -> None:
    insight(aws, [], matched=0, status="Running")
    aws.says("StopQuery", {"success": True})
    place = Places(AwsSettings()).all[0]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run_query(place, ["g"], "fields @message", window, limit=10, seconds=30), 1.5)
    assert len(aws.asked("StopQuery")) == 1


async def test_without_insights_the_samples_say_what_is_missing(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    flood(aws, window, 10_000, lambda i: i % 1000 == 0)
    aws.refuses("StartQuery", "AccessDeniedException", "no")
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert result.status is Status.truncated
    assert "logs:StartQuery" in result.message
    assert len(result.lines) == 2000


async def test_a_group_that_only_insights_may_read(aws: StandIn, provider: AwsProvider, window: TimeWindow) -> None:
    """Groups of the class for infrequent access refuse FilterLogEvents."""
    aws.refuses("FilterLogEvents", "InvalidOperationException", "not supported for this log class")
    insight(aws, [(60, "ERROR boom")], matched=1)
    result = await provider.ask(SearchLogs(resource=GROUP, window=window, any_of=("boom",)))
    assert [line.text for line in result.lines] == ["ERROR boom"]


@pytest.mark.parametrize(
    "events",
    [
        [],
        None,
        [None, {}],
        [{"timestamp": None, "message": "x"}, {"timestamp": 10**18, "message": "x"}, {"timestamp": -5, "message": "x"}],
        [{"timestamp": 1, "message": None, "logStreamName": None}],
    ],
)
async def test_answers_that_make_no_sense_are_no_lines_or_empty_ones(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, events: object
) -> None:
    aws.says("FilterLogEvents", {"events": events})
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert result.status in (Status.no_data, Status.ok)
    assert all(not line.text for line in result.lines)


async def test_binary_and_endless_lines_are_cut_and_can_be_stored(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    at = int(NOW.timestamp() * 1000)
    odd = "\udcff\ud800\x00" + "x" * 100_000
    event = {"timestamp": at, "message": odd, "eventId": "1", "logStreamName": "\ud800"}
    later = {"timestamp": at - 1000, "message": "earlier", "eventId": "2"}
    aws.says("FilterLogEvents", {"events": [event, event, later]})
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert [len(line.text) for line in result.lines] == [7, 4000]  # in order of time, each once
    assert result.model_dump_json().encode()


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_pages_of_html_are_no_absence(
    aws: StandIn, provider: AwsProvider, window: TimeWindow, status: int
) -> None:
    aws.breaks("FilterLogEvents", status)
    aws.breaks("StartQuery", status)
    result = await provider.ask(SearchLogs(resource=GROUP, window=window, any_of=("boom",)))
    assert result.status in (Status.error, Status.denied)
    assert not result.lines


async def test_a_second_page_that_fails_leaves_what_the_first_brought(
    aws: StandIn, provider: AwsProvider, window: TimeWindow
) -> None:
    def page(body: str) -> Answer:
        if "nextToken" in body:
            return Answer(500, b"{}")
        event = {"timestamp": int(NOW.timestamp() * 1000), "message": "ERROR boom"}
        return Answer(200, json.dumps({"events": [event], "nextToken": "t"}).encode())

    aws.answers["FilterLogEvents"] = page
    aws.refuses("StartQuery", "AccessDeniedException", "no")
    result = await provider.ask(SearchLogs(resource=GROUP, window=window))
    assert result.status is Status.truncated
    assert any(line.text == "ERROR boom" for line in result.lines)
