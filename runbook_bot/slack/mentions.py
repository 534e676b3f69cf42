"""Mentions in channels and threads, and direct messages: the same verbs, and short answers about an investigation."""

import re

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from runbook_bot.slack.answers import Answer
from runbook_bot.slack.asking import about, ask, question
from runbook_bot.slack.commands import VERBS, carry
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.sight import waiting
from runbook_bot.slack.spoken import hypothesis, words
from runbook_bot.slack.verbs import NOT_YET, Ask, guess, split
from runbook_bot.slack.views.answers import approvals

_ON_APPROVAL = re.compile(r"\bapprov", re.IGNORECASE)


def register(app: AsyncApp, desk: Desk) -> None:
    async def written(context: AsyncBoltContext) -> None:
        delivery: Delivery | None = context.get("delivery")
        if delivery is None:  # a bot's message, an edit, a deletion
            return

        async def handle() -> None:
            answer = await reply(desk, delivery)
            if answer is not None:
                await desk.answers.give(delivery, answer)

        desk.aftermath.start(delivery, handle)

    app.event("app_mention")(written)
    app.event("message")(written)


async def reply(desk: Desk, delivery: Delivery) -> Answer | None:
    text = words(delivery.text, desk.workspace.bot_user)
    case = await desk.cases.in_thread(delivery.channel, delivery.thread) if delivery.thread else None
    word, rest = split(text)
    if word in VERBS or word in NOT_YET or (guess(word, VERBS) and not rest):
        return await carry(desk, Ask(delivery, text, case), text)
    if case is not None and question(text) and _ON_APPROVAL.search(text) and waiting([case]):
        return Answer(*approvals(waiting([case]), desk.workspace), private=False)
    if case is not None and (hypothesis(text) in case.hypotheses or not question(text)):
        return about(case, text)
    if question(text):
        return await ask(desk, Ask(delivery, text, case))
    return await carry(desk, Ask(delivery, text, case), text)
