"""Untrusted text made harmless for the place where it is shown, and cut to fit there."""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from runbook_bot.domain.redaction import redact

ELLIPSIS = "…"
_FORMAT_KEPT = frozenset("\u200d\u200c")
"""Joiners that emoji and Persian need; every other invisible format character (bidi overrides among them) goes."""
_CANVAS_SPECIAL = re.compile(r"([\\|*_~`\[\]<>#!])")
_HERE = ("127.0.0.1", "localhost")
_SAFE_URL = re.compile(r"[^\s<>|\"'`]{1,2900}")


def clip(text: str, limit: int) -> str:
    """At most `limit` code points, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS


@lru_cache(maxsize=4096)
def tidy(text: str) -> str:
    """Without secrets, control characters, lone surrogates and invisible direction marks; line ends stay.

    The same few hundred texts are rendered again and again while an investigation runs.
    """
    kept = []
    for char in redact(text.replace("\r\n", "\n").replace("\r", "\n")):
        category = unicodedata.category(char)
        if char in "\n\t" or char in _FORMAT_KEPT:
            kept.append(char)
        elif category == "Cc":
            kept.append(" ")
        elif category not in ("Cf", "Cs"):
            kept.append(char)
    return "".join(kept)


def line(text: str, limit: int) -> str:
    """One tidy line for `plain_text`, where nothing is parsed."""
    return clip(" ".join(tidy(text).split()), limit)


def mrkdwn(text: str, limit: int) -> str:
    """One tidy line for `mrkdwn`: no mention, link or fence in it comes alive. `limit` counts after escaping."""
    return escaped(" ".join(tidy(text).split()), limit)


def escaped(text: str, limit: int) -> str:
    """`text` with Slack's three characters escaped, cut so that no escape is torn apart."""
    safe = text.replace("```", "'''")
    shown = _three(safe)
    cut = limit
    while len(shown) > limit:
        cut -= max(1, (len(shown) - limit) // 5)
        shown = _three(clip(safe, cut))
    return shown


def _three(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str | None, label: str) -> str:
    """A mrkdwn link, or the label alone where the address is not a plain https one. The label is our own word.

    On loopback, where the playground is, http will do.
    """
    if not url or not _SAFE_URL.fullmatch(url):
        return label
    parts = urlsplit(url)
    if not (parts.scheme == "https" and parts.hostname) and not (parts.scheme == "http" and parts.hostname in _HERE):
        return label
    return f"<{url.replace('&', '&amp;')}|{label}>"


def user(id: str) -> str:
    """A mention of a Slack user, or the plain words where it is no user id."""
    return f"<@{id}>" if re.fullmatch(r"[UW][A-Z0-9]{2,20}", id) else mrkdwn(id, 60) or "somebody"


def group(id: str) -> str:
    """A mention of a Slack user group."""
    return f"<!subteam^{id}>" if re.fullmatch(r"S[A-Z0-9]{2,20}", id) else mrkdwn(id, 60)


def moment(at: datetime) -> str:
    """A time in the reader's own zone, with UTC for clients that cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def clock(at: datetime) -> str:
    """`12:41 UTC`, for sentences and places that cannot render dates."""
    return f"{at:%H:%M} UTC"


def canvas(text: str, limit: int) -> str:
    """One tidy line for a canvas: no markdown in it comes alive."""
    return _CANVAS_SPECIAL.sub(r"\\\1", clip(" ".join(tidy(text).split()), limit))
