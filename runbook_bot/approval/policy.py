"""Who may approve what, and when nothing may be changed at all: the `safety:` part of config.yaml."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runbook_bot.domain.approval import Entitled, Risk
from runbook_bot.domain.noun import Instant

_ORDER = tuple(Risk)
"""Ascending."""
_USERGROUP = re.compile(r"S[A-Z0-9]{2,}")
_USER = re.compile(r"[UW][A-Z0-9]{2,}")


class Approvers(BaseModel):
    """The people who may approve one class of risk: members of any of the groups, and anybody named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usergroups: tuple[str, ...] = ()
    """Ids (`S…`), because a handle can be renamed and taken over."""
    users: tuple[str, ...] = ()
    """Ids (`U…` or `W…`)."""
    count: int | None = Field(default=None, ge=1, le=10)
    """How many different people it takes: 1 unless said, never fewer than 2 for `critical`."""

    @field_validator("usergroups")
    @classmethod
    def _group_ids(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not _USERGROUP.fullmatch(value):
                raise ValueError(f"{value!r} is not the id of a user group (S…); a handle can change hands")
        return values

    @field_validator("users")
    @classmethod
    def _user_ids(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not _USER.fullmatch(value):
                raise ValueError(f"{value!r} is not the id of a user (U… or W…); a name can change hands")
        return values

    @property
    def named(self) -> bool:
        return bool(self.usergroups or self.users)


class Freeze(BaseModel):
    """A stretch of time in which nothing is changed: `{from: 2026-12-24T00:00:00Z, until: …, reason: …}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Instant = Field(alias="from")
    until: Instant
    """Exclusive. A time without a zone is UTC."""
    reason: str = Field(default="a change freeze", max_length=200)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until <= self.start:
            raise ValueError("`until` must be later than `from`")
        return self


class SafetySettings(BaseModel):
    """What it takes before anything is changed. The defaults let nobody approve what needs an approver."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approvers: Mapping[Risk, Approvers] = Field(default_factory=dict)
    """By class of risk; one without people of its own uses those of the next higher class that has some."""
    require_approval: frozenset[Risk] = frozenset({Risk.medium, Risk.high, Risk.critical})
    """Classes that need a configured approver. Others still need a press, by any full member of the channel."""
    max_mutations_per_session: int = Field(default=5, ge=0)
    """Changes an investigation may make; going back does not count."""
    cooldown_between_critical_ms: int = Field(default=60_000, ge=0)
    proposal_ttl_minutes: float = Field(default=30, gt=0, le=24 * 60)
    allow_self_approval: bool = False
    """Whether the person who asked for the investigation may approve its changes."""
    freeze: tuple[Freeze, ...] = ()
    allow_ambient_credentials: bool = False
    """Whether a change may use the credentials of the process where no `mutation_role_arn` is set."""

    @field_validator("require_approval")
    @classmethod
    def _never_less(cls, value: frozenset[Risk]) -> frozenset[Risk]:
        missing = [risk.value for risk in (Risk.high, Risk.critical) if risk not in value]
        if missing:
            raise ValueError(f"{' and '.join(missing)} cannot be taken out of it")
        return value

    @property
    def ttl(self) -> timedelta:
        return timedelta(minutes=self.proposal_ttl_minutes)

    @property
    def cooldown(self) -> timedelta:
        return timedelta(milliseconds=self.cooldown_between_critical_ms)

    def approvers_for(self, risk: Risk) -> Approvers | None:
        """Those of the class or of the next higher one that names somebody; None where none does: then it is no."""
        for each in _ORDER[_ORDER.index(risk) :]:
            named = self.approvers.get(each)
            if named is not None and named.named:
                return named
        return None

    def entitled(self, risk: Risk) -> Entitled:
        """The same for people to read on a card; empty where nobody may."""
        if risk not in self.require_approval:
            return Entitled(anybody=True, requester=True)
        named = self.approvers_for(risk)
        if named is None:
            return Entitled()
        return Entitled(users=named.users, usergroups=named.usergroups, requester=self.allow_self_approval)

    def needed(self, risk: Risk) -> int:
        """How many different people must approve; a class takes the count written for it, never another's."""
        own = self.approvers.get(risk)
        count = own.count if own is not None and own.count is not None else 1
        return max(count, 2) if risk is Risk.critical else count

    def frozen(self, now: datetime) -> Freeze | None:
        """The freeze that is on; the one that ends last where several are."""
        on = [each for each in self.freeze if each.start <= now < each.until]
        return max(on, key=lambda each: each.until, default=None)
