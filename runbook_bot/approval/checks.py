"""The gate's checks that need nobody to be asked: pure functions of the case, the press, the policy and the time."""

from datetime import datetime, timedelta

from runbook_bot.approval import words
from runbook_bot.approval.policy import SafetySettings
from runbook_bot.approval.refusal import Refused
from runbook_bot.domain.approval import Approval, Awaiting, Decision, Denial, Proposal, Risk, Ruling
from runbook_bot.domain.investigation import Investigation, Remedy

PREAPPROVED = timedelta(minutes=30)
"""How long after a change one of its approvers may have it undone alone, even at their own wish."""

PASSING = ("directory", "unreadable", "frozen", "cooldown")
"""Refusals that may be over in a minute."""


def known(case: Investigation, decision: Decision) -> Remedy:
    """What the press is about."""
    remedy = case.remedies.get(decision.proposal)
    if remedy is None or remedy.proposal.investigation != case.id:
        raise Refused("unknown", words.UNKNOWN)
    return remedy


def on_its_card(case: Investigation, proposal: Proposal, decision: Decision, team: str) -> str:
    """The channel of the card that was pressed."""
    if not team or decision.team != team:
        raise Refused("other_team", words.OTHER_TEAM)
    card = case.posted.get(f"approval:{proposal.id}")
    channel = card.channel if card else proposal.channel
    if decision.channel != channel or (card is not None and decision.message != card.ts):
        raise Refused("elsewhere", words.ELSEWHERE)
    return channel


def undecided(remedy: Remedy, decision: Decision) -> None:
    """Open, or approved by this very press and not run yet."""
    if remedy.spent or remedy.outcome is not None:
        raise Refused("decided", words.DECIDED["spent"])
    closing = remedy.ruling
    if closing is not None and not (closing.outcome == "approved" and closing.delivery == decision.delivery):
        raise Refused("decided", words.DECIDED[closing.outcome])


def in_time(proposal: Proposal, now: datetime) -> None:
    if now >= proposal.expires_at:
        raise Refused("expired", words.EXPIRED, ends=True)


def verdict_stands(case: Investigation, proposal: Proposal) -> None:
    """What was proposed for a cause is not done for another one. A roll-back asks for no cause."""
    cause = case.hypotheses.get(proposal.hypothesis or "")
    if cause is None or proposal.undoes is not None or case.verdict is None:
        return
    leading = next((c.hypothesis for c in case.verdict.ranked if c.hypothesis in case.hypotheses), None)
    now = case.hypotheses[leading] if leading is not None and case.verdict.root_cause is not None else None
    if now is None or (now.failure_mode, now.service) != (cause.failure_mode, cause.service):
        raise Refused("superseded", words.SUPERSEDED, ends=True)


def typed(proposal: Proposal, decision: Decision) -> None:
    name = proposal.preparation.target.name
    if proposal.preparation.risk is Risk.critical and decision.typed_name.strip() != name:
        raise Refused("wrong_name", words.WRONG_NAME.format(name=name))


def reason(decision: Decision) -> str:
    """Why it was rejected, in the words of who did."""
    given = decision.reason.strip()
    if not given:
        raise Refused("no_reason", words.NO_REASON)
    return given


def thawed(safety: SafetySettings, now: datetime) -> None:
    frozen = safety.frozen(now)
    if frozen is not None:
        raise Refused("frozen", words.frozen(frozen.until, frozen.reason))


def within_limit(safety: SafetySettings, case: Investigation, proposal: Proposal) -> None:
    """Going back is never kept from anybody by it, and does not count."""
    made = [r for r in case.remedies.values() if r.spent and r.proposal.undoes is None and r.proposal.id != proposal.id]
    if proposal.undoes is None and len(made) >= safety.max_mutations_per_session:
        raise Refused("limit", words.LIMIT.format(count=len(made)))


def standing(case: Investigation, decision: Decision, ruling: Ruling) -> Ruling:
    """The ruling; where the press had approved before, and does so no longer for good, the proposal is void.

    It is ruled on a second time after a crash, and nobody else can approve what counts as approved.
    """
    remedy = case.remedies.get(decision.proposal)
    approved = remedy.ruling if remedy is not None and remedy.state == "approved" else None
    if approved is None or approved.delivery != decision.delivery or isinstance(ruling, Approval):
        return ruling
    if isinstance(ruling, Awaiting) or ruling.code == "already_counted":
        why, code = words.FEWER, "awaiting"
    elif ruling.ends or ruling.code in PASSING:
        return ruling
    else:
        why, code = words.LOST.format(why=ruling.why), ruling.code
    return Denial(proposal=decision.proposal, user=decision.user, why=why, code=code, ends=True, at=ruling.at)


def undoes_own(case: Investigation, proposal: Proposal, user: str, now: datetime) -> bool:
    """Whether this undoes, soon after, what `user` had approved."""
    original = case.remedies.get(proposal.undoes) if proposal.undoes else None
    return (
        original is not None
        and original.executed_at is not None
        and user in original.approvers
        and timedelta(0) <= now - original.executed_at <= PREAPPROVED
    )
