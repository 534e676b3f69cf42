"""The index is rebuilt, not mourned: other versions, damage, crashes, a missing server, a second process."""

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.config import KnowledgeSettings, StoreSettings
from runbook_bot.knowledge.lock import writing
from runbook_bot.knowledge.memory import KnowledgeBase
from tests.knowledge.conftest import Open

QUESTION = "too many clients"


async def fine(memory: KnowledgeBase) -> bool:
    """Found, and by both kinds of search: only the first of both gets so many points."""
    found = await memory.search(QUESTION)
    return found[0].document == "connections.md" and found[0].score > 0.7


def set_aside(home: Path) -> list[Path]:
    return list(home.glob("chroma.unreadable-*"))


async def built(remember: Open) -> None:
    memory = remember()
    await memory.sync()
    assert await fine(memory)
    await memory.close()


async def test_an_index_of_another_version_is_made_anew(remember: Open, home: Path) -> None:
    await built(remember)
    with sqlite3.connect(home / "knowledge.sqlite3") as other:
        other.execute("pragma user_version = 99")
    other.close()
    report = await remember().sync()
    assert [note for note in report.notes if "another version" in note]
    assert report.added == 3
    assert await fine(remember())


@pytest.mark.parametrize("content", [b"not a database " * 100, b""])
async def test_an_index_that_is_no_database_is_made_anew(remember: Open, home: Path, content: bytes) -> None:
    (home / "knowledge.sqlite3").write_bytes(content)
    memory = remember()
    assert await fine(memory)
    assert (await memory.sync()).documents == 3


async def test_an_index_with_damaged_pages_is_made_anew(remember: Open, home: Path) -> None:
    await built(remember)
    file = home / "knowledge.sqlite3"
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\xaa" * (len(raw) - 4096)
    file.write_bytes(raw)
    report = await remember().sync()
    assert report.documents == 3
    assert [note for note in report.notes if "damaged" in note]


@pytest.mark.parametrize(
    "harm",
    [
        "update migrations set hash = 'of another version'",
        "drop table embeddings",
        "alter table collections rename to collections_of_the_future",
        "update segments set type = 'urn:chroma:segment/vector/unknown'",
    ],
)
async def test_a_chroma_of_another_version_is_set_aside_and_made_anew(remember: Open, home: Path, harm: str) -> None:
    await built(remember)
    with sqlite3.connect(home / "chroma" / "chroma.sqlite3") as other:
        other.execute(harm)
    other.close()
    memory = remember()
    report = await memory.sync()
    assert len(report.notes) == 1
    assert "made anew from the sources" in report.notes[0]
    assert "\n" not in report.notes[0]
    assert len(set_aside(home)) == 1
    assert not report.keywords_only
    assert await fine(memory)


async def test_a_chroma_that_is_garbage_heals_at_the_first_search(remember: Open, home: Path) -> None:
    await built(remember)
    (home / "chroma" / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    assert await fine(remember())


async def test_a_chroma_that_was_deleted_heals_at_the_first_search(remember: Open, home: Path) -> None:
    await built(remember)
    shutil.rmtree(home / "chroma")
    assert await fine(remember())


async def test_a_chroma_of_somebody_elses_making_keeps_its_folder(remember: Open, home: Path) -> None:
    (home / "chroma").mkdir()
    (home / "chroma" / "chroma.sqlite3").write_bytes(b"something of value")
    assert await fine(remember())
    (aside,) = set_aside(home)
    assert (aside / "chroma.sqlite3").read_bytes() == b"something of value"


async def test_what_is_no_file_or_no_text_is_named_and_the_rest_is_read(remember: Open, home: Path) -> None:
    folder = home / "runbooks"
    os.mkfifo(folder / "pipe.md")
    (folder / "latin.md").write_bytes("# Café\n".encode("latin-1"))
    (folder / "picture.md").write_bytes(b"\x89PNG\r\n\0\0")
    (folder / "gone.md").symlink_to(folder / "nothing.md")
    (folder / "huge.txt").write_bytes(b"x" * 1_000_001)
    report = await remember().sync()
    assert sorted(map(str, report.problems)) == [
        "gone.md:1: cannot be read: No such file or directory",
        "huge.txt:1: larger than 1000 kB, left out",
        "latin.md:1: not UTF-8 text (byte 5), left out",
        "picture.md:1: not a text file, left out",
        "pipe.md:1: not a file, left out",
    ]
    assert await fine(remember())


async def test_a_folder_in_place_of_the_index_is_one_clear_line(remember: Open, home: Path) -> None:
    (home / "knowledge.sqlite3").mkdir()
    memory = remember()
    with pytest.raises(KnowledgeError, match=r"knowledge\.sqlite3 cannot be (opened|read|written)"):
        await memory.search(QUESTION)
    (check,) = await memory.check()
    assert check.state == "failed"


async def test_a_crash_between_record_and_vectors_is_made_good(remember: Open, home: Path) -> None:
    await built(remember)
    with sqlite3.connect(home / "knowledge.sqlite3") as record:
        record.execute("update passages set embedder = ''")
        record.execute("delete from models")
    record.close()
    assert await fine(remember())


async def test_the_last_word_of_a_killed_writer_is_whole(remember: Open, home: Path) -> None:
    """Killed again and again while it writes, the index never needs more than the next sync."""
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from runbook_bot.knowledge.config import KnowledgeSettings\n"
        "from runbook_bot.knowledge.memory import KnowledgeBase\n"
        "print('go', flush=True)\n"
        "asyncio.run(KnowledgeBase(KnowledgeSettings(), Path(sys.argv[1])).sync())\n"
    )
    for attempt in range(4):
        for number in range(30):
            (home / "runbooks" / f"{attempt}-{number}.md").write_text(f"# Note {number}\n\nword{attempt} " * 20)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(home), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout
        await process.stdout.readline()
        await asyncio.sleep(0.2 + 0.25 * attempt)
        if process.returncode is None:
            process.kill()
        await process.communicate()
    memory = remember()
    report = await memory.sync()
    assert (report.documents, report.keywords_only) == (123, "")
    assert await fine(memory)


async def test_a_second_writer_waits_and_then_uses_what_is_there(remember: Open, home: Path) -> None:
    await built(remember)
    (home / "runbooks" / "kafka.md").write_text("# Kafka consumer lag\n")
    memory = remember(patience=0.1)
    with writing(home / "knowledge.lock", 0) as mine:
        assert mine
        report = await memory.sync()
    assert report.notes == ("another process is writing the index: used as it is",)
    assert report.documents == 3
    assert (await memory.sync()).documents == 4


async def test_what_another_process_wrote_is_found_by_meaning_too(remember: Open, home: Path) -> None:
    memory = remember()
    assert await fine(memory)
    (home / "runbooks" / "kafka.md").write_text("# Kafka consumer lag\n\nThe group falls behind.\n")
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from runbook_bot.knowledge.config import KnowledgeSettings\n"
        "from runbook_bot.knowledge.memory import KnowledgeBase\n"
        "asyncio.run(KnowledgeBase(KnowledgeSettings(), Path(sys.argv[1])).sync())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(home), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said
    (found,) = await memory.search("kafka consumer lag")
    assert found.document == "kafka.md"
    assert found.score > 0.7


async def test_without_the_server_keywords_are_enough(remember: Open) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    memory = remember(KnowledgeSettings(store=StoreSettings(url=f"http://127.0.0.1:{port}")))
    report = await memory.sync()
    assert report.keywords_only.startswith(f"Chroma at http://127.0.0.1:{port} cannot be opened")
    assert (await memory.search(QUESTION))[0].document == "connections.md"
    (check,) = await memory.check()
    assert check.state == "warning"


@pytest.fixture
async def chroma_server(tmp_path: Path) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    program = Path(sys.executable).with_name("chroma")
    process = await asyncio.create_subprocess_exec(
        str(program), "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def test_machines_share_a_server(remember: Open, home: Path, tmp_path: Path, chroma_server: str) -> None:
    shutil.copytree(home, tmp_path / "other")
    settings = KnowledgeSettings(store=StoreSettings(url=chroma_server))
    one, other = remember(settings), remember(settings, tmp_path / "other")
    assert (await one.sync()).keywords_only == ""
    assert (await other.sync()).keywords_only == ""
    assert await fine(one)
    assert await fine(other)
    (home / "runbooks" / "kafka.md").write_text("# Kafka consumer lag\n\nThe group falls behind.\n")
    assert (await one.search("kafka consumer lag"))[0].score > 0.7
    assert await fine(other)
    assert not (home / "chroma").exists()
