"""One Chromium for the folder, a fake feed and a fresh profile a test; a page that logs an error fails its test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.playground_page.fake_feed import FakeFeed
from tests.playground_page.scene import state

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Scheme = Literal["light", "dark"]
Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="package")
async def feed() -> AsyncIterator[FakeFeed]:
    async with FakeFeed(state()).serve() as fake:
        yield fake


PATIENCE = 60_000
"""Milliseconds: a busy machine is no reason to fail."""
expect.set_options(timeout=PATIENCE)


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    if not await asyncio.to_thread(CHROMIUM.exists):
        pytest.skip(f"{CHROMIUM} is not installed: the page is not looked at")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="package")
async def open_page(browser: Browser, feed: FakeFeed) -> AsyncIterator[Open]:
    """Opens the page at a size and in a colour scheme, and waits until it shows the feed's state."""
    complaints: list[str] = []
    opened: list[BrowserContext] = []

    async def open_one(width: int = 1280, height: int = 800, scheme: Scheme = "light", at: str = "") -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC", locale="en-GB"
        )
        opened.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{feed.url}/{at}")
        await page.wait_for_selector("#acting-as [data-user]")
        return page

    yield open_one
    for context in opened:
        await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="package")
async def page(open_page: Open) -> Page:
    return await open_page()
