"""The catalogue of failure modes, as it is read from `failure_modes.yaml`."""

from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from runbook_bot.domain.hypothesis import Expectation
from runbook_bot.domain.observation import ChangeKind
from runbook_bot.domain.vocabulary import FailureMode, Repair, ResourceType, Signal

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Several times as fast where libyaml is there."""

Whose = Literal["self", "callers", "service", "dependency"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Suggestion(_Part):
    """A line of the context that makes the mode worth testing; it multiplies the prior."""

    moved: Signal | None = None
    to: Literal["rises", "falls"] = "rises"
    changed: tuple[ChangeKind, ...] = ()
    dependency: Literal["first", "outside"] | None = None
    times: float = Field(gt=0)


class Template(_Part):
    """A prediction before it is known for which service and resource."""

    about: Literal[
        "metric", "logs", "events", "changes", "mechanism", "state", "symptom", "vitals", "dependencies", "history"
    ]
    of: Whose = "self"
    types: tuple[ResourceType, ...] = ()
    signal: Signal | None = None
    signals: tuple[Signal, ...] = ()
    limit: float | None = None
    ratio: float | None = None
    words: tuple[str, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    fact: str = ""
    expect: Expectation
    seen: float = Field(gt=0)
    unseen: float = Field(gt=0)
    group: str = ""
    text: str


class Mend(_Part):
    do: Repair
    of: Literal["self", "callers"] = "self"


class Mode(_Part):
    """One failure mode: see the head of `failure_modes.yaml` for each key."""

    strikes: tuple[ResourceType, ...]
    prior: float = Field(gt=0, le=1)
    statement: str
    suggested_by: tuple[Suggestion, ...] = ()
    unsuggested: float = Field(ge=0, le=1)
    predicts: tuple[Template, ...]
    caused_by: tuple[FailureMode, ...] = ()
    yields_to: tuple[FailureMode, ...] = ()
    literal: bool = False
    cause_in: Literal["self", "callers"] = "self"
    repairs: tuple[Mend, ...] = ()


@cache
def modes() -> dict[FailureMode, Mode]:
    """The whole catalogue. Raises `pydantic.ValidationError` where the file is not as it should be."""
    text = resources.files(__package__).joinpath("failure_modes.yaml").read_text("utf-8")
    raw = yaml.load(text, _LOADER)  # noqa: S506  # both are safe loaders
    return {FailureMode(name): Mode.model_validate(each) for name, each in raw.items()}


def telling(report: str) -> bool:
    """Whether a vendor's report speaks of a failure mode, and not of a backup or of business as usual."""
    said = report.casefold()
    return any(word in said for word in _event_words())


@cache
def _event_words() -> frozenset[str]:
    templates = [t for mode in modes().values() for t in mode.predicts if t.about == "events"]
    return frozenset(word.casefold() for t in templates for word in t.words)


def literal(complaint: str) -> FailureMode | None:
    """The mode that a complaint names outright (an expired certificate, a name that does not resolve), if it does."""
    said = complaint.casefold()
    for failure, wanted in _literal_words().items():
        if any(word in said for word in wanted):
            return failure
    return None


@cache
def _literal_words() -> dict[FailureMode, tuple[str, ...]]:
    return {
        failure: tuple(w.casefold() for t in mode.predicts if t.about == "logs" for w in t.words)
        for failure, mode in modes().items()
        if mode.literal
    }
