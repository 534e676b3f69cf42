"""Whoever may not approve, and whatever may not be approved, is told why not, in one sentence."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runbook_bot.domain.approval import Proposal, Risk, Ruling
from runbook_bot.domain.journal import ChangeProposed, Verified
from tests.approval.world import (
    ALICE,
    BOB,
    BYSTANDER,
    CHANNEL,
    GROUP,
    REQUESTER,
    Desk,
    denied,
    preparation,
    safety,
)

HIGH = Risk.high


Story = Callable[[Desk, Proposal], Awaitable[Ruling]]


def person(**traits: object) -> Story:
    async def story(desk: Desk, proposal: Proposal) -> Ruling:
        desk.directory.people[ALICE] = replace(desk.directory.people[ALICE], **traits)  # type: ignore[arg-type]  # a table of traits
        return await desk.press(proposal)

    return story


def click(user: str = ALICE, **changed: object) -> Story:
    async def story(desk: Desk, proposal: Proposal) -> Ruling:
        return await desk.press(proposal, user, **changed)

    return story


async def forged(desk: Desk, proposal: Proposal) -> Ruling:
    return await desk.gate.rule(desk.case.now, desk.click(proposal).model_copy(update={"proposal": "inv-2.P1"}))


async def swapped(desk: Desk, proposal: Proposal) -> Ruling:
    """Somebody rewrote the proposal in the journal after it was shown."""
    other = proposal.model_copy(update={"preparation": preparation(revision=1)})
    desk.case.add(ChangeProposed(proposal=other))
    return await desk.press(other)


async def unrecorded(desk: Desk, proposal: Proposal) -> Ruling:
    """A proposal that never went through the gate."""
    mine = proposal.model_copy(update={"id": "inv-1.P9"})
    desk.case.add(ChangeProposed(proposal=mine))
    return await desk.press(mine)


async def expired(desk: Desk, proposal: Proposal) -> Ruling:
    desk.clock.pass_(timedelta(minutes=30))
    return await desk.press(proposal)


async def expired_and_the_clock_put_back(desk: Desk, proposal: Proposal) -> Ruling:
    desk.clock.pass_(timedelta(minutes=31))
    desk.case.add(Verified(proposal="", recovered=None, text="anything that was journalled at that time"))
    desk.clock.pass_(timedelta(minutes=-31))
    return await desk.press(proposal)


async def removed_from_the_group(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.groups[GROUP].discard(ALICE)
    return await desk.press(proposal)


async def left_the_channel(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.channels[CHANNEL].discard(ALICE)
    return await desk.press(proposal)


async def nobody_knows_them(desk: Desk, proposal: Proposal) -> Ruling:
    del desk.directory.people[ALICE]
    return await desk.press(proposal)


async def slack_is_away(desk: Desk, proposal: Proposal) -> Ruling:
    desk.directory.away = True
    return await desk.press(proposal)


async def drifted(desk: Desk, proposal: Proposal) -> Ruling:
    desk.actuator.drifted = "the service runs checkout-api:43 now"
    return await desk.press(proposal)


async def unreadable(desk: Desk, proposal: Proposal) -> Ruling:
    desk.actuator.unreadable = True
    return await desk.press(proposal)


async def rejected_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.press(proposal, BOB, verdict="reject", reason="too risky")
    return await desk.press(proposal)


async def approved_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.press(proposal, BOB)
    return await desk.press(proposal)


async def run_before(desk: Desk, proposal: Proposal) -> Ruling:
    await desk.done(proposal, BOB)
    return await desk.press(proposal)


async def void_before(desk: Desk, proposal: Proposal) -> Ruling:
    await drifted(desk, proposal)
    desk.actuator.drifted = ""
    return await desk.press(proposal)


REFUSALS: list[tuple[str, Story, str, str, bool]] = [
    ("a forged id", forged, "unknown", "no such proposal", False),
    ("another workspace's payload", click(team="T2"), "other_team", "another workspace", False),
    ("a payload without a workspace", click(team=""), "other_team", "another workspace", False),
    ("another channel", click(channel="C2"), "elsewhere", "not the card", False),
    ("another message", click(message="1.1"), "elsewhere", "not the card", False),
    ("what runs is not what was shown", swapped, "changed", "not what was proposed", True),
    ("it never went through the gate", unrecorded, "changed", "not what was proposed", True),
    ("too late", expired, "expired", "has expired", True),
    ("too late and the clock was put back", expired_and_the_clock_put_back, "expired", "has expired", True),
    ("a bystander", click(BYSTANDER), "not_allowed", "not among the approvers for changes of high risk", False),
    ("removed from the group", removed_from_the_group, "not_allowed", "not among the approvers", False),
    ("a guest", person(guest=True), "not_member", "Only full members", False),
    ("a bot", person(bot=True), "not_member", "Only full members", False),
    ("a stranger", person(stranger=True), "not_member", "Only full members", False),
    ("a deactivated account", person(deactivated=True), "not_member", "Only full members", False),
    ("a member of another workspace", person(team="T2"), "not_member", "Only full members", False),
    ("somebody unknown", nobody_knows_them, "not_member", "Only full members", False),
    ("not in the channel", left_the_channel, "not_in_channel", "be in the incident's channel", False),
    ("Slack does not answer", slack_is_away, "directory", "users.info: internal_error", False),
    ("the requester", click(REQUESTER), "self_approval", "somebody else has to approve", False),
    ("a changed world", drifted, "drifted", "runs checkout-api:43 now", True),
    ("a world that cannot be read", unreadable, "unreadable", "AccessDenied", False),
    ("already rejected", rejected_before, "decided", "rejected already", False),
    ("already approved", approved_before, "decided", "approved already", False),
    ("already run", run_before, "decided", "been run already", False),
    ("void", void_before, "decided", "is void", False),
    ("a rejection by a bystander", click(BYSTANDER, verdict="reject", reason="no"), "not_allowed", "not among", False),
    ("a rejection without a reason", click(verdict="reject", reason="  "), "no_reason", "Please say why", False),
]


@pytest.mark.parametrize(
    ("story", "code", "why", "ends"), [each[1:] for each in REFUSALS], ids=[r[0] for r in REFUSALS]
)
async def test_refused(desk: Desk, story: Story, code: str, why: str, ends: bool) -> None:
    proposal = desk.propose()
    ruling = denied(await story(desk, proposal))
    assert (ruling.code, ruling.ends) == (code, ends)
    assert why in ruling.why
    assert "\n" not in ruling.why
    assert len(desk.actuator.ran) == (1 if story is run_before else 0)
    kinds = [(record.kind, record.facts.get("outcome")) for record in desk.audit.records()]
    assert kinds[-2][0] == "clicked"
    assert kinds[-1] == ("ruled", "void" if ends else "denied")
    assert desk.audit.verify() == []


FREEZE = {"from": "2026-03-01T11:00:00Z", "until": "2026-03-01T13:00:00+00:00", "reason": "quarter end"}


@pytest.mark.parametrize(
    ("settings", "risk", "code", "why"),
    [
        ({"approvers": {}}, HIGH, "no_approvers", "Nobody is configured to approve changes of high risk"),
        ({"approvers": {"medium": {"users": [ALICE]}}}, HIGH, "no_approvers", "safety.approvers.high"),
        ({"freeze": [FREEZE]}, HIGH, "frozen", "Nothing is changed until 2026-03-01 13:00 UTC: quarter end."),
        ({"max_mutations_per_session": 0}, HIGH, "limit", "0 changes, which is its limit"),
    ],
)
async def test_refused_by_policy(tmp_path: Path, settings: dict[str, object], risk: Risk, code: str, why: str) -> None:
    desk = Desk(tmp_path, safety(**settings))
    ruling = denied(await desk.press(desk.propose(risk)))
    assert (ruling.code, ruling.ends) == (code, False)
    assert why in ruling.why
