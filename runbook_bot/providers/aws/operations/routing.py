"""From words to typed operations: by their phrases, sentences and fields, and by what the service graph knows."""

from collections.abc import Sequence

from runbook_bot.domain.asking import Question, Route
from runbook_bot.providers.aws.operations.filling import filled, kinds_of, services_of
from runbook_bot.providers.aws.operations.matching import Fit, fits
from runbook_bot.providers.aws.operations.operation import Operation

MOST = 5
LEAST = 0.3
"""Scores below it are chance."""


def routes(question: Question, operations: Sequence[type[Operation]]) -> list[Route]:
    """The operations that the question may mean, likeliest first, each with its arguments filled in."""
    words = _without_names(question)
    found = fits(words, tuple(operations), services_of(question.resources), kinds_of(question.resources))
    return [_route(each, question) for each in found[:MOST] if each.score >= LEAST]


def _route(fit: Fit, question: Question) -> Route:
    ready = filled(fit.operation, question)
    return Route(
        kind=fit.operation.kind,
        what=" ".join((fit.operation.__doc__ or "").split()),
        phrase=fit.phrase,
        score=round(fit.score, 4),
        own=fit.own,
        whole=fit.whole,
        queries=tuple(ready.queries),
        missing=ready.missing,
        left_out=ready.left_out,
    )


def _without_names(question: Question) -> str:
    """The text without the names of what it is about: they are no words."""
    text = question.text
    names = {*question.services, *(each.name for each in question.resources)}
    for name in sorted(names, key=lambda each: -len(each)):
        at = text.casefold().find(name.casefold()) if name else -1
        if at >= 0:
            text = f"{text[:at]} {text[at + len(name) :]}"
    return text
