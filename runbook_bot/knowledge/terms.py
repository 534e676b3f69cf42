"""Which terms a text is made of: identifiers taken apart, plurals cut, empty words left out."""

import re

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_LONGEST = 64
_EMPTY = frozenset(
    """
    an and are as at be been but by can for from has have if in into is it its may more no not of on or other than that
    the their them there these they this to was were which will with your you when
    """.split()  # noqa: SIM905  # words, not code: read and changed as words
)


def terms(text: str) -> list[str]:
    """The terms of a text in their order: `KubePodNotReady`, `kube_pod_not_ready` and `kube-pod-not-ready` are equal.

    One letter or digit alone says nothing; scripts without capitals keep their words whole.
    """
    found: list[str] = []
    for word in _WORD.findall(text):
        parts = _PART.findall(word) if word.isascii() else [word]
        found.extend(_singular(part.lower()) for part in parts if 1 < len(part) <= _LONGEST)
    return [term for term in found if term not in _EMPTY]


def stems(text: str) -> set[str]:
    """The terms of a text without the endings of verbs, for comparing a title with a question."""
    return {_uninflected(term) for term in terms(text)}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _uninflected(term: str) -> str:
    for ending in ("ing", "ed"):
        if term.endswith(ending) and len(term) - len(ending) >= 4:
            return term[: -len(ending)]
    return term
