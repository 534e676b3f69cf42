"""An answer fits its place whatever rings, fails or is called: no line grows with what comes from outside."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook_bot.cli.ask import LONGEST, UNBROKEN, WIDTH, lines
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.tools import Status
from runbook_bot.investigation.ask.answer import Answer, Quote, Source, table
from runbook_bot.investigation.ask.layout import aligned, wrapped
from tests.investigation.test_answers import ask
from tests.investigation.town import NOW, Town, ecs, market, minutes_ago

LONG = "payments-checkout-orders-" * 12
"""As long as an alarm's name may be."""


def widest(said: list[str]) -> int:
    return max(len(line) for line in said if not line.strip().startswith("https://"))


async def test_however_many_alarms_ring_the_answer_keeps_its_width() -> None:
    town = Town(ServiceGraph(services=tuple(ecs(f"shop-{n}") for n in range(30))))
    town.alarms = [
        Alarm(name=f"{LONG}{n}-{m}", state="alarm", since=minutes_ago(n + m), subject=each.resources[0])
        for n, each in enumerate(town.graph.services)
        for m in range(7)
    ]
    town.facts = {f"shop-{n}": {"running_count": 0, "desired_count": 4} for n in range(30)}
    said = lines(await ask("what's running in prod?", town))
    assert said[0].startswith("30 services run on 30 resources; not well: shop-")
    assert "5 more alarms; 4 of 4 missing" in said[0]
    assert "and 27 more" in said[0]
    assert len(said[0]) <= LONGEST
    assert widest(said[1:]) <= WIDTH
    assert widest(lines(await ask("what is in alarm?", town))[1:]) <= WIDTH


async def test_however_much_could_not_be_seen_the_answer_keeps_its_width() -> None:
    unseen = tuple(f"state of {n} in eu-west-1: {LONG} is not authorised to perform it" for n in range(40))
    sources = tuple(
        Source(source=f"town.{n}", where=f"state of {LONG} {n}", status=Status.denied, query={}) for n in range(9)
    )
    answer = Answer(
        question="?", intent="running", text=LONG * 10, at=NOW, unseen=unseen, notes=unseen, sources=sources,
        tables=(table((LONG, "b", LONG), [(LONG * 4, "x", LONG * 9)] * 3, title=LONG * 3),),
        quotes=(Quote(text=f"aws ecs {'x' * (UNBROKEN - 8)}\n{LONG * 50}", where=LONG * 9),),
    )  # fmt: skip
    said = lines(answer)
    assert len(said[0]) == LONGEST
    assert f"  > aws ecs {'x' * (UNBROKEN - 8)}" in said
    assert widest([line for line in said[1:] if "aws ecs" not in line]) <= WIDTH


async def test_a_gap_that_has_no_reason_is_told_too() -> None:
    answer = Answer(question="?", intent="running", text="Nothing.", at=NOW, unseen=("the moon",))
    assert lines(answer)[-1] == "Not seen: the moon"


async def test_what_is_worst_comes_first_and_what_cannot_be_read_before_what_is_well() -> None:
    town = market()
    town.facts["orders"] = {"running_count": 1, "desired_count": 3}
    town.alarms = [
        Alarm(name="cart-late", state="alarm", since=minutes_ago(3), subject=town.graph.services[1].resources[0]),
        Alarm(name="cart-5xx", state="alarm", since=minutes_ago(12), subject=town.graph.services[1].resources[1]),
        Alarm(name="cart-quiet", state="ok", since=minutes_ago(1), subject=town.graph.services[1].resources[0]),
        Alarm(name="search-5xx", state="alarm", since=NOW - timedelta(days=9), subject=None),
        Alarm(name="orders-5xx", state="alarm", since=minutes_ago(8), subject=None),
    ]
    answer = await ask("what is running?", town)
    assert answer.data["unwell"] == ["cart", "orders", "search"]
    assert "cart (alarm cart-5xx, 12 min ago; alarm cart-late, 3 min ago)" in answer.text
    assert "search (alarm search-5xx, 9 days ago)" in answer.text
    assert [row[0] for row in answer.tables[0].rows][:3] == ["cart", "orders", "search"]


@given(text=some.text(max_size=300), width=some.integers(4, 40))
def test_wrapping_loses_no_word_and_keeps_the_width(text: str, width: int) -> None:
    told = wrapped(text, width, "  ")
    assert "".join("".join(line.split()) for line in told) == "".join(text.split())
    assert all(len(line) <= width for line in told if line.isascii())


@pytest.mark.parametrize(("text", "expected"), [
    ("", []),
    ("a bb ccc", ["a bb", "  ccc"]),
    ("abcdefghij", ["abcdef", "  ghij"]),
    ("漢字漢字", ["漢字漢", "  字"]),
])  # fmt: skip
def test_lines_break_between_words_and_by_columns(text: str, expected: list[str]) -> None:
    assert wrapped(text, 6, "  ") == expected


def test_a_cell_of_a_megabyte_is_cut_at_once() -> None:
    shown = aligned(table(("name", "more"), [("x" * 1_000_000, "y")]))
    assert max(len(line) for line in shown) <= 118
