"""Log lines as templates: what is new, what surges, what has gone quiet around a moment.

A template is a line with its variable parts masked, the idea of Drain (He et al., ICWS 2017) without its tree: one
regular expression a line, memory bounded by the number of different templates kept.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from runbook_bot.domain.observation import LogLine

_VARIABLE = re.compile(
    r"""(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?)
      | (?P<uuid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
      | (?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b)
      | (?P<hex>\b(?=[0-9a-fA-F]*\d)(?:0x)?[0-9a-fA-F]{8,}\b)
      | (?P<id>\b(?=[\w-]*\d)[a-z]+[-_][\w-]*\d[\w-]*\b)
      | (?P<number>(?<![A-Za-z_])[-+]?\d+(?:\.\d+)?(?:ms|s|kb|mb|gb|%)?(?![A-Za-z_]))""",
    re.VERBOSE | re.IGNORECASE,
)
LONGEST = 400
"""Characters of a line that count; what follows is the same story (stack traces, payloads)."""
MOST = 5000
"""Different templates that are kept, and as many again of complaints; later ones are counted together as `…`."""
TROUBLE = re.compile(
    r"error|exception|fail|fatal|panic|timed? ?out|refused|denied|exhaust|unavailable|reset|killed|\b5\d\d\b|"
    r"traceback|abort|throttl|too many|cannot|unable|expired|invalid|deadline|\bslow|\bretry|\bWARN|degraded|not found",
    re.IGNORECASE,
)
"""What a complaint reads like."""


@dataclass(frozen=True)
class Template:
    """One kind of line, how often it came before and after the moment, and one of them as it was."""

    text: str
    before: int
    after: int
    exemplar: str
    trouble: bool
    """Whether it reads like a complaint (error, exception, refused, …)."""


def template(line: str) -> str:
    """The line with its variable parts masked."""
    return _masked(line[:LONGEST])


@lru_cache(maxsize=20_000)
def _masked(line: str) -> str:
    """Remembered: each hypothesis about a service looks at the same lines."""
    return _VARIABLE.sub(lambda m: f"<{m.lastgroup}>", line)


def templates(lines: Iterable[LogLine], moment: float) -> list[Template]:
    """All kinds of line, those with the largest change first. `moment` is in epoch seconds."""
    counts: dict[str, list[int]] = {}
    exemplars: dict[str, str] = {}
    for line in lines:
        kind = template(line.text)
        if kind not in counts and len(counts) >= MOST and (len(counts) >= 2 * MOST or not TROUBLE.search(line.text)):
            kind = "…"
        counts.setdefault(kind, [0, 0])[line.at.timestamp() >= moment] += 1
        exemplars[kind] = line.text
    found = [Template(k, b, a, exemplars[k], bool(TROUBLE.search(exemplars[k]))) for k, (b, a) in counts.items()]
    return sorted(found, key=lambda each: (-abs(each.after - each.before), each.text))


def novel(found: Iterable[Template], *, before_minutes: float, after_minutes: float) -> list[Template]:
    """Complaints that are new, or at least five times as frequent, after the moment; rates are per minute."""
    news = []
    for each in found:
        rate_before = each.before / max(before_minutes, 1.0)
        rate_after = each.after / max(after_minutes, 1.0)
        if each.trouble and each.after >= 3 and rate_after >= 5 * rate_before:
            news.append(each)
    return news
