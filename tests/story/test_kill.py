"""The process may die anywhere: the next one goes on from the journal, in the same thread, and does nothing twice."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from runbook_bot.playground.box import Box
from tests.story.program import Program
from tests.story.scene import AMIR, ROSA, VERDICT_WITHIN, Case, Scene, payload

pytestmark = pytest.mark.asyncio(loop_scope="package")

SEED = 20261124
KILLS = 6
"""At least so many while it investigates."""


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def mortal(logs: Path) -> AsyncIterator[Scene]:
    """A box without anybody in it yet. Slack is a little slow, so that death comes between intent and result too."""
    async with Box("bad-deployment") as box:
        box.slack.faults.rates = False
        box.slack.faults.delay("chat.postMessage", 0.05)
        yield Scene(box)
        logs.joinpath("mortal.txt").write_text(box.slack.thread_text("incidents"), "utf-8")


def kinds(scene: Scene) -> list[str]:
    """The kinds of all complete entries of the box's one journal."""
    found = list(scene.box.home.glob("scratchpad/inv-*.jsonl"))
    lines = found[0].read_bytes().split(b"\n")[:-1] if found else []
    return [json.loads(line)["body"]["kind"] for line in lines]


async def moment(come: Callable[[], bool], seconds: float = VERDICT_WITHIN) -> bool:
    """Watches closely, as death does not wait for an event; False where it has not come in time."""
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        if come():
            return True
        await asyncio.sleep(0.002)
    return False


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def survived(mortal: Scene, logs: Path) -> Case:
    """An investigation during which its program was killed again and again, at its verdict and its proposal."""
    rng = random.Random(SEED)  # noqa: S311  # chooses moments of death, guards nothing
    log = logs / "mortal.log"
    bot = await Program.serving(mortal.box, log)
    await mortal.act(ROSA, "command", text=f"investigate {mortal.alarm}")
    await bot.kill()  # it said yes and died: nothing but the record of the request exists
    kills = 1
    while "concluded" not in kinds(mortal) or kills < KILLS:
        bot = await Program.serving(mortal.box, log)
        goal = len(kinds(mortal)) + rng.randint(4, 14)
        assert await moment(lambda goal=goal: len(kinds(mortal)) >= goal or "noted" in kinds(mortal))  # type: ignore[misc]  # mypy infers no lambda default
        await bot.kill()
        kills += 1
    bot = await Program.serving(mortal.box, log)
    head = (await mortal.wait_for(mortal.heads, "a head message"))[0]
    case = await mortal.finished(Case(mortal, head["ts"], str(payload(head)["id"])))
    await mortal.proposed(case)
    await bot.kill()
    return case


async def test_killed_again_and_again_it_comes_to_one_verdict_in_one_thread(mortal: Scene, survived: Case) -> None:
    case = survived
    assert len(mortal.heads()) == 1
    assert list(case.hypotheses) == list(case.journal.hypotheses), "one message each; two would not pass `hypotheses`"
    assert len(case.cards) == 1
    assert len([m for m in case.replies("runbook_message") if payload(m)["key"] == "verdict"]) == 1
    assert payload(case.head)["root_cause"] == mortal.box.scenario.expected.failure_mode.value
    counted = kinds(mortal)
    assert counted.count("opened") == counted.count("concluded") == counted.count("change_proposed") == 1


async def test_killed_between_the_approval_and_its_end_the_change_is_made_once(
    mortal: Scene, survived: Case, logs: Path
) -> None:
    case, log = survived, logs / "mortal.log"
    mortal.box.cloud.knobs.latency["ecs:DescribeServices"] = 0.3  # the gate looks at the world before it rules
    mortal.box.cloud.knobs.latency["ecs:UpdateService"] = 1.5

    bot = await Program.serving(mortal.box, log)
    await mortal.press(AMIR, case.cards[0], "approve")
    await bot.kill()  # the press was acknowledged, and perhaps recorded in the journal

    bot = await Program.serving(mortal.box, log)
    assert await moment(lambda: "ruled" in kinds(mortal))
    await bot.kill()  # approved, and perhaps spent

    bot = await Program.serving(mortal.box, log)
    await moment(lambda: mortal.changes_made() == 1 or "executed" in kinds(mortal))
    await bot.kill()  # the cloud has been told, and nobody has heard its answer
    if mortal.changes_made() == 1:  # what is on its way lands before anybody can look
        await mortal.wait_for(lambda: mortal.box.cloud.state().mended, "the change")

    bot = await Program.serving(mortal.box, log)
    await mortal.wait_for(lambda: "executed" in kinds(mortal), "what became of the change")
    await mortal.wait_for(lambda: case.card_state() in {"executed", "failed", "verified"}, "the card's last word")
    await bot.stop()

    assert mortal.changes_made() <= 1
    counted = kinds(mortal)
    assert counted.count("spent") == counted.count("executed") == 1
    outcome = next(iter(case.journal.remedies.values())).outcome
    assert outcome is not None
    assert outcome.took_effect is (mortal.changes_made() == 1)
    assert mortal.box.cloud.state().mended is (mortal.changes_made() == 1)
    assert len(case.cards) == 1
    assert len(mortal.heads()) == 1
