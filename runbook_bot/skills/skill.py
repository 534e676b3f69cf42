"""A skill: what it is for, what it has to be told, and its steps, each of them of a kind that code can carry out.

The format is that of Agent Skills (agentskills.io): a folder with a `SKILL.md`, its head naming `name` and
`description`. `arguments` in the head and a `steps.yaml` beside it are what it takes to run one without a model.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from runbook_bot.domain.noun import Json
from runbook_bot.domain.tools import Arguments
from runbook_bot.errors import UsageError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

_TYPES: Mapping[str, type] = {"text": str, "number": float, "integer": int, "yes_or_no": bool}
_YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LONGEST = 2000


class Argument(Arguments):
    """One thing that a skill has to be told."""

    name: Word
    description: Text
    type: Literal["text", "number", "integer", "yes_or_no"] = "text"
    required: bool = False
    default: str | float | bool | None = None

    def read(self, given: str) -> JsonValue:
        """The value in its type. Raises `UsageError`."""
        given = given.strip()
        if len(given) > _LONGEST:
            raise UsageError(f"{self.name} has {len(given):,} characters; {_LONGEST:,} is the most")
        try:
            if self.type == "yes_or_no":
                return _YES[given.casefold()]
            found: JsonValue = _TYPES[self.type](given)
        except (KeyError, ValueError):
            wanted = self.type.replace("_", " ")
            raise UsageError(f"{self.name} has to be {_article(wanted)} {wanted}, not {given[:60]!r}") from None
        return found


class Step(Arguments):
    """One step. Exactly one of `query`, `ask` and `investigate` says what is done."""

    title: Text
    query: str = ""
    """A question of a provider by its kind, e.g. `aws.ecs.services`."""
    arguments: Json = Field(default_factory=dict, alias="with")
    """For `query`; a text that is nothing but `{name}` is replaced by that argument in its own type."""
    ask: str = ""
    """A question in words, to the infrastructure or to the team's runbooks."""
    investigate: str = ""
    """What hurts, in words: an investigation to its verdict."""
    needs: tuple[Word, ...] = ()
    """Arguments without which the step is left out."""

    @model_validator(mode="after")
    def _one(self) -> "Step":
        kinds = [name for name in ("query", "ask", "investigate") if getattr(self, name)]
        if len(kinds) != 1:
            raise ValueError(f"a step has to have one of query, ask, investigate; here: {kinds or 'none'}")
        if self.arguments and not self.query:
            raise ValueError("`with` belongs to `query`")
        return self

    @property
    def mentioned(self) -> frozenset[str]:
        """The arguments whose values occur in it."""
        texts = [self.ask, self.investigate, *(str(each) for each in self.arguments.values())]
        return frozenset(name for text in texts for name in _PLACE.findall(text)) | frozenset(self.needs)

    def filled(self, text: str, values: Mapping[str, JsonValue]) -> str:
        """The text with the arguments in their places."""
        return " ".join(_PLACE.sub(lambda found: str(values.get(found[1], "")), text).split())

    def filled_arguments(self, values: Mapping[str, JsonValue]) -> Json:
        """`with`, filled in; what has no value is left to the query's own default."""
        filled: Json = {}
        for name, value in self.arguments.items():
            whole = _PLACE.fullmatch(value) if isinstance(value, str) else None
            found = values.get(whole[1]) if whole else self.filled(value, values) if isinstance(value, str) else value
            if found is not None:
                filled[name] = found
        return filled


class Skill(Arguments):
    """A skill as its folder says it."""

    name: Name
    description: Annotated[Text, StringConstraints(max_length=1024)]
    arguments: tuple[Argument, ...] = ()
    steps: tuple[Step, ...] = ()
    allowed_tools: tuple[str, ...] = ()
    """Kinds of queries it may ask; none means all that its steps name."""
    body: str = ""
    folder: Path

    @model_validator(mode="after")
    def _whole(self) -> "Skill":
        known = {each.name for each in self.arguments}
        for step in self.steps:
            if unknown := step.mentioned - known:
                raise ValueError(f"step {step.title!r} mentions {', '.join(sorted(unknown))}, which is no argument")
            if step.query and self.allowed_tools and step.query not in self.allowed_tools:
                raise ValueError(f"step {step.title!r} asks {step.query}, which allowed-tools does not list")
        return self

    def told(self, given: Mapping[str, str]) -> dict[str, JsonValue]:
        """The arguments' values, each in its type. Raises `UsageError` naming what is wrong, missing or unknown."""
        known = {each.name: each for each in self.arguments}
        if unknown := [name for name in given if name not in known]:
            takes = ", ".join(known) or "no arguments"
            raise UsageError(f"{self.name} does not take {unknown[0][:60]!r}; it takes {takes}")
        values: dict[str, JsonValue] = {}
        for name, argument in known.items():
            if given.get(name, "").strip():
                values[name] = argument.read(given[name])
            elif argument.required:
                raise UsageError(f"{self.name} needs {name}: {argument.description}")
            elif argument.default is not None:
                values[name] = argument.default
        return values


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
