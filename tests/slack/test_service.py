"""`status SERVICE`: who owns it, what it needs and who needs it, as a tree; nothing in a name comes alive."""

import pytest

from runbook_bot.domain.journal import GraphFound
from runbook_bot.domain.service import Edge, Look, Service, ServiceGraph
from runbook_bot.playground.slack import validate
from runbook_bot.slack.views.answers import service as shown
from runbook_bot.slack.views.canvas import canvas_markdown
from tests.investigation.town import NOW
from tests.slack.conftest import Office
from tests.slack.story import CHANNEL, Story

HOSTILE = "<!channel> `x` ```y``` *b* <https://evil.example|a>"


async def test_a_service_is_shown_to_whoever_asks(office: Office) -> None:
    await office.command("status orders")
    told = await office.hears("*orders* has no owner that I know of")
    assert told["ephemeral_to"] == "U0ROSA"
    assert "It depends on orders-db, invoices." in told["text"]
    assert "2 services depend on it: cart; through others storefront." in told["text"]
    tree = told["blocks"][1]["elements"][0]["elements"][0]["text"]
    assert "├─ orders-db  services.yaml" in tree
    assert "└─ cart  services.yaml" in tree
    assert max(len(line) for line in tree.splitlines()) <= 44


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("status order", "Did you mean orders"),
        ("status `Orders`?", "*orders*"),
        ("status xyzzy-quux", "I know no service “xyzzy-quux”"),
        (f"status {HOSTILE}", "I know no service"),
        ("status ?", "No investigation is open"),
    ],
)
async def test_a_name_that_is_not_known_or_not_quite(office: Office, text: str, told: str) -> None:
    await office.command(text)
    answer = await office.hears(told)
    assert "<!channel>" not in answer["text"]
    assert validate(answer["blocks"], "message") == []


async def test_in_the_thread_of_an_investigation_the_answer_is_for_all(office: Office) -> None:
    await office.shown(Story().opened())
    await office.mention("status orders", thread=head(office))
    told = await office.hears("*orders*")
    assert "ephemeral_to" not in told
    assert told["thread_ts"] == head(office)


def head(office: Office) -> str:
    return next(str(m["ts"]) for m in office.slack.messages(CHANNEL) if m.get("metadata"))


def test_whatever_a_service_is_called_slack_takes_it() -> None:
    names = [HOSTILE, "x" * 3000, "Ü/é 🛒", "a\nb"]
    graph = ServiceGraph(
        services=tuple(Service(name=name, owner=HOSTILE, depends_on=tuple(names)) for name in names),
        edges=(Edge(caller=HOSTILE, called="a\nb", found=HOSTILE, weak=True),),
        looks=(Look(place=HOSTILE, at=NOW),),
    )
    for each in graph:
        text, blocks = shown(graph, each, NOW)
        assert validate(list(blocks), "message") == []
        assert "<!channel>" not in text
        assert "<https" not in text


def test_the_canvas_says_who_is_hit_and_draws_it() -> None:
    graph = ServiceGraph(
        services=(Service(name="checkout-api", owner="payments"), Service(name="web", depends_on=("checkout-api",))),
        looks=(Look(place="aws", at=NOW),),
    )
    story = Story().opened().triaged().tell(GraphFound(graph=graph, scope=("checkout-api",)))
    markdown = canvas_markdown(story.case)
    assert "- Blast radius: 1 service depends on it: web" in markdown
    assert "- Owned by: payments (checkout-api)" in markdown
    assert "```\ncheckout-api\n  owner: payments\n" in markdown
    assert "└─ web  services.yaml\n```" in markdown
    assert "as seen at 2026-03-04T15:00:00Z" in markdown
