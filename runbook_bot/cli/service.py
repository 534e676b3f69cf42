"""The commands that stay: the Slack app, a worker, and the world in a box."""

import logging
import os
from typing import Annotated

import typer

from runbook_bot.cli import edge, terminal

DEFAULT_SCENARIO = "bad-deployment"


def serve(
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave investigations to `worker` processes.")] = False,
) -> None:
    """Run the Slack app (Socket Mode), with investigation workers in the same process."""
    settings = edge.settings(service=True)
    from runbook_bot import bootstrap

    edge.run_service(bootstrap.serve(settings, worker=not no_worker))


def worker() -> None:
    """Run investigation workers only; needs REDIS_URL."""
    settings = edge.settings(service=True)
    from runbook_bot import bootstrap

    edge.run_service(bootstrap.work(settings))


def demo(
    scenario: Annotated[str, typer.Option(help="Which incident to play; see --list.")] = DEFAULT_SCENARIO,
    show: Annotated[bool, typer.Option("--list", help="List the scenarios and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: a JSON list of names.")] = False,
    headless: Annotated[
        bool,
        typer.Option("--headless", help="Play the story to the verified repair and print the thread; exit 0 if right."),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page on loopback; 0 takes a free one.")] = 0,
) -> None:
    """Open the world in a box: a Slack page, a simulated cloud and a live incident. Needs no account and no key."""
    if show or as_json:
        _list(as_json)
        return
    from runbook_bot import bootstrap, log

    log.configure(os.environ, level=logging.WARNING)

    raise typer.Exit(edge.run(bootstrap.demo(scenario, port=port, headless=headless)))


def _list(as_json: bool) -> None:
    from runbook_bot.playground.cloud.scenario import Scenario, names

    if as_json:
        terminal.say_json(names())
        return
    for name in names():
        terminal.say(f"{name:<28} {terminal.plain(Scenario.load(name).title)}")
