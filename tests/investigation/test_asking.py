"""Asking well: narrow, once, in parallel, and never everything."""

import asyncio
from datetime import timedelta

import pytest

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Queried
from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import (
    FindAlarms,
    ListChanges,
    ListEvents,
    Query,
    ReadMetrics,
    ReadState,
    Result,
    SearchLogs,
    Status,
)
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.domain.window import TimeWindow
from runbook_bot.investigation.scratchpad import AT_ONCE, again, ask_all, gathered, narrowed
from runbook_bot.investigation.world import World
from tests.investigation.running import Paper, Running
from tests.investigation.town import NOW, Town, market, minutes_ago

LOGS = Resource(type=ResourceType.log_group, name="/ecs/cart")


def window(hours: float) -> TimeWindow:
    return TimeWindow(start=NOW - timedelta(hours=hours), end=NOW)


@pytest.mark.parametrize(
    "query",
    [ReadMetrics(resources=(), window=window(1)), ListChanges(resources=(), window=window(1))],
)
def test_gathering_everything_is_refused_with_a_reason(query: Query) -> None:
    allowed, why = narrowed(query)
    assert allowed is None
    assert "everything" in why


def test_a_wide_search_is_narrowed_to_its_end_with_a_note() -> None:
    allowed, why = narrowed(SearchLogs(resource=LOGS, window=window(20)))
    assert isinstance(allowed, SearchLogs)
    assert allowed.window == window(6)
    assert "six hours" in why


def test_days_of_metrics_are_read_in_coarse_steps() -> None:
    allowed, why = narrowed(ReadMetrics(resources=(LOGS,), window=window(100)))
    assert isinstance(allowed, ReadMetrics)
    assert (allowed.step, allowed.window) == (300.0, window(100))
    assert why


def test_a_wide_search_is_narrowed_to_the_onset_where_that_is_known() -> None:
    asked = TimeWindow(start=minutes_ago(60 * 20), end=NOW, onset=minutes_ago(60 * 15))
    allowed, _ = narrowed(SearchLogs(resource=LOGS, window=asked))
    assert isinstance(allowed, SearchLogs)
    assert allowed.window.length == timedelta(hours=6)
    assert allowed.window.holds(minutes_ago(60 * 15))
    assert allowed.window.start < minutes_ago(60 * 15)


def test_hundreds_of_resources_at_once_are_too_many() -> None:
    many = tuple(LOGS.model_copy(update={"name": f"/ecs/{n}"}) for n in range(140))
    for query in (ReadMetrics(resources=many, window=window(1)), ListChanges(resources=many, window=window(1))):
        allowed, why = narrowed(query)
        assert isinstance(allowed, ReadMetrics | ListChanges)
        assert allowed.resources == many[:100]
        assert "of 140 resources the first 100" in why


def test_no_question_reaches_over_a_year() -> None:
    for query in (ListEvents(resource=LOGS, window=window(24 * 365)),
                  ReadMetrics(resources=(LOGS,), window=window(24 * 365))):  # fmt: skip
        allowed, why = narrowed(query)
        assert isinstance(allowed, ListEvents | ReadMetrics)
        assert allowed.window == window(24 * 14)
        assert "two weeks" in why


@pytest.mark.parametrize(
    "query",
    [
        ReadMetrics(resources=(LOGS,), window=window(3)),
        SearchLogs(resource=LOGS, window=window(1)),
        ListEvents(resource=LOGS, window=window(30)),
        ListChanges(resources=(LOGS,), window=window(30)),
        ReadState(resource=LOGS),
        FindAlarms(name="x"),
    ],
)
def test_a_narrow_question_stays_as_it_is_and_can_be_asked_again_from_the_journal(query: Query) -> None:
    assert narrowed(query) == (query, "")
    result = Result(status=Status.ok, source="town", where="there")
    asked = Queried(query_kind=query.kind, query=query.model_dump(mode="json"), key=query.key, result=result, seconds=0)
    assert again(asked) == query
    assert again(asked).key == query.key


def test_of_equal_questions_one_is_asked_for_all_who_want_it() -> None:
    query = SearchLogs(resource=LOGS, window=window(1))
    wide = [SearchLogs(resource=LOGS, window=window(hours)) for hours in (20, 30)]
    refused = ReadMetrics(resources=(), window=window(1))
    asked = [
        ("H1", query),
        ("H2", query.model_copy()),
        ("H1", query),
        ("H3", wide[0]),
        ("H4", wide[1]),
        ("H4", refused),
    ]
    wanted, notes = gathered(asked)
    assert [who for _, who in wanted.values()] == [("H1", "H2"), ("H3", "H4")]
    assert len(notes) == 2, "each reason is given once"


async def answers(town: Town, case: Investigation, *queries: Query) -> list[Queried]:
    wanted, _ = gathered(("H1", query) for query in queries)
    return [body async for body in ask_all(World([town]), case, wanted) if isinstance(body, Queried)]


async def test_what_the_journal_knows_is_not_asked_again() -> None:
    town = market()
    paper = Paper(Running(town).clock)
    query = ReadState(resource=Resource(type=ResourceType.rds_instance, name="orders-db"))
    paper.append(*await answers(town, paper.refresh(), query))
    assert paper.refresh().answers[query.key].fact("max_connections") == 200
    assert await answers(town, paper.refresh(), query.model_copy()) == []
    assert len(town.asked) == 1


class Slow(Town):
    """Counts how many questions are under way at once."""

    under_way = 0
    most = 0

    async def ask(self, query: Query) -> Result:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        return await super().ask(query)


async def test_questions_run_in_parallel_and_bounded() -> None:
    town = Slow(market().graph)
    resource = Resource(type=ResourceType.ecs_service, name="cart")
    many = [ListEvents(resource=resource, window=TimeWindow(start=minutes_ago(n + 1), end=NOW)) for n in range(30)]
    assert len(await answers(town, Investigation(id="inv-1"), *many)) == 30
    assert town.most == AT_ONCE


class Uneven(Town):
    """The first question takes longest."""

    async def ask(self, query: Query) -> Result:
        turns = 50 if len(self.asked) == 0 else 1
        found = await super().ask(query)
        for _ in range(turns):
            await asyncio.sleep(0)
        return found


async def test_answers_stand_in_the_order_of_the_questions_whoever_came_first() -> None:
    resource = Resource(type=ResourceType.ecs_service, name="cart")
    many = [ListEvents(resource=resource, window=TimeWindow(start=minutes_ago(n + 1), end=NOW)) for n in range(5)]
    found = await answers(Uneven(market().graph), Investigation(id="inv-1"), *many)
    assert [each.key for each in found] == [query.key for query in many]


async def test_what_does_not_come_in_time_stands_in_no_entry() -> None:
    class Half(Town):
        async def ask(self, query: Query) -> Result:
            if isinstance(query, ListEvents):
                await asyncio.Event().wait()
            return await super().ask(query)

    wanted, _ = gathered([("", ListEvents(resource=LOGS, window=window(1))), ("", ReadState(resource=LOGS))])
    asked = ask_all(World([Half(market().graph)]), Investigation(id="inv-1"), wanted, within=0.05)
    assert [body.query_kind async for body in asked if isinstance(body, Queried)] == ["read_state"]


async def test_nobody_who_could_answer_is_a_clear_error() -> None:
    result = await World([]).ask(FindAlarms())
    assert result.status is Status.error
    assert result.message == "no configured provider answers this"


async def test_a_vendor_that_hangs_is_given_up() -> None:
    class Hanging(Town):
        async def ask(self, query: Query) -> Result:
            await asyncio.Event().wait()
            raise AssertionError

    result = await World([Hanging(market().graph)], timedelta(milliseconds=50)).ask(FindAlarms())
    assert result.status is Status.error
    assert "no answer" in result.message


async def test_secrets_are_taken_out_before_anything_is_kept() -> None:
    town = market()
    town.log(
        "/ecs/cart", "ERROR postgres://app:s3cretPass@db:5432 refused, password=hunter2hunter2", minutes_ago(5), 60
    )
    (asked,) = await answers(
        town, Investigation(id="inv-1"), SearchLogs(resource=LOGS, window=window(0.2), any_of=("refused",))
    )
    written = asked.model_dump_json()
    assert "refused" in written
    assert "s3cretPass" not in written
    assert "hunter2" not in written


async def test_signals_that_a_resource_does_not_have_are_no_answer() -> None:
    town = market()
    query = ReadMetrics(resources=(LOGS,), signals=(Signal.cpu,), window=window(1))
    (asked,) = await answers(town, Investigation(id="inv-1"), query)
    assert asked.result.status is Status.no_data
