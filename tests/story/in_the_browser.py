"""A person at the page: Rosa asks and reads, Amir approves, both see it recover."""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from runbook_bot.playground.box import Box
from tests.story.program import Program
from tests.story.scene import AMIR, PATIENCE, RECOVERY_WITHIN, ROSA, VERDICT_WITHIN, Scene

CHROMIUM = "/usr/bin/chromium"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PICTURES = Path(__file__).parent / "pictures"
RENEW = "STORY_PICTURES"
"""Set in the environment, the pictures of the repository are taken anew."""


@dataclass
class Seen:
    changes: int = 0
    complaints: list[str] = field(default_factory=list)
    pictures: dict[str, Path] = field(default_factory=dict)


async def lived_through(logs: Path, working: asyncio.Semaphore) -> Seen:
    """The story from the first key to the recovery, and two pictures of its end."""
    seen = Seen()
    async with AsyncExitStack() as stage:
        async with working:
            box = await stage.enter_async_context(Box("bad-deployment"))
            stage.push_async_exit(await Program.serving(box, logs / "browser.log"))
            playwright = await stage.enter_async_context(async_playwright())
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
            stage.push_async_callback(browser.close)
            page = await browser.new_page(viewport={"width": 1280, "height": 900}, timezone_id="UTC", locale="en-GB")
            page.set_default_timeout(PATIENCE * 1000)
            page.on("console", lambda m: seen.complaints.append(m.text) if m.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: seen.complaints.append(str(error)))
            await page.goto(box.slack.page_url)
            await _asked_and_approved(page, Scene(box))
        card = page.locator("#thread [data-event-type=runbook_approval]")
        await expect(card).to_contain_text("Done and verified", timeout=RECOVERY_WITHIN * 1000)
        await expect(page.locator("#thread")).to_contain_text("helped:", timeout=PATIENCE * 1000)
        seen.changes = Scene(box).changes_made()
        for scheme in ("light", "dark"):
            seen.pictures[scheme] = await _pictured(page, scheme, logs)
    return seen


async def _asked_and_approved(page: Page, scene: Scene) -> None:
    await _as(page, ROSA)
    await page.fill("#composer", f"/runbook investigate {scene.alarm}")
    await page.press("#composer", "Enter")
    head = page.locator("#messages [data-event-type=runbook_investigation]").first
    await expect(head).to_contain_text("Root cause found", timeout=VERDICT_WITHIN * 1000)
    await expect(page.locator("#thread [data-hypothesis=H1]")).to_be_visible(timeout=VERDICT_WITHIN * 1000)
    card = page.locator("#thread [data-event-type=runbook_approval]")
    await expect(card).to_contain_text("Waits for approval", timeout=VERDICT_WITHIN * 1000)
    await _as(page, AMIR)
    await card.get_by_role("button", name=re.compile("^Approve")).click()
    if await page.locator("#confirm").is_visible():
        await page.click("#confirm-yes")
    await expect(card).to_contain_text("Approved by", timeout=PATIENCE * 1000)


async def _as(page: Page, user: str) -> None:
    await page.click(f"#acting-as [data-user={user}]")
    await expect(page.locator(f"#acting-as [data-user={user}]")).to_have_attribute(
        "aria-checked", "true", timeout=PATIENCE * 1000
    )


async def _pictured(page: Page, scheme: str, logs: Path) -> Path:
    """The head message in the channel, and beside it the verdict in its thread."""
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.mouse.move(0, 0)  # no toolbar under the pointer
    await page.evaluate("document.getElementById('messages').scrollTop = 0")
    verdict = page.locator("#thread .message", has_text="How it came about").first
    await verdict.evaluate("message => message.scrollIntoView()")
    folder = PICTURES if os.environ.get(RENEW) else logs
    path = folder / f"thread-{scheme}.png"
    await page.screenshot(path=path, animations="disabled")
    return path
