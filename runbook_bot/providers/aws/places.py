"""All places that are looked in: every configured account in every configured region."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from runbook_bot.domain.tools import Result, Status
from runbook_bot.providers.aws.access import Access
from runbook_bot.providers.aws.answers import combined
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.memory import Memory, aged
from runbook_bot.providers.aws.patience import patience
from runbook_bot.providers.aws.place import AT_ONCE, Place
from runbook_bot.providers.aws.readiness import named, region_of_profile
from runbook_bot.providers.aws.threads import Threads

_LAST_RESORT = "us-east-1"
_MOST_THREADS = 64
PLACE_SECONDS = 9.0
"""For the whole answer of one place; the others' answers do not wait longer for it."""
_TOLD_SECONDS = 1.0
"""An age below it is no age."""


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
    """The places of one configuration; they share one pool of threads and one memory."""

    def __init__(self, settings: AwsSettings, *, remembers: bool = True) -> None:
        """`remembers`: whether an answer of the last minute will do; what decides about a change reads the world."""
        self.regions = regions_of(settings)
        self.memory = Memory() if remembers else None
        accesses = [Access(named(settings), account) for account in settings.accounts or (None,)]
        threads = Threads(min(_MOST_THREADS, AT_ONCE * len(accesses) * len(self.regions.names) + AT_ONCE))
        self.all = tuple(
            Place(region, access, threads, self.memory) for access in accesses for region in self.regions.names
        )

    def forget(self) -> None:
        """The world was changed: nothing that was read before is an answer any more."""
        if self.memory is not None:
            self.memory.forget()
        for place in self.all:
            place.forget()

    async def ask(self, read: Callable[[Place], Awaitable[Result]]) -> Result:
        """The same question to every place, at the same time; one answer."""
        return await _asked(self.all, read)

    async def ask_accounts(self, read: Callable[[Place], Awaitable[Result]], home: str | None = None) -> Result:
        """The same question once an account, for services that are the same in every region.

        `home` is the one region that such a service answers in, of the commercial partition; None where any does.
        """
        first = {place.account: place for place in reversed(self.all)}
        places = [place.at(home_in(place.region, home)) if home else place for place in reversed(first.values())]
        return await _asked(places, read)


def home_in(region: str, home: str) -> str:
    """Where the partition of that region answers for services that have one place only."""
    if region.startswith("cn-"):
        return "cn-northwest-1"
    return "us-gov-west-1" if region.startswith("us-gov-") else home


async def _asked(places: Sequence[Place], read: Callable[[Place], Awaitable[Result]]) -> Result:
    results = await asyncio.gather(*(_dated(place, read) for place in places))
    return combined([(place.name, result) for place, result in zip(places, results, strict=True)])


async def _dated(place: Place, read: Callable[[Place], Awaitable[Result]]) -> Result:
    """One place's answer, with its age where a part of it is from memory; silence is an answer too."""
    with aged() as ages:
        try:
            async with asyncio.timeout(PLACE_SECONDS * patience()):
                result = await read(place)
        except TimeoutError:
            text = f"AWS did not answer within {PLACE_SECONDS * patience():g} s"
            return Result(status=Status.error, source="aws", where=f"AWS in {place.name}", message=text)
    age = max(ages, default=0.0)
    if age < _TOLD_SECONDS:
        return result
    return result.model_copy(update={"age": round(age, 1), "where": f"{result.where} ({age:.0f} s ago)"})
