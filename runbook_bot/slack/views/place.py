"""Where an investigation's messages go, and the metadata by which each is found again."""

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.noun import Json

MOVED = "moved"
"""The key of the note by which an investigation whose channel is gone goes on in its requester's DM."""


def place(case: Investigation, key: str) -> tuple[str, str | None]:
    """Channel and thread of a message: where it stands already, else where it belongs."""
    if key in case.posted:
        return case.posted[key].channel, case.posted[key].thread
    if MOVED in case.posted and key != MOVED:
        moved = case.posted[MOVED]
        return moved.channel, moved.ts
    if case.request.thread:
        return case.request.channel, case.request.thread
    head = case.posted.get("head")
    return case.request.channel, head.ts if head and key != "head" else None


def root(case: Investigation) -> tuple[str, str] | None:
    """Channel and timestamp of the thread, once it exists."""
    if MOVED in case.posted:
        return case.posted[MOVED].channel, case.posted[MOVED].ts
    if "head" not in case.posted:
        return None
    head = case.posted["head"]
    return head.channel, head.thread or head.ts


def named(case: Investigation, key: str, **more: str) -> Json:
    """The metadata of a message that has none in the contract: enough to find it again after a crash."""
    return {"event_type": "runbook_message", "event_payload": {"investigation": case.id, "key": key, **more}}
