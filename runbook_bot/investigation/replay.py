"""An investigation once more, without the world: the answers in its journal have to lead to the same verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from runbook_bot.domain.investigation import Investigation, apply, fold
from runbook_bot.domain.journal import (
    Body,
    ChangesFound,
    Concluded,
    Entry,
    Failed,
    GraphFound,
    IncidentFound,
    Judged,
    KnowledgeFound,
    LimitReached,
    Opened,
    Proposed,
    Queried,
    RoundBegan,
    Scored,
    Settled,
    Steered,
    StopAsked,
    SymptomFound,
    seal,
)
from runbook_bot.domain.ports import Reasoner
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.tools import Query, Result
from runbook_bot.domain.verdict import Verdict
from runbook_bot.investigation.investigator import Investigator
from runbook_bot.investigation.limits import AgentSettings
from runbook_bot.investigation.triage import Triage
from runbook_bot.investigation.world import World

THOUGHT = (IncidentFound, SymptomFound, ChangesFound, Queried, Proposed, RoundBegan, Judged, Scored, Settled,
           Concluded, Failed)  # fmt: skip
"""What an investigator writes; by how many of them came before it, what people did is put in its place."""
INPUTS = (Steered, StopAsked, LimitReached)
"""What no replay can know by itself: people's words, and when the time was up."""
GIVEN = (Opened, Queried, IncidentFound, GraphFound)
"""Up to where it is known which services there are: what discovery saw is not repeated."""
FOREVER = 10.0**9


@dataclass(frozen=True)
class Replay:
    """What the journal says, what the same evidence leads to now, and where they part."""

    recorded: Investigation
    again: Investigation
    differences: tuple[str, ...]
    missing: tuple[str, ...]
    """Questions that are asked now and were not then; they stay unanswered."""

    @property
    def identical(self) -> bool:
        return not self.differences


async def replayed(id: str, entries: Iterable[Entry], reasoner: Reasoner, limits: AgentSettings) -> Replay:
    """The replay of a journal. One that ends before its services were known replays to itself."""
    written = tuple(entries)
    recorded = fold(id, written)
    given = _given(written)
    journal = _Memory(id, written, given)
    world = _Recording(recorded)
    triage = Triage(world, None, ServiceGraph(), journal)
    thinker = Investigator(world, reasoner, triage, limits.model_copy(update={"max_seconds": FOREVER}), journal)
    while recorded.graph is not None:
        async for body in thinker.run(journal):
            journal.append(body)
            journal.hear()
        if not journal.hear(at_least_one=True):
            break
    again = journal.refresh()
    return Replay(recorded, again, tuple(_differences(recorded, again)), tuple(world.missing))


class _Recording(World):
    """Answers with what was answered then."""

    def __init__(self, recorded: Investigation) -> None:
        super().__init__([])
        self._answers = recorded.answers
        self.missing: list[str] = []

    async def ask(self, query: Query) -> Result:
        """Raises `TimeoutError` for a question that was not asked: as if nobody had answered in time."""
        found = self._answers.get(query.key)
        if found is None:
            self.missing.append(query.kind.replace("_", " "))
            raise TimeoutError
        return found


class _Memory:
    """A journal that nobody keeps, and its clock: each entry has the time of the one it repeats."""

    location = ""

    def __init__(self, id: str, written: Sequence[Entry], given: Sequence[Entry]) -> None:
        self.id = id
        self._state = fold(id, given)
        self._times = [entry.at for entry in written if isinstance(entry.body, THOUGHT)]
        self._position = sum(isinstance(entry.body, THOUGHT) for entry in given)
        self._waiting = _inputs(written)

    def append(self, *bodies: Body) -> Sequence[Entry]:
        made = []
        for body in bodies:
            made.append(seal(self._state.last_seq + 1, self.now(), "", body))
            self._state = apply(self._state, made[-1])
            self._position += isinstance(body, THOUGHT)
        return made

    def refresh(self) -> Investigation:
        return self._state

    def now(self) -> datetime:
        assert self._state.last_at is not None
        return self._times[self._position] if self._position < len(self._times) else self._state.last_at

    def hear(self, *, at_least_one: bool = False) -> bool:
        """Append what people did at this point; False where nothing is left of it."""
        heard = False
        while self._waiting and (self._waiting[0][0] <= self._position or (at_least_one and not heard)):
            _, body = self._waiting.pop(0)
            self.append(body)
            heard = True
        return heard


def _given(written: Sequence[Entry]) -> list[Entry]:
    known = next((n for n, entry in enumerate(written) if isinstance(entry.body, GraphFound)), len(written))
    first = [entry for entry in written[: known + 1] if isinstance(entry.body, GIVEN)]
    memory = [entry for entry in written if isinstance(entry.body, KnowledgeFound)][:1]
    return [*first, *memory]


def _inputs(written: Sequence[Entry]) -> list[tuple[int, Body]]:
    found: list[tuple[int, Body]] = []
    position = 0
    for entry in written:
        if isinstance(entry.body, INPUTS):
            found.append((position, entry.body))
        position += isinstance(entry.body, THOUGHT)
    return found


def _verdict(verdict: Verdict | None) -> dict[str, object]:
    return verdict.model_dump(mode="json", exclude={"at"}) if verdict else {}


def _differences(recorded: Investigation, again: Investigation) -> list[str]:
    """Where they part, one line each, what matters most first; empty where the verdict is the same."""
    then, now = _verdict(recorded.verdict), _verdict(again.verdict)
    found = [f"{name}: {_short(then.get(name))} → {_short(now.get(name))}" for name in {**then, **now}
             if then.get(name) != now.get(name)]  # fmt: skip
    if recorded.failure != again.failure:
        found.append(f"failure: {recorded.failure or 'none'} → {again.failure or 'none'}")
    if not found:
        return []
    for id in dict.fromkeys([*recorded.hypotheses, *again.hypotheses]):
        before, after = recorded.hypotheses.get(id), again.hypotheses.get(id)
        sides = [f"{h.failure_mode} of {h.service} {h.state} {h.confidence:.2f}" if h else "–" for h in (before, after)]
        if sides[0] != sides[1]:
            found.append(f"{id}: {sides[0]} → {sides[1]}")
    return found


def _short(value: object) -> str:
    said = str(value if value not in (None, "", [], ()) else "–")
    return said if len(said) <= 200 else said[:199] + "…"
