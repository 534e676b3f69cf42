"""The record of every Web API call, so that a test can say what the bot did and in which order."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from runbook_bot.playground.slack.json_value import Json


@dataclass(frozen=True)
class Call:
    """One call: the method, its arguments without the token, when it came, and what was answered."""

    method: str
    args: Json
    at: float
    status: int
    answer: Json
    answered: bool = True
    """False when the answer was lost on purpose."""

    @property
    def ok(self) -> bool:
        """Whether Slack said ok."""
        return self.status == 200 and self.answer.get("ok") is True


@dataclass
class Calls:
    """The calls so far, oldest first."""

    log: list[Call] = field(default_factory=list)

    def add(self, method: str, args: Json, status: int, answer: Json, answered: bool) -> None:
        """Record one call."""
        self.log.append(Call(method, args, time.time(), status, answer, answered))

    def to(self, method: str) -> list[Call]:
        """The calls to one method."""
        return [call for call in self.log if call.method == method]

    def refused(self) -> list[Call]:
        """The calls that were not answered with ok, rate limits included."""
        return [call for call in self.log if not call.ok]

    def __iter__(self) -> Iterator[Call]:
        return iter(self.log)

    def __len__(self) -> int:
        return len(self.log)
