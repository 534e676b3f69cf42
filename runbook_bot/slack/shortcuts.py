"""The message shortcut “Investigate this alert”: an investigation in the thread of the message."""

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from runbook_bot.domain.noun import Json
from runbook_bot.slack import words
from runbook_bot.slack.answers import plain
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.investigate import begin
from runbook_bot.slack.spoken import LIMIT
from runbook_bot.slack.spoken import words as spoken


def register(app: AsyncApp, desk: Desk) -> None:
    async def investigate_alert(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]
        desk.aftermath.start(delivery, lambda: _investigate(desk, delivery))

    app.message_shortcut("investigate_alert")(investigate_alert)


async def _investigate(desk: Desk, delivery: Delivery) -> None:
    text = alert_text(delivery.body, desk.workspace.bot_user)
    if not text:
        await desk.answers.give(delivery, plain(words.NOTHING_SAID))
        return
    await begin(desk, delivery, text, delivery.thread)


def alert_text(body: Json, bot_user: str) -> str:
    """The words of a message, those of its blocks and attachments where an alert bot put them there."""
    message = body.get("message")
    found: list[str] = []
    if isinstance(message, dict):
        _gather({"text": message.get("text"), "attachments": message.get("attachments")}, found)
        if not found:
            _gather({"blocks": message.get("blocks")}, found)
    return spoken("\n".join(dict.fromkeys(found)), bot_user)[:LIMIT]


_WORDS = ("text", "title", "fallback", "pretext", "value")


def _gather(value: object, found: list[str]) -> None:
    if isinstance(value, list):
        for each in value:
            _gather(each, found)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in _WORDS and isinstance(each, str):
                if each.strip():
                    found.append(each)
            else:
                _gather(each, found)
