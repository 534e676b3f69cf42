"""Block Kit as Slack enforces it: `validate` says what is wrong with blocks, `validate_view` with a modal or Home.

This is our reading of Slack's documents, strict where they disagree; Slack's own `blocks.validate` is the last judge.
"""

from typing import Any

from runbook_bot.playground.slack.blockkit.composition import plain_text
from runbook_bot.playground.slack.blockkit.layout import BLOCKS, Surface
from runbook_bot.playground.slack.blockkit.rules import Findings, boolean, shape, string
from runbook_bot.playground.slack.blockkit.totals import MOST_TEXT, check_totals, total_text

__all__ = ["MOST_TEXT", "Surface", "total_text", "validate", "validate_metadata", "validate_view"]

_SHARED = {
    "callback_id": string(255),
    "private_metadata": string(3000),
    "external_id": string(255),
    "blocks": lambda *_: None,
    "clear_on_close": boolean,
    "notify_on_close": boolean,
}
_MODAL = shape(
    {"title": plain_text(24), "blocks": lambda *_: None},
    {**_SHARED, "submit": plain_text(24), "close": plain_text(24), "submit_disabled": boolean},
    type="modal",
)
_HOME = shape({"blocks": lambda *_: None}, _SHARED, type="home")
_MOST_VIEW = 250_000


def validate(blocks: object, surface: Surface, at: str = "/blocks") -> list[str]:
    """One line for each fault of `blocks` on a surface, ending in Slack's JSON pointer; empty when Slack takes them."""
    findings = Findings()
    if not isinstance(blocks, list):
        findings.note(at, "must be an array")
        return findings.lines
    for index, block in enumerate(blocks):
        _check_block(block, surface, f"{at}/{index}", findings)
    check_totals(blocks, surface, at, findings)
    return findings.lines


def _check_block(block: object, surface: Surface, at: str, findings: Findings) -> None:
    if not isinstance(block, dict):
        findings.note(at, "must be an object")
        return
    kind = BLOCKS.get(block["type"]) if isinstance(block.get("type"), str) else None
    if kind is None:
        findings.note(f"{at}/type", f"unsupported type: {block.get('type')}")
        return
    if surface not in kind.surfaces:
        findings.note(f"{at}/type", f"unsupported type on this surface ({surface}): {block['type']}")
    kind.rule(block, at, findings)


def validate_view(view: object, at: str = "/view") -> list[str]:
    """One line for each fault of a modal or Home view, its blocks included."""
    findings = Findings()
    if not isinstance(view, dict):
        findings.note(at, "must be an object")
        return findings.lines
    if view.get("type") not in ("modal", "home"):
        findings.note(f"{at}/type", f"unsupported type: {view.get('type')}")
        return findings.lines
    modal = view["type"] == "modal"
    (_MODAL if modal else _HOME)(view, at, findings)
    blocks: list[Any] = view["blocks"] if isinstance(view.get("blocks"), list) else []
    if modal and not view.get("submit") and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks):
        findings.note(at, "missing required field: submit (a modal with input blocks needs it)")
    if len(str(view)) > _MOST_VIEW:
        findings.note(at, f"must be less than {_MOST_VIEW + 1} characters")
    return findings.lines + validate(view.get("blocks"), "modal" if modal else "home", f"{at}/blocks")


def validate_metadata(metadata: object) -> list[str]:
    """One line for each fault of message metadata: an event_type, and an object of plain values as its payload."""
    findings = Findings()

    def payload(value: object, at: str, found: Findings) -> None:
        if not isinstance(value, dict):
            found.note(at, "must be an object")

    shape({"event_type": string(255, 1), "event_payload": payload})(metadata, "/metadata", findings)
    return findings.lines
