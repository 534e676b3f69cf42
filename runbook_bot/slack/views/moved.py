"""The note that opens an investigation's thread in a direct message, where its channel is gone."""

from runbook_bot.domain.investigation import Investigation
from runbook_bot.slack import words
from runbook_bot.slack.blocks import section
from runbook_bot.slack.escaping import mrkdwn
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.place import MOVED, named


def moved_note(case: Investigation, direct: str, why: str) -> Message:
    """`direct` is the channel of the direct message, `why` Slack's own error word."""
    text = words.MOVED.format(
        channel=f"<#{case.request.channel}>",
        why=mrkdwn(why.replace("_", " "), 60),
        title=mrkdwn(case.title, 200),
        id=case.id,
    )
    return Message(
        key=MOVED,
        channel=direct,
        thread=None,
        text=text,
        blocks=(section(text),),
        metadata=named(case, MOVED),
        final=True,
    )
