"""Modals: labels, a real focus trap, errors at their fields, and nothing typed is lost."""

import pytest
from playwright.async_api import Page, expect

from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import AMIR, CHANNEL, ROSA, Json, mrkdwn, words

pytestmark = pytest.mark.asyncio(loop_scope="package")

OPTIONS = [{"text": words("Too risky"), "value": "risk"}, {"text": words("Wrong cause"), "value": "cause"}]


def field(block: str, label: str, element: Json, *, optional: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": block,
        "label": words(label),
        "optional": optional,
        "element": {"action_id": "in", **element},
    }


VIEW: Json = {
    "id": "V1",
    "type": "modal",
    "title": words("Reject the rollback"),
    "submit": words("Reject"),
    "close": words("Back"),
    "blocks": [
        {"type": "alert", "block_id": "a", "level": "warning", "text": words("The incident goes on.")},
        {"type": "section", "block_id": "s", "text": mrkdwn("Roll *checkout-api* back to revision 41")},
        field("reason", "Reason", {"type": "plain_text_input", "multiline": True, "min_length": 5}),
        field("kind", "Kind", {"type": "static_select", "options": OPTIONS}),
        field("who", "Tell", {"type": "users_select"}, optional=True),
        field("how", "How sure", {"type": "radio_buttons", "options": OPTIONS}, optional=True),
        field("also", "Also", {"type": "checkboxes", "options": OPTIONS}, optional=True),
        field("day", "Ask again on", {"type": "datepicker"}, optional=True),
        field("hour", "At", {"type": "timepicker", "initial_time": "10:30"}, optional=True),
        field("count", "Tasks", {"type": "number_input", "is_decimal_allowed": False, "min_value": "1"}, optional=True),
    ],
}


async def show(page: Page, feed: FakeFeed, view: Json = VIEW) -> None:
    feed.tell("modal", {"user": ROSA, "view": view})
    await expect(page.locator("#modal")).to_be_visible()


async def test_a_form_is_filled_refused_at_its_field_and_sent(page: Page, feed: FakeFeed) -> None:
    await show(page, feed)
    await page.get_by_role("button", name="Reject", exact=True).click()
    await expect(page.locator("[data-block-id=reason] .field-error")).to_have_text("Please fill in this field.")
    assert feed.deeds == [], "the page asks for required fields itself, as Slack does"

    await page.get_by_label("Reason").fill("not now")
    await page.get_by_label("Kind").select_option("cause")
    await page.get_by_label("Tell (optional)").select_option(AMIR)
    await page.get_by_role("radio", name="Too risky").check()
    await page.get_by_role("checkbox", name="Wrong cause").check()
    await page.get_by_label("Ask again on").fill("2026-11-25")
    await page.get_by_label("Tasks").fill("6")
    await page.get_by_role("button", name="Reject", exact=True).click()

    assert await feed.deed("submit") == {
        "user": ROSA,
        "do": "submit",
        "view_id": "V1",
        "values": {
            "reason": {"in": {"type": "plain_text_input", "value": "not now"}},
            "kind": {"in": {"type": "static_select", "selected_option": OPTIONS[1]}},
            "who": {"in": {"type": "users_select", "selected_user": AMIR}},
            "how": {"in": {"type": "radio_buttons", "selected_option": OPTIONS[0]}},
            "also": {"in": {"type": "checkboxes", "selected_options": [OPTIONS[1]]}},
            "day": {"in": {"type": "datepicker", "selected_date": "2026-11-25"}},
            "hour": {"in": {"type": "timepicker", "selected_time": "10:30"}},
            "count": {"in": {"type": "number_input", "value": "6"}},
        },
    }

    feed.tell("modal_errors", {"user": ROSA, "view_id": "V1", "errors": {"reason": "Say a little more, please."}})
    reason = page.get_by_label("Reason")
    await expect(page.locator("[data-block-id=reason] .field-error")).to_have_text("Say a little more, please.")
    await expect(reason).to_be_focused()
    await expect(reason).to_have_attribute("aria-invalid", "true")
    await expect(reason).to_have_value("not now")

    feed.tell("modal_closed", {"user": ROSA, "view_id": "V1"})
    await expect(page.locator("#modal")).to_be_hidden()


async def test_lengths_and_numbers_are_checked_before_sending(page: Page, feed: FakeFeed) -> None:
    await show(page, feed)
    await page.get_by_label("Reason").fill("no")
    await page.get_by_label("Kind").select_option("risk")
    await page.get_by_label("Tasks").fill("1.5")
    await page.get_by_role("button", name="Reject", exact=True).click()
    await expect(page.locator("[data-block-id=reason] .field-error")).to_have_text("At least 5 characters, please.")
    await expect(page.locator("[data-block-id=count] .field-error")).to_have_text("Please type a number.")
    assert feed.deeds == []


async def test_tab_stays_inside_and_escape_asks_the_server_to_close(page: Page, feed: FakeFeed) -> None:
    await page.locator("#thread [data-action-id=approval_reject]").focus()
    await show(page, feed)
    for key in ["Tab"] * 25 + ["Shift+Tab"] * 25:
        await page.keyboard.press(key)
        assert await page.evaluate("document.getElementById('modal').contains(document.activeElement)")
    await page.keyboard.press("Escape")
    assert await feed.deed("close") == {"user": ROSA, "do": "close", "view_id": "V1"}
    await expect(page.locator("#modal")).to_be_hidden()
    await expect(page.locator("#thread [data-action-id=approval_reject]")).to_be_focused()


async def test_an_updated_view_keeps_what_was_typed_and_a_pushed_one_lies_on_top(page: Page, feed: FakeFeed) -> None:
    await show(page, feed)
    await page.get_by_label("Reason").fill("half a reason")
    feed.tell(
        "modal",
        {
            "user": ROSA,
            "view": {
                **VIEW,
                "blocks": [*VIEW["blocks"][:3], {"type": "section", "block_id": "new", "text": mrkdwn("loaded")}],
            },
        },
    )
    await expect(page.locator("#modal")).to_contain_text("loaded")
    await expect(page.get_by_label("Reason")).to_have_value("half a reason")

    feed.tell(
        "modal",
        {"user": ROSA, "view": {**VIEW, "id": "V2", "title": words("Are you sure?"), "blocks": VIEW["blocks"][:2]}},
    )
    await expect(page.locator("#modal-title")).to_have_text("Are you sure?")
    feed.tell("modal_closed", {"user": ROSA, "view_id": "V2"})
    await expect(page.locator("#modal-title")).to_have_text("Reject the rollback")
    await expect(page.get_by_label("Reason")).to_have_value("half a reason")


async def test_a_modal_belongs_to_one_person(page: Page, feed: FakeFeed) -> None:
    feed.tell("modal", {"user": AMIR, "view": VIEW})
    feed.tell("connected", {"connected": False})
    await expect(page.locator("#connection")).to_have_text("App not connected")
    await expect(page.locator("#modal")).to_be_hidden()
    await page.click(f"#acting-as [data-user={AMIR}]")
    await expect(page.locator("#modal")).to_be_visible()


async def test_the_home_is_drawn_and_its_buttons_act_on_the_view(page: Page, feed: FakeFeed) -> None:
    await page.get_by_role("button", name="App Home").click()
    assert (await feed.deed("home"))["user"] == ROSA
    await expect(page.locator("#home")).to_contain_text("has not published its Home")
    button = {
        "type": "actions",
        "block_id": "b",
        "elements": [{"type": "button", "action_id": "refresh", "text": words("Refresh")}],
    }
    feed.tell(
        "home",
        {
            "user": ROSA,
            "view": {
                "id": "VH",
                "type": "home",
                "blocks": [{"type": "header", "text": words("Running investigations")}, button],
            },
        },
    )
    await page.locator("#home [data-action-id=refresh]").click()
    deed = await feed.deed("click")
    assert (deed["view_id"], deed["block_id"], deed["action_id"]) == ("VH", "b", "refresh")
    assert "channel" not in deed


async def test_shortcuts_of_a_message_and_of_the_workspace(page: Page, feed: FakeFeed) -> None:
    await page.locator("#messages .message").first.hover()
    await page.get_by_role("button", name="Investigate this alert").click()
    deed = await feed.deed("shortcut")
    assert (deed["callback_id"], deed["channel"]) == ("investigate_alert", CHANNEL)
    assert deed["message_ts"] == feed.state["messages"][CHANNEL][0]["ts"]
    await page.get_by_role("button", name="Start an investigation").click()
    assert (await feed.deed("shortcut"))["callback_id"] == "start_investigation"
