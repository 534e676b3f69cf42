"""`doctor`: every configured part is asked whether it answers, all at once, two seconds each."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_bot import bootstrap
from runbook_bot.domain.ports import Check
from runbook_bot.errors import RunbookError, SettingsError, UsageError
from runbook_bot.settings import Settings, home_from
from runbook_bot.slack.connection import Connection
from runbook_bot.state.connection import reach, redis_client

if TYPE_CHECKING:
    from runbook_bot.providers.aws.doctor import AccessReport

PATIENCE = 2.0
"""Seconds for one part."""

OLDEST_PYTHON = (3, 11)

NEWEST = 50
"""Journals that are looked at; `audit verify` looks at all."""


async def examine(environ: Mapping[str, str]) -> list[Check]:
    """One line or more per part, in a fixed order. Raises nothing: a part that cannot be asked is a failed part."""
    home = home_from(environ).absolute()
    checks = [_python(), _home(home)]
    try:
        settings = Settings.load(home, environ)
    except UsageError as error:
        return [*checks, Check("configuration", "failed", str(error), "correct it, then run doctor again")]
    checks.append(_configuration(settings))
    vendors, memory = await asyncio.gather(_providers(settings), _knowledge(settings))
    asked = [_patiently("slack", _slack(settings)), *vendors, _patiently("redis", _redis(settings)), memory]
    asked += [_patiently("journals", _journals(settings)), _patiently("audit", _audit(settings))]
    found = await asyncio.gather(*asked)
    return checks + [check for part in found for check in part]


async def examine_aws(environ: Mapping[str, str]) -> "AccessReport":
    """What AWS has to allow, and what it does not. Raises `UsageError` where AWS is off or wrongly configured."""
    settings = Settings.load(home_from(environ).absolute(), environ)
    provider = await asyncio.to_thread(bootstrap.aws_provider, settings)
    if provider is None:
        raise SettingsError("AWS is off: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or providers.aws.enabled: true")
    return await provider.access_report()


async def _patiently(part: str, asking: Awaitable[Sequence[Check]]) -> Sequence[Check]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asking
    except TimeoutError:
        return [Check(part, "failed", f"no answer within {PATIENCE:g} seconds", "check its address and the network")]
    except RunbookError as error:
        return [Check(part, "failed", str(error))]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", "failed", f"{version} is too old", "install Python 3.11 or newer")
    return Check("python", "ok", version)


def _home(home: Path) -> Check:
    remedy = "give this user the right to write there, or set RUNBOOK_HOME to another folder"
    try:
        nearest = next(path for path in (home, *home.parents) if path.exists())
    except OSError as error:
        return Check("home", "failed", f"{home} cannot be looked at: {error.strerror}", remedy)
    if not nearest.is_dir():
        return Check("home", "failed", f"{nearest} is not a folder", "set RUNBOOK_HOME to a folder")
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return Check("home", "failed", f"{nearest} cannot be written: {error.strerror}", remedy)
    free = os.statvfs(nearest).f_bavail * os.statvfs(nearest).f_frsize
    if free < 100_000_000:
        return Check("home", "warning", f"{home} has {free // 1_000_000} MB left", "journals need room: free some")
    return Check("home", "ok", str(home) + ("" if nearest == home else " (made when it is first needed)"))


def _configuration(settings: Settings) -> Check:
    count = len(settings.services.services)
    if not count:
        text = "valid; services.yaml names no services, so dependencies are only those that can be discovered"
        return Check("configuration", "warning", text, f"describe your services in {settings.home / 'services.yaml'}")
    return Check("configuration", "ok", f"valid; services.yaml names {count} service{'s' if count > 1 else ''}")


async def _slack(settings: Settings) -> list[Check]:
    slack = settings.incident.slack
    if not slack.enabled or not (slack.bot_token or slack.app_token):
        text = "no tokens" if slack.enabled else "switched off by incident.slack.enabled"
        remedy = "create the app from manifest.yml, set SLACK_BOT_TOKEN and SLACK_APP_TOKEN"
        return [Check("slack", "off", text, remedy)]
    connection = Connection(slack, api_url=settings.slack_api_url)
    try:
        workspace = await connection.workspace()
        await connection.socket_url()
    finally:
        await connection.close()
    return [Check("slack", "ok", f"{workspace.url or workspace.team}, Socket Mode answers")]


async def _providers(settings: Settings) -> list[Coroutine[None, None, Sequence[Check]]]:
    """One question a vendor. Loading its library takes time of its own, so that is done before the clock starts."""
    try:
        providers = await asyncio.to_thread(bootstrap.providers, settings)
    except RunbookError as error:
        return [_told(Check("aws", "failed", str(error)))]
    asked: list[Coroutine[None, None, Sequence[Check]]] = []
    if not bootstrap.aws_wanted(settings):
        remedy = "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_REGION, read-only is enough"
        asked.append(_told(Check("aws", "off", "no credentials, so nothing can be asked", remedy)))
    return asked + [_patiently(provider.name, provider.check()) for provider in providers]


async def _told(check: Check) -> Sequence[Check]:
    return [check]


async def _redis(settings: Settings) -> list[Check]:
    redis = redis_client(settings.state)
    if redis is None:
        text = "not configured; everything runs in one process"
        return [Check("redis", "off", text, "set REDIS_URL to run more than one process")]
    try:
        await reach(redis)
    finally:
        await redis.aclose()
    return [Check("redis", "ok", "answers")]


async def _knowledge(settings: Settings) -> Coroutine[None, None, Sequence[Check]]:
    """As with the vendors: loading comes before the clock."""
    memory = bootstrap.knowledge(settings)
    await memory.prepare()

    async def asked() -> Sequence[Check]:
        try:
            return await memory.check()
        finally:
            await memory.close()

    return _patiently("knowledge", asked())


async def _journals(settings: Settings) -> list[Check]:
    journals = bootstrap.journals(settings)
    ids = journals.ids()

    def broken() -> list[str]:
        return [line for id in ids[:NEWEST] for line in journals.verify(id)]

    found = await asyncio.to_thread(broken)
    if found:
        return [Check("journals", "failed", found[0], "runbook-bot audit verify lists all of it")]
    return [Check("journals", "ok", f"{len(ids)} of them, intact")]


async def _audit(settings: Settings) -> list[Check]:
    found = await asyncio.to_thread(bootstrap.audit(settings).verify)
    if found:
        return [Check("audit", "failed", found[0], "runbook-bot audit verify lists all of it")]
    return [Check("audit", "ok", "intact")]
