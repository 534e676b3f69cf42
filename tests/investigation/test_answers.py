"""Questions in words, answered from a small town: what is meant, what is said, where it is from, what was not seen."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.evidence import Direction
from runbook_bot.domain.observation import Alarm, Row
from runbook_bot.domain.service import Resource, Service, ServiceGraph
from runbook_bot.domain.tools import ListChanges, Query, ReadMetrics, Result, SearchLogs, Status
from runbook_bot.domain.vocabulary import ResourceType, Signal
from runbook_bot.investigation.ask.answer import Answer, Table
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.ask.layout import aligned, sparkline
from runbook_bot.investigation.world import World
from runbook_bot.state.journals import FileJournals
from tests.investigation.running import HandClock, Running
from tests.investigation.test_triage import Memory
from tests.investigation.town import NOW, Effect, Town, deploy, ecs, market, minutes_ago, one


def asker(town: Town, **more: object) -> Asker:
    return Asker(World([town]), Memory(), town.graph, HandClock(), **more)  # type: ignore[arg-type]  # options of one class


async def ask(text: str, town: Town | None = None) -> Answer:
    return await asker(town or market()).ask(text)


def cells(answer: Answer) -> str:
    return "\n".join(" | ".join(row) for table in answer.tables for row in table.rows)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("what's running in prod?", "running"),
        ("what is running", "running"),
        ("list all services", "running"),
        ("which services do we have", "running"),
        ("status of cart", "status"),
        ("how is orders-db?", "status"),
        ("is cart ok?", "status"),
        ("what is wrong with the cart", "status"),
        ("status", "running"),
        ("who owns cart?", "owner"),
        ("which team is responsible for cart", "owner"),
        ("what does cart depend on", "dependencies"),
        ("who depends on orders-db?", "dependencies"),
        ("blast radius of orders-db", "dependencies"),
        ("why is the cart failing?", "status"),
        ("how many tasks does cart have?", "status"),
        ("what's wrong with the sessions and the cart?", "running"),
        ("who is on call for orders-db?", "owner"),
        ("whom do I page for cart", "owner"),
        ("is the database slow?", "metric"),
        ("did anyone change the database?", "changes"),
        ("what happened at 14:40?", "changes"),
        ("what changed in cart since 10:00", "changes"),
        ("what changed?", "changes"),
        ("who deployed cart yesterday", "changes"),
        ("show errors of cart", "metric"),
        ("cpu of orders-db in the last 2 hours", "metric"),
        ("metrics of cart", "metric"),
        ("how high is the latency of cart", "metric"),
        ("how many connections has orders-db", "metric"),
        ("logs of cart matching 'timeout'", "logs"),
        ("exceptions in cart since 14:00", "logs"),
        ("what is in alarm?", "alarms"),
        ("any alerts for cart?", "alarms"),
        ("what does the runbook say on connections", "knowledge"),
        ("how do I roll back a deployment", "knowledge"),
        ("is there a post-mortem about invoices", "knowledge"),
        ("who are you", "unknown"),
        ("make me a sandwich", "unknown"),
        ("", "unknown"),
        ("?!", "unknown"),
        ("show errors", "unclear"),
        ("logs matching timeout", "unclear"),
        ("what changed since 2031-01-01", "unclear"),
    ],
)
async def test_what_a_question_is_taken_for(text: str, intent: str) -> None:
    answer = await ask(text)
    assert answer.intent == intent, answer.text


async def test_what_runs_says_how_many_since_when_and_what_is_wrong() -> None:
    town = market()
    town.alarms = [
        Alarm(name="cart-5xx", state="alarm", since=minutes_ago(12), subject=town.graph.services[1].resources[1])
    ]
    town.facts["cart"] = {"running_count": 3, "desired_count": 4}
    answer = await ask("what's running in prod?", town)
    assert answer.text.startswith(
        "7 services run on 7 resources; not well: cart (alarm cart-5xx, 12 min ago; 1 of 4 missing"
    )
    first = answer.tables[0].rows[0]
    assert first[0] == "cart"
    assert "3/4" in first
    assert {each.source for each in answer.sources} == {"town.state", "town.alarms"}


async def test_only_the_environment_that_is_named_is_shown() -> None:
    live = Service(name="cart", resources=(Resource(type=ResourceType.ecs_service, cluster="prod", name="cart"),))
    other = Service(
        name="cart-next", resources=(Resource(type=ResourceType.ecs_service, cluster="staging", name="cart"),)
    )
    town = Town(ServiceGraph(services=(live, other)))
    assert (await ask("what runs in production", town)).data["services"] == ["cart"]
    assert (await ask("what's running in staging", town)).data["services"] == ["cart-next"]
    answer = await ask("what's running in dev", town)
    assert answer.data["services"] == []
    assert any("Nothing is named “dev”" in note for note in answer.notes)


async def test_the_status_tells_what_moved_and_what_was_changed_last() -> None:
    town = market()
    town.effects["cart-tg", Signal.errors] = Effect(80, minutes_ago(20))
    town.changes = [deploy("cart", minutes_ago(21))]
    answer = await ask("status of cart", town)
    assert answer.text.startswith("cart is not well: errors of cart-tg rose from ")
    assert answer.text.endswith("The latest change: cart:42 went out, 21 min ago.")
    calm = await ask("status of search", town)
    assert calm.text.startswith("search is well: no alarm is on")


async def test_a_metric_has_its_extremes_and_the_time_before() -> None:
    town = market()
    town.effects["orders-db", Signal.connections] = Effect(190, minutes_ago(30))
    answer = await ask("show connections of orders-db in the last 2 hours", town)
    assert "Connections of orders-db rose from " in answer.text
    assert "at 14:30 UTC" in answer.text
    series = answer.model_dump(mode="json")["data"]["series"][0]
    assert series["before"] < 70
    assert series["max"] > 180
    windows = [q.window for q in town.asked if isinstance(q, ReadMetrics)]
    assert windows[0].start == NOW - timedelta(hours=2)
    assert windows[1].end == windows[0].start
    assert "▁" in cells(answer)


async def test_changes_are_those_of_the_service_and_of_what_it_depends_on() -> None:
    town = market()
    when = {"cart": 40, "orders": 10, "search": 5}
    town.changes = [deploy(name, minutes_ago(minutes)) for name, minutes in when.items()]
    town.changes.append(deploy("cart", minutes_ago(600)))
    answer = await ask("what changed in cart since 10:00?", town)
    assert answer.text.startswith("1 change to cart since 10:00 UTC, and 1 to what it depends on. The latest: cart:42")
    assert "dana" in cells(answer)
    assert "search" not in cells(answer)
    (query,) = [q for q in town.asked if isinstance(q, ListChanges)]
    assert query.window.start == NOW.replace(hour=10)
    everywhere = await ask("what changed since 10:00", town)
    assert everywhere.text.startswith("3 changes since 10:00 UTC")


async def test_logs_are_counted_by_kind() -> None:
    town = market()
    town.log("/ecs/cart", "ERROR timeout after 30s calling orders", minutes_ago(30), 60)
    answer = await ask("logs of cart matching timeout", town)
    assert answer.text.startswith("30 lines holding “timeout” of cart since 14:00 UTC, of 1 kind; the newest at 14:59")
    (query,) = [q for q in town.asked if isinstance(q, SearchLogs)]
    assert query.any_of == ("timeout",)
    assert query.resource.name == "/ecs/cart"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("logs of cart", ()),
        ("show me the logs for cart", ()),
        ("logs of cart containing connection refused", ("connection refused",)),
        ("logs of cart with “boom” or 'bang'", ("boom", "bang")),
        ("errors in the logs of cart", ("error", "exception", "fatal", "traceback", "panic")),
        ("grep deadlock in the logs of cart", ("deadlock",)),
    ],
)
async def test_what_is_looked_for_in_the_logs(text: str, wanted: tuple[str, ...]) -> None:
    town = market()
    await ask(text, town)
    assert [q.any_of for q in town.asked if isinstance(q, SearchLogs)] == [wanted]


async def test_the_runbook_is_quoted_with_its_place() -> None:
    answer = await ask("what does the runbook say on a full pool?")
    assert answer.intent == "knowledge"
    assert answer.sources[0].source == "knowledge"
    assert answer.quotes or answer.tables


async def test_that_nobody_is_on_call_is_said_to_whoever_asks() -> None:
    written = ServiceGraph(services=(Service(name="cart", owner="payments"),))
    asking = Asker(World([market()]), Memory(), written, HandClock())
    who = "cart belongs to payments"
    told = f"{who}; nobody is named as on call (`oncall` in services.yaml)."
    assert (await asking.ask("who is on call for cart?")).text == told
    assert (await asking.ask("who owns cart?")).text == f"{who}."


async def test_whose_it_is_does_not_count_for_what_is_looked_up() -> None:
    memory = Memory()
    town = market()
    asking = Asker(World([town]), memory, town.graph, HandClock())
    await asking.ask("how do I roll back cart?")
    await asking.ask("what does the runbook say about cart")
    assert memory.wanted == [("roll back", ("cart",)), ("cart", ("cart",))]


async def test_a_team_is_its_services_and_the_database_is_the_only_one() -> None:
    town = market()
    written = ServiceGraph(services=tuple(Service(name=n, owner="payments") for n in ("cart", "orders")))
    asking = Asker(World([town]), Memory(), written.merged(town.graph), HandClock())
    answer = await asking.ask("what's wrong with the payments team's services?")
    assert answer.data["services"] == ["cart", "orders"]
    assert "“status of cart”" in answer.notes[-1]
    assert (await asking.ask("who owns the database?")).text.startswith("Nobody is named as the owner of orders-db")
    two = Town(ServiceGraph(services=(one("a-db", ResourceType.rds_instance), one("b-db", ResourceType.rds_cluster))))
    assert (await ask("is the database ok?", two)).text == "Which one do you mean: a-db or b-db?"
    assert (await ask("how are the databases?", two)).data["services"] == ["a-db", "b-db"]


async def test_a_name_that_nobody_knows_is_said_to_be_one_with_those_that_are_near() -> None:
    answer = await ask("status of cartt-api")
    assert answer.text.startswith("I know no service or resource called “cartt-api”.")
    near = await ask("who owns order-db")
    assert "Did you mean orders-db" in near.text or near.intent == "owner"


async def test_a_part_that_several_share_is_asked_back() -> None:
    town = Town(ServiceGraph(services=(ecs("pay-api"), ecs("pay-worker"))))
    answer = await ask("what changed in pay", town)
    assert answer.text == "Which one do you mean: pay-api or pay-worker?"
    assert (await ask("what changed in pay worker", town)).text.startswith("0 changes to pay-worker")


async def test_what_is_denied_is_named_and_nothing_is_made_up() -> None:
    town = market()
    town.denied = frozenset({"list_changes", "read_state"})
    answer = await ask("what changed in cart", town)
    assert answer.text.endswith("could not be read.")
    assert answer.unseen == ("list_changes: needs town:list_changes",)
    running = await ask("what is running?", town)
    assert running.text == "7 services of 7 resources are known, and none could be read."
    assert running.data["unwell"] == []
    assert running.unseen
    town.denied = frozenset({"list_changes", "read_state", "find_alarms", "read_metrics"})
    assert (await ask("status of cart", town)).text == "Nothing of cart could be seen."


class Slow(Town):
    async def ask(self, query: Query) -> Result:
        await asyncio.sleep(60)
        raise AssertionError(query)


async def test_a_vendor_that_hangs_ends_the_answer_and_not_the_asker() -> None:
    town = Slow(market().graph)
    found = await asker(town, patience=0.05).ask("status of cart")
    assert found.intent == "late"


async def test_a_question_of_the_vendors_own_is_asked_and_put_as_a_table() -> None:
    class Parrots(Query):
        """Parrots by colour."""

        kind = "zoo.parrots"

    class Zoo(Town):
        async def ask(self, query: Query) -> Result:
            if isinstance(query, Parrots):
                rows = tuple(Row(name=f"p{n}", facts={"colour": "red", "age_days": n}) for n in range(3))
                return Result(status=Status.truncated, source="zoo", where="the zoo", message="2 more fly", rows=rows)
            return await super().ask(query)

        def understand(self, question: Question) -> list[Route]:
            assert question.services == ["cart"]
            return [
                Route("zoo.parrots", "Parrots by colour.", "parrots", 0.9, frozenset({"parrots"}), True, (Parrots(),))
            ]

    town = Zoo(market().graph)
    answer = await ask("show the parrots of cart", town)
    assert answer.intent == "operation"
    assert answer.text == "3 rows from the zoo."
    assert answer.tables[0].title == "All with colour red"
    assert answer.tables[0].columns == ("name", "age days")
    assert answer.unseen == ("the zoo: 2 more fly",)


async def test_what_may_mean_two_things_is_not_guessed() -> None:
    both = (Route("zoo.a", "A.", "a thing", 0.9, whole=True), Route("zoo.b", "B.", "b thing", 0.89, whole=True))
    town = Town(market().graph, routes=both)
    answer = await ask("thing please", town)
    assert answer.text == "That may mean several things. Ask for one of them: “a thing” (zoo.a) or “b thing” (zoo.b)."
    town.routes = (Route("zoo.a", "A.", "a thing", 0.9, whole=True, missing=("colour",)),)
    lacking = await ask("a thing", town)
    assert lacking.text == "I take that for “a thing”, and it needs colour."
    town.routes = (Route("zoo.a", "A.", "a thing", 0.4),)
    unknown = await ask("something else", town)
    assert unknown.intent == "unknown"
    assert "“status of SERVICE”" in unknown.text
    assert "The nearest of what can be asked of the cloud: “a thing” (zoo.a)." in unknown.notes


async def test_in_an_investigation_its_services_are_meant_and_its_hypotheses_are_known() -> None:
    running = Running(market())
    running.town.effects["orders-db", Signal.connections] = Effect(199, minutes_ago(20))
    running.town.effects["orders-tg", Signal.errors] = Effect(90, minutes_ago(19))
    case = await running.investigate("orders answers 500")
    named = next(h for h in case.hypotheses.values() if case.evidence_for(h.id))
    found = await asker(running.town).ask(f"why {named.id}?", case=case)
    assert found.intent == "why"
    assert found.text.startswith(f"{named.id} (")
    pieces = [e for e in case.evidence_for(named.id) if e.direction is not Direction.unknown]
    assert pieces[0].summary in cells(found)
    assert (await asker(running.town).ask("why was H99 pruned", case=case)).text.startswith(
        "There is no H99 in “orders"
    )
    assert (await asker(running.town).ask("what changed?", case=case)).text.startswith("0 changes to orders")


async def test_the_run_of_a_question_is_kept_apart_from_investigations(tmp_path: Path) -> None:
    town = market()
    records = FileJournals(tmp_path / "questions", HandClock())
    found = await asker(town, records=records).ask("status of cart password=hunter2hunter2")
    kept = "".join(each.line() for each in records.open(records.ids()[0]).entries())
    case = records.open(records.ids()[0]).refresh()
    assert case.request.text.startswith("status of cart")
    assert {each.query_kind for each in case.asked} == {q.kind for q in town.asked}
    assert case.notes[0].text.startswith("status: cart is well")
    assert "hunter2hunter2" not in kept + found.question
    assert found.record == records.open(records.ids()[0]).location


async def test_a_record_that_cannot_be_written_does_not_cost_the_answer(tmp_path: Path) -> None:
    (tmp_path / "questions").write_text("a file in the way")
    found = await asker(market(), records=FileJournals(tmp_path / "questions", HandClock())).ask("who owns cart")
    assert found.intent == "owner"
    assert any("could not be kept" in note for note in found.notes)


HOSTILE = (
    "\ud800", "\u202eabc?", "status of \x00\x1b[31mcart", "what changed in " + "x" * 10_000,
    "logs of cart matching " + "(" * 3000, "💥" * 3000, "show errors of cart since 99:99", "is " * 3000 + "ok",
    "what does " * 1500, "“" * 4000, "of " * 3000, "status of [redacted] ${jndi}", "h1.1.1.1.1.1.1",
    "what's running in prod " * 400,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    HOSTILE,
)  # fmt: skip
async def test_hostile_text_gets_a_bounded_answer(text: str) -> None:
    async with asyncio.timeout(5):
        answer = await ask(text)
    assert len(answer.text) < 2500
    assert "\u202e" not in answer.text + answer.question
    assert len(answer.model_dump_json()) < 200_000


def test_a_table_is_aligned_and_no_line_is_too_long() -> None:
    shown = Table(
        columns=("name", "what", "more"), rows=(("日本語", "ab", "x"), ("cart", "y" * 500, "z\n\x1b[31m")), left_out=3
    )
    lines = aligned(shown, 60)
    assert all(len(each) <= 60 for each in lines)
    assert lines[0].split() == ["name", "more"]
    assert lines[-1] == "… 3 more"
    assert "\x1b" not in "".join(lines)


def test_a_course_is_as_long_as_it_may_be() -> None:
    assert sparkline([]) == ""
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([float(n) for n in range(8)]) == "▁▂▃▄▅▆▇█"
    assert len(sparkline([float(n % 7) for n in range(1000)])) == 24


def test_nothing_is_known_of_is_said(tmp_path: Path) -> None:
    del tmp_path
    empty = Town(ServiceGraph())
    for text in ("what's running?", "what changed?", "status of cart", "show errors of cart"):
        said = asyncio.run(ask(text, empty)).text
        assert "no services" in said or "I know no service" in said, text


async def test_a_table_and_a_queue_have_a_status_too() -> None:
    town = Town(ServiceGraph(services=(one("sessions", ResourceType.dynamodb_table),)))
    assert (await ask("status of sessions", town)).text.startswith("sessions is well")
