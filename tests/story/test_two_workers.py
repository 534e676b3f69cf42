"""Over Redis: two desks and two workers share the work, a dead worker's share is taken over, and nothing is doubled."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_bot.playground.box import Box
from tests.state.server import RedisServer
from tests.story.program import Program
from tests.story.scene import ROSA, Case, Scene, payload

pytestmark = pytest.mark.asyncio(loop_scope="package")

INVESTIGATIONS = 3


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real redis-server on a free port."""
    binary = shutil.which("redis-server")
    assert binary, "redis-server is not installed (Debian: apt-get install redis-server)"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = RedisServer(binary, port, tmp_path)
    server.start()
    yield server.url
    server.kill()


async def test_every_delivery_reaches_both_desks_and_a_worker_dies(redis_url: str, logs: Path) -> None:
    async with Box("bad-deployment") as box:
        scene, extra = Scene(box), {"REDIS_URL": redis_url}
        box.slack.faults.rates = False
        box.slack.socket.deliver_to_all = True
        environment = {**box.environment(), **extra}
        workers = [await Program.start("worker", environment=environment, log=logs / f"worker-{n}.log") for n in (1, 2)]
        desks = [await Program.serving(box, logs / f"desk-{n}.log", "--no-worker", extra=extra) for n in (1, 2)]
        try:
            await asyncio.gather(
                *(scene.act(ROSA, "command", text=f"investigate {scene.alarm}") for _ in range(INVESTIGATIONS))
            )
            await scene.wait_for(lambda: any("queried" in j.read_text() for j in _journals(box)), "work begun", 90)
            await workers[0].kill()
            cases = await _all_finished(scene)
        finally:
            logs.joinpath("redis.txt").write_text(box.slack.thread_text("incidents"), "utf-8")
            for program in (*desks, *workers):
                await program.stop()
        assert len(scene.heads()) == INVESTIGATIONS, "both desks heard each command, and one recorded it"
        for case in cases:
            assert payload(case.head)["root_cause"] == box.scenario.expected.failure_mode.value
            assert list(case.hypotheses) == list(case.journal.hypotheses)


def _journals(box: Box) -> list[Path]:
    return list(box.home.glob("scratchpad/inv-*.jsonl"))


async def _all_finished(scene: Scene) -> list[Case]:
    await scene.wait_for(lambda: len(scene.heads()) == INVESTIGATIONS, "all heads", 120)
    cases = [Case(scene, head["ts"], str(payload(head)["id"])) for head in scene.heads()]
    return [await scene.finished(case) for case in cases]
