"""The claim linter: every number, identifier and time in a text has to stand in the evidence, or the sentence goes."""

import re
from collections.abc import Iterable

from runbook_bot.domain.investigation import Investigation

_WORD = re.compile(r"[\w.,:-]*\d[\w.,:-]*")
"""A word with a figure in it: `212`, `12:04`, `2.4.1`, `H2`, `orders:42`."""
_NUMBER = re.compile(r"\d[\d.,:]*")
_BESIDE = ".,:-/"
_NAME = re.compile(r"[^\W\d_]\w*(?:[-_/.]\w+)+")
"""What looks like the name of a thing: `reviews-db`, `prod/cart`, `environment.POOL_SIZE`."""
ORDINARY = re.compile(
    r"(re|pre|post|non|co|sub|over|under|self|half|long|short|high|low|well|multi|single|cross|up|down|out|in|read|write|"
    r"time|roll|follow|end|back|set|built|one|two|three|new|old|full|near|so|third|first|last|so)-\w+(-\w+)?|"
    r"(and|either|his)/\w+|e\.g|i\.e",
    re.IGNORECASE,
)
"""Words of the language that are written like names."""


def _claims(text: str) -> set[str]:
    """The words with figures, and the names of things."""
    return {_plain(word) for word in _WORD.findall(text)} | _names(text)


def _names(text: str) -> set[str]:
    """Those without a figure; the others are among the words with one."""
    found = (each for each in _NAME.findall(text) if not ORDINARY.fullmatch(each))
    return {each.casefold() for each in found if not any(c.isdigit() for c in each)}


def _plain(word: str) -> str:
    return word.strip(_BESIDE).replace(",", "")


def _grounds(text: str) -> set[str]:
    """Words as they stand, and the bare numbers in them: what was read as `31ms` may be said as `31 ms`."""
    words = _claims(text)
    return words | {_plain(number) for word in words for number in _NUMBER.findall(word)}


def grounds(case: Investigation) -> set[str]:
    """All numbers, ids and times that this investigation has read."""
    texts: list[str] = [case.request.text]
    for evidence in case.evidence.values():
        texts += [evidence.summary, str(evidence.numbers), str(evidence.query), evidence.expected]
    if case.symptom is not None:
        texts.append(case.symptom.model_dump_json())
    texts += [note.text for note in case.notes]
    if case.knowledge is not None:
        texts.append(case.knowledge.message)
    if case.changes is not None:
        texts += [case.changes.message, *(change.model_dump_json() for change in case.changes.changes)]
    if case.graph is not None:
        texts += [service.model_dump_json() for service in case.graph]
    if case.incident is not None:
        texts.append(case.incident.model_dump_json())
    return _grounds("\n".join(texts)) | set(case.hypotheses) | set(case.evidence)


def sound(sentences: Iterable[str], known: set[str]) -> tuple[list[str], int]:
    """The sentences whose claims are all known, and how many were struck."""
    kept, struck = [], 0
    for sentence in sentences:
        if _claims(sentence) <= known:
            kept.append(sentence)
        else:
            struck += 1
    return kept, struck
