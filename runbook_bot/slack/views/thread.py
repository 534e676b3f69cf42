"""Everything that should stand in an investigation's thread right now, in order."""

from runbook_bot.domain.investigation import Investigation
from runbook_bot.slack.message import Message
from runbook_bot.slack.views.approval import approval_card, denial_note, denied, verification_note
from runbook_bot.slack.views.head import head
from runbook_bot.slack.views.hypothesis import hypothesis_reply
from runbook_bot.slack.views.place import MOVED
from runbook_bot.slack.views.verdict import failure_note, stop_note, verdict_message
from runbook_bot.slack.workspace import Workspace


def wanted(case: Investigation, workspace: Workspace) -> list[Message]:
    """The messages in the order they belong. Without a head message there is no thread yet, and only the head.

    An investigation from the command line has no channel: nothing is wanted.
    """
    if not case.request.channel:
        return []
    messages = [head(case, workspace)]
    if "head" not in case.posted and MOVED not in case.posted:
        return messages
    messages += [hypothesis_reply(case, each, workspace) for each in case.hypotheses.values()]
    if case.stop_asked is not None:
        messages.append(stop_note(case))
    if case.failure:
        messages.append(failure_note(case))
    if case.verdict is not None:
        messages.append(verdict_message(case, workspace))
    for remedy in case.remedies.values():
        messages.append(approval_card(case, remedy))
        messages += [denial_note(case, remedy, ruled) for ruled in remedy.rulings if denied(remedy, ruled)]
        if remedy.outcome is not None:
            messages.append(verification_note(case, remedy))
    return messages


def unshown(case: Investigation) -> bool:
    """Whether something that should stand in Slack does not: a crash came before it was posted."""
    nowhere = Workspace(team="", bot_user="")
    return any(message.key not in case.posted for message in wanted(case, nowhere))


def finished(case: Investigation) -> bool:
    """Nothing more is being found out, and no change is under way."""
    busy = ("approved", "running", "executed")
    return case.status != "open" and all(r.verified or r.state not in busy for r in case.remedies.values())
