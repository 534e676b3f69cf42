"""For which investigation the present task works, and whether an answer of a moment ago will do.

Whoever begins something says it once; whatever is called from there, however deep, can look it up. Nothing follows from
it for what is asked, only for who is seen to ask (the name of a role's session) and whether memory may answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Errand:
    """Why something is asked."""

    investigation: str = ""
    afresh: bool = False
    """Only what is read now counts: after a change, and before one."""


_present: ContextVar[Errand] = ContextVar("errand", default=Errand())  # noqa: B039  # frozen, so it can be shared


def errand() -> Errand:
    return _present.get()


@contextmanager
def on_behalf_of(investigation: str) -> Iterator[None]:
    """Everything asked inside is asked for that investigation."""
    with _being(replace(errand(), investigation=investigation)):
        yield


@contextmanager
def reading_afresh() -> Iterator[None]:
    """Nothing asked inside is answered from memory."""
    with _being(replace(errand(), afresh=True)):
        yield


@contextmanager
def _being(changed: Errand) -> Iterator[None]:
    token = _present.set(changed)
    try:
        yield
    finally:
        _present.reset(token)
