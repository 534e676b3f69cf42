"""The team's memory as the rest of the program sees it: the port `Knowledge`, and what the command line needs."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from runbook_bot.domain.knowledge import Passage
from runbook_bot.domain.ports import Check
from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.adding import add_file, add_text
from runbook_bot.knowledge.config import KnowledgeSettings
from runbook_bot.knowledge.document import Problem
from runbook_bot.knowledge.index import Index
from runbook_bot.knowledge.intake import Root
from runbook_bot.knowledge.report import SyncReport
from runbook_bot.knowledge.validation import validate
from runbook_bot.knowledge.vectors import Vectors, load

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class KnowledgeBase:
    """Documents in folders, searched by keyword and by meaning.

    Opens nothing before it is used; all blocking work is done in one thread of its own.
    Every method raises `KnowledgeError` where neither kind of search is possible.
    """

    def __init__(self, settings: KnowledgeSettings, home: Path, *, patience: float = 10.0) -> None:
        """`patience`: seconds to wait for another process that is writing the same index."""
        named = "sources" in settings.model_fields_set
        self._roots = tuple(Root(home / source.path.expanduser(), named) for source in settings.sources)
        store = settings.store
        folder = None if store.url else home / (store.path or Path("chroma")).expanduser()
        self._index = Index(
            home,
            self._roots,
            Vectors(path=folder, url=store.url),
            watch=any(source.watch for source in settings.sources),
            rerank=settings.retrieval.rerank,
            patience=patience,
            tell=_tell,
        )
        self._embedding = store.embedding
        self._top = settings.retrieval.top_k
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="knowledge")
        self._closed = False

    async def sync(self) -> SyncReport:
        """Read what has changed in the folders, and bring the index up to date."""
        return await self._apart(self._index.sync)

    async def search(self, text: str, *, services: Iterable[str] = (), top: int | None = None) -> Sequence[Passage]:
        """The best passage of each document that fits, best first; `retrieval.top_k` of them where no number is given.

        Watched folders are looked at first, so that what is on disk is what is found.
        """
        return await self._apart(self._search, text, tuple(services), self._top if top is None else top)

    async def steps(self, document: Passage | str) -> tuple[str, ...]:
        """What a document says is to be done, in order, as text: at most 20 steps of at most 400 characters."""
        if isinstance(document, Passage):
            return await self._apart(self._index.steps, document.document, document.title)
        return await self._apart(self._index.steps, document, None)

    async def add(self, document: Path | str, *, title: str = "") -> str:
        """Put a file (a `Path`) or a Markdown text into the first source; returns its name there.

        Nothing is overwritten; what is there already is not added twice. Raises `KnowledgeError` for what is no
        readable document.
        """
        if not self._roots or self._roots[0].path.is_file():
            raise KnowledgeError("no folder to add to: the first entry of knowledge.sources must be one")
        folder = self._roots[0].path
        if isinstance(document, Path):
            name = await self._apart(add_file, folder, document)
        else:
            name = await self._apart(add_text, folder, document, title)
        await self.sync()
        return name

    async def validate(self) -> Sequence[Problem]:
        """What is wrong with the documents; reads them all and touches no index."""
        return await asyncio.to_thread(validate, self._roots)

    async def prepare(self) -> None:
        """Load the library behind the vectors, which takes half a second, before somebody waits for it."""
        await self._apart(load)

    async def check(self) -> Sequence[Check]:
        """For `doctor`."""
        try:
            return [await self._apart(self._check)]
        except KnowledgeError as error:
            return [Check("knowledge", "failed", str(error), "delete the file; it is made anew from the sources")]

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._apart(self._index.close)
            self._thread.shutdown()

    def _search(self, text: str, services: Sequence[str], top: int) -> list[Passage]:
        self._index.refresh()
        trouble = self._index.meaning.trouble
        found = self._index.search(text, services, top)
        if self._index.meaning.trouble and self._index.meaning.trouble != trouble:
            _log.warning("knowledge_by_keywords_only", reason=self._index.meaning.trouble)
        return found

    def _check(self) -> Check:
        documents, passages, wrong = self._index.counts()
        vectors = self._index.meaning.vectors
        folders = ", ".join(str(root.path) for root in self._roots)
        if not documents:
            return Check("knowledge", "off", f"no documents in {folders}", "put runbooks there (Markdown, YAML, text)")
        text = f"{documents} documents, {passages} passages; {self._embedding} vectors, {vectors.place}"
        try:
            vectors.open()
        except KnowledgeError as error:
            return Check("knowledge", "warning", f"{text}; keywords only: {error}", "runbook-bot knowledge sync")
        if wrong:
            return Check(
                "knowledge", "warning", f"{text}; {wrong} with something wrong", "runbook-bot knowledge validate"
            )
        return Check("knowledge", "ok", text)

    async def _apart(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **kwargs))


def _tell(report: SyncReport) -> None:
    for line in (*report.notes, *map(str, report.problems)):
        _log.warning("knowledge_sync", said=line)
    if report.keywords_only:
        _log.warning("knowledge_by_keywords_only", reason=report.keywords_only)
