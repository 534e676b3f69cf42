"""Text from outside is shown and never obeyed: no element, no script, no link but to the web."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.playground_page.fake_feed import PAGE, FakeFeed
from tests.playground_page.scene import CHANNEL, HEAD, Json, bot, mrkdwn, rich, section, words

pytestmark = pytest.mark.asyncio(loop_scope="package")

EVIL = '<img src=x onerror=window.owned=1><script>window.owned=1</script>"><svg onload=window.owned=1>'
LINKS = (
    "<javascript:window.owned=1|click me> <data:text/html,x|data> "
    "<JaVaScRiPt:window.owned=1|again> [md](javascript:window.owned=1)"
)

BLOCKS: list[Json] = [
    section(EVIL + LINKS),
    {"type": "header", "text": words(EVIL[:140])},
    {
        "type": "markdown",
        "text": f"{EVIL}\n\n{LINKS}\n"
        "\n| {EVIL} |\n|---|\n| {EVIL} |\n\n![x](javascript:window.owned=1) <javascript:window.owned=1>",
    },
    rich(
        {"type": "text", "text": EVIL},
        {"type": "link", "url": "javascript:window.owned=1", "text": "rich link"},
        {"type": "color", "value": "red;background:url(//x)"},
    ),
    {"type": "context", "elements": [mrkdwn(EVIL)]},
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": EVIL, "text": words(EVIL), "url": "javascript:window.owned=1"}],
    },
    {"type": "image", "alt_text": EVIL, "image_url": "javascript:window.owned=1"},
    {
        "type": "data_table",
        "caption": EVIL,
        "rows": [[{"type": "raw_text", "text": EVIL}], [{"type": "raw_text", "text": EVIL}]],
    },
    {
        "type": "data_visualization",
        "title": EVIL,
        "chart": {
            "type": "bar",
            "series": [{"name": EVIL, "data": [{"label": EVIL, "value": 1}]}],
            "axis_config": {"categories": [EVIL]},
        },
    },
    {
        "type": "plan",
        "title": EVIL,
        "tasks": [
            {
                "type": "task_card",
                "task_id": EVIL,
                "title": EVIL,
                "status": EVIL,
                "sources": [{"type": "url", "url": "javascript:window.owned=1", "text": "source"}],
            }
        ],
    },
    {"type": EVIL},
    {"type": "__proto__"},
    {"type": "table", "rows": "not a list of rows"},
]


async def test_hostile_text_is_inert_everywhere(page: Page, feed: FakeFeed) -> None:
    message = bot(
        900, EVIL, BLOCKS, thread_ts=HEAD, username=EVIL, metadata={"event_type": EVIL, "event_payload": {"id": EVIL}}
    )
    message["attachments"] = [
        {"color": "red;background:url(//x)", "title": EVIL, "title_link": "javascript:window.owned=1", "text": EVIL}
    ]
    message["files"] = [{"id": "F0EVIL", "name": EVIL, "url": "javascript:window.owned=1"}]
    feed.tell("message", {"channel": CHANNEL, "message": message})
    feed.tell(
        "canvas",
        {"id": "F0EVIL", "title": EVIL, "channel": CHANNEL, "markdown": f"# {EVIL}\n\n{LINKS}\n\n- [ ] {EVIL}"},
    )
    feed.tell("status", {"channel": CHANNEL, "thread_ts": HEAD, "status": EVIL})
    feed.tell("notice", {"user": "U0ROSA", "channel": CHANNEL, "text": EVIL})
    feed.tell("modal", {"user": "U0ROSA", "view": {"id": "V1", "title": words(EVIL), "blocks": BLOCKS}})

    await expect(page.locator("#modal-title")).to_have_text(EVIL)
    await page.keyboard.press("Escape")
    await page.locator("#rail .place", has_text="onerror").click()
    await expect(page.locator("#canvas-title")).to_have_text(EVIL)
    await page.keyboard.press("Escape")
    shown = page.locator("#thread .message").last
    await expect(shown).to_contain_text("<script>window.owned=1</script>")
    for dead in await shown.get_by_text("click me").all():
        await dead.click()

    assert await page.evaluate("window.owned") is None
    assert await page.locator("body script, img[src='x'], body svg[onload], [onerror]").count() == 0
    schemes = await page.evaluate("[...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(schemes) <= {"http:", "https:", "mailto:"}
    assert await page.locator(".unsupported", has_text="Unsupported block").count() >= 3


async def test_long_lines_of_marks_do_not_stall_the_page(page: Page, feed: FakeFeed) -> None:
    marks = {
        "stars": "*a " * 6000,
        "nest": "*_~" * 3000 + "x" + "~_*" * 3000,
        "angles": "<" * 12_000,
        "ticks": "`" * 12_000,
        "quotes": "> " * 6000,
    }
    for i, text in enumerate(marks.values()):
        blocks = [section(text), {"type": "markdown", "text": text[:12_000]}]
        feed.tell("message", {"channel": CHANNEL, "message": bot(910 + i, "marks", blocks)})
    feed.tell("message", {"channel": CHANNEL, "message": bot(920, "still here")})
    await expect(page.locator("#messages")).to_contain_text("still here")


async def test_the_page_asks_nothing_of_the_outside_and_parses_no_markup(page: Page, feed: FakeFeed) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await page.wait_for_selector("#thread .chart")
    assert [url for url in asked if not url.startswith((feed.url, "data:"))] == []
    policy = await page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    script = (PAGE / "page.js").read_text()
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function", script)
        == []
    )
