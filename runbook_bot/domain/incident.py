"""What hurts."""

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from runbook_bot.domain.noun import Instant, Json, Noun
from runbook_bot.domain.observation import Alarm
from runbook_bot.domain.redaction import redact
from runbook_bot.domain.service import Resource
from runbook_bot.domain.vocabulary import Signal
from runbook_bot.domain.window import TimeWindow


class Source(StrEnum):
    pagerduty = "pagerduty"
    opsgenie = "opsgenie"
    slack = "slack"
    alertmanager = "alertmanager"
    cloudwatch = "cloudwatch"
    manual = "manual"


class Severity(StrEnum):
    critical = "critical"
    high = "high"
    medium = "medium"
    low = "low"
    unknown = "unknown"


class Incident(Noun):
    """The trouble as it was reported."""

    id: str
    source: Source
    title: str
    description: str = ""
    severity: Severity = Severity.unknown
    services: tuple[str, ...] = ()
    alarm: Alarm | None = None
    payload: Json = Field(default_factory=dict)
    window: TimeWindow


class Symptom(Noun):
    """The measured form of the complaint: one signal of one resource, and when and how far it moved.

    `onset` is None where nothing moved; `effect` is in robust standard deviations of the baseline.
    """

    service: str = ""
    resource: Resource
    signal: Signal
    moved: Literal["rises", "falls", "steady"]
    onset: Instant | None = None
    baseline: float = 0.0
    level: float = 0.0
    effect: float = 0.0
    ended: Instant | None = None
    """When it returned to the baseline, if it did."""


class Request(Noun):
    """Who asked for the investigation, where, and in which words."""

    text: str
    requester: str = ""
    """Slack user id; empty from the command line."""
    team: str = ""
    channel: str = ""
    thread: str | None = None
    """The thread it was asked in; None starts a new one."""
    source: Source = Source.manual
    service: str | None = None
    at: Instant | None = None
    since: Instant | None = None
    until: Instant | None = None

    @field_validator("text")
    @classmethod
    def _without_secrets(cls, text: str) -> str:
        """A pasted log line often holds one, and the journal is kept."""
        return redact(text)
