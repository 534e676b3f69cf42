"""A thread is alive: replies change in place, and whoever reads them keeps their place."""

import pytest
from playwright.async_api import Page, expect

from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import APPROVAL, CHANNEL, HEAD, HYPOTHESES, Json, bot, hypothesis, section

pytestmark = pytest.mark.asyncio(loop_scope="package")

SCROLL_TO = """ts => new Promise(done => {
  const box = document.getElementById('thread-messages');
  box.addEventListener('scroll', () => requestAnimationFrame(done), { once: true });
  box.scrollTop = document.querySelector(`#thread [data-ts='${ts}']`).offsetTop - 20;
})"""
TOP_OF = "ts => document.querySelector(`#thread [data-ts='${ts}']`).getBoundingClientRect().top"


async def test_the_thread_of_a_new_investigation_opens_by_itself(page: Page, feed: FakeFeed) -> None:
    await page.click("#thread-close")
    await expect(page.locator("#thread")).to_be_hidden()
    head = bot(
        600,
        "Investigating: queue grows.",
        metadata={"event_type": "runbook_investigation", "event_payload": {"id": "inv-2", "status": "running"}},
    )
    feed.tell("message", {"channel": CHANNEL, "message": head})
    await expect(page.locator("#thread [data-event-type=runbook_investigation]")).to_contain_text("queue grows")
    assert page.url.endswith(head["ts"])


async def test_a_draft_in_another_thread_is_not_disturbed_by_a_new_investigation(page: Page, feed: FakeFeed) -> None:
    await page.fill("#thread-composer", "I was saying")
    head = bot(
        600,
        "Investigating: queue grows.",
        metadata={"event_type": "runbook_investigation", "event_payload": {"id": "inv-2", "status": "running"}},
    )
    feed.tell("message", {"channel": CHANNEL, "message": head})
    await expect(page.locator("#messages")).to_contain_text("queue grows")
    await expect(page.locator("#thread-composer")).to_have_value("I was saying")
    assert page.url.endswith(HEAD)


WATCH_LIGHTS = """() => {
  window.lit = new Set();
  new MutationObserver((records) => records
    .filter((each) => each.target.classList.contains("changed"))
    .forEach((each) => window.lit.add(each.target.dataset.hypothesis))
  ).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["class"]});
}"""
"""Which messages light up: one does for a second, and who looks later would miss it."""


async def test_a_hypothesis_is_edited_in_place(page: Page, feed: FakeFeed) -> None:
    reply = page.locator("#thread [data-hypothesis=H1]")
    await expect(reply).to_have_attribute("data-state", "testing")
    count = await page.locator("#thread .message").count()
    node = await reply.element_handle()
    await page.evaluate(WATCH_LIGHTS)

    feed.tell(
        "message",
        {
            "channel": CHANNEL,
            "message": hypothesis(120, "H1", "pruned", "H1 is refuted.", [section(":x: *H1 refuted*")]),
        },
    )

    await expect(reply).to_contain_text("H1 refuted")
    await expect(reply).to_have_attribute("data-state", "pruned")
    assert await page.evaluate("[...window.lit]") == ["H1"], "it lights up for a moment, and nothing else does"
    assert await page.locator("#thread .message").count() == count
    assert node is not None
    assert await node.evaluate("node => node.isConnected"), "the same element, so nothing jumps"
    assert await reply.get_attribute("aria-live") == "off", "an edit is not read out whole"
    await expect(page.locator("#announcer")).to_have_text("H1: pruned")
    await expect(page.locator(".changed")).to_have_count(0)


async def test_a_reader_in_the_middle_keeps_their_place(page: Page, feed: FakeFeed) -> None:
    await page.set_viewport_size({"width": 1280, "height": 420})
    watched = HYPOTHESES[2]["ts"]
    await page.evaluate(SCROLL_TO, watched)
    before = await page.evaluate(TOP_OF, watched)

    grown = hypothesis(120, "H1", "testing", "H1", [section("a much longer reply\n" * 12)])
    feed.tell("message", {"channel": CHANNEL, "message": grown})
    feed.tell("message", {"channel": CHANNEL, "message": bot(700, "a new reply", thread_ts=HEAD)})

    await expect(page.locator("#thread .new-pill")).to_be_visible()
    assert abs(await page.evaluate(TOP_OF, watched) - before) < 2
    await page.locator("#thread .new-pill").click()
    await expect(page.locator("#thread .message").last).to_be_in_viewport()


async def test_a_reader_at_the_end_stays_at_the_end(page: Page, feed: FakeFeed) -> None:
    for i in range(12):
        feed.tell("message", {"channel": CHANNEL, "message": bot(700 + i, f"reply {i}\nwith\nlines", thread_ts=HEAD)})
    await expect(page.locator("#thread .message").last).to_contain_text("reply 11")
    await expect(page.locator("#thread .message").last).to_be_in_viewport(ratio=1)
    await expect(page.locator("#messages .replies strong")).to_have_text("17 replies")


async def test_what_a_reader_opened_stays_open_when_the_message_changes(page: Page, feed: FakeFeed) -> None:
    def evidence(line: str) -> Json:
        folded = {
            "type": "container",
            "title": {"type": "plain_text", "text": "Evidence"},
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [section(line)],
        }
        return bot(800, "Evidence", [folded], thread_ts=HEAD)

    feed.tell("message", {"channel": CHANNEL, "message": evidence("first reading")})
    await page.locator("#thread summary", has_text="Evidence").click()
    await expect(page.get_by_text("first reading")).to_be_visible()
    feed.tell("message", {"channel": CHANNEL, "message": evidence("second reading")})
    await expect(page.get_by_text("second reading")).to_be_visible()


async def test_a_confirmed_click_names_its_message_and_block(page: Page, feed: FakeFeed) -> None:
    approve = page.locator("#thread [data-action-id=approval_approve]")
    await approve.click()
    await expect(page.locator("#confirm")).to_contain_text("This replaces 6 running tasks.")
    await page.get_by_role("button", name="Not yet").click()
    assert feed.deeds == []
    await expect(approve).to_be_focused()

    await approve.click()
    await page.get_by_role("button", name="Roll back").click()
    deed = await feed.deed("click")
    assert deed == {
        "user": "U0ROSA",
        "do": "click",
        "channel": CHANNEL,
        "message_ts": APPROVAL["ts"],
        "block_id": "decide",
        "action_id": "approval_approve",
    }


async def test_a_click_uses_the_block_id_of_the_latest_edit(page: Page, feed: FakeFeed) -> None:
    edited = {
        **APPROVAL,
        "blocks": [*APPROVAL["blocks"][:3], {**APPROVAL["blocks"][3], "block_id": "decide-2"}, *APPROVAL["blocks"][4:]],
        "edited": {"ts": "1795517400.000000"},
    }
    feed.tell("message", {"channel": CHANNEL, "message": edited})
    await expect(page.locator("#thread [data-block-id=decide-2]")).to_be_visible()
    await page.locator("#thread [data-action-id=approval_reject]").click()
    assert (await feed.deed("click"))["block_id"] == "decide-2"


async def test_an_overflow_menu_works_with_the_keyboard(page: Page, feed: FakeFeed) -> None:
    await page.locator("#thread [data-action-id=approval_more]").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Show the evidence")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    deed = await feed.deed("click")
    assert (deed["action_id"], deed["selected_option"]["value"]) == ("approval_more", "owner")


async def test_a_refused_click_is_told_and_changes_nothing(page: Page, feed: FakeFeed) -> None:
    feed.answers.append({"ok": False, "error": "This message is gone."})
    await page.locator("#messages [data-action-id=stop]").click()
    await expect(page.locator("#toasts")).to_contain_text("This message is gone.")
    await expect(page.locator("#messages [data-action-id=stop]")).to_be_enabled()


async def test_the_status_line_comes_and_goes(page: Page, feed: FakeFeed) -> None:
    await expect(page.locator("#thread-status")).to_have_text("runbook is reading metrics…")
    feed.tell("status", {"channel": CHANNEL, "thread_ts": HEAD, "status": ""})
    await expect(page.locator("#thread-status")).to_have_text("")


async def test_a_message_that_is_gone_is_gone(page: Page, feed: FakeFeed) -> None:
    feed.tell("gone", {"channel": CHANNEL, "ts": HYPOTHESES[1]["ts"]})
    await expect(page.locator("#thread [data-hypothesis=H2]")).to_have_count(0)


async def test_thousands_of_messages_are_shown_a_page_at_a_time(page: Page, feed: FakeFeed) -> None:
    feed.state["messages"][CHANNEL] = [
        {"type": "message", "ts": f"{1_795_400_000 + i}.000000", "user": "U0ROSA", "text": f"line {i}"}
        for i in range(5000)
    ]
    feed.cut()
    await expect(page.locator("#messages")).to_contain_text("line 4999")
    assert await page.locator("#messages .message").count() == 100
    await page.get_by_role("button", name="Show earlier messages").click()
    await expect(page.locator("#messages .message")).to_have_count(200)
    await expect(page.locator("#messages")).to_contain_text("line 4800")
