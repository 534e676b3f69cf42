"""A person types: commands, mentions and replies go to the server as Slack would send them."""

import pytest
from playwright.async_api import Page, expect

from tests.playground_page.conftest import Open
from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import BEN, BOT, CHANNEL, HEAD, ROSA, bot

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_typed_command_is_sent_as_a_command(page: Page, feed: FakeFeed) -> None:
    await page.fill("#composer", "/runbook investigate checkout is slow")
    await page.press("#composer", "Enter")

    assert await feed.deed("command") == {
        "user": ROSA,
        "do": "command",
        "channel": CHANNEL,
        "text": "investigate checkout is slow",
    }
    await expect(page.locator("#composer")).to_have_value("")


async def test_the_usage_is_shown_while_a_command_is_typed(page: Page) -> None:
    await page.click("#composer")
    await page.keyboard.type("/run")
    await expect(page.get_by_role("option", name="/runbook")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.locator("#composer")).to_have_value("/runbook ")
    await expect(page.locator("#composer-hint")).to_contain_text("investigate [what]")


async def test_a_mention_is_completed_and_encoded(page: Page, feed: FakeFeed) -> None:
    await page.click("#composer")
    await page.keyboard.type("@runb")
    await page.keyboard.press("Enter")
    await page.keyboard.type("is p99 < 1 s & fine? see https://x.example/?a=1&b=2.")
    await page.keyboard.press("Enter")

    text = (await feed.deed("message"))["text"]
    assert text == f"<@{BOT}> is p99 &lt; 1 s &amp; fine? see <https://x.example/?a=1&amp;b=2>."


async def test_shift_enter_makes_a_line_and_does_not_send(page: Page, feed: FakeFeed) -> None:
    await page.click("#composer")
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    assert feed.deeds == []
    await page.keyboard.press("Enter")
    assert (await feed.deed("message"))["text"] == "one\ntwo"


async def test_a_reply_carries_its_thread_and_a_command_there_is_refused(page: Page, feed: FakeFeed) -> None:
    await page.fill("#thread-composer", "/runbook status")
    await page.press("#thread-composer", "Enter")
    await expect(page.locator("#thread-form")).to_contain_text("/runbook is not supported in threads. Sorry!")
    assert feed.deeds == []

    await page.fill("#thread-composer", "why?")
    await page.press("#thread-composer", "Enter")
    assert await feed.deed("message") == {
        "user": ROSA,
        "do": "message",
        "channel": CHANNEL,
        "text": "why?",
        "thread_ts": HEAD,
    }


async def test_what_the_server_refuses_comes_back_with_the_reason(page: Page, feed: FakeFeed) -> None:
    feed.answers.append({"ok": False, "error": "Rosa Lind is not in incidents"})
    await page.fill("#composer", "hello")
    await page.press("#composer", "Enter")
    await expect(page.locator("#composer-form")).to_contain_text("Rosa Lind is not in incidents")
    await expect(page.locator("#composer")).to_have_value("hello")


async def test_the_person_chosen_is_the_person_who_acts(page: Page, feed: FakeFeed) -> None:
    assert await page.get_attribute("#acting-as", "data-user") == ROSA
    await page.get_by_role("radio", name="Ben Okafor, Support").click()
    await expect(page.locator("#composer-hint")).to_contain_text("Ben Okafor is not a member")
    await page.fill("#composer", "let me in")
    await page.press("#composer", "Enter")
    assert (await feed.deed("message"))["user"] == BEN
    assert "Dora" not in await page.inner_text("#who"), "people who have left cannot act"


async def test_ephemerals_and_notices_are_seen_by_their_person_only(page: Page, feed: FakeFeed) -> None:
    await expect(page.locator("#thread")).not_to_contain_text("Only people in @approvers")
    await page.click("#acting-as [data-user=U0GIL]")
    await expect(page.locator("#thread .ephemeral")).to_contain_text("Only visible to you")

    feed.tell(
        "notice", {"user": "U0GIL", "channel": CHANNEL, "text": '/runbook failed with the error "operation_timeout"'}
    )
    await expect(page.locator("#messages .ephemeral")).to_contain_text("operation_timeout")
    await page.click(f"#acting-as [data-user={ROSA}]")
    await expect(page.locator("#messages .ephemeral")).to_have_count(0)


async def test_the_page_comes_back_after_the_server_went_away(page: Page, feed: FakeFeed) -> None:
    feed.state["messages"][CHANNEL].append(bot(900, "I am back."))
    feed.cut()
    await expect(page.locator("#messages")).to_contain_text("I am back.")
    await expect(page.locator("#offline")).to_be_hidden()


async def test_a_typed_draft_waits_for_its_channel(page: Page) -> None:
    await page.fill("#composer", "half a thought")
    await page.get_by_role("button", name="deploys").click()
    await expect(page.locator("#composer")).to_have_value("")
    await page.get_by_role("button", name="incidents").first.click()
    await expect(page.locator("#composer")).to_have_value("half a thought")


async def test_at_360_pixels_the_people_stay_in_sight_and_the_rail_is_a_drawer(open_page: Open, feed: FakeFeed) -> None:
    page = await open_page(width=360, height=740)
    await expect(page.get_by_role("radio", name="Rosa Lind")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="App Home")).to_be_hidden()
    await page.get_by_role("button", name="Channels and settings").click()
    await page.get_by_role("button", name="App Home").click()
    assert (await feed.deed("home"))["user"] == ROSA
    await expect(page.locator("#place-title")).to_have_text("App Home")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_an_empty_channel_says_how_to_begin(page: Page) -> None:
    await page.get_by_role("button", name="deploys").click()
    await page.get_by_role("button", name="/runbook investigate …").click()
    await expect(page.locator("#composer")).to_have_value("/runbook investigate ")
    await expect(page.locator("#composer")).to_be_focused()


async def test_the_direct_channel_opens_when_it_comes_into_being(page: Page, feed: FakeFeed) -> None:
    await page.click(f"#acting-as [data-user={BEN}]")
    feed.answers.append({"ok": True, "channel": "D0BEN"})
    await page.get_by_role("button", name="runbook, direct").click()
    await feed.deed("home")
    feed.tell("channel", {"id": "D0BEN", "name": "", "members": [BEN, BOT], "is_im": True, "user": BEN})
    await expect(page.locator("#place-title")).to_have_text("runbook")
