"""Keeps secrets out of what is shown of a configuration, and still shows that one has changed."""

import re

from runbook_bot.domain.redaction import redact, sensitive

HIDDEN = "[redacted]"
HIDDEN_OTHER = "[redacted, another value]"

_SECRET_NAME = re.compile(r"passw|passphrase|secret|private_?key|(?:^|_)(?:salt|webhook|dsn)(?:_|$)", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"^(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9+/_=-]{32,}$")
_IMAGE_OR_ARN = re.compile(r"^arn:|/|:")


def is_secret(name: str, value: str) -> bool:
    """Whether the whole value has to stay out of sight, by its name or by how it looks."""
    if sensitive(name) or _SECRET_NAME.search(name):
        return "://" not in value
    return bool(_SECRET_VALUE.match(value)) and not _IMAGE_OR_ARN.search(value)


def shown(name: str, value: str) -> str:
    """The value as it may be shown: hidden, or with only the secret inside it hidden."""
    return HIDDEN if value and is_secret(name, value) else redact(value)


def shown_pair(name: str, before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Both values as they may be shown, still telling that they differ."""
    first = None if before is None else shown(name, before)
    second = None if after is None else shown(name, after)
    if first is not None and first == second and before != after:
        second = HIDDEN_OTHER if second == HIDDEN else f"{second} (another secret)"
    return first, second
