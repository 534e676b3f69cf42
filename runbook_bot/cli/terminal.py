"""Text on a terminal: nothing that came from outside may move the cursor, ring, recolour or retitle."""

import json
import re
import sys
import unicodedata
from typing import Any

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # cursor and colour
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07|\x9c|$)"  # titles, links, device strings
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b.?",
    re.DOTALL,
)


def plain(text: str) -> str:
    """The text on one line, without escape sequences, control and bidirectional-override characters."""
    text = _SEQUENCE.sub("", text)
    kept = (" " if each.isspace() else each for each in text if each.isspace() or _visible(each))
    return " ".join("".join(kept).split())


def drawn(text: str) -> str:
    """One line of a drawing: as `plain`, with the spaces that it is made of."""
    return "".join(each for each in _SEQUENCE.sub("", text) if _visible(each))


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn") or character == "\u200d"


def shortened(text: str, length: int) -> str:
    """At most `length` characters, an ellipsis where something was left out."""
    text = plain(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def typed() -> bytes:
    """What stands on standard input, to its end."""
    return sys.stdin.buffer.read()


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def say_json(value: Any) -> None:
    """A JSON value on standard output, and nothing else."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"runbook-bot: {plain(text)}\n")
