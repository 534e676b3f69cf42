"""`aws`: one typed question to AWS, by its kind or in words, and the list of all that can be asked."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_bot.cli import edge, terminal, times
from runbook_bot.cli.ask import show
from runbook_bot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from runbook_bot.domain.tools import Query
    from runbook_bot.domain.window import TimeWindow
    from runbook_bot.investigation.ask.answer import Answer
    from runbook_bot.investigation.ask.asker import Asker
    from runbook_bot.providers.aws.operations.operation import Operation

AS_TYPED = {"allow_extra_args": True, "ignore_unknown_options": True}
"""The arguments of an operation are its own; which there are is known only once it is."""
NO_AWS = (
    "AWS is not switched on: set AWS_PROFILE or AWS_ACCESS_KEY_ID (reading is enough), or AWS_ENDPOINT_URL; "
    "where the machine itself has a role, set providers.aws.enabled to true"
)


def aws(
    context: typer.Context,
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND [--ARGUMENT VALUE]... | WORDS]", help="See --list.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="What can be asked; with words, of those only.")] = False,
    since: Annotated[str | None, typer.Option(help=f"Where the window begins: {times.FORMS}.")] = None,
    until: Annotated[str | None, typer.Option(help="Where the window ends; now if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Ask AWS one question, in every account and region that is configured. Reads only."""
    del context
    words = what or []
    if listed:
        _list(words, as_json)
        return
    if not words:
        raise UsageError("say what to ask, or list what can be asked: runbook-bot aws --list")
    from runbook_bot.domain.ports import SystemClock

    now = SystemClock().now().replace(microsecond=0)
    _, begin, end = times.window(None, since, until, now)
    operation = _kind(words[0])
    if operation is None:
        if lost := _looks_like_a_kind(words):
            raise UsageError(lost)
        given = (("since", since), ("until", until))
        spoken = " ".join([*words, *(f"{name} {time}" for name, time in given if time)])
        _answer(lambda asker: asker.ask_vendor(spoken), as_json=as_json)
        return
    from runbook_bot.domain.window import TimeWindow

    frame = TimeWindow(start=begin, end=end or now) if begin else None
    queries: list[Query] = [_query(operation, words[1:], frame)]
    sign = " ".join((operation.__doc__ or "").split())
    _answer(lambda asker: asker.ask_typed(queries, sign), as_json=as_json)


def _answer(put: "Callable[[Asker], Coroutine[Any, Any, Answer]]", *, as_json: bool) -> None:
    settings = edge.settings()
    from runbook_bot import bootstrap

    if not bootstrap.aws_wanted(settings):
        raise UsageError(NO_AWS)
    if lack := bootstrap.unusable(settings):
        raise UsageError(lack)
    show(edge.run(bootstrap.ask(settings, put)), as_json=as_json)


def _kind(word: str) -> "type[Operation] | None":
    from runbook_bot.providers.aws.operations.register import operations

    return next((each for each in operations() if word in (each.kind, each.kind.removeprefix("aws."))), None)


def _looks_like_a_kind(words: "Sequence[str]") -> str:
    """What to say where one word with dots, or with arguments after it, is no kind; empty for a sentence."""
    import difflib

    from runbook_bot.providers.aws.operations.register import operations

    first = words[0].removeprefix("aws.")
    if not (first.count(".") == 1 and " " not in first and (len(words) == 1 or words[1].startswith("--"))):
        return ""
    near = difflib.get_close_matches(first, [each.kind.removeprefix("aws.") for each in operations()], n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"nothing of AWS is called {words[0]!r}{hint} (runbook-bot aws --list)"


def _query(operation: "type[Operation]", given: "Sequence[str]", window: "TimeWindow | None") -> "Operation":
    """The operation with its arguments. Raises `UsageError` naming the argument that is wrong or missing."""
    from pydantic import ValidationError

    from runbook_bot.providers.aws.operations.arguments import arguments
    from runbook_bot.providers.aws.operations.documentation import taken

    try:
        return operation.model_validate(arguments(operation, given, window))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(each) for each in first["loc"]) or "the arguments"
        raise UsageError(f"{operation.kind}: {name}: {first['msg']}; it takes {taken(operation)}") from None


def _list(words: "Sequence[str]", as_json: bool) -> None:
    """The documentation of every operation, made from what it is made of."""
    from runbook_bot.providers.aws.operations.documentation import documented

    found: list[dict[str, Any]] = documented(words)
    if as_json:
        terminal.say_json(found)
        return
    for each in found:
        terminal.say(f"{each['kind']}")
        terminal.say(f"    {each['what']}")
        terminal.say(f"    ask: {'; '.join(each['words'])}")
        for name, field in each["arguments"].items():
            default = terminal.plain(str(field["default"])) if field["default"] not in (None, [], "") else ""
            must = "needed" if field["needed"] else f"{default} if not given" if default else "optional"
            terminal.say(f"    --{name.replace('_', '-'):<14} {field['type']}, {must}: {field['text']}")
        terminal.say(f"    needs: {', '.join(each['permissions'])}")
        terminal.say(f"    asked {each['where']}")
        terminal.say()
    terminal.say(f"{len(found)} questions. Ask one by its kind (runbook-bot aws {_example()}) or in its words.")


def _example() -> str:
    return "ecs.stopped_tasks --cluster prod"
