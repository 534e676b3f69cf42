"""The simulated cloud as one object: start it with a scenario, point boto3 at it, stop it."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from runbook_bot.errors import PlaygroundError
from runbook_bot.playground.cloud.knobs import Knobs
from runbook_bot.playground.cloud.scenario import Scenario

if TYPE_CHECKING:
    from runbook_bot.playground.cloud.life import Life
    from runbook_bot.playground.cloud.upstream import Upstream

_CREDENTIAL = "testing"


@dataclass(frozen=True)
class CloudState:
    """How the world stands, for tests; the product cannot ask for it."""

    healthy: bool
    severity: float
    """0 without an effect of the fault, 1 in full, more where it has grown."""
    mended: bool
    """The right repair was made."""
    alarms: dict[str, str]


class Cloud:
    """One world on one endpoint."""

    def __init__(self, *, deny: tuple[str, ...] = (), upstream: "Upstream | None" = None) -> None:
        """`upstream` is a moto that runs already, lent to one world after the other."""
        self.knobs = Knobs(deny=set(deny))
        self.scenario: Scenario | None = None
        self._upstream = upstream
        self._life: Life | None = None
        self._port = 0

    async def start(self, scenario: Scenario, *, now: datetime | None = None, port: int = 0) -> None:
        """Ready when this returns. `now` moves the cloud's clock. Raises `PlaygroundError`."""
        if self._life is not None:
            raise PlaygroundError("this cloud runs already; stop it first")
        try:
            from runbook_bot.playground.cloud.life import Life
        except ModuleNotFoundError as error:
            raise PlaygroundError(
                f"{error.name} is not installed; install the extra `demo`: pip install 'runbook-bot[demo]'"
            ) from error
        self.scenario = scenario
        self.knobs.deny.update(scenario.deny)
        self._life = Life(scenario, self.knobs, now, self._upstream)
        async with AsyncExitStack() as begun:  # taken down again where the start fails or is cancelled
            begun.push_async_exit(self)
            self._port = await self._life.begin(port)
            begun.pop_all()

    async def stop(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            await asyncio.shield(life.end())

    async def __aenter__(self) -> "Cloud":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment so that boto3 talks to this cloud."""
        region = self.scenario.region if self.scenario else "us-east-1"
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": _CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": _CREDENTIAL,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def state(self) -> CloudState:
        if self._life is None:
            raise PlaygroundError("this cloud does not run")
        return self._life.state()

    def calls(self) -> dict[str, int]:
        """IAM action → how often it was called, without the loader's own calls."""
        return dict(self._life.overlay.calls) if self._life else {}
