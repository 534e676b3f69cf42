"""Shows investigations in Slack: what the journal says becomes posts and edits, each once, whatever happens between.

Before a message is posted the intent is journalled, afterwards the result. An intent without a result is looked for
in Slack before anything is posted again.
"""

import asyncio
from collections.abc import Sequence

import structlog

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import Posted, Posting
from runbook_bot.domain.ports import Journal, Leases
from runbook_bot.errors import DeskError, JournalError, LeaseLost, SettingsError
from runbook_bot.slack.canvas import CanvasKeeper
from runbook_bot.slack.connection import Connection
from runbook_bot.slack.lookup import find
from runbook_bot.slack.message import Message
from runbook_bot.slack.outbox import Outbox
from runbook_bot.slack.refusals import ChannelGone, Refused
from runbook_bot.slack.views.moved import moved_note
from runbook_bot.slack.views.place import MOVED
from runbook_bot.slack.views.thread import wanted
from runbook_bot.slack.workspace import Workspace

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds that `settle` keeps a worker waiting at most; showing goes on without it."""
AT_THE_END = 20.0
"""Seconds that are left for what is still to be shown when the process ends."""
ELSEWHERE = 0.25
"""Seconds until it is asked again whether another process has done with showing it."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between two attempts while Slack cannot be reached; they grow only while nothing at all comes through."""
COALESCE = 0.05
"""Seconds in which further entries become part of the same look at the journal."""


class Board:
    """The `Watcher` of Slack. One task an investigation while there is something to show; never raises."""

    def __init__(self, connection: Connection, outbox: Outbox, leases: Leases, *, patience: float = PATIENCE) -> None:
        self._connection = connection
        self._outbox = outbox
        self._leases = leases
        self._canvas = CanvasKeeper(outbox)
        self._patience = patience
        self._threads: dict[str, _Showing] = {}

    async def changed(self, journal: Journal) -> None:
        self._showing(journal).wake()

    async def settle(self, journal: Journal) -> None:
        showing = self._showing(journal)
        showing.wake()
        await showing.wait(self._patience)

    async def close(self) -> None:
        """Show what can still be shown, then stop."""
        await asyncio.gather(*(showing.wait(AT_THE_END) for showing in self._threads.values()))
        await asyncio.gather(*(showing.stop() for showing in self._threads.values()))

    def _showing(self, journal: Journal) -> "_Showing":
        showing = self._threads.get(journal.id)
        if showing is None:
            self._forget_idle()
            showing = _Showing(journal, self._connection, self._outbox, self._leases, self._canvas)
            self._threads[journal.id] = showing
        return showing

    def _forget_idle(self) -> None:
        """What was shown long ago costs one superfluous edit when it changes again; memory costs more."""
        if len(self._threads) >= 200:
            self._threads = {id: showing for id, showing in self._threads.items() if showing.busy}


class _Showing:
    """One investigation on its way to Slack.

    It is shown by one process at a time, under a lease of its own: Slack may be behind long after the work is done.
    """

    def __init__(
        self, journal: Journal, connection: Connection, outbox: Outbox, leases: Leases, canvas: CanvasKeeper
    ) -> None:
        self._journal = journal
        self._connection = connection
        self._outbox = outbox
        self._leases = leases
        self._canvas = canvas
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sent: dict[str, str] = {}
        """Digest of what was last sent, by key."""
        self._editing: set[str] = set()
        self._lost: set[str] = set()
        """Keys that Slack refused for good."""
        self._hopeless = False
        self._shown = 0
        """Messages that came through."""
        self._canvas_later: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def wake(self) -> None:
        self._news.set()
        if not self.busy:
            self._task = asyncio.create_task(self._run(), name=f"show {self._journal.id}")

    async def wait(self, seconds: float) -> None:
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=seconds)
            if late:
                log.warning("slack is behind", investigation=self._journal.id, backlog=self._outbox.backlog)

    async def stop(self) -> None:
        if self._canvas_later is not None:
            self._canvas_later.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._news.is_set() or self._editing:
            try:
                async with self._leases.hold(f"show:{self._journal.id}") as mine:
                    if mine:
                        await self._show_all()
                    else:
                        await asyncio.sleep(ELSEWHERE)
            except LeaseLost:
                self._news.set()

    async def _show_all(self) -> None:
        pause, shown = FIRST_PAUSE, self._shown
        while self._news.is_set() or self._editing:
            await self._news.wait()
            self._news.clear()
            try:
                await self._show()
                pause = FIRST_PAUSE
                await asyncio.sleep(COALESCE)
            except (DeskError, JournalError, SettingsError) as error:
                if self._shown > shown:
                    pause, shown = FIRST_PAUSE, self._shown
                log.warning("not shown yet", investigation=self._journal.id, error=str(error), again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                self._news.set()
            except Exception:  # the outer edge of showing: a bug in it must never end an investigation
                log.exception("could not be shown", investigation=self._journal.id)

    async def _show(self) -> None:
        if self._hopeless:
            return
        workspace = await self._connection.workspace()
        while True:
            case = await self._case()
            messages = wanted(case, workspace)
            for message in messages:  # before the next post, which may have to wait for its turn; edits need not
                if message.to is None and message.key in case.posted and self._sent.get(message.key) != message.digest:
                    self._edit(message, case.posted[message.key].ts)
            missing = self._missing(case, messages)
            if missing is None:
                break
            await self._say(missing, workspace)
            if self._hopeless:
                return
        await self._keep_canvas(case, workspace)

    async def _case(self) -> Investigation:
        """As it stands now. In a thread: while an entry is written, the journal is locked."""
        return await asyncio.to_thread(self._journal.refresh)

    async def _keep_canvas(self, case: Investigation, workspace: Workspace) -> None:
        """What goes wrong with it holds no message up."""
        if self._canvas_later is not None:
            return
        try:
            if await self._canvas.keep(self._journal, case, workspace):
                self._news.set()
        except DeskError as error:
            log.warning("the canvas is not kept yet", investigation=self._journal.id, error=str(error))
            self._canvas_later = asyncio.get_running_loop().call_later(LONGEST_PAUSE, self._canvas_again)

    def _canvas_again(self) -> None:
        self._canvas_later = None
        self.wake()

    def _missing(self, case: Investigation, messages: Sequence[Message]) -> Message | None:
        """What to post next: the verdict and what waits for a decision, where there is one, then the rest in order."""
        missing = (m for m in messages if m.key not in case.posted and m.key not in self._lost)
        return min(missing, key=lambda message: not message.final, default=None)

    async def _say(self, message: Message, workspace: Workspace) -> None:
        try:
            await self._post(message, workspace)
        except ChannelGone as gone:
            await self._move(message, gone, workspace)
        except Refused as refused:
            log.error("slack refused a message", investigation=self._journal.id, key=message.key, error=refused.word)  # noqa: TRY400  # Slack's word is the whole story
            self._lost.add(message.key)

    async def _post(self, message: Message, workspace: Workspace) -> None:
        case = await self._case()
        ts: str | None = None
        begun = case.posting.get(message.key)
        if begun is None or begun.channel != message.channel:
            intent = Posting(key=message.key, channel=message.channel, thread=message.thread)
            await asyncio.to_thread(self._journal.append, intent)
        elif message.to is None:
            ts = await find(self._connection.reading, workspace, message, case.opened_at)
        if ts is None:
            ts = await (self._outbox.whisper(message) if message.to else self._outbox.post(message))
            self._sent[message.key] = message.digest
        self._shown += 1
        done = Posted(key=message.key, channel=message.channel, ts=ts, thread=message.thread)
        await asyncio.to_thread(self._journal.append, done)

    def _edit(self, message: Message, ts: str) -> None:
        if message.key in self._lost:
            return
        self._sent[message.key] = message.digest
        self._editing.add(message.key)
        self._outbox.edit(message, ts).add_done_callback(lambda done: self._edited(message, done))

    def _edited(self, message: Message, done: "asyncio.Future[None]") -> None:
        self._editing.discard(message.key)
        error = None if done.cancelled() else done.exception()
        if isinstance(error, Refused):
            log.warning("an edit was refused", investigation=self._journal.id, key=message.key, error=error.word)
            self._lost.add(message.key)
        elif error is not None:
            self._sent.pop(message.key, None)
        self._news.set()

    async def _move(self, message: Message, gone: ChannelGone, workspace: Workspace) -> None:
        """The channel is gone: go on in a DM with whoever asked, once; where that is gone too, give up."""
        case = self._journal.refresh()
        if MOVED in case.posted or not case.request.requester or message.key == MOVED:
            log.error("nowhere to show it", investigation=case.id, key=message.key, error=gone.word)  # as above
            self._hopeless = True
            return
        log.warning("moved to a direct message", investigation=case.id, key=message.key, error=gone.word)
        try:
            opened = await self._outbox.call(
                "conversations.open", self._connection.writing.conversations_open, users=case.request.requester
            )
        except Refused as refused:
            log.error("no direct message either", investigation=case.id, error=refused.word)  # noqa: TRY400  # as above
            self._hopeless = True
            return
        await self._say(moved_note(case, str(opened["channel"]["id"]), gone.word), workspace)
