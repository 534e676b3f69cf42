"""Proposal, decision, ruling: the nouns of the gate.

Only `approval.gate` makes an `Approval`: its constructor asks for the seal that the gate alone holds.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from runbook_bot.domain.noun import Instant, Json, Noun, digest
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Signal


class Risk(StrEnum):
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


class Call(Noun):
    """One allow-listed operation with its parameters, as JSON."""

    operation: str
    parameters: Json


class Preparation(Noun):
    """What a provider says a change would be, before anybody is asked: read from the world, nothing changed yet."""

    title: str
    call: Call
    target: Resource
    account: str
    region: str
    pre_state: Json
    impact: str
    """In words and numbers: tasks replaced, capacity left during it."""
    risk: Risk
    rollback: Call | None
    shown: str
    """The exact API call as a person reads it."""
    summary: str = ""
    """What differs: `checkout-api:42 → checkout-api:41 (image 2.4.1 → 2.4.0)`."""


class Verification(Noun):
    """How one can tell that it helped: the symptom's own metric, back at its baseline by then."""

    resource: Resource
    signal: Signal
    moved: Literal["rises", "falls"]
    baseline: float
    level: float
    """Where the metric stood when the change was proposed."""
    within_seconds: float = 600.0


class Entitled(Noun):
    """Who might approve a change when it was proposed, for people to read; the gate asks anew at each press."""

    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    anybody: bool = False
    """Any full member of the channel."""
    requester: bool = False
    """Whoever asked for it may as well, if they are among these."""


class Proposal(Noun):
    """A change somebody may approve. `id` is unique across investigations: it is all a button carries."""

    id: str
    investigation: str
    preparation: Preparation
    requester: str
    """Who asked for the investigation; may not approve it, unless configured."""
    proposed_by: str
    hypothesis: str | None = None
    evidence: tuple[str, ...] = ()
    runbook: str | None = None
    verification: Verification | None = None
    created_at: Instant
    expires_at: Instant
    undoes: str | None = None
    """The proposal that this one rolls back."""
    channel: str = ""
    needed: int = 1
    """How many different people must approve."""
    entitled: Entitled | None = None
    """None in journals of earlier versions."""

    @property
    def digest(self) -> str:
        """Binds a ruling to operation, parameters, target, account, region and pre-state."""
        p = self.preparation
        return digest(
            {
                "call": p.call.model_dump(mode="json"),
                "target": p.target.key,
                "account": p.account,
                "region": p.region,
                "pre_state": p.pre_state,
            }
        )


class Decision(Noun):
    """What a person pressed, as the server saw it. Nothing in it is taken from the button but the proposal's id."""

    proposal: str
    verdict: Literal["approve", "reject"]
    user: str
    team: str
    channel: str
    message: str
    """Timestamp of the card that was pressed."""
    reason: str = ""
    typed_name: str = ""
    at: Instant
    delivery: str
    """The de-duplication key of the click."""


class Denial(Noun):
    """The decision does not stand. `why` is for the person who pressed."""

    proposal: str
    user: str
    why: str
    code: str
    """One word: `unknown`, `expired`, `decided`, `not_allowed`, `self_approval`, `drifted`, `frozen`, `limit`, …"""
    ends: bool = False
    """True for a valid rejection or a void proposal: it is closed and cannot be approved later."""
    at: Instant


class Awaiting(Noun):
    """The decision counts, and more people are needed before the change may run."""

    proposal: str
    digest: str
    approvers: tuple[str, ...]
    needed: int
    at: Instant


class SealBroken(TypeError):
    """Somebody other than the gate tried to make an approval."""


_SEAL = object()


@dataclass(frozen=True)
class Approval:
    """The permission to run one proposal once. Made by `approval.gate` alone, handed to the provider that runs it.

    It is no `Noun` on purpose: it cannot be read back from JSON. After a restart the gate rules again.
    """

    proposal: str
    digest: str
    approvers: tuple[str, ...]
    at: datetime
    seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise SealBroken("an Approval is made by the gate, from a valid ruling; nothing else makes one")


Ruling = Approval | Awaiting | Denial


class Outcome(Noun):
    """What came of running a change."""

    took_effect: bool | None
    """None: the vendor accepted and then did not answer; the world has to be read."""
    message: str
    request_id: str = ""
    post_state: Json = Field(default_factory=dict)
