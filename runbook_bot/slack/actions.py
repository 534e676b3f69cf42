"""Buttons. A click says which proposal or hypothesis; who, where and when come from the envelope."""

from typing import Literal

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from runbook_bot.domain.approval import Decision, Risk
from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.domain.journal import Decided, RollbackAsked, Steered
from runbook_bot.domain.noun import Json
from runbook_bot.domain.redaction import redact
from runbook_bot.slack import words
from runbook_bot.slack.answers import Untold, plain
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk, investigation_of
from runbook_bot.slack.escaping import mrkdwn
from runbook_bot.slack.questions import ask_to_stop
from runbook_bot.slack.refusals import NETWORK
from runbook_bot.slack.views.modals import approve_form, reject_form

_STEERING: dict[str, Literal["dig", "rule_out", "known"]] = {
    "hypothesis_dig": "dig",
    "hypothesis_rule_out": "rule_out",
    "hypothesis_known": "known",
}


def register(app: AsyncApp, desk: Desk) -> None:
    async def approve(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _approve(desk, delivery), door=False)

    async def reject(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _reject(desk, delivery), door=False)

    async def steer(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _steer(desk, delivery))

    async def stop(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _stop(desk, delivery))

    async def rollback(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _rollback(desk, delivery))

    async def link(ack: AsyncAck, context: AsyncBoltContext) -> None:
        """The button opened an address by itself; Slack tells us all the same."""
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, _nothing, door=False)

    app.action("approve")(approve)
    app.action("reject")(reject)
    for action in _STEERING:
        app.action(action)(steer)
    app.action("investigation_stop")(stop)
    app.action("rollback")(rollback)
    app.action("open_canvas")(link)


async def _nothing() -> None:
    return


async def find(desk: Desk, proposal: str) -> tuple[Investigation, Remedy]:
    """Raises `Untold` where nobody knows it."""
    case = await desk.cases.one(investigation_of(proposal))
    remedy = case.remedies.get(proposal) if case else None
    if case is None or remedy is None:
        raise Untold(words.UNKNOWN_PROPOSAL)
    return case, remedy


async def _approve(desk: Desk, delivery: Delivery) -> None:
    case, remedy = await find(desk, delivery.value)
    if remedy.state == "open" and remedy.proposal.preparation.risk is Risk.critical:
        await _open(desk, delivery, approve_form(remedy.proposal))
        return
    await decide(desk, case, decision(desk, delivery, remedy, "approve"))


async def _reject(desk: Desk, delivery: Delivery) -> None:
    case, remedy = await find(desk, delivery.value)
    if remedy.state == "open":
        await _open(desk, delivery, reject_form(remedy.proposal))
        return
    await decide(desk, case, decision(desk, delivery, remedy, "reject"))


def _at_home(case: Investigation, delivery: Delivery) -> None:
    """Raises `Untold` where the button was pressed in a channel that the investigation is not in."""
    if delivery.channel not in {case.request.channel, *(posted.channel for posted in case.posted.values())}:
        raise Untold(words.ELSEWHERE)


def decision(
    desk: Desk,
    delivery: Delivery,
    remedy: Remedy,
    verdict: Literal["approve", "reject"],
    *,
    reason: str = "",
    typed_name: str = "",
    channel: str = "",
    message: str = "",
) -> Decision:
    return Decision(
        proposal=remedy.proposal.id,
        verdict=verdict,
        user=delivery.user,
        team=delivery.home,
        channel=channel or delivery.channel,
        message=message or delivery.message,
        reason=redact(reason),
        typed_name=typed_name,
        at=desk.clock.now(),
        delivery=delivery.key,
    )


async def decide(desk: Desk, case: Investigation, made: Decision) -> None:
    """Recorded once; whether it counts is the gate's to say."""
    remedy = case.remedies[made.proposal]
    if any(each.delivery == made.delivery for each in remedy.decisions):
        await desk.queue.advance(case.id)
        return
    await desk.record(case.id, Decided(decision=made))


async def _open(desk: Desk, delivery: Delivery, form: Json) -> None:
    """The trigger lives three seconds, so this goes past the outbox, and is tried once."""
    try:
        await desk.connection.writing.views_open(trigger_id=delivery.trigger, view=form)
    except NETWORK:
        await desk.answers.give(delivery, plain(words.MODAL_FAILED))


async def _steer(desk: Desk, delivery: Delivery) -> None:
    investigation, _, hypothesis = delivery.value.partition("|")
    action = _STEERING[delivery.action]
    case = await desk.cases.one(investigation)
    if case is None:
        raise Untold(words.UNKNOWN_INVESTIGATION.format(id=mrkdwn(investigation, 60)))
    _at_home(case, delivery)
    if case.status != "open":
        await desk.answers.give(delivery, plain(words.ALREADY_OVER.format(title=mrkdwn(case.title, 120), id=case.id)))
        return
    if hypothesis not in case.hypotheses:
        known = ", ".join(case.hypotheses)
        raise Untold(
            words.UNKNOWN_HYPOTHESIS.format(id=mrkdwn(hypothesis, 20), title=mrkdwn(case.title, 120), known=known)
        )
    if all(each.delivery != delivery.key for each in case.steered):
        steered = Steered(hypothesis=hypothesis, action=action, by=delivery.user, delivery=delivery.key)
        await desk.record(case.id, steered)
    await desk.answers.give(delivery, plain(words.STEERED[action].format(id=hypothesis)))


async def _stop(desk: Desk, delivery: Delivery) -> None:
    case = await desk.cases.one(delivery.value)
    if case is None:
        raise Untold(words.UNKNOWN_INVESTIGATION.format(id=mrkdwn(delivery.value, 60)))
    _at_home(case, delivery)
    await desk.answers.give(delivery, plain(await ask_to_stop(desk, case, delivery.user, delivery.key)))


async def _rollback(desk: Desk, delivery: Delivery) -> None:
    case, remedy = await find(desk, delivery.value)
    _at_home(case, delivery)
    if remedy.rollback is not None and remedy.rollback.delivery == delivery.key:
        await desk.queue.advance(case.id)
        return
    if remedy.outcome is None or remedy.outcome.took_effect is False or remedy.proposal.preparation.rollback is None:
        raise Untold(words.ROLLBACK_NOTHING)
    if case.going_back(remedy):
        raise Untold(words.ROLLBACK_WAITS)
    await desk.record(case.id, RollbackAsked(proposal=remedy.proposal.id, by=delivery.user, delivery=delivery.key))
