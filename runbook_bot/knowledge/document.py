"""What a document is once it was read: its title, what it is about, its parts, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Literal, get_args

from runbook_bot.domain.knowledge import KnowledgeKind
from runbook_bot.domain.vocabulary import FailureMode

KINDS: tuple[KnowledgeKind, ...] = get_args(KnowledgeKind)
KEYS = ("title", "kind", "services", "failure_modes", "tags", "updated")
_LONGEST_WORD = 100
_MOST_WORDS = 50


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file, in one line. `error`: it cannot be used as it was meant."""

    file: str
    line: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Part:
    """A piece of a document that is found and shown as one."""

    heading: str
    text: str
    line: int


@dataclass(frozen=True)
class Document:
    title: str
    kind: KnowledgeKind
    parts: tuple[Part, ...]
    steps: tuple[str, ...] = ()
    """What to do about it, in order, as text."""
    services: tuple[str, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
    tags: tuple[str, ...] = ()
    updated: datetime | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Those of its problems that keep it from being used as it was meant."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def subject(self) -> str:
        """What its author says that it is about, as words to search in."""
        return " ".join((*self.services, *self.failure_modes, *self.tags))


@dataclass
class About:
    """What the head of a document says about it, read key by key; what is wrong is noted and left out."""

    file: str
    said: Mapping[object, object]
    lines: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)

    def title(self) -> str:
        title = self.said.get("title")
        if title is None:
            return ""
        if not isinstance(title, str | int | float):
            self._complain("title", "title must be text")
            return ""
        return " ".join(str(title).split())[:200]

    def kind(self) -> KnowledgeKind:
        said = self.said.get("kind")
        if said is None:
            return kind_of(self.file)
        for kind in KINDS:
            if said == kind:
                return kind
        self._complain("kind", f"unknown kind {_shown(said)}; one of {', '.join(KINDS)}")
        return kind_of(self.file)

    def failure_modes(self) -> tuple[FailureMode, ...]:
        modes = []
        for word in self.words("failure_modes"):
            if word in FailureMode.__members__:
                modes.append(FailureMode(word))
                continue
            near = get_close_matches(word, FailureMode.__members__, n=1)
            self._complain("failure_modes", f"unknown failure mode {_shown(word)}" + _perhaps(near))
        return tuple(dict.fromkeys(modes))

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words, or one word alone."""
        said = self.said.get(key)
        if said is None:
            return ()
        listed = said if isinstance(said, list) else [said]
        if not all(isinstance(word, str | int | float) for word in listed):
            self._complain(key, f"{key} must be a list of words")
            return ()
        return tuple(dict.fromkeys(str(word).strip()[:_LONGEST_WORD] for word in listed[:_MOST_WORDS]))

    def updated(self) -> datetime | None:
        said = self.said.get("updated")
        if said is None:
            return None
        if isinstance(said, datetime):
            return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
        if isinstance(said, date):
            return datetime(said.year, said.month, said.day, tzinfo=UTC)
        self._complain("updated", "updated must be a date such as 2026-11-24")
        return None

    def misspelt(self) -> None:
        """Note keys that look like one of ours; others are somebody else's and none of our business."""
        for key in self.said:
            if isinstance(key, str) and key not in KEYS:
                near = get_close_matches(key.replace("-", "_"), KEYS, n=1, cutoff=0.85)
                if near and near[0] not in self.said:
                    self._complain(key, f"unknown key {_shown(key)}" + _perhaps(near))

    def _complain(self, key: str, message: str) -> None:
        self.problems.append(Problem(self.file, self.lines.get(key, 1), message))


def kind_of(file: str) -> KnowledgeKind:
    """What the path of a document says about its kind, where the document itself says nothing."""
    path = file.lower().replace("-", "").replace("_", "").replace(" ", "")
    if "postmortem" in path:
        return "postmortem"
    if "knownissue" in path:
        return "known_issue"
    if "architecture" in path:
        return "architecture"
    return "runbook"


def _shown(said: object) -> str:
    return repr(str(said)[:60])


def _perhaps(near: list[str]) -> str:
    return f"; did you mean {near[0]}?" if near else ""
