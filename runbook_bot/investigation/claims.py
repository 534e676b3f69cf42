"""The claim linter: every number, identifier and time in a text has to stand in the evidence, or the sentence goes."""

import re
from collections.abc import Iterable

from runbook_bot.domain.investigation import Investigation

_CLAIM = re.compile(r"\d[\d.,:]*\d|\d")


def _tokens(text: str) -> set[str]:
    return {token.replace(",", "").rstrip(".:") for token in _CLAIM.findall(text)}


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
    return _tokens("\n".join(texts))


def sound(sentences: Iterable[str], known: set[str]) -> tuple[list[str], int]:
    """The sentences whose claims are all known, and how many were struck."""
    kept, struck = [], 0
    for sentence in sentences:
        if _tokens(sentence) <= known:
            kept.append(sentence)
        else:
            struck += 1
    return kept, struck
