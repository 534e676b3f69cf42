"""The service as a whole: what it opens it closes, and two of it on one folder are as good as one."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from runbook_bot.bootstrap import running
from runbook_bot.errors import SettingsError
from runbook_bot.playground.slack import LoopbackSlack, Workspace
from runbook_bot.settings import Settings
from tests.bootstrap.test_unfinished import told
from tests.slack.story import CHANNEL, ID, Story

COMMAND = {"do": "command", "user": "U0ROSA", "channel": CHANNEL, "text": "investigate checkout is slow"}


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack(Workspace.demo()) as found:
        yield found


def settings(slack: LoopbackSlack, home: Path, **changes: str) -> Settings:
    environ = {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        **changes,
    }
    home.joinpath("config.yaml").write_text("providers: {aws: {enabled: false}}\nknowledge: {sources: []}\n", "utf-8")
    return Settings.load(home, environ)


def _concluded(slack: LoopbackSlack) -> bool:
    payloads = [m["metadata"]["event_payload"] for m in slack.messages(CHANNEL) if m.get("metadata")]
    return any(p.get("status") in ("concluded", "inconclusive") for p in payloads)


async def test_it_opens_shows_and_closes(slack: LoopbackSlack, tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    async with running(settings(slack, tmp_path), desk=True, worker=True) as service:
        assert service.desk is not None
        assert await service.desk.connected()
        await slack.act(COMMAND)
        await slack.wait_for(lambda: _concluded(slack), 60, "a verdict")

    def left() -> list[str]:
        names = [task.get_name() for task in asyncio.all_tasks() - before]
        return [name for name in names if any(of in name for of in ("slack", "show", "worker", "knowledge"))]

    await slack.wait_for(lambda: not slack.socket.connections, 30, "the end of the connection")
    await slack.wait_for(lambda: not left(), 30, "what aiohttp closes in the background")
    with sqlite3.connect(tmp_path / "state" / "inbox.db") as database:
        assert database.execute("SELECT count(*) FROM deliveries WHERE done = 0").fetchone() == (0,)
        assert not (tmp_path / "state" / "inbox.db-wal").exists() or database.execute("PRAGMA quick_check")
    database.close()


async def test_a_worker_alone_needs_no_app_token(slack: LoopbackSlack, tmp_path: Path) -> None:
    alone = settings(slack, tmp_path, SLACK_APP_TOKEN="")
    async with running(alone, desk=False, worker=True) as service:
        assert service.desk is None
        assert slack.socket.connections == []
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):
        async with running(alone, desk=True, worker=True):
            pass


async def test_a_token_that_slack_refuses_leaves_nothing_open(slack: LoopbackSlack, tmp_path: Path) -> None:
    wrong = settings(slack, tmp_path, SLACK_APP_TOKEN="xapp-wrong")
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN: invalid_auth"):
        async with running(wrong, desk=True, worker=True):
            pass


async def test_what_another_process_left_behind_is_finished_and_shown(slack: LoopbackSlack, tmp_path: Path) -> None:
    told(tmp_path / "scratchpad", Story().opened(), all_shown=False)

    async with running(settings(slack, tmp_path), desk=True, worker=True):
        await slack.wait_for(lambda: _concluded(slack), 20, "a verdict")

    heads = [m for m in slack.messages(CHANNEL) if (m.get("metadata") or {}).get("event_type", "").endswith("tigation")]
    assert [m["metadata"]["event_payload"]["id"] for m in heads] == [ID]


async def test_two_services_on_one_folder_make_one_investigation_of_one_command(
    slack: LoopbackSlack, tmp_path: Path
) -> None:
    slack.socket.deliver_to_all = True
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(running(settings(slack, tmp_path), desk=True, worker=True))
        for number in range(3):
            await slack.act({**COMMAND, "text": f"investigate trouble number {number}"})
        await slack.wait_for(lambda: _concluded(slack), 20, "a verdict")

    posted = Counter(str(m["metadata"]["event_payload"]) for m in slack.messages(CHANNEL) if m.get("metadata"))
    heads = [m for m in slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"] and m.get("metadata")]
    assert len(heads) == 3
    assert set(posted.values()) == {1}
