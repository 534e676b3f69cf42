"""A typed question to one AWS service, and how its answer is put: as a table, the most notable rows first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

import structlog

from runbook_bot.domain.noun import Json
from runbook_bot.domain.observation import Row
from runbook_bot.domain.tools import Query, Result, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.answers import between, failed, gaps, worst
from runbook_bot.providers.aws.failure import UNREADABLE, CallFailed, iam_action
from runbook_bot.providers.aws.place import Place, asked, plain
from runbook_bot.providers.aws.secrecy import shown

_log = structlog.get_logger(__name__)

MOST_ROWS = 50
_TEXT = 1000


@dataclass(frozen=True)
class Patience:
    """How long something that AWS works on is waited for, and how long between two looks at it; seconds."""

    seconds: float
    pause: float = 0.4


class Operation(Query):
    """One question. A subclass has a docstring of one sentence, which people and language models read."""

    service: ClassVar[str]
    """In boto3's words, e.g. `elbv2`."""
    calls: ClassVar[tuple[str, ...]]
    """The API calls it may make, e.g. `ListTasks`; `service:Call` where another service is asked too."""
    words: ClassVar[tuple[str, ...]]
    """Phrases by which people mean it, in lower case, e.g. `stopped tasks`."""
    scope: ClassVar[Literal["region", "account"]] = "region"
    """`account`: the answer is the same in every region."""
    subjects: ClassVar[frozenset[ResourceType]] = frozenset()
    """Where a field is a resource: the types that it may be of, if they are not those of the service itself."""
    patience: ClassVar[Patience] = Patience(6.0)
    """With what AWS answers only after a while. The whole answer has to be there within twelve seconds."""
    home: ClassVar[str | None] = None
    """With scope `account`, the one region that answers; None where any does."""

    @classmethod
    def permissions(cls) -> tuple[str, ...]:
        """The IAM actions it needs, e.g. `ecs:ListTasks`."""
        pairs = (call.split(":") if ":" in call else (cls.service, call) for call in cls.calls)
        return tuple(dict.fromkeys(iam_action(service, call) for service, call in pairs))

    @property
    def source(self) -> str:
        """Who answers, e.g. `aws.ecs`."""
        return f"aws.{self.service}"

    def request(self) -> Json:
        """What is asked, for the record."""
        return asked(self.service, self.calls[0], self.model_dump(mode="json", exclude_defaults=True))

    def where(self, place: Place) -> str:
        """One phrase for people: what is looked at, and where."""
        given = ", ".join(_given(name, getattr(self, name)) for name in self.model_dump(exclude_defaults=True))
        return f"{self.kind.removeprefix('aws.').replace('.', ' ').replace('_', ' ')} in {place.name}" + (
            f", {given}" if given else ""
        )

    async def answer(self, place: Place, now: datetime) -> Result:
        """Ask. Raises `CallFailed` where nothing could be read; a part that fails is named in the result."""
        raise NotImplementedError

    def table(
        self,
        place: Place,
        rows: Iterable[Row],
        *,
        empty: str,
        failures: Sequence[CallFailed] = (),
        more: str = "",
        most: int = MOST_ROWS,
        console: str | None = None,
    ) -> Result:
        """The answer as rows, secrets and long texts cut.

        rows: the most notable first; of more than `most` the rest is counted.
        empty: what it means that there are none, as a clause.
        more: what else was not read, and how to see it.
        """
        found = list(rows)
        kept, left = found[:most], len(found) - most
        told = [gaps(failures)] if failures else []
        if left > 0:
            told.append(f"{left} more are not shown; narrow the question to see them")
        told += [more] if more else []
        status = Status.truncated if told and kept else Status.ok if kept else worst(failures)
        return Result(
            status=status,
            source=self.source,
            asked=self.request(),
            where=self.where(place),
            message="; ".join(told) if told else "" if kept else empty,
            rows=tuple(row.model_copy(update={"facts": fit(row.facts)}) for row in kept),
            console=console,
        )


async def answered(operation: Operation, place: Place, now: datetime) -> Result:
    """The operation's answer; a call that failed is an answer too."""
    try:
        return await operation.answer(place, now)
    except CallFailed as failure:
        return failed(failure, operation.source, operation.where(place), operation.request())
    except (*UNREADABLE, IndexError) as error:  # what AWS said is no reason for the other questions to end
        _log.warning("an answer of AWS cannot be read", operation=operation.kind, exc_info=error)
        unread = f"what AWS answered cannot be read ({type(error).__name__})"
        told = CallFailed("failed", unread, action=operation.permissions()[0])
        return failed(told, operation.source, operation.where(place), operation.request())


def _given(name: str, value: Any) -> str:
    return between(value) if isinstance(value, TimeWindow) else f"{name} {value}"


def fit(facts: Mapping[str, Any]) -> Json:
    """Facts as they may be kept: no secrets, no endless text, nothing that is not known."""
    return {name: _fit(name, plain(value)) for name, value in facts.items() if value is not None}


def _fit(name: str, value: Any) -> Any:
    if isinstance(value, str):
        clean = shown(name, value)
        return clean if len(clean) <= _TEXT else clean[: _TEXT - 1] + "…"
    if isinstance(value, dict):
        return {key: _fit(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_fit(name, each) for each in value]
    return value
