"""The journal of an investigation: append-only typed entries, each bound to the one before by its hash.

An entry that this version does not know is kept as `Unknown` and never fatal.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_serializer
from pydantic_core import PydanticSerializationError

from runbook_bot.domain.approval import Decision, Denial, Outcome, Proposal
from runbook_bot.domain.evidence import Evidence
from runbook_bot.domain.hypothesis import Hypothesis, HypothesisState
from runbook_bot.domain.incident import Incident, Request, Symptom
from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.noun import Instant, Json, Noun, digest
from runbook_bot.domain.observation import Change
from runbook_bot.domain.service import ServiceGraph
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.verdict import Verdict


class Opened(Noun):
    kind: Literal["opened"] = "opened"
    request: Request
    reasoner: str


class IncidentFound(Noun):
    """Triage: what was reported, and the window that follows from it."""

    kind: Literal["incident_found"] = "incident_found"
    incident: Incident


class SymptomFound(Noun):
    """Triage: the complaint as a measured signal; None where nothing measurable was found."""

    kind: Literal["symptom_found"] = "symptom_found"
    symptom: Symptom | None
    message: str = ""


class GraphFound(Noun):
    kind: Literal["graph_found"] = "graph_found"
    graph: ServiceGraph
    scope: tuple[str, ...]
    """The services looked at, symptom first, then by distance."""
    message: str = ""


class ChangesFound(Noun):
    kind: Literal["changes_found"] = "changes_found"
    changes: tuple[Change, ...]
    status: Status
    message: str = ""


class KnowledgeFound(Noun):
    kind: Literal["knowledge_found"] = "knowledge_found"
    passages: tuple[Passage, ...]
    status: Status
    message: str = ""


class Proposed(Noun):
    """A hypothesis was put forward; `parent` in it makes it a branch."""

    kind: Literal["proposed"] = "proposed"
    hypothesis: Hypothesis
    batch: tuple[str, ...] = ()
    """Ids of all that are put forward together; those without an entry yet are still to come."""


class RoundBegan(Noun):
    """These hypotheses are tested together, and scored and settled when that is done."""

    kind: Literal["round_began"] = "round_began"
    hypotheses: tuple[str, ...]


class Queried(Noun):
    """A question was asked of the world. The whole answer is here: replay needs nothing else."""

    kind: Literal["queried"] = "queried"
    query_kind: str
    query: Json
    """The neutral query's arguments."""
    key: str
    result: Result
    seconds: float
    hypotheses: tuple[str, ...] = ()
    """Whom it was asked for; empty in triage."""


class Judged(Noun):
    kind: Literal["judged"] = "judged"
    evidence: Evidence


class Scored(Noun):
    """All hypotheses' confidences after new evidence; they and `unexplained` add up to 1 over the leaves."""

    kind: Literal["scored"] = "scored"
    confidence: dict[str, float]
    unexplained: float


class Settled(Noun):
    """A hypothesis changed its state: supported, pruned (with what killed it), inconclusive."""

    kind: Literal["settled"] = "settled"
    hypothesis: str
    state: HypothesisState
    reason: str = ""
    evidence: tuple[str, ...] = ()
    by: str = ""
    """Slack user id where a person did it."""


class Steered(Noun):
    """A person asked something of a hypothesis: dig, rule out, known; or suggests one in their own words (`note`).

    The investigator acts on it, before its verdict or after.
    """

    kind: Literal["steered"] = "steered"
    hypothesis: str = ""
    """Empty for what is suggested."""
    action: Literal["dig", "rule_out", "known", "suggest"]
    by: str
    note: str = ""
    delivery: str = ""


class Noted(Noun):
    """Something worth knowing that changes nothing: a refused broad query, a repaired journal, a fallback."""

    kind: Literal["noted"] = "noted"
    text: str
    level: Literal["info", "warning"] = "info"
    answers: str = ""
    """The delivery (a person's steering) that this note answers."""


class LimitReached(Noun):
    kind: Literal["limit_reached"] = "limit_reached"
    limit: str
    text: str


class StopAsked(Noun):
    kind: Literal["stop_asked"] = "stop_asked"
    by: str
    delivery: str = ""


class Concluded(Noun):
    kind: Literal["concluded"] = "concluded"
    verdict: Verdict


class Failed(Noun):
    """The investigation cannot go on; `text` is one line for people."""

    kind: Literal["failed"] = "failed"
    text: str


class ChangeProposed(Noun):
    kind: Literal["change_proposed"] = "change_proposed"
    proposal: Proposal


class StepsFound(Noun):
    """The steps of the runbook that fits the verdict, quoted."""

    kind: Literal["steps_found"] = "steps_found"
    runbook: str
    title: str
    steps: tuple[str, ...]


class Decided(Noun):
    """A click on a card, recorded before it is ruled on."""

    kind: Literal["decided"] = "decided"
    decision: Decision


class Ruled(Noun):
    """The gate's answer to one decision. `approved` with enough approvers lets the change run, once."""

    kind: Literal["ruled"] = "ruled"
    proposal: str
    delivery: str
    outcome: Literal["approved", "awaiting", "denied", "rejected", "void"]
    digest: str = ""
    approvers: tuple[str, ...] = ()
    denial: Denial | None = None


class Spent(Noun):
    """The intent: the approval is used up from here on, whatever happens next."""

    kind: Literal["spent"] = "spent"
    proposal: str
    digest: str


class Executed(Noun):
    """The result belonging to `Spent`."""

    kind: Literal["executed"] = "executed"
    proposal: str
    outcome: Outcome
    approvers: tuple[str, ...] = ()


class Checked(Noun):
    """One look at the symptom's own metric after a change."""

    kind: Literal["checked"] = "checked"
    proposal: str
    level: float | None
    recovered: bool
    text: str


class Verified(Noun):
    """The last look: it recovered, it did not in time, or it could not be told (None)."""

    kind: Literal["verified"] = "verified"
    proposal: str
    recovered: bool | None
    text: str


class RollbackAsked(Noun):
    """Somebody pressed Roll back on an executed change. It becomes a proposal of its own; nothing runs from this."""

    kind: Literal["rollback_asked"] = "rollback_asked"
    proposal: str
    by: str
    delivery: str = ""

    @property
    def key(self) -> str:
        """What the note that answers it answers."""
        return f"rollback:{self.proposal}:{self.delivery}"


class Posting(Noun):
    """The intent to post a message. `key` names the message within the investigation: `head`, `hypothesis:H2`, …"""

    kind: Literal["posting"] = "posting"
    key: str
    channel: str
    thread: str | None = None


class Posted(Noun):
    """The result belonging to `Posting`."""

    kind: Literal["posted"] = "posted"
    key: str
    channel: str
    ts: str
    thread: str | None = None


class CanvasKept(Noun):
    """The canvas (or, where the plan has none, the file) that holds the summary."""

    kind: Literal["canvas_kept"] = "canvas_kept"
    canvas: str
    fallback: bool = False


class Rated(Noun):
    kind: Literal["rated"] = "rated"
    by: str
    helpful: bool
    note: str = ""
    delivery: str = ""


class Unknown(Noun):
    """An entry of a newer version, kept as it is."""

    kind: str
    raw: Json

    @model_serializer
    def _as_it_came(self) -> Json:
        return self.raw


Known = Annotated[
    Opened
    | IncidentFound
    | SymptomFound
    | GraphFound
    | ChangesFound
    | KnowledgeFound
    | Proposed
    | RoundBegan
    | Queried
    | Judged
    | Scored
    | Settled
    | Steered
    | Noted
    | LimitReached
    | StopAsked
    | Concluded
    | Failed
    | ChangeProposed
    | StepsFound
    | Decided
    | Ruled
    | Spent
    | Executed
    | Checked
    | Verified
    | RollbackAsked
    | Posting
    | Posted
    | CanvasKept
    | Rated,
    Field(discriminator="kind"),
]
Body = Known | Unknown
_known: TypeAdapter[Any] = TypeAdapter(Known)


class Entry(Noun):
    """One line of a journal. `hash` covers everything else in it, `previous` included; the first has `previous` ""."""

    seq: int
    at: Instant
    previous: str
    hash: str
    body: Body

    def line(self) -> str:
        """The JSON of the entry, one line without the newline."""
        try:
            return self.model_dump_json()
        except PydanticSerializationError:  # half a surrogate pair in somebody's log line: written as its escape
            return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))


def seal(seq: int, at: Instant, previous: str, body: Body) -> Entry:
    """The entry for a body: its hash computed over what will be written."""
    draft = Entry(seq=seq, at=at, previous=previous, hash="", body=body)
    written = json.loads(draft.line())
    return draft.model_copy(update={"hash": _hash(seq, written["at"], previous, written["body"])})


def _hash(seq: int, at: str, previous: str, body: Json) -> str:
    return digest([seq, at, previous, body])


def parse(raw: Json) -> Entry:
    """An entry from the JSON of its line. Raises `ValueError` where the envelope itself is broken.

    A body that this version does not know, or knows in another form, becomes `Unknown`.
    """
    body = raw.get("body")
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        raise ValueError("an entry without a body")
    try:
        known: Body = _known.validate_python(body)
    except ValidationError:
        known = Unknown(kind=str(body["kind"]), raw=body)
    envelope = {key: raw.get(key) for key in ("seq", "at", "previous", "hash")}
    return Entry.model_validate({**envelope, "body": known})


def intact(raw: Json) -> bool:
    """Whether the hash of a written entry fits its content."""
    body = raw.get("body")
    seq, at, previous = raw.get("seq"), raw.get("at"), raw.get("previous")
    if not isinstance(body, dict) or not isinstance(seq, int) or not isinstance(at, str):
        return False
    return raw.get("hash") == _hash(seq, at, str(previous), body)
