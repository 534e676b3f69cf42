"""What `doctor` says of AWS: who the credentials are, and which reads are allowed and answered."""

import asyncio
from collections.abc import Sequence
from typing import Any

from runbook_bot.domain.errand import reading_afresh
from runbook_bot.domain.ports import Check
from runbook_bot.providers.aws.failure import CallFailed
from runbook_bot.providers.aws.place import Place
from runbook_bot.providers.aws.places import Places
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


async def _check_place(place: Place) -> list[Check]:
    part = f"aws {place.name}"
    try:
        async with asyncio.timeout(_SECONDS):
            return await _ask(place, part)
    except TimeoutError:
        remedy = "check the network, the region and AWS_ENDPOINT_URL"
        return [Check(part, "failed", f"AWS did not answer within {_SECONDS:g} s", remedy)]


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
            return _LOG_IN
        case "unreachable" | "timeout":
            return "check the network, the region and AWS_ENDPOINT_URL"
        case "unsupported":
            return "nothing to do: investigations go on without it and say so"
        case _:
            return ""
