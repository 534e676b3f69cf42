"""How well a sentence fits the phrases by which people mean an operation: words counted by how telling they are."""

import difflib
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from runbook_bot.providers.aws.operations.operation import Operation

MOST_WORDS = 60
"""Different words of a question that count; more is no question."""
_MOST_TYPOS = 8
_WORD = re.compile(r"[^\W_]+")
_SAYS_NOTHING = (
    "the a an of in on for to is are was were be been do does did me my our we us you i it its this that these those "
    "show list give tell get find see please can could would should will what which whats s any all some there here "
    "and or with at by from as into about how much many have has had now current currently out up per"
)
_EMPTY = frozenset(_SAYS_NOTHING.split())
_SAME = {
    "db": "database", "databases": "database", "lb": "balancer", "alb": "balancer", "nlb": "balancer",
    "elb": "balancer", "sg": "security", "certs": "certificate", "cert": "certificate", "fn": "function",
    "env": "environment", "perms": "permission", "dlq": "dead", "asg": "autoscaling", "died": "stop", "killed": "kill",
}  # fmt: skip
_ASKING = frozenset({"who", "whom", "why", "when", "where", "whose"})
"""They stand in a phrase and say little of it."""
ALIASES: Mapping[str, tuple[str, ...]] = {
    "elbv2": ("elb", "balancer", "target"),
    "rds": ("aurora", "postgres", "mysql", "database"),
    "pi": ("rds", "database"),
    "events": ("eventbridge",),
    "stepfunctions": ("step", "sfn"),
    "secretsmanager": ("secret",),
    "ssm": ("parameter",),
    "ce": ("cost",),
    "logs": ("cloudwatch", "log"),
    "application-signals": ("signals", "slo"),
    "apigateway": ("api", "gateway"),
    "apigatewayv2": ("api", "gateway"),
}
"""What else people call a service."""


@dataclass(frozen=True)
class Fit:
    """One operation against one sentence."""

    operation: type[Operation]
    phrase: str
    score: float
    own: frozenset[str]
    """The telling words of the phrase that were said, in whichever form."""
    whole: bool


def stems(text: str) -> list[str]:
    """The stems of the telling words, in order, each once; of all words where none is telling."""
    return list(dict.fromkeys(_stem(word) for word in _telling(text)))


def _telling(text: str) -> list[str]:
    found = _WORD.findall(text.casefold())
    return [word for word in found if word not in _EMPTY] or found


def _stem(word: str) -> str:
    """What the forms of a word have in common: `stop` of stopped, stops and stopping; no word by itself."""
    word = _singular(_SAME.get(word, word))
    root = next(
        (word.removesuffix(end) for end in ("ing", "ed") if len(word) > len(end) + 3 and word.endswith(end)), ""
    )
    if root and root[-1] == root[-2] and root[-1] not in "ls":
        root = root[:-1]
    root = root or word
    return root[:-1] if len(root) > 4 and root.endswith("e") else root


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@dataclass(frozen=True)
class _Known:
    """What is worked out once for all operations."""

    phrases: Mapping[type[Operation], Sequence[tuple[str, frozenset[str]]]]
    background: Mapping[type[Operation], frozenset[str]]
    weights: Mapping[str, float]
    services: frozenset[str]


@cache
def _known(operations: tuple[type[Operation], ...]) -> _Known:
    phrases = {each: [(phrase, frozenset(stems(phrase))) for phrase in each.words] for each in operations}
    background = {each: frozenset(_around(each)) for each in operations}
    spread = Counter(word for each in operations for word in frozenset().union(*(own for _, own in phrases[each])))
    weights = {word: math.log(1 + len(operations) / times) * (0.25 if word in _ASKING else 1.0)
               for word, times in spread.items()}  # fmt: skip
    services = frozenset(word for each in operations for word in _names(each))
    return _Known(phrases, background, weights, services)


def _names(operation: type[Operation]) -> list[str]:
    return [*_WORD.findall(operation.service), *ALIASES.get(operation.service, ())]


def _around(operation: type[Operation]) -> Iterable[str]:
    """Words that go with it and do not make it."""
    yield from _names(operation)
    yield from stems(operation.kind.replace(".", " ").replace("_", " "))
    yield from stems((operation.__doc__ or "")[:400])
    for name in operation.model_fields:
        yield from stems(name.replace("_", " "))


def fits(
    text: str, operations: tuple[type[Operation], ...], concerned: Collection[str] = (), implied: Collection[str] = ()
) -> list[Fit]:
    """Every operation that the sentence may mean, best first.

    concerned: the AWS services of the resources that the sentence names; others are less likely.
    implied: what those resources are, such as `database`: it counts as said where a phrase has it.
    """
    if not operations:
        return []
    known = _known(operations)
    lowered = text.casefold()[:4000]
    spoken = {_SAME.get(word, word) for word in _WORD.findall(lowered)}
    flat = f" {' '.join(_WORD.findall(lowered))} "
    said = _meant(stems(text[:4000])[:MOST_WORDS], known)
    if not said:
        return []
    strange = max(known.weights.values()) / 3
    kinds = frozenset(stem for each in implied for stem in stems(each))
    weight = {word: known.weights.get(word, strange) for word in said | kinds}
    total = sum(weight[word] for word in said)
    named = known.services & (spoken | said)
    found = []
    for each in operations:
        tried = [
            _fit(each, phrase, own, said | (own & kinds), weight, total, known)
            for phrase, own in known.phrases[each]
            if own & said
        ]
        described = _described(each, weight, total, known)
        best = max((*tried, described), key=lambda fit: (fit.score, _literal(fit, flat)))
        if best.score > 0:
            found.append(_placed(replace(best, own=best.own & said), _literal(best, flat), named, concerned))
    return sorted(found, key=lambda fit: (-fit.score, fit.operation.kind))


def _literal(fit: Fit, flat: str) -> bool:
    """Whether the text has the phrase word by word."""
    return f" {' '.join(_WORD.findall(fit.phrase))} " in flat


def _described(operation: type[Operation], weight: Mapping[str, float], total: float, known: _Known) -> Fit:
    """No phrase of it is said, and its sentence or fields speak of the same: near enough to be offered."""
    shared = sum(size for word, size in weight.items() if word in known.background[operation])
    return Fit(operation, operation.words[0], 0.5 * shared / total, frozenset(), whole=False)


def _meant(words: Sequence[str], known: _Known) -> frozenset[str]:
    """The words, small slips of the finger mended."""
    vocabulary = known.weights.keys()
    mended = []
    slips = 0
    for word in words:
        if word in vocabulary or len(word) < 5 or slips >= _MOST_TYPOS:
            mended.append(word)
            continue
        slips += 1
        mended += difflib.get_close_matches(word[:40], vocabulary, n=1, cutoff=0.84) or [word]
    return frozenset(mended)


def _fit(
    operation: type[Operation],
    phrase: str,
    own: frozenset[str],
    said: frozenset[str],
    weight: Mapping[str, float],
    total: float,
    known: _Known,
) -> Fit:
    """How much of the phrase is said, and how much of what is said belongs to it."""
    both = own & said
    covered = sum(weight[word] for word in both) / (sum(known.weights[word] for word in own) or 1.0)
    beside = sum(weight[word] for word in (said - own) & known.background[operation])
    explained = (sum(weight[word] for word in both) + beside / 2) / total
    part = 0.4 if len(own) == 1 else 0.75
    score = part * covered * covered + (1 - part) * min(1.0, explained) if both and covered >= 0.4 else 0.0
    return Fit(operation, phrase, score, both, both == own)


def _placed(fit: Fit, literal: bool, named: Collection[str], concerned: Collection[str]) -> Fit:
    """Less likely where another service is named, or what is named is of another one, or the words are turned about."""
    others = bool(named) and not literal and not (set(_names(fit.operation)) & set(named))
    strange = bool(concerned) and fit.operation.service not in concerned
    factor = (0.9 if others else 1.0) * (0.95 if strange else 1.0) * (1.0 if literal else 0.96)
    own = frozenset(word for word in _telling(fit.phrase) if _stem(word) in fit.own)
    return Fit(fit.operation, fit.phrase, fit.score * factor, own, fit.whole)
