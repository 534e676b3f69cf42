"""The documents of the demo: eight runbooks and two post-mortems, without a fault, found by what people see."""

from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest

from runbook_bot.knowledge.config import KnowledgeSettings, SourceSettings
from runbook_bot.knowledge.memory import KnowledgeBase

EXAMPLES = Path(str(files("runbook_bot.playground") / "knowledge"))


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[KnowledgeBase]:
    memory = KnowledgeBase(KnowledgeSettings(sources=(SourceSettings(path=EXAMPLES),)), tmp_path)
    yield memory
    await memory.close()


async def test_ten_documents_without_a_fault(memory: KnowledgeBase) -> None:
    assert await memory.validate() == []
    report = await memory.sync()
    assert (report.documents, report.problems) == (10, ())
    found = await memory.search("what to do about an incident of a service, database or function", top=20)
    assert {passage.kind for passage in found} == {"runbook", "postmortem"}


@pytest.mark.parametrize(
    ("seen", "document"),
    [
        ("5xx on the new revision since the deployment", "roll-back-ecs-deployment.md"),
        ("FATAL: remaining connection slots are reserved", "database-connections-exhausted.md"),
        ("TooManyRequestsException: Rate Exceeded, Throttles alarm", "lambda-throttled.md"),
        ("tasks stopped with exit code 137", "ecs-out-of-memory.md"),
        ("everything waits for a slow dependency two calls away", "slow-downstream-api.md"),
        ("FreeStorageSpace low, could not extend file", "rds-disk-full.md"),
        ("javax.net.ssl.SSLHandshakeException", "certificate-expired.md"),
        ("the alarm flaps at the same hour every day and nobody is hurt", "noisy-alarm.md"),
        ("have we seen a retry storm before?", "2026-03-loyalty-points-retry-storm.md"),
        ("invoices were sent late, have we seen that before?", "2026-07-invoice-database-storage.md"),
    ],
)
async def test_what_people_see_leads_to_the_document(memory: KnowledgeBase, seen: str, document: str) -> None:
    found = await memory.search(seen)
    assert Path(found[0].document).name == document


async def test_every_runbook_has_steps_and_changes_wait_for_approval(memory: KnowledgeBase) -> None:
    await memory.sync()
    for file in sorted(EXAMPLES.joinpath("runbooks").iterdir()):
        assert len(await memory.steps(f"runbooks/{file.name}")) >= 4, file.name
    assert "Approve" in " ".join(await memory.steps("runbooks/roll-back-ecs-deployment.md"))
