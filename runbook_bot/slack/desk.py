"""What the desk's listeners work with: the journals, the queue, the memory, and the way back to people."""

import asyncio
from dataclasses import dataclass

from runbook_bot.domain.journal import Body
from runbook_bot.domain.ports import Clock, Journals, Knowledge, Queue
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.slack import words
from runbook_bot.slack.aftermath import Aftermath
from runbook_bot.slack.answers import Answers, Untold
from runbook_bot.slack.cases import Cases
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.directory import SlackDirectory
from runbook_bot.slack.outbox import Outbox
from runbook_bot.slack.workspace import Workspace


@dataclass(frozen=True)
class Desk:
    workspace: Workspace
    connection: Connection
    outbox: Outbox
    directory: SlackDirectory
    journals: Journals
    queue: Queue
    knowledge: Knowledge | None
    asker: Asker
    clock: Clock
    reasoner: str
    """The name that goes into `Opened`."""
    cases: Cases
    answers: Answers
    aftermath: Aftermath

    async def record(self, investigation: str, body: Body) -> None:
        """Into the journal, and wake a worker. Raises `JournalError` where it cannot be written."""
        await asyncio.to_thread(self._append, investigation, body)
        await self.queue.advance(investigation)

    def _append(self, investigation: str, body: Body) -> None:
        self.journals.open(investigation).append(body)


def investigation_of(proposal: str) -> str:
    """`inv-1a2b3c4d5e.P1` → `inv-1a2b3c4d5e`. Raises `Untold` for what is no proposal's id."""
    investigation, dot, _ = proposal.rpartition(".")
    if not dot:
        raise Untold(words.UNKNOWN_PROPOSAL)
    return investigation
