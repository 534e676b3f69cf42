"""The stretch of time an investigation looks at."""

from datetime import datetime, timedelta

from pydantic import model_validator

from runbook_bot.domain.noun import Instant, Noun, iso


class TimeWindow(Noun):
    """From `start` to `end`, UTC, `end` exclusive; `onset` is when it began to hurt, once that is known."""

    start: Instant
    end: Instant
    onset: Instant | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "TimeWindow":
        if self.end <= self.start:
            raise ValueError(f"the window ends ({iso(self.end)}) before it starts ({iso(self.start)})")
        return self

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def with_onset(self, onset: datetime | None) -> "TimeWindow":
        return TimeWindow(start=self.start, end=self.end, onset=onset)

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end
