"""All places that are looked in: every configured account in every configured region."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from runbook_bot.domain.tools import Result
from runbook_bot.providers.aws.answers import combined
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.place import Place, Threads
from runbook_bot.providers.aws.readiness import region_of_profile

_LAST_RESORT = "us-east-1"


@dataclass(frozen=True)
class Regions:
    """Where to look, and who said so."""

    names: tuple[str, ...]
    told_by: str


def regions_of(settings: AwsSettings, environment: Mapping[str, str] = os.environ) -> Regions:
    """Configured, else of the environment, else the profile's, else us-east-1."""
    if settings.regions:
        return Regions(tuple(settings.regions), "providers.aws.regions")
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environment.get(variable):
            return Regions((environment[variable],), variable)
    if region := region_of_profile(settings):
        return Regions((region,), "the profile")
    return Regions((_LAST_RESORT,), "")


class Places:
    """The places of one configuration; they share one pool of threads."""

    def __init__(self, settings: AwsSettings) -> None:
        self.regions = regions_of(settings)
        threads = Threads()
        accounts = settings.accounts or (None,)
        self.all = tuple(
            Place(region, threads, profile=settings.profile, account=account)
            for account in accounts
            for region in self.regions.names
        )

    async def ask(self, read: Callable[[Place], Awaitable[Result]]) -> Result:
        """The same question to every place, at the same time; one answer."""
        return await _asked(self.all, read)

    async def ask_accounts(self, read: Callable[[Place], Awaitable[Result]], home: str | None = None) -> Result:
        """The same question once an account, for services that are the same in every region.

        `home` is the one region that such a service answers in; None where any does.
        """
        first = {place.account: place for place in reversed(self.all)}
        return await _asked([place.at(home) if home else place for place in reversed(first.values())], read)


async def _asked(places: Sequence[Place], read: Callable[[Place], Awaitable[Result]]) -> Result:
    results = await asyncio.gather(*(read(place) for place in places))
    return combined([(place.name, result) for place, result in zip(places, results, strict=True)])
