"""Forms that were sent: the reason of a rejection, the typed name of a critical approval."""

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from runbook_bot.domain.ports import Inbox
from runbook_bot.slack import words
from runbook_bot.slack.actions import decide, decision, find
from runbook_bot.slack.delivery import Delivery, typed
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.spoken import words as spoken
from runbook_bot.slack.views.modals import APPROVE, NAME, REASON, REJECT


def register(app: AsyncApp, desk: Desk, inbox: Inbox) -> None:
    async def rejected(ack: AsyncAck, context: AsyncBoltContext) -> None:
        delivery: Delivery = context["delivery"]
        reason = spoken(typed(delivery.body, REASON))
        if not reason:
            await ack(response_action="errors", errors={REASON: words.REASON_EMPTY})
            await inbox.done(delivery.key)
            return
        await ack()
        desk.aftermath.start(delivery, lambda: _decide(desk, delivery, reason=reason))

    async def approved(ack: AsyncAck, context: AsyncBoltContext) -> None:
        delivery: Delivery = context["delivery"]
        name = typed(delivery.body, NAME).strip()
        if not name:
            await ack(response_action="errors", errors={NAME: words.NAME_EMPTY})
            await inbox.done(delivery.key)
            return
        await ack()
        desk.aftermath.start(delivery, lambda: _decide(desk, delivery, typed_name=name))

    app.view(REJECT)(rejected)
    app.view(APPROVE)(approved)


async def _decide(desk: Desk, delivery: Delivery, *, reason: str = "", typed_name: str = "") -> None:
    """A form's envelope knows no channel: the card's own place is read from the journal."""
    case, remedy = await find(desk, delivery.value)
    card = case.posted.get(f"approval:{remedy.proposal.id}")
    made = decision(
        desk,
        delivery,
        remedy,
        "reject" if delivery.action == REJECT else "approve",
        reason=reason[:1000],
        typed_name=typed_name[:300],
        channel=card.channel if card else remedy.proposal.channel,
        message=card.ts if card else "",
    )
    await decide(desk, case, made)
