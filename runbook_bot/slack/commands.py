"""The slash command `/runbook` and its verbs."""

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from runbook_bot.slack import questions
from runbook_bot.slack.answers import Answer
from runbook_bot.slack.asking import ask
from runbook_bot.slack.delivery import Delivery
from runbook_bot.slack.desk import Desk
from runbook_bot.slack.investigate import investigate
from runbook_bot.slack.spoken import words
from runbook_bot.slack.verbs import Ask, Verb, help_text, split, unknown


async def _help(_desk: Desk, _ask: Ask) -> Answer:
    return help_text(VERBS)


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "investigate",
            "investigate [what hurts | PD-12345 | address | alarm]",
            "finds the cause, and proposes a fix that people approve",
            investigate,
        ),
        Verb("ask", "ask [a question]", "answers what runs, what changed, who owns what, and more", ask),
        Verb(
            "status",
            "status [service]",
            "lists the open investigations; of a service, who owns it, what it needs and who needs it",
            questions.status,
        ),
        Verb("stop", "stop [id]", "ends the investigation in this channel with what is known so far", questions.stop),
        Verb("why", "why H2", "shows what speaks for and against a hypothesis", questions.why),
        Verb("summary", "summary [id]", "says where the newest one of this channel stands", questions.summary),
        Verb("approvals", "approvals", "lists the changes that wait for approval", questions.approvals),
        Verb("knowledge", "knowledge search [words]", "searches the runbooks and post-mortems", questions.knowledge),
        Verb("feedback", "feedback [good | bad] [why]", "tells whether it helped", questions.feedback),
        Verb("help", "help", "shows this list", _help),
    )
}


async def carry(desk: Desk, ask: Ask, text: str) -> Answer | None:
    """Do what the text asks for; None where the answer will be seen in the channel anyway."""
    word, rest = split(text)
    if not word:
        return await _help(desk, ask)
    verb = VERBS.get(word)
    if verb is None:
        return unknown(text, VERBS)
    return await verb.carry(desk, Ask(ask.delivery, rest, ask.case))


def register(app: AsyncApp, desk: Desk) -> None:
    async def runbook(ack: AsyncAck, context: AsyncBoltContext) -> None:
        await ack()
        delivery: Delivery = context["delivery"]

        async def handle() -> None:
            text = words(delivery.text, desk.workspace.bot_user)
            answer = await carry(desk, Ask(delivery, text), text)
            if answer is not None:
                await desk.answers.give(delivery, answer)

        desk.aftermath.start(delivery, handle)

    app.command("/runbook")(runbook)
