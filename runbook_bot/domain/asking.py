"""A question in words, and the typed questions of a vendor that it may mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import Query
from runbook_bot.domain.window import TimeWindow


@dataclass(frozen=True)
class Question:
    """What was asked, as far as it is understood without knowing any vendor."""

    text: str
    """Without control characters and without the words about time."""
    graph: ServiceGraph
    now: datetime
    services: Sequence[str] = ()
    """Names in the graph that the text means."""
    resources: Sequence[Resource] = ()
    """Resources that the text names, and those of the services it means."""
    window: TimeWindow | None = None
    """None where nothing is said about time."""


@dataclass(frozen=True)
class Route:
    """One kind of typed question that the words may mean."""

    kind: str
    what: str
    """What it answers, in one sentence."""
    phrase: str
    """How people ask for it."""
    score: float
    """1 where the words are just that phrase, 0 where nothing fits."""
    own: frozenset[str] = frozenset()
    """The telling words of the phrase that the text has, in whichever form; as they stand in the phrase."""
    whole: bool = False
    """Whether the text has all words of the phrase."""
    queries: Sequence[Query] = ()
    """Ready to be asked, several where several resources are meant; none where something is missing."""
    missing: Sequence[str] = ()
    """What it needs and the text does not say."""
    left_out: int = 0
    """Resources that it could be asked of as well, and is not: they are too many."""
