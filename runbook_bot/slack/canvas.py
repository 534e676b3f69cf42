"""Keeps one summary canvas an investigation; a Markdown file in the thread where the plan has no canvases.

A failed canvas never fails anything: it is logged, and the thread says the same.
"""

import asyncio
from typing import Any

import structlog

from runbook_bot.domain.investigation import Investigation
from runbook_bot.domain.journal import CanvasKept
from runbook_bot.domain.noun import digest
from runbook_bot.domain.ports import Journal
from runbook_bot.slack.outbox import Outbox
from runbook_bot.slack.refusals import Refused
from runbook_bot.slack.views.canvas import canvas_markdown, canvas_title, plain_summary
from runbook_bot.slack.views.place import root
from runbook_bot.slack.workspace import Workspace

log = structlog.get_logger(__name__)

_TAKEN = "channel_canvas_already_exists"


class CanvasKeeper:
    """Writes at the milestones: the conclusion, each decision, what came of it. In between nothing changes it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._written: dict[str, str] = {}
        """Digest of what was last written, by investigation."""

    async def keep(self, journal: Journal, case: Investigation, workspace: Workspace) -> bool:
        """True where the journal learnt of a canvas just now. Raises `DeskError` where Slack is out of reach."""
        at = root(case)
        if case.verdict is None or at is None:
            return False
        markdown = canvas_markdown(case)
        if self._written.get(case.id) == digest(markdown):
            return False
        kept = case.canvas
        if kept is None:
            kept = await self._create(case, markdown, *at)
            if kept is not None:
                await asyncio.to_thread(journal.append, kept)
        elif not kept.fallback:
            await self._rewrite(case, kept.canvas, markdown)
        self._written[case.id] = digest(markdown)
        return case.canvas is None and kept is not None

    async def _create(self, case: Investigation, markdown: str, channel: str, thread: str) -> CanvasKept | None:
        try:
            return CanvasKept(canvas=await self._canvas(case, markdown, channel))
        except Refused as refused:
            log.info("no canvas here, a file instead", investigation=case.id, error=refused.word)
        try:
            return CanvasKept(canvas=await self._file(case, channel, thread), fallback=True)
        except Refused as refused:
            log.warning("no summary file either", investigation=case.id, error=refused.word)
            return None

    async def _canvas(self, case: Investigation, markdown: str, channel: str) -> str:
        """A tab of the channel, or, where that place is taken, a canvas of its own that the channel may read."""
        content = {"type": "markdown", "markdown": markdown}
        create = self._outbox.client.canvases_create
        arguments: dict[str, Any] = {"title": canvas_title(case), "document_content": content}
        try:
            made = await self._outbox.call("canvases.create", create, channel_id=channel, **arguments)
            return str(made["canvas_id"])
        except Refused as refused:
            if refused.word != _TAKEN:
                raise
        made = await self._outbox.call("canvases.create", create, **arguments)
        canvas = str(made["canvas_id"])
        await self._share(case, canvas, channel)
        return canvas

    async def _share(self, case: Investigation, canvas: str, channel: str) -> None:
        share = self._outbox.client.canvases_access_set
        try:
            await self._outbox.call(
                "canvases.access.set", share, canvas_id=canvas, access_level="read", channel_ids=[channel]
            )
        except Refused as refused:
            log.warning("the canvas could not be shared", investigation=case.id, error=refused.word)

    async def _rewrite(self, case: Investigation, canvas: str, markdown: str) -> None:
        """One operation: without a section, `replace` overwrites everything."""
        change = {"operation": "replace", "document_content": {"type": "markdown", "markdown": markdown}}
        try:
            await self._outbox.call(
                "canvases.edit", self._outbox.client.canvases_edit, canvas_id=canvas, changes=[change]
            )
        except Refused as refused:
            log.warning("the canvas could not be written", investigation=case.id, error=refused.word)

    async def _file(self, case: Investigation, channel: str, thread: str) -> str:
        sent = await self._outbox.call(
            "files.completeUploadExternal",
            self._outbox.client.files_upload_v2,
            content=plain_summary(case),
            filename=f"{case.id}.md",
            title=canvas_title(case),
            channel=channel,
            thread_ts=thread,
        )
        files = sent.get("files") or [{}]
        return str(files[0].get("id", ""))
