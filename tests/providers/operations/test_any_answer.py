"""Whatever AWS says, or leaves out, an operation ends in a result, and asks nothing that it does not name."""

import asyncio
import os
import random
from collections.abc import Awaitable
from datetime import datetime, timedelta
from types import UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runbook_bot.domain.service import Resource
from runbook_bot.domain.tools import Result, Status
from runbook_bot.domain.vocabulary import ResourceType
from runbook_bot.domain.window import TimeWindow
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.operations.operation import Operation, answered
from runbook_bot.providers.aws.operations.register import operations
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.threads import Threads
from tests.providers.conftest import NOW
from tests.providers.operations.babble import Babble
from tests.providers.operations.hasty import hasty

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
"""Of each operation; more where somebody looks for trouble."""
_WINDOW = TimeWindow(start=NOW - timedelta(hours=3), end=NOW)
_ALWAYS_ALLOWED = {"sts:GetCallerIdentity"}


@pytest.fixture(scope="module")
def shared() -> Babble:
    """One for all: a client takes long to make."""
    return Babble(random.Random(), odd=0, gaps=0)  # noqa: S311  # not for secrets


@pytest.fixture
def babble(shared: Babble, monkeypatch: pytest.MonkeyPatch) -> Babble:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing goes there; and nothing is repeated
    return shared


def made(operation: type[Operation], chance: random.Random, more: float = 0.4) -> Operation:
    """A question with all that it needs, and some of what it may have."""
    given = {
        name: _value(info.annotation, info, chance)
        for name, info in operation.model_fields.items()
        if info.is_required() or chance.random() < more
    }
    return operation.model_validate(given)


def _value(kind: Any, info: FieldInfo, chance: random.Random) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _value(next(each for each in get_args(kind) if each is not type(None)), info, chance)
    if origin is Literal:
        return chance.choice(get_args(kind))
    if origin is tuple:
        return (_value(get_args(kind)[0], info, chance),)
    if origin is dict:
        return {"Größe": "app"}
    if kind is TimeWindow:
        return _WINDOW
    if kind is datetime:
        return NOW - timedelta(hours=1)
    if kind is Resource:
        return Resource(type=chance.choice(list(ResourceType)), name="größe", cluster="prod")
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        required = {name: each for name, each in kind.model_fields.items() if each.is_required()}
        return kind.model_validate({name: _value(each.annotation, each, chance) for name, each in required.items()})
    if kind is bool:
        return chance.random() < 0.5
    if kind in (int, float):
        bounds = [getattr(each, "ge", None) or getattr(each, "gt", None) for each in info.metadata]
        return 1 + max((each for each in bounds if each is not None), default=0)
    return "app" if kind is str else next(iter(kind))


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.kind)
async def test_any_answer_ends_in_a_result(operation: type[Operation], babble: Babble) -> None:
    threads = Threads(8)
    first = int(os.environ.get("SEED", "0"))
    for seed in range(first, first + EXAMPLES):
        babble.chance.seed(f"{operation.kind} {seed}")
        babble.asked.clear()
        babble.odd = (0.0, 0.02, 0.08)[seed % 3]
        babble.gaps = (0.0, 0.3, 0.6)[seed // 3 % 3]
        question = made(hasty(operation), babble.chance)
        place = Place("us-east-1", babble, threads, None)
        try:
            result = await finished(question.answer(place, NOW))
        except CallFailed:  # which is put into words by `answered`
            continue
        said = f"SEED={seed} {question!r}"
        assert isinstance(result, Result), said
        assert result.rows or result.message or result.status is Status.ok, said
        assert Result.model_validate_json(result.model_dump_json()) == result, said
        assert babble.asked <= declared(operation) | _ALWAYS_ALLOWED, said


async def finished(work: Awaitable[Result]) -> Result:
    """The result, when everything that was begun for it has ended: a call that came late is asked for too."""
    others = asyncio.all_tasks()
    try:
        return await work
    finally:
        await asyncio.gather(*(asyncio.all_tasks() - others), return_exceptions=True)


def declared(operation: type[Operation]) -> set[str]:
    return {call if ":" in call else f"{operation.service}:{call}" for call in operation.calls}


class Unforeseen(Operation):
    """An operation that reckons with more than AWS says."""

    kind: ClassVar[str] = "aws.test.unforeseen"
    service = "ecs"
    calls = ("ListClusters",)
    words = ("unforeseen",)

    async def answer(self, place: Place, now: datetime) -> Result:
        return self.table(place, [], empty=str({"clusters": now}["clusterArns"]))


async def test_what_nobody_reckoned_with_is_an_error_and_no_crash(babble: Babble) -> None:
    result = await answered(Unforeseen(), Place("us-east-1", babble, Threads(1), None), NOW)
    assert (result.status, result.message) == (Status.error, "what AWS answered cannot be read (KeyError)")
