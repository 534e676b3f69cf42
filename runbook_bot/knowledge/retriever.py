"""How two rankings become one: weighted reciprocal rank fusion, then a look at the titles and the services.

Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet", 2009. The weights were chosen on one half
of the alert texts of the public runbook collections; tests/benchmarks/test_retrieval.py prints both halves.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from runbook_bot.knowledge.terms import stems, terms

CANDIDATES = 50
"""Taken from each ranking."""
LEAST_SIMILARITY = 0.1
"""Cosine under which a passage has nothing to do with a question."""

_NEAR = 0.3
"""Share of the best one's points under which a passage is not taken."""
_KEYWORDS, _MEANING, _K = 1.5, 1.0, 10.0
_TITLE, _SERVICE = 0.2, 0.15
LARGEST = 1 + _TITLE + _SERVICE
"""What a document gets that is first everywhere."""
_BEST = (_KEYWORDS + _MEANING) / (_K + 1)


def fuse(keywords: Sequence[int], meaning: Sequence[int]) -> dict[int, float]:
    """Points of whatever is in one of the rankings, 1 for what is first in both."""
    points: dict[int, float] = {}
    for ranking, weight in ((keywords, _KEYWORDS), (meaning, _MEANING)):
        for rank, one in enumerate(dict.fromkeys(ranking), start=1):
            points[one] = points.get(one, 0.0) + weight / (_K + rank) / _BEST
    return points


def near_the_best(ranking: Sequence[tuple[int, float]], least: float = 0.0) -> list[int]:
    """Those of a ranking that come near its first one; what lies far behind is there by accident."""
    if not ranking:
        return []
    bar = max(least, _NEAR * ranking[0][1])
    return [one for one, points in ranking if points >= bar]


def title_bonus(question: str, title: str, worth: Callable[[str], float]) -> float:
    """How much of a title the question covers, rare words counting more."""
    asked = stems(question)
    words = {term: worth(term) for term in terms(title)}
    whole = sum(words.values())
    return _TITLE * sum(w for term, w in words.items() if stems(term) & asked) / whole if whole else 0.0


def service_bonus(named: Iterable[str], wanted: Collection[str]) -> float:
    """For a document that says that it is about one of the services in question."""
    return _SERVICE if any(name.casefold() in wanted for name in named) else 0.0


def rarity(spread: Mapping[str, int], passages: int) -> Callable[[str], float]:
    """What a term is worth where it stands in so many of so many passages."""
    return lambda term: math.log(1 + passages / (1 + spread.get(term, 0)))
