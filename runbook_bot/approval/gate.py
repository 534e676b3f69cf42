"""The gate: proposes a change, rules on who presses, and has it carried out once.

It is the only place that makes an `Approval`, and knows nothing of any vendor. Every step is in the audit before it
has an effect. The order that makes a change happen at most once, across processes and crashes: the approval is
registered for one press, `Spent` is journalled by the caller, the spending is registered for one process, and only
then the actuator runs. After a crash in between nothing runs again: the world is read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from runbook_bot.approval import checks, words
from runbook_bot.approval.audit import Audit, Kind, Register
from runbook_bot.approval.policy import SafetySettings
from runbook_bot.approval.refusal import Refused
from runbook_bot.approval.voters import Voters
from runbook_bot.domain.approval import (
    _SEAL,
    Approval,
    Awaiting,
    Decision,
    Denial,
    Outcome,
    Preparation,
    Proposal,
    Risk,
    Ruling,
    SealBroken,
    Verification,
)
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.journal import Body, Executed, Ruled, Spent, Verified
from runbook_bot.domain.ports import Actuator, Clock, Directory
from runbook_bot.errors import ProviderError, RunbookError

LONGEST = 500
"""Characters of a reason or of a vendor's words that are kept."""


class Gate:
    """One gate a process; any number of them share one audit folder."""

    def __init__(
        self,
        safety: SafetySettings,
        directory: Directory | None,
        actuators: Sequence[Actuator],
        audit: Audit,
        clock: Clock,
        team: Callable[[], str],
    ) -> None:
        """`team` is the id of the workspace the bot is in, "" while it is not known: then nobody may approve."""
        self._safety = safety
        self._voters = Voters(safety, directory, team)
        self._actuators = tuple(actuators)
        self._audit = audit
        self._clock = clock
        self._team = team

    def propose(
        self,
        case: Investigation,
        preparation: Preparation,
        *,
        hypothesis: str | None,
        evidence: Sequence[str],
        runbook: str | None,
        verification: Verification | None,
        undoes: str | None = None,
        requester: str | None = None,
    ) -> Proposal:
        """The proposal, in the audit and not yet in the journal. Raises `RunbookError` for what is not on the list.

        `requester` is who asked for this very change, where that is not who asked for the investigation.
        """
        self._actuator(preparation.call.operation)
        proposer = case.hypotheses[hypothesis].proposed_by if hypothesis in case.hypotheses else case.reasoner
        now = self._now(case)
        head = case.posted.get("head")
        proposal = Proposal(
            id=f"{case.id}.P{len(case.remedies) + 1}",
            investigation=case.id,
            preparation=preparation,
            requester=case.request.requester if requester is None else requester,
            proposed_by=proposer,
            hypothesis=hypothesis,
            evidence=tuple(evidence),
            runbook=runbook,
            verification=verification,
            created_at=now,
            expires_at=now + self._safety.ttl,
            undoes=undoes,
            channel=head.channel if head else case.request.channel,
            needed=self._safety.needed(preparation.risk),
            entitled=self._safety.entitled(preparation.risk),
        )
        self._audit.record(
            "proposed",
            now,
            investigation=case.id,
            proposal=proposal.id,
            user=proposal.requester,
            digest=proposal.digest,
            **proposal.model_dump(
                mode="json", include={"preparation", "proposed_by", "evidence", "undoes", "channel", "expires_at"}
            ),
        )
        return proposal

    async def rule(self, case: Investigation, decision: Decision) -> Ruling:
        """The answer to one press, for the caller to journal (`ruled`) before acting on it.

        To be asked again, with the same decision, for an approval that was journalled and not spent before a crash:
        an `Approval` cannot be stored, and everything is checked once more.
        """
        now = self._now(case)
        facts = decision.model_dump(mode="json", exclude={"proposal", "at", "reason", "typed_name"})
        words_typed = {"reason": decision.reason[:LONGEST], "typed_name": decision.typed_name[:LONGEST]}
        await self._record("clicked", case, decision.proposal[:LONGEST], **facts, **words_typed)
        try:
            ruling = await self._judge(case, decision, now)
        except Refused as refused:
            ruling = Denial(
                proposal=decision.proposal,
                user=decision.user,
                why=refused.why,
                code=refused.code,
                ends=refused.ends,
                at=now,
            )
        ruling = checks.standing(case, decision, ruling)
        if not isinstance(ruling, Approval):  # that one was recorded as it was registered
            entry = ruled(decision, ruling).model_dump(mode="json", exclude={"proposal", "kind"})
            await self._record("ruled", case, decision.proposal[:LONGEST], user=decision.user, **entry)
        return ruling

    async def lapsed(self, case: Investigation) -> Sequence[Ruled]:
        """The ends of proposals that were not begun in time, or whose verdict fell, for the caller to journal."""
        now = self._now(case)
        ends = []
        for remedy in case.remedies.values():
            proposal = remedy.proposal
            if remedy.state not in ("open", "approved"):
                continue
            try:
                checks.in_time(proposal, now)
                checks.verdict_stands(case, proposal)
            except Refused as refused:
                denial = Denial(proposal=proposal.id, user="", why=refused.why, code=refused.code, ends=True, at=now)
                ends.append(Ruled(proposal=proposal.id, delivery=refused.code, outcome="void", denial=denial))
                await self._record("ruled", case, proposal.id, outcome="void", denial=denial.model_dump(mode="json"))
        return ends

    async def carry_out(self, case: Investigation, proposal: Proposal, approval: Approval) -> AsyncIterator[Body]:
        """`Spent`, then `Executed`. Each has to be journalled before the next is asked for.

        Ends after `Spent` where another process is already at it. Raises `SealBroken` for another proposal's approval.
        """
        if approval.proposal != proposal.id or approval.digest != proposal.digest:
            raise SealBroken(f"the approval of {approval.proposal} is not for what {proposal.id} would run")
        remedy = case.remedies.get(proposal.id)
        if remedy is None or remedy.spent or remedy.outcome is not None:
            return
        actuator = self._actuator(proposal.preparation.call.operation)
        yield Spent(proposal=proposal.id, digest=proposal.digest)
        if not await self._spend(case, proposal):
            return
        try:
            outcome = await actuator.run(proposal, approval)
        except ProviderError as error:
            outcome = await self._seen(proposal, words.NO_ANSWER, str(error))
        except TimeoutError:
            outcome = await self._seen(proposal, words.TOO_LATE, "the vendor did not answer in time")
        else:
            if outcome.took_effect is None:
                seen = await self._seen(proposal, words.TOO_LATE, outcome.message)
                outcome = seen.model_copy(update={"request_id": outcome.request_id})
        yield await self._executed(case, proposal, outcome, approval.approvers)

    async def look(self, case: Investigation, proposal: Proposal) -> Executed:
        """What became of a change that was spent before a crash. It reads the world, and nothing runs again."""
        await self._spend(case, proposal)  # so that a process that was only asleep cannot run it after this answer
        outcome = await self._seen(proposal, words.LOOKED, "")
        remedy = case.remedies.get(proposal.id)
        return await self._executed(case, proposal, outcome, remedy.approvers if remedy else ())

    async def verified(self, case: Investigation, found: Verified) -> None:
        """Puts in the audit whether a change helped."""
        outcome = {True: "recovered", False: "did not recover", None: "unknown"}[found.recovered]
        await self._record("verified", case, found.proposal, outcome=outcome, text=found.text[:LONGEST])

    async def _judge(self, case: Investigation, decision: Decision, now: datetime) -> Ruling:
        """Each check raises `Refused`; the order is from what is cheap and certain to what has to be asked."""
        remedy = checks.known(case, decision)
        proposal = remedy.proposal
        channel = checks.on_its_card(case, proposal, decision, self._team())
        checks.undecided(remedy, decision)
        checks.in_time(proposal, now)
        checks.verdict_stands(case, proposal)
        if (await asyncio.to_thread(self._audit.register)).digests.get(proposal.id) != proposal.digest:
            raise Refused("changed", words.CHANGED, ends=True)
        if decision.verdict == "reject":
            await self._voters.may_reject(decision.user, proposal, channel)
            raise Refused("rejected", checks.reason(decision)[:LONGEST], ends=True)
        own = checks.undoes_own(case, proposal, decision.user, now)
        await self._voters.may_approve(decision.user, proposal, channel, own=own)
        checks.typed(proposal, decision)
        checks.thawed(self._safety, now)
        checks.within_limit(self._safety, case, proposal)
        needed = 1 if own else max(proposal.needed, self._safety.needed(proposal.preparation.risk))
        approvers = await self._approvers(remedy, decision, channel)
        if len(approvers) < needed:
            if decision.user in remedy.approvers:
                missing = needed - len(approvers)
                raise Refused("already_counted", words.ALREADY_COUNTED.format(missing=missing))
            return Awaiting(proposal=proposal.id, digest=proposal.digest, approvers=approvers, needed=needed, at=now)
        await self._undrifted(proposal)
        await self._register(case, proposal, decision, approvers, now)
        return Approval(proposal=proposal.id, digest=proposal.digest, approvers=approvers, at=now, seal=_SEAL)

    async def _approvers(self, remedy: Remedy, decision: Decision, channel: str) -> tuple[str, ...]:
        """Everybody whose approval counts now, this one last; who may no longer approve is left out."""
        earlier = [user for user in remedy.approvers if user != decision.user]
        counted = [user for user in earlier if await self._voters.still_may(user, remedy.proposal, channel)]
        return (*counted, decision.user)

    async def _undrifted(self, proposal: Proposal) -> None:
        actuator = self._actuator(proposal.preparation.call.operation)
        try:
            drifted = await actuator.drift(proposal)
        except (ProviderError, TimeoutError) as error:
            raise Refused("unreadable", words.UNREADABLE.format(error=str(error)[:LONGEST])) from error
        if drifted:
            raise Refused("drifted", words.DRIFTED.format(what=drifted[:LONGEST]), ends=True)

    async def _register(
        self, case: Investigation, proposal: Proposal, decision: Decision, approvers: tuple[str, ...], now: datetime
    ) -> None:
        """Makes this press the one that approves, and keeps critical changes apart, across all processes."""
        risk = proposal.preparation.risk
        cooldown = self._safety.cooldown if risk is Risk.critical and proposal.undoes is None else timedelta(0)

        def objection(register: Register) -> Refused | None:
            if register.approved.get(proposal.id, decision.delivery) != decision.delivery:
                return Refused("decided", words.DECIDED["approved"])
            latest = max((at for id, at in register.criticals.items() if id != proposal.id), default=None)
            if latest is not None and now - latest < cooldown:
                return Refused("cooldown", words.cooldown(latest + cooldown - now))
            return None

        refused = await asyncio.to_thread(
            self._audit.record_unless,
            objection,
            "ruled",
            now,
            investigation=case.id,
            proposal=proposal.id,
            user=decision.user,
            outcome="approved",
            delivery=decision.delivery,
            digest=proposal.digest,
            approvers=list(approvers),
            risk=risk.value,
        )
        if refused is not None:
            raise refused

    async def _spend(self, case: Investigation, proposal: Proposal) -> bool:
        """Whether this process is the first to use the approval up."""

        def objection(register: Register) -> str | None:
            return "spent" if proposal.id in register.spent else None

        already = await asyncio.to_thread(
            self._audit.record_unless,
            objection,
            "spent",
            self._now(case),
            investigation=case.id,
            proposal=proposal.id,
            digest=proposal.digest,
        )
        return already is None

    async def _seen(self, proposal: Proposal, text: Mapping[bool | None, str], error: str) -> Outcome:
        """What the world shows of a change whose caller cannot tell."""
        actuator = self._actuator(proposal.preparation.call.operation)
        try:
            effect = await actuator.took_effect(proposal)
        except (ProviderError, TimeoutError):
            effect = None
        message = text[effect].format(error=error[:LONGEST].rstrip("."))
        if effect is False and text is words.TOO_LATE:
            effect = None  # what was sent may still be on its way
        return Outcome(took_effect=effect, message=message)

    async def _executed(
        self, case: Investigation, proposal: Proposal, outcome: Outcome, approvers: tuple[str, ...]
    ) -> Executed:
        await self._record(
            "executed",
            case,
            proposal.id,
            outcome=_effect(outcome.took_effect),
            request_id=outcome.request_id,
            message=outcome.message[:LONGEST],
            approvers=list(approvers),
            undoes=proposal.undoes,
        )
        return Executed(proposal=proposal.id, outcome=outcome, approvers=approvers)

    async def _record(self, kind: Kind, case: Investigation, proposal: str, **facts: object) -> None:
        now = self._now(case)
        await asyncio.to_thread(self._audit.record, kind, now, investigation=case.id, proposal=proposal, **facts)

    def _actuator(self, operation: str) -> Actuator:
        for actuator in self._actuators:
            if operation in actuator.operations:
                return actuator
        known = ", ".join(sorted(name for each in self._actuators for name in each.operations)) or "none"
        raise RunbookError(words.NO_OPERATION.format(operation=operation[:100], operations=known))

    def _now(self, case: Investigation) -> datetime:
        """Never before what the journal tells of: a clock that was put back makes nothing young again."""
        now = self._clock.now()
        return now if case.last_at is None else max(now, case.last_at)


def ruled(decision: Decision, ruling: Ruling) -> Ruled:
    """The entry of a ruling, for the journal."""
    match ruling:
        case Approval():
            return Ruled(
                proposal=decision.proposal,
                delivery=decision.delivery,
                outcome="approved",
                digest=ruling.digest,
                approvers=ruling.approvers,
            )
        case Awaiting():
            return Ruled(
                proposal=decision.proposal,
                delivery=decision.delivery,
                outcome="awaiting",
                digest=ruling.digest,
                approvers=ruling.approvers,
            )
        case Denial():
            outcome: Literal["rejected", "void", "denied"] = "denied"
            if ruling.ends:
                outcome = "rejected" if ruling.code == "rejected" else "void"
            return Ruled(proposal=decision.proposal, delivery=decision.delivery, outcome=outcome, denial=ruling)


def _effect(took: bool | None) -> str:
    return {True: "took effect", False: "did not take effect", None: "unknown"}[took]
