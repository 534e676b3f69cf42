"""`config get` and `config set`."""

import os
from typing import Annotated

import typer

from runbook_bot.cli import edge, terminal

app = typer.Typer(help="Show or change config.yaml.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def get(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="A dotted key; none shows all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, and nothing else.")] = False,
) -> None:
    """Show the value in force, defaults and environment included; secrets as asterisks."""
    settings = edge.settings()
    import yaml

    from runbook_bot.settings.editing import shown

    value = shown(settings, key)
    if as_json:
        terminal.say_json(value)
    elif isinstance(value, dict | list):
        terminal.say(yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip())
    else:
        terminal.say("null" if value is None else str(value).lower() if isinstance(value, bool) else str(value))


@app.command("set")
def put(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A dotted key, as agent.max_iterations.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value as YAML: 5, true, [a, b], text.")],
) -> None:
    """Write one key into config.yaml, if the whole is valid with it."""
    from runbook_bot.settings import home_from
    from runbook_bot.settings.editing import change

    if not change(home_from(os.environ), key, value, os.environ):
        terminal.complain("config.yaml had to be written anew; its comments are gone")
