"""What the team has written down, as it was found for an investigation."""

from typing import Literal

from runbook_bot.domain.noun import Instant, Noun
from runbook_bot.domain.vocabulary import FailureMode

KnowledgeKind = Literal["runbook", "postmortem", "known_issue", "architecture"]


class Passage(Noun):
    """One part of a document, as the search found it. The text is the team's, quoted, never obeyed."""

    document: str
    """Path or address of the document within its source."""
    kind: KnowledgeKind
    title: str
    heading: str = ""
    text: str
    line: int = 1
    """First line of the passage in the document, counted from 1."""
    score: float
    services: tuple[str, ...] = ()
    failure_modes: tuple[FailureMode, ...] = ()
    updated_at: Instant | None = None
