"""One turn of the wheel: go on with an investigation as far as it can go now, journalling before anything is shown."""

from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from runbook_bot.approval.gate import Gate
from runbook_bot.domain.approval import Approval
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.journal import Body, Failed
from runbook_bot.domain.ports import Clock, Journal, Journals, Watcher
from runbook_bot.investigation.aftermath import PAUSE, Aftermath
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.remediation import Remediation

_log = structlog.get_logger(__name__)


class Advance:
    """What a worker does when it is woken. It holds the investigation's lease while it runs."""

    def __init__(
        self,
        journals: Journals,
        investigator: Investigator,
        remediation: Remediation,
        gate: Gate,
        aftermath: Aftermath,
        watcher: Watcher | None,
        clock: Clock,
    ) -> None:
        self._journals = journals
        self._investigator = investigator
        self._remediation = remediation
        self._gate = gate
        self._aftermath = aftermath
        self._watcher = watcher
        self._clock = clock

    async def __call__(self, id: str) -> datetime | None:
        """Returns when it wants to be woken again (UTC), or None where only people can move it on."""
        journal = self._journals.open(id)
        await self._show(journal)
        async for body in self._steps(journal):
            journal.append(body)
            await self._show(journal)
        if self._watcher is not None:
            await self._watcher.settle(journal)
        return self._next(journal.refresh())

    async def give_up(self, id: str, problem: Exception) -> None:
        """The last word on an investigation that failed again and again: said in its journal, so that people see it."""
        journal = self._journals.open(id)
        if journal.refresh().status == "open":
            journal.append(
                Failed(text=f"the investigation failed unexpectedly ({type(problem).__name__}); see the log")
            )
            await self._show(journal)
            if self._watcher is not None:
                await self._watcher.settle(journal)

    async def _show(self, journal: Journal) -> None:
        if self._watcher is not None:
            await self._watcher.changed(journal)

    async def _steps(self, journal: Journal) -> AsyncIterator[Body]:
        async for body in self._investigator.run(journal):
            yield body
        async for body in self._remediation.run(journal):
            yield body
        for id in journal.refresh().remedies:
            async for body in self._decided(journal, id):
                yield body
        async for body in self._looked(journal):
            yield body

    async def _decided(self, journal: Journal, id: str) -> AsyncIterator[Body]:
        """Rules on each click in order, and carries out what the last of them allowed."""
        case = journal.refresh()
        remedy = case.remedies[id]
        if remedy.spent and remedy.outcome is None:
            # Somebody died between intent and result: the world is read, nothing is run again.
            yield await self._gate.look(case, remedy.proposal)
            return
        for decision in self._waiting(remedy):
            case = journal.refresh()
            ruling = await self._gate.rule(case, decision)
            yield self._gate.ruled(case, decision, ruling)
            if isinstance(ruling, Approval):
                case = journal.refresh()
                async for body in self._gate.carry_out(case, case.remedies[id].proposal, ruling):
                    yield body

    @staticmethod
    def _waiting(remedy: Remedy) -> tuple:
        return remedy.unruled

    async def _looked(self, journal: Journal) -> AsyncIterator[Body]:
        for remedy in journal.refresh().remedies.values():
            if remedy.outcome is not None and remedy.outcome.took_effect is not False and remedy.verified is None:
                seen = await self._aftermath.look(remedy, self._clock.now())
                if seen is not None:
                    yield seen

    def _next(self, case: Investigation) -> datetime | None:
        waiting = any(
            r.outcome is not None and r.outcome.took_effect is not False and r.verified is None
            for r in case.remedies.values()
        )
        return self._clock.now() + PAUSE if waiting else None
