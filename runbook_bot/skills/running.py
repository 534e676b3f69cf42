"""Carries a skill out, step by step, without a model: each step is a question or an investigation, and only reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.tools import Query
from runbook_bot.errors import UsageError
from runbook_bot.investigation.ask.answer import Answer
from runbook_bot.investigation.ask.asker import Asker
from runbook_bot.skills.skill import Skill, Step


@dataclass(frozen=True)
class Doors:
    """What a step may go through."""

    asker: Asker
    tools: Sequence[type[Query]]
    """The vendors' own typed questions."""
    investigate: Callable[[str], Awaitable[Investigation]]
    """From what hurts, in words, to the verdict. Raises `RunbookError`."""


@dataclass(frozen=True)
class Done:
    """What became of one step."""

    title: str
    answer: Answer | None = None
    case: Investigation | None = None
    left_out: str = ""
    """Why it was not taken."""


def ready(
    skill: Skill, values: Mapping[str, JsonValue], tools: Sequence[type[Query]]
) -> list[tuple[Step, Query | None]]:
    """The steps with their queries made, before the first of them is taken. Raises `UsageError` naming the step."""
    if not skill.steps:
        raise UsageError(f"{skill.name} has no steps.yaml: it can be read, and not run")
    known = {each.kind: each for each in tools}
    return [(step, _made(skill, step, values, known) if _wanted(step, values) else None) for step in skill.steps]


def _wanted(step: Step, values: Mapping[str, JsonValue]) -> bool:
    return bool(step.query) and all(name in values for name in step.needs)


def _made(skill: Skill, step: Step, values: Mapping[str, JsonValue], known: Mapping[str, type[Query]]) -> Query | None:
    kind = known.get(step.query)
    if kind is None:
        return None
    try:
        return kind.model_validate(step.filled_arguments(values))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"{skill.name}, step {step.title!r}: {step.query}: {where}: {problem['msg']}") from None


async def run(skill: Skill, values: Mapping[str, JsonValue], doors: Doors) -> AsyncIterator[Done]:
    """The steps in order, each as soon as it is done. Raises `UsageError` before the first, where one cannot be."""
    for step, query in ready(skill, values, doors.tools):
        if lacking := [name for name in step.needs if name not in values]:
            yield Done(step.title, left_out=f"{', '.join(lacking)} was not given")
        elif step.query and query is None:
            yield Done(step.title, left_out=f"nobody here answers {step.query}")
        elif query is not None:
            sign = " ".join((type(query).__doc__ or "").split())
            yield Done(step.title, answer=await doors.asker.ask_typed([query], sign))
        elif step.ask:
            yield Done(step.title, answer=await doors.asker.ask(step.filled(step.ask, values)))
        else:
            yield Done(step.title, case=await doors.investigate(step.filled(step.investigate, values)))
