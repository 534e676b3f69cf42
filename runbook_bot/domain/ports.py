"""The seams: what the thinking needs of the world, each with more than one implementation."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from runbook_bot.domain.approval import Approval, Outcome, Preparation, Proposal
from runbook_bot.domain.asking import Question, Route
from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Hypothesis, Prediction
from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Body, Entry
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.service import Resource, ServiceGraph
from runbook_bot.domain.tools import Query, Result
from runbook_bot.domain.vocabulary import Repair


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Check:
    """One line of `doctor`: a part, whether it answers, and what to do where it does not."""

    part: str
    state: Literal["ok", "warning", "failed", "off"]
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody in the workspace, as the directory sees them at this moment."""

    id: str
    team: str
    name: str
    deactivated: bool = False
    bot: bool = False
    guest: bool = False
    stranger: bool = False
    """Belongs to another workspace or company."""


class Directory(Protocol):
    """Who people are. Every method raises `DeskError` where it cannot be told; the gate then says no."""

    async def person(self, user: str) -> Person | None: ...

    async def group(self, usergroup: str) -> frozenset[str]:
        """User ids in a user group (`S…`), at most 60 seconds old."""
        ...

    async def in_channel(self, user: str, channel: str) -> bool: ...


class Watcher(Protocol):
    """Somebody who shows an investigation to people. It reads the journal; what it posts it journals itself."""

    async def changed(self, journal: "Journal") -> None:
        """There are new entries. Returns at once; showing may be coalesced."""
        ...

    async def settle(self, journal: "Journal") -> None:
        """Returns when everything that the journal says so far is shown, or could not be."""
        ...


class Provider(Protocol):
    """A vendor, as a source of answers. It reads with read-only credentials and never raises for a query."""

    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> Sequence[type[Query]]:
        """The vendor's own questions, beyond those that every vendor is asked."""
        ...

    def understand(self, question: Question) -> Sequence[Route]:
        """Which of its own questions the words may mean, likeliest first, at most a few. Asks nobody."""
        ...

    def answers(self, query: Query) -> bool:
        """Whether this vendor can say anything to that question (kind of query, type of resource)."""
        ...

    async def ask(self, query: Query) -> Result: ...

    async def discover(self) -> ServiceGraph:
        """Services, resources and dependencies that can be seen. Raises `ProviderError` where none can."""
        ...

    def forget(self) -> None:
        """Something was changed: what was read before, and is remembered, is no answer any more."""
        ...

    async def prepare(self) -> None:
        """Do what is slow the first time, without asking anything. Never raises."""
        ...

    async def check(self) -> Sequence[Check]:
        """For `doctor`; ends within two seconds."""
        ...


class Graphs(Protocol):
    """The last service graph of each vendor, kept between runs."""

    def load(self, provider: str) -> ServiceGraph | None:
        """None where there is none, or none that can be read, or one of other accounts and regions."""
        ...

    def save(self, provider: str, graph: ServiceGraph) -> None:
        """Never raises: a graph that is not kept is only found anew."""
        ...


class Actuator(Protocol):
    """A vendor, as a place where changes are made. The gate knows nothing of the vendor behind it."""

    @property
    def operations(self) -> frozenset[str]:
        """The allow-list, e.g. `ecs.update_service`."""
        ...

    async def prepare(self, repair: Repair, resource: Resource) -> Preparation | None:
        """What the repair would be for that resource, read from the world; None where it does not fit.

        Raises `ProviderError` where the world cannot be read.
        """
        ...

    async def prepare_rollback(self, proposal: Proposal) -> Preparation | None:
        """How to undo a change that was executed; None where it cannot be undone."""
        ...

    async def drift(self, proposal: Proposal) -> str:
        """What has changed in the world since the proposal, as one phrase; "" where nothing has."""
        ...

    async def run(self, proposal: Proposal, approval: Approval) -> Outcome:
        """Make the change, once. Refuses an approval that is not for this very proposal (`SealBroken`)."""
        ...

    async def took_effect(self, proposal: Proposal) -> bool | None:
        """Whether the world shows the change; None where that cannot be told. Asked after a crash or a time-out."""
        ...


class Knowledge(Protocol):
    """The team's memory."""

    async def search(self, text: str, *, services: Iterable[str] = (), top: int = 8) -> Sequence[Passage]:
        """The passages that fit best. Raises `KnowledgeError` where the index cannot be read."""
        ...

    async def steps(self, passage: Passage) -> Sequence[str]:
        """The ordered steps of the passage's document, as they are written; empty where it has none."""
        ...


@dataclass(frozen=True)
class Mending:
    """A repair at a place."""

    repair: Repair
    resource: Resource


class Reasoner(Protocol):
    """Where hypotheses come from and how a result is read. It never sets a confidence."""

    @property
    def name(self) -> str: ...

    async def propose(self, case: Investigation, parent: Hypothesis | None = None) -> Sequence[Hypothesis]:
        """Three to five hypotheses, or the causes of `parent`. Ids are given; predictions are filled in."""
        ...

    async def suggested(self, case: Investigation, text: str, by: str) -> Sequence[Hypothesis]:
        """What a person's words may mean, as hypotheses to test; those that are there already as they are.

        Empty where they fit nothing. `by` is who said it.
        """
        ...

    async def judge(
        self,
        case: Investigation,
        hypothesis: Hypothesis,
        prediction: Prediction,
        query: Query,
        result: Result,
    ) -> Evidence:
        """What the result says about the prediction. Its id is given by the caller."""
        ...

    def repairs(self, case: Investigation, hypothesis: Hypothesis) -> Sequence[Mending]:
        """What may help if the hypothesis is true, and where, best first."""
        ...


class Journal(Protocol):
    """One investigation's journal, open for appending."""

    @property
    def id(self) -> str: ...

    @property
    def location(self) -> str:
        """Absolute path of the JSONL file."""
        ...

    def append(self, *bodies: Body) -> Sequence[Entry]:
        """Write, fsync, and only then return. Raises `JournalError`."""
        ...

    def refresh(self) -> Investigation:
        """The fold, with whatever other processes have appended since."""
        ...


class Journals(Protocol):
    """All journals."""

    def create(self, id: str, opened: Body) -> Journal | None:
        """A new journal with its first entry, on disk when this returns; None where that id exists already."""
        ...

    def open(self, id: str) -> Journal:
        """Raises `JournalError` for an unknown id."""
        ...

    def ids(self) -> Sequence[str]:
        """All, newest first."""
        ...


class Leases(Protocol):
    """One worker at a time for one thing."""

    def hold(self, name: str, *, ttl: timedelta = ...) -> AbstractAsyncContextManager[bool]:
        """Yields whether the lease was obtained; renewed while held, released at the end."""
        ...


class Inbox(Protocol):
    """Deliveries from outside, recorded before they are acknowledged, each handled once."""

    async def accept(self, key: str, delivery: str) -> bool:
        """Record it durably; False where that key was seen within the last 24 hours."""
        ...

    async def done(self, key: str) -> None: ...

    async def pending(self) -> Sequence[tuple[str, str]]:
        """Key and delivery of what was accepted and not finished, oldest first."""
        ...


class Queue(Protocol):
    """Wakes a worker up. The journal, not the queue, says what is to be done."""

    async def advance(self, investigation: str, *, at: datetime | None = None) -> None:
        """Have some worker go on with that investigation, now or at a time (UTC)."""
        ...
