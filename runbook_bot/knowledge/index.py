"""The index: kept in step with the sources, and searched. Everything here blocks and belongs to one thread."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runbook_bot.domain.knowledge import Passage
from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge import retriever
from runbook_bot.knowledge.intake import Intake, Root, Taken
from runbook_bot.knowledge.lock import writing
from runbook_bot.knowledge.meaning import Meaning
from runbook_bot.knowledge.record import Record
from runbook_bot.knowledge.report import SyncReport
from runbook_bot.knowledge.terms import terms
from runbook_bot.knowledge.vectors import Vectors

_QUICK_SECONDS = 0.005
_LONGEST_QUESTION = 10_000
_REMEDY = "delete it, it is made anew from the sources"
_BUSY = "another process is writing the index: used as it is"

Tell = Callable[[SyncReport], None]
"""Somebody who hears what came of a synchronisation."""


class Index:
    def __init__(
        self,
        home: Path,
        roots: Sequence[Root],
        vectors: Vectors,
        *,
        watch: bool,
        rerank: bool,
        patience: float,
        tell: Tell,
    ) -> None:
        self.meaning = Meaning(vectors)
        self._path = home / "knowledge.sqlite3"
        self._patience = patience
        self._lock = home / "knowledge.lock"
        self._intake = Intake(roots)
        self._watch, self._rerank, self._tell = watch, rerank, tell
        self._record: Record | None = None
        self._looked = False
        self._look_at = 0.0

    def close(self) -> None:
        self.meaning.close()
        if self._record:
            self._record.close()
        self._record = None

    def counts(self) -> tuple[int, int, int]:
        """Documents, passages, and documents with something wrong in them, as they were last read."""
        self._record = self._record or Record.open(self._path)
        return self._record.counts() if self._record else (0, 0, 0)

    def sync(self) -> SyncReport:
        """Bring the index up to date. Raises `KnowledgeError`."""
        started = time.monotonic()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with writing(self._lock, self._patience) as mine:
                report = self._sync(started) if mine else self._report(started, Taken(), [_BUSY])
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(f"the knowledge index {self._path} cannot be written: {error}") from error
        self._tell(report)
        return report

    def refresh(self) -> None:
        """Before a search: sync if a look at the folders says so. Raises `KnowledgeError`."""
        self._record = self._record or Record.open(self._path)
        if self._looked and (not self._watch or time.monotonic() < self._look_at):
            return
        if self._record is None or self._news(self._record):
            self.sync()
        self._looked = True

    def _news(self, record: Record) -> bool:
        """Whether something is to be done. Looking through a large folder takes a tenth of the time at most."""
        began = time.monotonic()
        try:
            news = self._intake.news(record) or not (record.aligned() or self.meaning.resting)
        except sqlite3.DatabaseError:
            return True  # the synchronisation finds out what it is, and mends it
        took = time.monotonic() - began
        self._look_at = time.monotonic() + 9 * took if took > _QUICK_SECONDS else 0.0
        return news

    def search(self, question: str, services: Iterable[str], top: int) -> list[Passage]:
        """The best passage of each document that fits, best first. Raises `KnowledgeError`."""
        try:
            return self._search(question[:_LONGEST_QUESTION], services)[:top] if self._record else []
        except sqlite3.Error as error:
            raise KnowledgeError(f"the knowledge index {self._path} cannot be read: {error}; {_REMEDY}") from error

    def _search(self, question: str, services: Iterable[str]) -> list[Passage]:
        assert self._record is not None
        keywords = retriever.near_the_best(self._record.by_keywords(terms(question), retriever.CANDIDATES))
        similar = self.meaning.nearest(self._record, question, retriever.CANDIDATES)
        if self.meaning.lost:
            self.sync()
            similar = self.meaning.nearest(self._record, question, retriever.CANDIDATES)
        meaning = retriever.near_the_best(similar, least=retriever.LEAST_SIMILARITY)
        rows = self._record.rows({*keywords, *meaning})
        # another process may have taken something away since
        keywords, meaning = [id for id in keywords if id in rows], [id for id in meaning if id in rows]
        points = retriever.fuse([rows[id].document for id in keywords], [rows[id].document for id in meaning])
        shown: dict[int, Passage] = {}
        for id, _ in sorted(retriever.fuse(keywords, meaning).items(), key=lambda item: (-item[1], item[0])):
            shown.setdefault(rows[id].document, rows[id].passage)
        self._add_bonuses(points, shown, question, services)
        best = sorted(points, key=lambda document: (-points[document], shown[document].document))
        return [_scored(shown[document], points[document]) for document in best]

    def steps(self, document: str, title: str | None) -> tuple[str, ...]:
        return self._record.steps(document, title) if self._record else ()

    def _add_bonuses(
        self, points: dict[int, float], shown: dict[int, Passage], question: str, services: Iterable[str]
    ) -> None:
        assert self._record is not None
        wanted = {service.casefold() for service in services}
        words = {term for passage in shown.values() for term in terms(passage.title)}
        worth = retriever.rarity(self._record.spread(words), self._record.counts()[1])
        for document, passage in shown.items():
            points[document] += retriever.service_bonus(passage.services, wanted)
            if self._rerank:
                points[document] += retriever.title_bonus(question, passage.title, worth)

    def _sync(self, started: float) -> SyncReport:
        notes: list[str] = []
        self._record = self._record or Record.open(self._path)
        if self._record is None:
            if self._path.exists():
                notes.append(f"{self._path} is of another version or no index at all: made anew from the sources")
            self._record = Record.create(self._path)
        try:
            taken = self._intake.run(self._record)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            notes.append(f"{self._path} is damaged ({error}): made anew from the sources")
            self._record.close()
            self._record = Record.create(self._path)
            taken = self._intake.run(self._record)
        notes += self.meaning.align(self._record)
        self._looked = True
        return self._report(started, taken, notes)

    def _report(self, started: float, taken: Taken, notes: Sequence[str]) -> SyncReport:
        documents, passages, _ = self.counts()
        return SyncReport(
            documents,
            passages,
            taken.added,
            taken.changed,
            taken.removed,
            tuple(taken.problems),
            tuple(notes),
            self.meaning.trouble,
            time.monotonic() - started,
        )


def _scored(passage: Passage, points: float) -> Passage:
    return passage.model_copy(update={"score": round(min(points / retriever.LARGEST, 1.0), 4)})
