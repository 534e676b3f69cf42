"""What holds for all blocks of a message or view together: counts, totals and ids that may not occur twice."""

from collections.abc import Iterator
from typing import Any

from runbook_bot.playground.slack.blockkit.elements import INTERACTIVE
from runbook_bot.playground.slack.blockkit.rules import Findings

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_MARKDOWN = 12_000
MOST_TABLE_TEXT = 10_000
MOST_TEXT = 11_000
"""Undocumented total of a message: 9,597 characters were seen to pass and 11,341 to be refused."""

_OF_ONE_MESSAGE = {"data_visualization": 2, "table": 1}


def check_totals(blocks: list[Any], surface: str, at: str, findings: Findings) -> None:
    """Note every total that the blocks exceed and every id that they use twice."""
    most = MOST_BLOCKS[surface]
    if len(blocks) > most:
        findings.note(at, f"no more than {most} items allowed")
    known = [block for block in blocks if isinstance(block, dict)]
    for kind, count in _OF_ONE_MESSAGE.items():
        if sum(1 for block in known if block.get("type") == kind) > count:
            findings.note(at, f"no more than {count} {kind} blocks allowed")
    markdown = sum(len(str(block.get("text", ""))) for block in known if block.get("type") == "markdown")
    if markdown > MOST_MARKDOWN:
        findings.note(at, f"markdown blocks must be less than {MOST_MARKDOWN + 1} characters in total")
    tables = sum(text_length(block) for block in known if block.get("type") in ("table", "data_table"))
    if tables > MOST_TABLE_TEXT:
        findings.note(at, f"tables must be less than {MOST_TABLE_TEXT + 1} characters in total")
    _check_ids(blocks, at, findings)


def text_length(value: object) -> int:
    """The characters of every `text` string at any depth."""
    if isinstance(value, list):
        return sum(text_length(one) for one in value)
    if not isinstance(value, dict):
        return 0
    own = len(value["text"]) if isinstance(value.get("text"), str) else 0
    return own + sum(text_length(one) for one in value.values())


def total_text(blocks: list[Any]) -> int:
    """The characters of a message that count towards `msg_blocks_too_long`: all but markdown and tables."""
    apart = ("markdown", "table", "data_table")
    return sum(text_length(block) for block in blocks if isinstance(block, dict) and block.get("type") not in apart)


def walk(value: object, at: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object inside `value` with its JSON pointer, the outer before the inner."""
    if isinstance(value, dict):
        yield value, at
        for name, one in value.items():
            yield from walk(one, f"{at}/{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from walk(one, f"{at}/{index}")


def _check_ids(blocks: list[Any], at: str, findings: Findings) -> None:
    seen: set[str] = set()
    for found, where in walk(blocks, at):
        name = found.get("block_id")
        if isinstance(name, str) and name:
            if name in seen:
                findings.note(f"{where}/block_id", f"block_id {name} already exists")
            seen.add(name)
        for inner in (found.get("elements"), found.get("actions")):
            _check_actions(inner, where, findings)


def _check_actions(elements: object, at: str, findings: Findings) -> None:
    seen: set[str] = set()
    for index, element in enumerate(elements if isinstance(elements, list) else []):
        if not isinstance(element, dict) or str(element.get("type")) not in INTERACTIVE:
            continue
        name = element.get("action_id")
        if isinstance(name, str):
            if name in seen:
                findings.note(f"{at}/elements/{index}/action_id", f"action_id {name} already exists in this block")
            seen.add(name)
