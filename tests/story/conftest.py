"""The stages: boxes with the real program running in them, shared by stories that do not disturb one another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from runbook_bot.playground.box import Box
from tests.story.long_stories import Headless, InTheBrowser, Repair
from tests.story.program import Program
from tests.story.scene import CHANNEL, Case, Scene

Long = Repair | InTheBrowser | Headless


@pytest.fixture(scope="package")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs' output goes."""
    return tmp_path_factory.mktemp("programs")


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shop(logs: Path) -> AsyncIterator[Scene]:
    """A shop whose checkout has been broken by a deployment. Nobody repairs it here."""
    async with Box("bad-deployment") as box:
        box.slack.faults.rates = False  # people of many stories share the channel
        async with await Program.serving(box, logs / "shop.log"):
            yield Scene(box)
            logs.joinpath("shop.txt").write_text(box.slack.thread_text(CHANNEL), "utf-8")


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def case(shop: Scene) -> Case:
    """The investigation that most stories look at: asked by Rosa, finished, its change not decided upon."""
    found = await shop.investigated()
    await shop.proposed(found)
    return found


@pytest_asyncio.fixture(loop_scope="package")
async def denied(request: pytest.FixtureRequest, logs: Path) -> AsyncIterator[Scene]:
    """A shop of its own in which the actions that the test names were never allowed.

    Not the shared one with something denied for a while: its program remembers answers for a minute.
    """
    async with Box("bad-deployment") as box:
        box.cloud.knobs.deny.update(request.param)
        async with await Program.serving(box, logs / f"{request.node.name.partition('[')[0]}.log"):
            yield Scene(box)


@pytest_asyncio.fixture(scope="package", loop_scope="package", autouse=True)
async def begun(request: pytest.FixtureRequest, logs: Path) -> AsyncIterator[dict[str, Long]]:
    """The long stories of which a test was selected, under way before the first test."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    stories: dict[str, Long] = {}
    if "repair" in wanted:
        stories["repair"] = Repair(logs)
    if "browsed" in wanted:
        stories["browsed"] = InTheBrowser(logs)
    if "headless" in wanted:
        stories["headless"] = Headless(logs)
    yield stories
    for story in stories.values():
        await story.end()


@pytest.fixture
def repair(begun: dict[str, Long]) -> Repair:
    story = begun["repair"]
    assert isinstance(story, Repair)
    return story


@pytest.fixture
def browsed(begun: dict[str, Long]) -> InTheBrowser:
    story = begun["browsed"]
    assert isinstance(story, InTheBrowser)
    return story


@pytest.fixture
def headless(begun: dict[str, Long]) -> Headless:
    story = begun["headless"]
    assert isinstance(story, Headless)
    return story
