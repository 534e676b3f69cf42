"""Every kind of block is drawn; what is unknown says so instead of vanishing."""

from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.playground_page.conftest import Open
from tests.playground_page.every_block import KINDS, MESSAGES
from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import CANVAS, CHANNEL, HEAD, ROSA

FAINT = Path(__file__).with_name("faint_text.js")

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def sampler(feed: FakeFeed, open_page: Open) -> Page:
    feed.state["messages"][CHANNEL] = MESSAGES
    return await open_page(height=3000)


def block(page: Page, kind: str) -> Locator:
    return page.locator(f"#messages .block-{kind}")


async def test_every_kind_of_block_is_drawn(sampler: Page) -> None:
    for kind in KINDS:
        assert await block(sampler, kind).count(), kind
    await expect(sampler.locator("#messages .unsupported")).to_have_text("Unsupported block: hologram")


async def test_mrkdwn_becomes_elements(sampler: Page) -> None:
    text = block(sampler, "section").filter(has_text="A section with")
    for tag, words in {
        "strong": "bold",
        "em": "italic",
        "s": "struck",
        "code": "code",
        "a": "a link",
        "pre": "pre *as is*",
        "blockquote": "a quote",
    }.items():
        await expect(text.locator(tag)).to_have_text(words)
    typed = sampler.locator("#messages .message").last
    await expect(typed).to_contain_text("#deploys, @here and @runbook")
    await expect(typed.get_by_role("img", name="tada")).to_be_visible()
    await expect(typed).to_contain_text(":unknown_one:")


async def test_rich_text_is_styled_and_never_parsed(sampler: Page) -> None:
    rich = block(sampler, "rich_text").first
    for tag, words in {
        ".rich > strong": "bold",
        ".rich > em": "italic",
        ".rich > s": "struck",
        ".rich > code": "code",
        "a": "a link",
        "blockquote": "quoted line",
        "time": "24/11/2026 10:41:00",
    }.items():
        await expect(rich.locator(tag)).to_have_text(words)
    await expect(rich.locator("ol")).to_have_attribute("start", "3")
    await expect(rich.locator("pre")).to_have_text("ERROR <b>not bold</b> *not bold*")
    await expect(rich.locator("[data-user=U0ROSA]")).to_have_text("@Rosa Lind")


@pytest.mark.parametrize("kind", ["line", "bar", "area", "pie"])
async def test_a_chart_has_a_picture_a_legend_and_a_table(sampler: Page, kind: str) -> None:
    figure = sampler.locator(f"#messages .chart-{kind}")
    spoken = await figure.get_by_role("img").get_attribute("aria-label")
    assert spoken is not None
    assert spoken.startswith(f"{kind} chart: ")
    series = 3 if kind == "pie" else 2
    assert await figure.locator(".legend li").count() == series
    assert await figure.locator("tbody tr").count() == (3 if kind == "pie" else 20)
    if kind == "line":
        labels = [text for text in await figure.locator("svg text").all_text_contents() if text.startswith("10:")]
        assert 3 <= len(labels) < 20, "category labels are thinned until they fit"


async def test_a_data_table_sorts_filters_and_turns_pages(sampler: Page) -> None:
    table = block(sampler, "data_table")
    first = table.locator("tbody th").first
    await expect(table).to_contain_text("1–3 of 7")
    await table.get_by_role("button", name="Errors").click()
    await expect(first).to_have_text("task-7")
    await expect(table.locator("th", has_text="Errors")).to_have_attribute("aria-sort", "descending")
    await table.get_by_role("button", name="Next").click()
    await expect(table).to_contain_text("4–6 of 7")
    await table.get_by_role("searchbox").fill("task-5")
    await expect(table.locator("tbody tr")).to_have_count(1)


async def test_elements_of_a_message_act(sampler: Page, feed: FakeFeed) -> None:
    await sampler.locator("[data-action-id=select]").select_option("1d")
    chosen = await feed.deed("click")
    assert (chosen["block_id"], chosen["value"], chosen["selected_option"]["value"]) == ("elements", "1d", "1d")
    await sampler.locator("[data-action-id=user]").select_option(ROSA)
    assert (await feed.deed("click"))["selected_user"] == ROSA
    await sampler.get_by_role("button", name="Good").click()
    assert (await feed.deed("click"))["value"] == "good"
    await sampler.get_by_role("radio", name="One day").check()
    assert (await feed.deed("click"))["selected_option"]["value"] == "1d"
    await sampler.locator("summary", has_text="Evidence").click()
    await sampler.get_by_role("button", name="Inside").click()
    assert (await feed.deed("click"))["block_id"] == "inside"
    await expect(sampler.get_by_role("button", name="Hidden from Rosa")).to_have_count(0)


async def test_files_attachments_and_pictures(sampler: Page, feed: FakeFeed) -> None:
    await expect(sampler.get_by_role("img", name="p99 rises")).to_have_attribute("src", f"{feed.url}/files/F0CHART")
    await expect(sampler.locator(".attachment").first).to_contain_text("attached block")
    assert (
        await sampler.locator(".attachment").first.evaluate("e => getComputedStyle(e).borderLeftColor")
        == "rgb(163, 2, 0)"
    )
    await expect(sampler.get_by_text("The log")).to_be_visible()
    await expect(sampler.locator("#messages")).to_contain_text("an outside picture")
    assert await sampler.locator("img[src*='outside']").count() == 0, "the page loads nothing from outside"


async def test_a_picture_waits_for_its_file(page: Page, feed: FakeFeed) -> None:
    waiting = {"type": "image", "alt_text": "late chart", "slack_file": {"id": "F0LATE"}}
    feed.tell(
        "message",
        {
            "channel": CHANNEL,
            "message": {
                "type": "message",
                "ts": "1795517600.000100",
                "user": ROSA,
                "text": "",
                "blocks": [waiting],
                "thread_ts": HEAD,
            },
        },
    )
    await expect(page.locator("#thread")).to_contain_text("late chart (uploading…)")
    feed.tell(
        "file",
        {
            "id": "F0LATE",
            "name": "late.png",
            "mimetype": "image/png",
            "title": "late",
            "alt_txt": "",
            "url": "/files/F0LATE",
        },
    )
    await expect(page.get_by_role("img", name="late chart")).to_be_visible()


async def test_a_canvas_opens_in_a_drawer_and_follows_its_changes(page: Page, feed: FakeFeed) -> None:
    await page.get_by_role("button", name="Checkout answers 5xx", exact=True).click()
    canvas = page.locator("#canvas")
    await expect(canvas.get_by_role("row").nth(3)).to_contain_text("Rolled back | verified")
    await expect(canvas.get_by_role("checkbox", name="done")).to_have_count(1)
    await expect(canvas.get_by_role("checkbox", name="open")).to_have_count(2)
    await expect(canvas).to_contain_text("Opened by @Rosa Lind in #incidents")
    feed.tell("canvas", {**CANVAS, "markdown": "# Repaired"})
    await expect(canvas.get_by_role("heading", name="Repaired")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(canvas).to_be_hidden()


async def test_a_permalink_opens_its_thread_in_the_page(page: Page, feed: FakeFeed) -> None:
    seconds, micro = HEAD.split(".")
    text = f"see <https://acme.slack.com/archives/{CHANNEL}/p{seconds}{micro}|the investigation>"
    feed.tell(
        "message",
        {"channel": CHANNEL, "message": {"type": "message", "ts": "1795517700.000100", "user": ROSA, "text": text}},
    )
    await page.click("#thread-close")
    await page.get_by_role("link", name="the investigation").click()
    await expect(page.locator("#thread [data-hypothesis=H1]")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
async def test_it_fits_and_can_be_read(
    open_page: Open, feed: FakeFeed, tmp_path: Path, scheme: str, width: int, height: int
) -> None:
    feed.state["messages"][CHANNEL] += [{**message, "thread_ts": HEAD} for message in MESSAGES]
    page = await open_page(width, height, scheme, at=f"#/{CHANNEL}/{HEAD}")
    await expect(page.locator("#thread .chart").first).to_be_attached()
    shot = await page.screenshot(path=tmp_path / f"{scheme}-{width}.png")
    assert len(shot) > 10_000
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is cut off sideways"
    assert await page.evaluate(
        "[...document.querySelectorAll('#thread-messages')].every(box => box.scrollWidth <= box.clientWidth)"
    )
    assert await page.evaluate(FAINT.read_text()) == []


async def test_the_theme_can_be_chosen_and_is_remembered(page: Page) -> None:
    await page.get_by_role("button", name="Switch to the dark theme").click()
    await page.reload()
    await expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 25, 29)"
