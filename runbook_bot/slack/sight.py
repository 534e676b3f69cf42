"""Who sees which investigation: what was asked in a channel is told to its members only."""

import asyncio
from collections.abc import Iterable

import structlog

from runbook_bot.domain.investigation import Investigation, Remedy
from runbook_bot.errors import DeskError
from runbook_bot.slack.desk import Desk

log = structlog.get_logger(__name__)


async def visible(desk: Desk, user: str, here: str, cases: Iterable[Investigation]) -> list[Investigation]:
    """Those of the channel one stands in, one's own, and those of channels one is in. What cannot be told is hidden."""
    found = list(cases)
    elsewhere = {
        c.request.channel for c in found if c.request.channel not in ("", here) and c.request.requester != user
    }
    channels = sorted(elsewhere)
    member = await asyncio.gather(*(_member(desk, user, channel) for channel in channels))
    open_to = {channel for channel, inside in zip(channels, member, strict=True) if inside} | {here}
    return [c for c in found if c.request.requester == user or c.request.channel in open_to]


async def _member(desk: Desk, user: str, channel: str) -> bool:
    try:
        return await desk.directory.in_channel(user, channel)
    except DeskError as error:
        log.warning("membership unknown", channel=channel, error=str(error))
        return False


def waiting(cases: Iterable[Investigation]) -> list[tuple[Investigation, Remedy]]:
    """The changes that wait for somebody's approval."""
    return [(case, remedy) for case in cases for remedy in case.remedies.values() if remedy.state == "open"]
