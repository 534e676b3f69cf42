"""Stories that wait for minutes of metrics: begun first, told to the end while the short ones are, looked at last."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from runbook_bot.playground.box import Box
from runbook_bot.playground.cloud.scenario import names
from tests.story.in_the_browser import Seen, lived_through
from tests.story.program import Program
from tests.story.scene import AMIR, BEA, RECOVERY_WITHIN, ROSA, Case, Message, Scene

HARD_WORK = asyncio.Semaphore(1)
"""One of these stories at a time is built and investigated in, beside the short ones; after that they only wait."""


class Repair:
    """Approved by three presses at once, executed, verified minutes later, and taken back."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._done: asyncio.Future[Case] = asyncio.get_running_loop().create_future()
        self._curtain = asyncio.Event()
        self._task = asyncio.create_task(self._play())

    async def told(self) -> Case:
        """The case, once all of it has happened."""
        self._task.add_done_callback(self._failed)
        return await self._done

    def _failed(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._done.done():
            self._done.set_exception(error)

    async def end(self) -> None:
        self._curtain.set()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _play(self) -> None:
        async with AsyncExitStack() as stage:
            async with HARD_WORK:
                scene = await self._set(stage)
                case = await _repaired(scene)
            await _taken_back(scene, case)
            self._done.set_result(case)
            await self._curtain.wait()

    async def _set(self, stage: AsyncExitStack) -> Scene:
        box = await stage.enter_async_context(Box("bad-deployment"))
        stage.push_async_exit(await Program.serving(box, self._logs / "repair.log"))
        told = self._logs / "repair.txt"
        stage.callback(lambda: told.write_text(box.slack.thread_text("incidents"), "utf-8"))
        return Scene(box)


async def _repaired(scene: Scene) -> Case:
    case = await scene.investigated()
    card = await scene.proposed(case)
    await asyncio.gather(*(scene.press(who, card, "approve") for who in (AMIR, BEA, AMIR)))
    await scene.wait_for(lambda: case.card_state() in {"executed", "verified"}, "the change")
    return case


async def _taken_back(scene: Scene, case: Case) -> None:
    await scene.wait_for(lambda: case.card_state() == "verified", "the recovery", RECOVERY_WITHIN)
    told = await scene.wait_for(lambda: _helped(case), "the word on the recovery")
    await scene.press(ROSA, told, "rollback")
    back = await scene.proposed(case, 1)
    await scene.press(BEA, back, "approve")
    await scene.wait_for(lambda: case.card_state(1) == "executed", "the roll-back", RECOVERY_WITHIN)


def _helped(case: Case) -> Message | None:
    note = case.note("verified:")
    return note if note and "helped" in note["text"] else None


class InTheBrowser:
    """A person at the page, in Chromium."""

    def __init__(self, logs: Path) -> None:
        self._task = asyncio.create_task(lived_through(logs, HARD_WORK))

    async def told(self) -> Seen:
        return await self._task

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Headless:
    """`runbook-bot demo --headless` of every scenario, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._plays = {name: asyncio.create_task(_play_headless(name, folder)) for name in names()}

    async def of(self, scenario: str) -> tuple[int, str]:
        """Exit code and output."""
        return await self._plays[scenario]

    async def end(self) -> None:
        for play in self._plays.values():
            play.cancel()
        await asyncio.gather(*self._plays.values(), return_exceptions=True)


async def _play_headless(scenario: str, folder: Path) -> tuple[int, str]:
    own = folder / f"headless-{scenario}"
    own.mkdir()
    async with HARD_WORK:
        play = await Program.start(
            "demo", "--headless", "--scenario", scenario, environment={"TMPDIR": str(own)}, log=own / "output"
        )
        ended = asyncio.create_task(play.ended())
        while not ended.done() and not any('"kind":"executed"' in j.read_text() for j in own.rglob("inv-*.jsonl")):
            await asyncio.wait({ended}, timeout=0.5)
    try:
        return await ended, play.said()
    finally:
        await play.kill()
