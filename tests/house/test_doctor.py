"""`doctor` says of each part whether it answers, within two seconds, and what to do where it does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runbook_bot.doctor import PATIENCE, examine
from runbook_bot.domain.incident import Request
from runbook_bot.domain.journal import Opened
from runbook_bot.domain.ports import SystemClock
from runbook_bot.state.journals import FileJournals

TOKENS = {"SLACK_BOT_TOKEN": "xoxb-" + "1234567890-abcdefghij", "SLACK_APP_TOKEN": "xapp-" + "1-A0123-456-deadbeef"}


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and says nothing."""

    over = asyncio.Event()
    connections: set[asyncio.Task[None]] = set()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            connections.add(task)
        await over.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    over.set()
    server.close()
    await asyncio.gather(*connections)


async def states(home: Path, **environ: str) -> dict[str, tuple[str, str]]:
    checks = await examine({"RUNBOOK_HOME": str(home), **environ})
    assert all(check.remedy for check in checks if check.state in ("off", "warning"))
    return {check.part: (check.state, check.text) for check in checks}


async def test_nothing_configured_is_no_failure(tmp_path: Path) -> None:
    found = await states(tmp_path)
    assert {part: state for part, (state, _) in found.items()} == {
        "python": "ok",
        "home": "ok",
        "configuration": "warning",
        "slack": "off",
        "aws": "off",
        "redis": "off",
        "knowledge": "off",
        "journals": "ok",
        "audit": "ok",
    }


async def test_wrong_configuration_is_said_and_nothing_else_is_asked(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("agnt: {}\n")
    found = await states(tmp_path)
    assert list(found) == ["python", "home", "configuration"]
    assert found["configuration"] == ("failed", "config.yaml:1: agnt is not a known key; did you mean agent?")


async def test_a_home_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    found = await states(tmp_path / "home")
    assert found["home"] == ("failed", f"{tmp_path / 'home'} is not a folder")


async def test_a_home_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    found = await states(tmp_path / ("x" * 300) / "home")
    assert found["home"][0] == "failed"
    assert "cannot be looked at: File name too long" in found["home"][1]


async def test_nobody_is_waited_for_longer_than_two_seconds(tmp_path: Path, silent: int) -> None:
    async with asyncio.timeout(60):  # for a machine with much else to do; that it waits two seconds, it says itself
        found = await states(tmp_path, SLACK_API_URL=f"http://127.0.0.1:{silent}/api/", **TOKENS)
    assert found["slack"] == ("failed", f"no answer within {PATIENCE:g} seconds")
    assert found["redis"][0] == "off"


async def test_a_cloud_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT_URL": "http://127.0.0.1:1", "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "y"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    failed = {part: text for part, (state, text) in (await states(tmp_path)).items() if state == "failed"}
    assert any(part.startswith("aws") for part in failed)


async def test_a_part_that_refuses_is_named(tmp_path: Path) -> None:
    found = await states(tmp_path, REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert found["redis"][0] == "failed"
    assert "127.0.0.1:1" in found["redis"][1] or found["redis"][1].startswith("no answer")
    assert "hunter2" not in str(found)


def tamper(path: Path) -> None:
    path.write_text(path.read_text().replace("web is slow", "all is well"))


async def test_a_changed_journal_is_found(tmp_path: Path) -> None:
    journals = FileJournals(tmp_path / "scratchpad", SystemClock())
    journal = journals.create("inv-1234567890", Opened(request=Request(text="web is slow"), reasoner="catalogue"))
    assert journal is not None
    assert (await states(tmp_path))["journals"] == ("ok", "1 of them, intact")
    tamper(Path(journal.location))
    state, text = (await states(tmp_path))["journals"]
    assert state == "failed"
    assert "inv-1234567890.jsonl:1" in text
