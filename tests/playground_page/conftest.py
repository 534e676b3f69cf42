"""One fake feed and one Chromium page for every test; a test whose page logged an error fails."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import state
from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed(state()).serve() as fake:
        yield fake


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: the page is not looked at")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield chromium
        await chromium.close()


@pytest.fixture
async def open_page(browser: Browser, feed: FakeFeed) -> AsyncIterator[Open]:
    """Opens the page at a size and in a colour scheme, and waits until it shows the feed's state."""
    complaints: list[str] = []

    async def open_one(width: int = 1280, height: int = 800, scheme: str = "light", at: str = "", **more: str) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC", locale="en-GB", **more)  # type: ignore[arg-type]  # the literals of playwright come through as str
        page = await context.new_page()
        page.set_default_timeout(8000)
        page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{feed.url}/{at}")
        await page.wait_for_selector("#acting-as [data-user]")
        return page

    yield open_one
    assert complaints == []


@pytest.fixture
async def page(open_page: Open) -> Page:
    return await open_page()
