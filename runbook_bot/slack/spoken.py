"""What a person typed, as plain words: Slack's own markup undone, the bot's name taken out."""

import re
import unicodedata

LIMIT = 12_000
"""Code points of a description that are kept; more than any alert needs and all that Slack lets one type."""
_LINK = re.compile(r"<(https?://[^|>\s]+)(?:\|[^>]*)?>")
_MAIL = re.compile(r"<mailto:([^|>\s]+)(?:\|[^>]*)?>")
_NAMED = re.compile(r"<([@#!])([A-Za-z0-9^]+)\|([^>]*)>")
_BARE = re.compile(r"<([@#!])([A-Za-z0-9^]+)>")
_HYPOTHESIS = re.compile(r"\b[Hh](\d+(?:\.\d+){0,3})\b")


def words(text: str, bot_user: str = "") -> str:
    """The text without markup, mentions of the bot and control characters; line ends stay, ends are stripped."""
    if bot_user:
        text = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^>]*)?>", " ", text)
    text = _MAIL.sub(r"\1", _LINK.sub(r"\1", text))
    text = _BARE.sub(r"\1\2", _NAMED.sub(lambda found: f"{_sign(found[1])}{found[3] or found[2]}", text))
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    kept = (char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs") else " " for char in text)
    return "".join(kept).strip()


def _sign(mark: str) -> str:
    return "" if mark == "!" else mark


def hypothesis(text: str) -> str:
    """The first hypothesis id in a text (`why h2.1?` → `H2.1`), or ""."""
    found = _HYPOTHESIS.search(text)
    return f"H{found[1]}" if found else ""
