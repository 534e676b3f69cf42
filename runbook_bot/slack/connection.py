"""The line to Slack: one HTTP session, one client that may repeat its calls and one that may not."""

import asyncio

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from runbook_bot.errors import SettingsError
from runbook_bot.slack.config import SlackSettings
from runbook_bot.slack.refusals import NETWORK, Refused, meaning
from runbook_bot.slack.workspace import Workspace

TIMEOUT = 10.0
"""Seconds for one call, connecting included."""
_BAD_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)


class Connection:
    """Made inside a running loop, shared by everything that talks to Slack, closed by whoever made it."""

    def __init__(self, settings: SlackSettings, *, api_url: str | None = None, listens: bool = True) -> None:
        """`api_url` is the base of the Web API, Slack's own where None. Raises `SettingsError` naming the variable.

        Who only writes (a worker) opens no Socket Mode, and needs no app token: `listens` is False.
        """
        self._bot_token = _token(settings, "bot_token", "xoxb-", "SLACK_BOT_TOKEN")
        self.app_token = _token(settings, "app_token", "xapp-", "SLACK_APP_TOKEN") if listens else ""
        base = (api_url or AsyncWebClient.BASE_URL).rstrip("/") + "/"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        self.reading = AsyncWebClient(
            token=self._bot_token,
            base_url=base,
            session=self._session,
            retry_handlers=[
                AsyncConnectionErrorRetryHandler(),
                AsyncRateLimitErrorRetryHandler(max_retry_count=2),
                AsyncServerErrorRetryHandler(),
            ],
        )
        """For calls that may be made twice."""
        self.writing = AsyncWebClient(token=self._bot_token, base_url=base, session=self._session, retry_handlers=[])
        """For calls that may not: the outbox decides."""
        self.listening = AsyncWebClient(base_url=base, session=self._session)
        """For Bolt: without a token, so that no delivery waits for an `auth.test`."""
        self._workspace: Workspace | None = None
        self._asking = asyncio.Lock()

    @property
    def bot_token(self) -> str:
        return self._bot_token

    @property
    def team(self) -> str:
        """The workspace's id, "" until `workspace` has learnt it."""
        return self._workspace.team if self._workspace else ""

    async def workspace(self) -> Workspace:
        """Where we are and who. Raises `SettingsError` for a token that Slack does not know, `DeskError` otherwise."""
        async with self._asking:
            if self._workspace is None:
                try:
                    answer = await self.reading.auth_test()
                except NETWORK as error:
                    raise _bad_token(error, "SLACK_BOT_TOKEN", "auth.test") from error
                self._workspace = Workspace(
                    team=str(answer.get("team_id", "")),
                    bot_user=str(answer.get("user_id", "")),
                    bot_id=str(answer.get("bot_id") or ""),
                    url=str(answer.get("url") or ""),
                )
            return self._workspace

    async def socket_url(self) -> str:
        """A fresh address for Socket Mode. Raises `SettingsError` where Slack does not know the app token."""
        try:
            answer = await self.reading.apps_connections_open(app_token=self.app_token)
        except NETWORK as error:
            raise _bad_token(error, "SLACK_APP_TOKEN", "apps.connections.open") from error
        return str(answer["url"])

    async def close(self) -> None:
        await self._session.close()


def _token(settings: SlackSettings, key: str, prefix: str, variable: str) -> str:
    secret = getattr(settings, key)
    token = secret.get_secret_value().strip() if secret else ""
    where = f"{variable} (or incident.slack.{key})"
    if not token:
        raise SettingsError(f"{where} is not set; Slack needs a token that begins with {prefix}")
    if not token.startswith(prefix):
        kind = token.split("-", 1)[0] if token.startswith("x") and "-" in token[:6] else "something else"
        raise SettingsError(f"{where} is of the wrong kind: it must begin with {prefix}, and it is {kind}")
    return token


def _bad_token(error: Exception, variable: str, method: str) -> Exception:
    refusal = meaning(method, error)
    word = refusal.word if isinstance(refusal, Refused) else ""
    if isinstance(error, SlackApiError) and word in _BAD_TOKEN:
        return SettingsError(f"Slack does not accept {variable}: {word}")
    return refusal
