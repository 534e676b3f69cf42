"""The two forms: why a change is rejected, and the name to be typed before a critical one."""

from runbook_bot.domain.approval import Proposal
from runbook_bot.domain.noun import Json
from runbook_bot.slack.blocks import section
from runbook_bot.slack.escaping import line, mrkdwn

REJECT = "reject_reason"
APPROVE = "approve_critical"
REASON = "reason"
NAME = "typed_name"


def reject_form(proposal: Proposal) -> Json:
    """`private_metadata` holds the proposal's id and nothing else; the submission is checked all over again."""
    return {
        "type": "modal",
        "callback_id": REJECT,
        "private_metadata": proposal.id,
        "title": _plain("Reject the change", 24),
        "submit": _plain("Reject", 24),
        "close": _plain("Cancel", 24),
        "blocks": [
            section(f"*{mrkdwn(proposal.preparation.title, 200)}*"),
            _input(REASON, "Why?", "What is wrong with it, or what should be done instead", 1000, multiline=True),
        ],
    }


def approve_form(proposal: Proposal) -> Json:
    preparation = proposal.preparation
    target = mrkdwn(preparation.target.name, 200)
    where = " · ".join(part for part in (preparation.account, preparation.region) if part)
    return {
        "type": "modal",
        "callback_id": APPROVE,
        "private_metadata": proposal.id,
        "title": _plain("Critical change", 24),
        "submit": _plain("Approve", 24),
        "close": _plain("Cancel", 24),
        "blocks": [
            section(f"*{mrkdwn(preparation.title, 200)}*\n{mrkdwn(preparation.impact, 600)}"),
            section(f"To approve it, type the name of the resource: `{target}` ({mrkdwn(where, 120)})"),
            _input(NAME, "Name of the resource", line(preparation.target.name, 150), 300, multiline=False),
        ],
    }


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": line(text, limit), "emoji": True}


def _input(name: str, label: str, placeholder: str, longest: int, *, multiline: bool) -> Json:
    """Block and action share one name, by which the typed text is found."""
    return {
        "type": "input",
        "block_id": name,
        "label": _plain(label, 2000),
        "element": {
            "type": "plain_text_input",
            "action_id": name,
            "multiline": multiline,
            "min_length": 1,
            "max_length": longest,
            "placeholder": _plain(placeholder, 150),
        },
    }
