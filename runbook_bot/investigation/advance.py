"""One turn of the wheel: go on with an investigation as far as it can go now, journalling before anything is shown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from runbook_bot.approval.gate import Gate, ruled
from runbook_bot.domain.approval import Approval, Decision, Denial
from runbook_bot.domain.errand import on_behalf_of
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Entry, Failed, Verified
from runbook_bot.domain.ports import Clock, Journal, Journals, Watcher
from runbook_bot.investigation.aftermath import PAUSE, Aftermath
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.remediation import Remediation

RETRY = timedelta(seconds=15)
"""Between two attempts to run what was approved."""


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
        *,
        on_entry: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        """`on_entry` is called with every entry that was appended, for a terminal that follows."""
        self._journals = journals
        self._investigator = investigator
        self._remediation = remediation
        self._gate = gate
        self._aftermath = aftermath
        self._watcher = watcher
        self._clock = clock
        self._on_entry = on_entry

    async def __call__(self, id: str) -> datetime | None:
        """Returns when it wants to be woken again (UTC), or None where only people can move it on."""
        journal = self._journals.open(id)
        await self._show(journal)
        with on_behalf_of(id):
            async for body in self._steps(journal):
                for entry in await asyncio.to_thread(journal.append, body):
                    self._on_entry(entry)
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
        for lapsed in await self._gate.lapsed(journal.refresh()):
            yield lapsed
        async for body in self._looked(journal):
            yield body

    async def _decided(self, journal: Journal, id: str) -> AsyncIterator[Body]:
        """Rules on each click in order, and carries out what one of them allowed."""
        case = journal.refresh()
        remedy = case.remedies[id]
        if remedy.spent and remedy.outcome is None:
            # Somebody died between intent and result: the world is read, nothing is run again.
            yield await self._gate.look(case, remedy.proposal)
            return
        if remedy.state == "approved" and remedy.ruling is not None:
            # Approved and not spent before a crash: the same press is ruled on afresh, an approval cannot be stored.
            press = next((d for d in remedy.decisions if d.delivery == remedy.ruling.delivery), None)
            if press is not None:
                async for body in self._acted(journal, press, known=True):
                    yield body
        for decision in remedy.unruled:
            async for body in self._acted(journal, decision, known=False):
                yield body

    async def _acted(self, journal: Journal, decision: Decision, *, known: bool) -> AsyncIterator[Body]:
        ruling = await self._gate.rule(journal.refresh(), decision)
        if not known or (isinstance(ruling, Denial) and ruling.ends):  # else it is tried again, and says nothing new
            yield ruled(decision, ruling)
        if isinstance(ruling, Approval):
            case = journal.refresh()
            async for body in self._gate.carry_out(case, case.remedies[ruling.proposal].proposal, ruling):
                yield body

    async def _looked(self, journal: Journal) -> AsyncIterator[Body]:
        case = journal.refresh()
        for remedy in case.remedies.values():
            if remedy.outcome is not None and remedy.outcome.took_effect is not False and remedy.verified is None:
                if case.undone(remedy):
                    yield Verified(proposal=remedy.proposal.id, recovered=None, text="it was rolled back")
                    continue
                seen = await self._aftermath.look(remedy, self._clock.now())
                if isinstance(seen, Verified):
                    await self._gate.verified(journal.refresh(), seen)
                if seen is not None:
                    yield seen

    def _next(self, case: Investigation) -> datetime | None:
        """After a change the metric is looked at again soon; a proposal that did not run is closed when its time is up.

        One that was approved and could not be ruled on again yet (Slack or the vendor is away) is tried until then.
        """
        waiting = any(
            r.outcome is not None and r.outcome.took_effect is not False and r.verified is None
            for r in case.remedies.values()
        )
        if waiting:
            return self._clock.now() + PAUSE
        unrun = [r for r in case.remedies.values() if r.state in ("open", "approved")]
        again = [self._clock.now() + RETRY for r in unrun if r.state == "approved"]
        return min((*again, *(r.proposal.expires_at for r in unrun)), default=None)
