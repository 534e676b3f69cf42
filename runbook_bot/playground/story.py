"""The story of a scenario, played by people on the loopback Slack: ask, read the verdict, approve, see it recover."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runbook_bot.playground.box import Box
from runbook_bot.playground.cloud.scenario import Expected

CHANNEL = "incidents"
Message = dict[str, Any]
REQUESTER, APPROVERS = "U0ROSA", ("U0AMIR", "U0BEA")
VERDICT_WITHIN, RECOVERY_WITHIN, ANSWER_WITHIN = 180.0, 420.0, 90.0
"""Seconds, far beyond what it takes: a busy machine is no reason to fail."""
FINAL = ("concluded", "inconclusive", "failed", "stopped")


async def play(box: Box, say: Callable[[str], None]) -> int:
    """0 only if the root cause was right and the repair, where there is one, ran and was verified."""
    expected = box.scenario.expected
    channel = box.slack.channel(CHANNEL).id
    await box.slack.act(
        {"do": "command", "user": REQUESTER, "channel": channel, "text": f"investigate {expected.alarm}"}
    )
    problems: list[str] = []
    try:
        head = await box.slack.wait_for(lambda: _concluded(box, channel), VERDICT_WITHIN, "the verdict")
        await box.slack.wait_for(lambda: _said(box, channel), VERDICT_WITHIN, "the verdict in its thread")
        payload = head["metadata"]["event_payload"]
        if payload.get("root_cause") != expected.failure_mode.value:
            problems.append(f"the root cause was {payload.get('root_cause')}, not {expected.failure_mode}")
        if expected.repair is not None and not problems:
            await _repair(box, channel)
    except TimeoutError as late:
        problems.append(str(late))
    say(box.slack.thread_text(CHANNEL))
    problems += _unexpected(box, expected)
    for problem in problems:
        say(f"not as it should be: {problem}")
    return 1 if problems else 0


async def _repair(box: Box, channel: str) -> None:
    """Approvers press Approve, one after the other, until the change is allowed; then its effect is awaited."""
    card = await box.slack.wait_for(lambda: _card(box, channel), ANSWER_WITHIN, "the proposed repair")
    for approver in APPROVERS:
        click = {"do": "click", "user": approver, "channel": channel, "message_ts": card["ts"], "action_id": "approve"}
        await box.slack.act(click)
        answered = partial(_moved, box, channel, approver)
        await box.slack.wait_for(answered, ANSWER_WITHIN, f"an answer to {approver}")
        for view in box.slack.state.modals.get(approver, []):
            await _type_the_name(box, approver, view)
        if _state(_card(box, channel)) != "open":
            break
    await box.slack.wait_for(lambda: _state(_card(box, channel)) == "verified", RECOVERY_WITHIN, "the recovery")
    await box.slack.wait_for(lambda: _told(box, channel), ANSWER_WITHIN, "the word on the recovery")


def _moved(box: Box, channel: str, approver: str) -> bool:
    """Whether something came of the press: a ruling, a count of approvals, or a form to fill in."""
    card = _card(box, channel)
    return bool(box.slack.state.modals.get(approver)) or _state(card) != "open" or "edited" in (card or {})


async def _type_the_name(box: Box, approver: str, view: Message) -> None:
    repair = box.scenario.expected.repair
    resource = (box.scenario.expected.resource or "").rpartition(":")[2]
    name = str(next(iter(repair.parameters.values()), resource)) if repair else resource
    block = next(b for b in view["blocks"] if b["type"] == "input")
    action = block["element"]["action_id"]
    typed = {block["block_id"]: {action: {"type": "plain_text_input", "value": name}}}
    await box.slack.act({"do": "submit", "user": approver, "view_id": view["id"], "values": typed})


def _concluded(box: Box, channel: str) -> Message | None:
    heads = _with_metadata(box, channel, "runbook_investigation")
    return next((m for m in heads if m["metadata"]["event_payload"].get("status") in FINAL), None)


def _said(box: Box, channel: str) -> bool:
    """Whether the verdict stands in the thread: the head message says it first."""
    payloads = [m["metadata"]["event_payload"] for m in _with_metadata(box, channel, "runbook_message")]
    return any(p["key"] in ("verdict", "failed") for p in payloads)


def _card(box: Box, channel: str) -> Message | None:
    """The first approval card."""
    return next(iter(_with_metadata(box, channel, "runbook_approval")), None)


def _told(box: Box, channel: str) -> bool:
    """Whether the note on the change says how it ended: it is edited after the card."""
    payloads = [m["metadata"]["event_payload"] for m in _with_metadata(box, channel, "runbook_message")]
    return any(p["key"].startswith("verified:") and p.get("state") == "verified" for p in payloads)


def _state(card: Message | None) -> str:
    return str(card["metadata"]["event_payload"]["state"]) if card else ""


def _with_metadata(box: Box, channel: str, event_type: str) -> list[Message]:
    return [m for m in box.slack.messages(channel) if (m.get("metadata") or {}).get("event_type") == event_type]


def _unexpected(box: Box, expected: Expected) -> list[str]:
    """What the world itself says against a good end."""
    state = box.cloud.state()
    if expected.repair is not None and not state.mended:
        return ["the world has not been mended"]
    return []
