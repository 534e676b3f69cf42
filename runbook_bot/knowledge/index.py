"""The index: kept in step with the sources, and searched. Everything here blocks and belongs to one thread."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
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

_WAIT_SECONDS = 10.0
_LONGEST_QUESTION = 10_000


class Index:
    def __init__(self, home: Path, roots: Sequence[Root], vectors: Vectors, *, watch: bool, rerank: bool) -> None:
        self.meaning = Meaning(vectors)
        self._path = home / "knowledge.sqlite3"
        self._lock = home / "knowledge.lock"
        self._intake = Intake(roots)
        self._watch, self._rerank = watch, rerank
        self._record: Record | None = None
        self._looked = False

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
            with writing(self._lock, _WAIT_SECONDS) as mine:
                if not mine:
                    return self._report(started, Taken(), ["another process is writing the index: used as it is"])
                return self._sync(started)
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(f"the knowledge index {self._path} cannot be written: {error}") from error

    def refresh(self) -> SyncReport | None:
        """Before a search: sync if a look at the folders says so. Raises `KnowledgeError`."""
        self._record = self._record or Record.open(self._path)
        if self._looked and not self._watch:
            return None
        self._looked = True
        if self._record and not self._intake.news(self._record):
            unaligned = not self._record.aligned() and not self.meaning.resting
            return self.sync() if unaligned else None
        return self.sync()

    def search(self, question: str, services: Iterable[str], top: int) -> list[Passage]:
        """The best passage of each document that fits, best first. Raises `KnowledgeError`."""
        if self._record is None:
            return []
        question = question[:_LONGEST_QUESTION]
        most, least = retriever.CANDIDATES, retriever.LEAST_SIMILARITY
        keywords = self._record.by_keywords(terms(question), most)
        meaning = self.meaning.nearest(self._record, question, most, least)
        if self.meaning.lost:
            self.sync()
            meaning = self.meaning.nearest(self._record, question, most, least)
        rows = self._record.rows({*keywords, *meaning})
        points = retriever.fuse([rows[id].document for id in keywords], [rows[id].document for id in meaning])
        shown: dict[int, Passage] = {}
        for id, _ in sorted(retriever.fuse(keywords, meaning).items(), key=lambda item: (-item[1], item[0])):
            shown.setdefault(rows[id].document, rows[id].passage)
        self._add_bonuses(points, shown, question, services)
        best = sorted(points, key=lambda document: (-points[document], shown[document].document))
        return [_scored(shown[document], points[document]) for document in best[:top]]

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
                notes.append(f"{self._path} is of another version: made anew from the sources")
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
