"""The claim linter: every number, identifier and time in a text has to stand in the evidence, or the sentence goes."""

import re
from collections.abc import Iterable

from runbook_bot.domain.investigation import Investigation

_WORD = re.compile(r"[\w.,:-]*\d[\w.,:-]*")
"""A word with a figure in it: `212`, `12:04`, `2.4.1`, `H2`, `orders:42`."""
_NUMBER = re.compile(r"\d[\d.,:]*")
_BESIDE = ".,:-"


def _claims(text: str) -> set[str]:
    return {_plain(word) for word in _WORD.findall(text)}


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
    if case.changes is not None:
        texts += [change.model_dump_json() for change in case.changes.changes]
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
