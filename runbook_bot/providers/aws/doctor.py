"""What `doctor` says of AWS: who the credentials are, and which reads are allowed and answered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.ports import Check
from runbook_bot.providers.aws.config import AwsSettings
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.patience import patience
from runbook_bot.providers.aws.place import Identity, Place
from runbook_bot.providers.aws.places import Places
from runbook_bot.providers.aws.policy import Bounds, Policy, assuming, changing, reading, reads, scoped
from runbook_bot.providers.aws.standing import Standing, standing
from runbook_bot.providers.aws.wire import endpoint_overridden

_SECONDS = 1.8
_READS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("cloudwatch", "DescribeAlarms", {"MaxRecords": 1}),
    ("logs", "DescribeLogGroups", {"limit": 1}),
    ("ecs", "ListClusters", {"maxResults": 1}),
    ("cloudtrail", "LookupEvents", {"MaxResults": 1}),
)
_OPTIONAL = ("cloudtrail",)
_LOG_IN = "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run: aws sso login"


async def check(places: Places) -> Sequence[Check]:
    with reading_afresh():
        found = await asyncio.gather(*(_check_place(place) for place in places.all))
    lines = [line for part in found for line in part]
    if not places.regions.told_by:
        text = f"no region is configured; {places.regions.names[0]} is looked in"
        lines.append(Check("aws region", "warning", text, "set providers.aws.regions or AWS_REGION"))
    return lines


@dataclass
class AccessReport:
    """What AWS has to allow, and what it does not."""

    reading: list[Policy]
    changing: Policy
    assuming: Policy | None
    standings: list[Standing]


async def access_report(places: Places, settings: AwsSettings) -> AccessReport:
    """The policies for what is configured, and how each account's credentials stand to them. Never raises."""
    first = {place.account: place for place in reversed(places.all)}
    with reading_afresh():
        asked = [(place, await _who(place)) for place in reversed(first.values())]
        known = [(place, who) for place, who in asked if isinstance(who, Identity)]
        bounds = _bounds([who for _, who in known], places.regions.names)
        standings = await asyncio.gather(*(_standing(place, who, places.regions.names) for place, who in asked))
    return AccessReport(reading(bounds), changing(bounds), assuming(settings), list(standings))


def _bounds(identities: Sequence[Identity], regions: Sequence[str]) -> Bounds:
    accounts, partitions = {each.account for each in identities}, {each.partition for each in identities}
    return Bounds(
        partition=partitions.pop() if len(partitions) == 1 else "aws",
        region=regions[0] if len(regions) == 1 else "*",
        account=accounts.pop() if len(accounts) == 1 else "*",
    )


async def _who(place: Place) -> Identity | CallFailed:
    try:
        return await place.identity()
    except CallFailed as failure:
        return failure


async def _standing(place: Place, who: Identity | CallFailed, regions: Sequence[str]) -> Standing:
    if isinstance(who, CallFailed):
        return Standing(place.name, "", "not asked", str(who), unknown=reads())
    return await standing(place, who, scoped(reads(), _bounds([who], regions)))


async def _check_place(place: Place) -> list[Check]:
    part = f"aws {place.name}"
    try:
        async with asyncio.timeout(_SECONDS * patience()):
            return await _ask(place, part)
    except TimeoutError:
        remedy = "check the network, the region and AWS_ENDPOINT_URL"
        return [Check(part, "failed", f"AWS did not answer within {_SECONDS * patience():g} s", remedy)]


async def _ask(place: Place, part: str) -> list[Check]:
    answers = await asyncio.gather(_identity(place), *(_read(place, *each) for each in _READS))
    identity, reads = answers[0], answers[1:]
    if isinstance(identity, CallFailed):
        return [Check(part, "failed", str(identity), _remedy(identity))]
    lines = [Check(part, "ok", f"account {identity}" + (", at AWS_ENDPOINT_URL" if endpoint_overridden() else ""))]
    for (service, _, _), failure in zip(_READS, reads, strict=True):
        if isinstance(failure, CallFailed):
            mild = service in _OPTIONAL or failure.kind == "unsupported"
            lines.append(Check(f"{part} {service}", "warning" if mild else "failed", str(failure), _remedy(failure)))
    return lines


async def _identity(place: Place) -> str | CallFailed:
    try:
        identity = await place.identity()
    except CallFailed as failure:
        return failure
    return f"{identity.account} as {identity.arn.rpartition(':')[2]}"


async def _read(place: Place, service: str, action: str, parameters: dict[str, Any]) -> CallFailed | None:
    try:
        await place.call(service, action, **parameters)
    except CallFailed as failure:
        return failure
    return None


def _remedy(failure: CallFailed) -> str:
    match failure.kind:
        case "denied":
            return f"allow {failure.action} to the role that Runbook reads with"
        case "credentials":
            return "" if "aws sso login" in str(failure) else _LOG_IN
        case "unreachable" | "timeout":
            return "check the network, the region and AWS_ENDPOINT_URL"
        case "unsupported":
            return "nothing to do: investigations go on without it and say so"
        case _:
            return ""
