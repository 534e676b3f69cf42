"""The one way out: every write to Slack, paced, in order, and never blindly repeated."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from runbook_bot.domain.noun import Json
from runbook_bot.slack.message import Message, plainer
from runbook_bot.slack.pace import METHODS, TIERS, Bucket, Now, Turns, Window
from runbook_bot.slack.refusals import NETWORK, TOO_YOUNG, AnswerLost, RateLimited, Refused, SlackAway, meaning

log = structlog.get_logger(__name__)

EDIT_GAP = 1.0
"""Seconds between two progress edits of one message."""
TRIES = 6


@dataclass
class _Edit:
    """The latest wanted state of one message."""

    order: int
    message: Message
    ts: str
    shown: "asyncio.Future[None]"
    tries: int = 0


@dataclass
class Outbox:
    """Posts to a channel go one by one: what opens a thread first, then what is final, then the rest, each in order.

    Of edits the latest wins; final states go before progress.

    `client` must not repeat calls by itself: what is repeated, and when, is decided here.
    """

    client: AsyncWebClient
    now: Now = time.monotonic
    _windows: dict[str, Window] = field(default_factory=dict)
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _turns: defaultdict[str, Turns] = field(default_factory=lambda: defaultdict(Turns))
    _edits: dict[tuple[str, str], _Edit] = field(default_factory=dict)
    _edited: dict[tuple[str, str], float] = field(default_factory=dict)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _editor: "asyncio.Task[None] | None" = None

    @property
    def backlog(self) -> int:
        """Edits that wait to be sent."""
        return len(self._edits)

    async def post(self, message: Message) -> str:
        """The timestamp of the new message. Raises `AnswerLost` where it may stand there already: look first."""
        rank = 0 if message.thread is None else 1 if message.final else 2
        async with self._turns[message.channel].take(rank):
            bucket = self._buckets.setdefault(message.channel, Bucket(now=self.now))
            return await self._young(message, lambda blocks: self._post(bucket, message, blocks))

    async def _post(self, bucket: Bucket, message: Message, blocks: tuple[Json, ...]) -> str:
        for _ in range(TRIES):
            await _until(bucket.wait)
            bucket.count()
            try:
                answer = await self.client.chat_postMessage(
                    channel=message.channel,
                    thread_ts=message.thread,
                    text=message.text,
                    blocks=list(blocks),
                    metadata=message.metadata,
                    reply_broadcast=message.broadcast,
                    unfurl_links=False,
                    unfurl_media=False,
                )
                return str(answer["ts"])
            except NETWORK as error:
                refusal = meaning("chat.postMessage", error)
                if not isinstance(refusal, RateLimited):
                    raise refusal from error
                bucket.close_for(refusal.seconds)
        raise SlackAway("Slack kept asking to wait for chat.postMessage")

    async def whisper(self, message: Message) -> str:
        """Post to one person only. Nobody can look an ephemeral message up, so a lost answer counts as shown."""
        arguments: dict[str, Any] = {
            "channel": message.channel,
            "user": message.to,
            "text": message.text,
            "thread_ts": message.thread,
            "blocks": list(message.blocks),
        }
        try:
            answer = await self.call("chat.postEphemeral", self.client.chat_postEphemeral, **arguments)
        except AnswerLost:
            return ""
        return str(answer.get("message_ts", ""))

    async def call(
        self, method: str, send: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any
    ) -> AsyncSlackResponse:
        """Any other call, at its tier's pace. A 429 is waited out and the call made again; nothing else is."""
        window = self._window(method)
        for _ in range(TRIES):
            await _until(window.wait)
            window.count()
            try:
                return await send(**arguments)
            except NETWORK as error:
                refusal = meaning(method, error)
                if not isinstance(refusal, RateLimited):
                    raise refusal from error
                window.close_for(refusal.seconds)
        raise SlackAway(f"Slack kept asking to wait for {method}")

    def edit(self, message: Message, ts: str) -> "asyncio.Future[None]":
        """Have the message changed. Done when this or a newer state of it is shown; fails with `DeskError`."""
        address = (message.channel, ts)
        waiting = self._edits.get(address)
        shown = waiting.shown if waiting else asyncio.get_running_loop().create_future()
        order = waiting.order if waiting else next(self._order)
        self._edits[address] = _Edit(order, message, ts, shown)
        if self._editor is None or self._editor.done():
            self._editor = asyncio.create_task(self._keep_editing(), name="slack edits")
        self._news.set()
        return shown

    async def close(self) -> None:
        """Stop editing; what waits is left unsaid."""
        if self._editor is not None:
            self._editor.cancel()
            await asyncio.gather(self._editor, return_exceptions=True)
        for edit in self._edits.values():
            edit.shown.cancel()
        self._edits.clear()

    async def _keep_editing(self) -> None:
        while self._edits:
            self._news.clear()
            wait, address = self._next()
            if wait > 0:
                try:
                    await asyncio.wait_for(self._news.wait(), timeout=wait)
                except TimeoutError:
                    continue
            else:
                await self._send_edit(address)

    def _next(self) -> tuple[float, tuple[str, str]]:
        """The edit to send next, and how long until it may be sent."""
        window = self._window("chat.update")
        now = self.now()

        def wait(address: tuple[str, str], edit: _Edit) -> float:
            if edit.message.final:
                return window.wait()
            gap = self._edited.get(address, 0.0) + EDIT_GAP - now
            return max(window.wait(progress=True), gap)

        ranked = sorted(
            (round(wait(address, edit), 3), not edit.message.final, edit.order, address)
            for address, edit in self._edits.items()
        )
        return ranked[0][0], ranked[0][3]

    async def _send_edit(self, address: tuple[str, str]) -> None:
        edit = self._edits.pop(address)
        window = self._window("chat.update")
        window.count()
        try:
            await self._young(edit.message, lambda blocks: self._update(edit, blocks))
        except RateLimited as limited:
            window.close_for(limited.seconds)
            self._again(address, edit)
        except Refused as refused:
            _fail(edit, refused)
        except (AnswerLost, SlackAway) as away:
            edit.tries += 1
            if edit.tries >= TRIES:
                _fail(edit, away)
            else:
                window.close_for(min(0.5 * 2**edit.tries, 10.0))
                self._again(address, edit)
        else:
            self._remember(address)
            if not edit.shown.done():
                edit.shown.set_result(None)

    def _remember(self, address: tuple[str, str]) -> None:
        self._edited[address] = self.now()
        if len(self._edited) > 2000:
            stale = self.now() - 60
            self._edited = {each: at for each, at in self._edited.items() if at > stale}

    def _again(self, address: tuple[str, str], edit: _Edit) -> None:
        """Back in the queue, unless a newer state came in the meantime: that one then answers for both."""
        newer = self._edits.get(address)
        if newer is None:
            self._edits[address] = edit
            return
        newer.shown.add_done_callback(lambda done: _follow(done, edit.shown))

    async def _update(self, edit: _Edit, blocks: tuple[Json, ...]) -> str:
        message = edit.message
        try:
            await self.client.chat_update(
                channel=message.channel,
                ts=edit.ts,
                text=message.text,
                blocks=list(blocks),
                metadata=message.metadata,
                unfurl_links=False,
                unfurl_media=False,
            )
        except NETWORK as error:
            raise meaning("chat.update", error) from error
        return edit.ts

    async def _young(self, message: Message, send: Callable[[tuple[Json, ...]], Awaitable[str]]) -> str:
        """Once with everything; where Slack does not understand a block, once more with the old kinds, then bare."""
        try:
            return await send(message.blocks)
        except Refused as refused:
            if refused.word not in TOO_YOUNG:
                raise
            log.warning("slack did not take the blocks", message=message.key, error=refused.word)
        try:
            return await send(plainer(message.blocks))
        except Refused as refused:
            if refused.word not in TOO_YOUNG:
                raise
            log.warning("slack did not take the plain blocks either", message=message.key, error=refused.word)
        return await send(())

    def _window(self, method: str) -> Window:
        limit = TIERS[METHODS.get(method, 3)]
        return self._windows.setdefault(method, Window(limit, now=self.now))


async def _until(wait: Callable[[], float]) -> None:
    """Until the pace allows a call; whoever comes first after a pause takes the place, so it is asked again."""
    while (seconds := wait()) > 0:  # noqa: ASYNC110  # time is what is waited for, nobody sets an event
        await asyncio.sleep(seconds)


def _fail(edit: _Edit, error: Exception) -> None:
    if not edit.shown.done():
        edit.shown.set_exception(error)


def _follow(done: "asyncio.Future[None]", follower: "asyncio.Future[None]") -> None:
    if follower.done():
        return
    if done.cancelled():
        follower.cancel()
    elif (error := done.exception()) is not None:
        follower.set_exception(error)
    else:
        follower.set_result(None)
