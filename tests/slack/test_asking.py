"""Questions: by command to whoever asked, by mention in the thread asked in, and nothing in an answer comes alive."""

import asyncio
from pathlib import Path

from runbook_bot.domain.observation import LogLine
from runbook_bot.domain.ports import SystemClock
from runbook_bot.domain.service import Service, ServiceGraph
from runbook_bot.domain.tools import Query, Result, Status
from runbook_bot.investigation.ask.answer import Answer, Quote, Source, Table
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.investigation.world import World
from runbook_bot.playground.slack import LoopbackSlack
from runbook_bot.slack.blocks import MESSAGE_BUDGET
from runbook_bot.slack.views.asked import asked
from tests.investigation.town import NOW, Town, ecs, market
from tests.slack.conftest import Office, open_office
from tests.slack.story import CHANNEL, Story


async def test_a_command_is_answered_to_whoever_asked_alone(office: Office) -> None:
    await office.command("ask what does cart depend on?")

    told = await office.hears("cart depends on orders and sessions, and storefront depends on it")
    assert told["ephemeral_to"] == "U0ROSA"
    assert "orders-db" in str(told["blocks"])
    assert "Asked: dependencies in services.yaml" in str(told["blocks"])


async def test_a_mention_is_answered_in_a_thread_of_its_own_for_all(office: Office) -> None:
    ts = await office.mention("what does the runbook say on checkout?")

    told = await office.hears("“Checkout” fits best")
    assert told["thread_ts"] == ts
    assert "ephemeral_to" not in told
    assert "checkout.md, line 1" in str(told["blocks"])


async def test_a_mention_in_any_thread_is_answered_in_that_thread(office: Office) -> None:
    root = await office.mention("status")
    await office.hears("No investigation is open")
    await office.mention("who owns orders-db", thread=root)

    told = await office.hears("Nobody is named as the owner of orders-db")
    assert told["thread_ts"] == root


async def test_in_the_thread_of_an_investigation_the_answer_knows_it(office: Office) -> None:
    await office.shown(Story().opened().triaged().supposed().tested())
    head = next(
        m for m in office.slack.messages(CHANNEL) if m.get("metadata", {}).get("event_type", "").endswith("tion")
    )

    await office.mention("ask why H2?", thread=head["ts"])
    told = await office.hears("H2 (")
    assert told["thread_ts"] == head["ts"]
    assert "What would refute it" in str(told["blocks"])


async def test_who_may_approve_is_answered_from_the_cards_of_that_thread(office: Office) -> None:
    story = Story().opened().triaged().supposed().tested().concluded().offered()
    await office.shown(story)
    head = next(m for m in office.slack.messages(CHANNEL) if "runbook_investigation" in str(m.get("metadata")))

    await office.mention("who may approve this?", thread=head["ts"])

    told = await office.hears("1 change waits for approval")
    assert told["thread_ts"] == head["ts"]
    assert "<!subteam^S0APPROVERS> or <@U0BEN>, but not <@U0ROSA>" in str(told["blocks"])


async def test_a_remark_is_no_question(office: Office) -> None:
    await office.mention("checkout is slow again")
    await office.hears("put `investigate` in front")
    assert office.town.asked == []


async def test_a_question_of_ten_thousand_characters_is_answered_and_says_so(office: Office) -> None:
    await office.command("ask who owns cart? " + "please " * 1400)
    told = await office.hears("Nobody is named as the owner of cart")
    assert "I read the first 4,000" in str(told["blocks"])


class Slow(Town):
    """It answers when it is let."""

    def __init__(self, graph: ServiceGraph) -> None:
        super().__init__(graph)
        self.let = asyncio.Event()

    async def ask(self, query: Query) -> Result:
        await self.let.wait()
        return await super().ask(query)


async def test_until_the_answer_to_a_mention_is_found_the_thread_says_that_somebody_looks(
    slack: LoopbackSlack, tmp_path: Path
) -> None:
    town = Slow(market().graph)
    async with open_office(slack, tmp_path, town=town) as office:
        await office.desk.start()
        ts = await office.mention("ask status of cart?")
        await slack.wait_for(lambda: slack.state.statuses.get((CHANNEL, ts)) == "is looking…", 60, "a sign of life")

        town.let.set()
        await slack.wait_for(lambda: len(slack.messages(CHANNEL, ts)) == 2, 60, "the answer")
        await slack.wait_for(lambda: not slack.state.statuses, 60, "the end of the sign")
        assert slack.calls.refused() == []


async def test_until_the_answer_to_a_command_is_found_a_note_stands_in_its_place(
    slack: LoopbackSlack, tmp_path: Path
) -> None:
    town = Slow(market().graph)
    async with open_office(slack, tmp_path, town=town) as office:
        await office.desk.start()
        await office.command("ask status of cart?")
        note = await office.hears("Looking…")
        assert note["ephemeral_to"] == "U0ROSA"

        town.let.set()
        answer = await office.hears("cart")
        assert answer["ts"] == note["ts"], "the answer takes its place"
        assert not office.said("Looking…")


class Silent(Town):
    """It never answers."""

    async def ask(self, query: Query) -> Result:
        await asyncio.Event().wait()
        raise AssertionError(query)


async def test_a_vendor_that_hangs_is_said_to_and_keeps_nobody_waiting() -> None:
    town = Silent(ServiceGraph(services=(ecs("cart"),)))
    asker = Asker(World([town]), None, town.graph, SystemClock(), patience=0.2)

    text, blocks = asked(await asker.ask("status of cart"))

    assert "did not come within" in text
    assert blocks


HOSTILE = "<!channel> <https://evil.example|click> *bold* ```fence``` <@U0BEA> &amp; \u202egpj.exe"


async def test_nothing_in_a_name_or_a_log_line_comes_alive(office: Office) -> None:
    del office
    at = SystemClock().now()
    hostile = Service(name=HOSTILE, owner=HOSTILE, depends_on=(f"{HOSTILE}-db",))
    town = Town(ServiceGraph(services=(hostile, ecs("cart"))))
    town.lines["/ecs/cart"] = [LogLine(at=at, text=f"error {HOSTILE} password=hunter2-hunter2")] * 3
    asker = Asker(World([town]), None, town.graph, SystemClock())
    of_it = (f"what does {HOSTILE} depend on", f"who owns {HOSTILE}", f"status of {HOSTILE}x", f"{HOSTILE}?")
    for question in (*of_it, "what's running?", "logs of cart matching error"):
        text, blocks = asked(await asker.ask(question))
        parsed = text + "".join(
            str(each) for each in blocks if each["type"] != "rich_text"
        )  # in a rich text nothing is parsed
        assert "<!channel>" not in parsed, question
        assert "<https://evil" not in parsed, question
        assert "<@U0BEA>" not in parsed, question
        assert "```" not in parsed, question
        assert "hunter2" not in text + str(blocks), question
        assert "\u202e" not in text + str(blocks), question


def test_an_answer_fits_into_a_message_however_much_there_is() -> None:
    rows = tuple(tuple("x" * 300 for _ in range(12)) for _ in range(60))
    wide = Table(columns=tuple(f"column {n}" for n in range(12)), rows=rows)
    long = Quote(text="<b>" * 2000, where="y" * 500)
    source = Source(
        source="aws", where="z" * 900, status=Status.ok, query={}, console="https://console.example/" + "q" * 900
    )
    answer = Answer(question="?", intent="x", text="t" * 9000, tables=(wide,) * 5, quotes=(long,) * 9,
                    notes=("n" * 2000,) * 9, unseen=("u" * 2000,) * 20, sources=(source,) * 40, at=NOW)  # fmt: skip
    text, blocks = asked(answer)
    assert len(text) <= 3000
    assert len(str(blocks)) <= MESSAGE_BUDGET
    assert len(blocks) <= 50
