"""The world in a box: a simulated cloud with an incident in it, a Slack on loopback, and a home with runbooks."""

import asyncio
import shlex
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import yaml

from runbook_bot.playground.cloud import Cloud, Scenario
from runbook_bot.playground.slack.server import LoopbackSlack
from runbook_bot.playground.slack.workspace import Workspace

APPROVERS = "S0APPROVERS"
DOCUMENTS = Path(__file__).parent / "knowledge"
"""The example team's runbooks and post-mortems."""


class Box:
    """Started by entering it, gone without a trace after it. Raises `ScenarioError`, `PlaygroundError`."""

    def __init__(self, scenario: str, *, port: int = 0) -> None:
        self.scenario = Scenario.load(scenario)
        self.cloud = Cloud()
        note = f"Simulated AWS (moto and an overlay), scenario {self.scenario.name}: {self.scenario.title}"
        self.slack = LoopbackSlack(Workspace.demo(note=note))
        self._port = port
        self.home = Path(tempfile.mkdtemp(prefix="runbook-demo-"))

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as begun:  # taken down again where the start fails or is cancelled
            begun.push_async_exit(self)
            await self.slack.start(self._port)
            self._furnish()
            await self.cloud.start(self.scenario)
            begun.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(self.cloud.stop(), self.slack.stop())
        await asyncio.to_thread(shutil.rmtree, self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What the product has to find in its environment."""
        return {
            **self.cloud.environment(),
            "RUNBOOK_HOME": str(self.home),
            "RUNBOOK_PATIENCE": "3",  # the cloud shares the machine with whoever asks it
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
        }

    def welcome(self) -> str:
        """What the terminal says once all is ready."""
        return (
            f"The world in a box is open at {self.slack.page_url}\n"
            f"An alarm has gone off in it. In #incidents, type:\n"
            f"    /runbook investigate {self.scenario.expected.alarm}\n"
            f"Then act as an approver (top left) to allow the repair, and watch the alarm's metric. Ctrl-C ends it.\n"
            f"From another terminal the same cloud can be asked too:\n"
            f'    {self._surroundings()} runbook-bot ask "what\'s running in prod?"'
        )

    def _surroundings(self) -> str:
        """What a command in another terminal has to be told."""
        told = {**self.cloud.environment(), "RUNBOOK_HOME": str(self.home)}
        return " ".join(f"{name}={shlex.quote(value)}" for name, value in told.items())

    def _furnish(self) -> None:
        """The home directory: the team's services, runbooks, and a configuration that lets the approvers approve."""
        self.home.joinpath("services.yaml").write_text(self.scenario.services_yaml(), "utf-8")
        books = self.home / "runbooks"
        shutil.copytree(DOCUMENTS, books)
        configuration = {
            "safety": {
                "approvers": {"high": {"usergroups": [APPROVERS]}, "critical": {"usergroups": [APPROVERS], "count": 2}},
                "allow_ambient_credentials": True,
            }
        }
        self.home.joinpath("config.yaml").write_text(yaml.safe_dump(configuration), "utf-8")
