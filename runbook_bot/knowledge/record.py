"""The store of record: which documents there are, their passages, and the keywords in them. One SQLite file.

It can be made again from the sources at any time; a file of another version is thrown away and made anew.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from runbook_bot.domain.knowledge import Passage
from runbook_bot.errors import KnowledgeError
from runbook_bot.knowledge.document import Document
from runbook_bot.knowledge.filesystem import Stamp
from runbook_bot.knowledge.lsi import Lsi
from runbook_bot.knowledge.terms import terms

VERSION = 1
"""Of the tables, of how documents are cut, and of how texts become terms."""
_MOST_TERMS = 64
_MOST_REPEATS = 4
_TITLE, _SUBJECT, _TEXT = 3.0, 2.0, 1.0

_TABLES = f"""
create table facts (name text primary key, value text not null);
create table documents (
    id integer primary key, source text not null, path text not null, sha256 text not null,
    size integer not null, mtime_ns integer not null, read_ns integer not null,
    title text not null, subject text not null, kind text not null, services text not null,
    failure_modes text not null, steps text not null, updated_at text not null, problems integer not null,
    unique (source, path));
create table passages (
    id integer primary key, document integer not null references documents (id) on delete cascade,
    key text not null, heading text not null, text text not null, line integer not null,
    embedder text not null default '');
create index passages_of_document on passages (document);
create index passages_by_key on passages (key);
create virtual table keywords using fts5 (title, subject, text, tokenize='unicode61');
create virtual table vocabulary using fts5vocab (keywords, row);
create table doomed (key text not null);
create table models (id text primary key, body blob not null);
pragma user_version = {VERSION};
"""


@dataclass(frozen=True)
class Known:
    """A document as it was last read."""

    id: int
    stamp: Stamp
    read_ns: int
    sha256: str


@dataclass(frozen=True)
class Row:
    """A passage with what its document says about it."""

    document: int
    passage: Passage
    """Without its score."""


class Record:
    """Used by one thread. Writing needs the lock of the index; reading does not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        connection.execute("pragma foreign_keys = on")
        # a power cut may cost the last changes, which the sources still have; it cannot damage the file
        connection.execute("pragma synchronous = normal")

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The record, or None where there is none of this version. Raises `KnowledgeError`."""
        if not path.exists():
            return None
        connection = _connect(path)
        try:
            (version,) = connection.execute("pragma user_version").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            raise KnowledgeError(f"the knowledge index {path} cannot be read: {error}") from error
        except sqlite3.DatabaseError:  # no database at all
            connection.close()
            return None
        if version != VERSION:
            connection.close()
            return None
        return cls(connection)

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new record in place of whatever is there. Raises `KnowledgeError`."""
        try:
            for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                old.unlink(missing_ok=True)
            connection = _connect(path)
            connection.execute("pragma journal_mode = wal")
            connection.executescript("begin;" + _TABLES + "commit;")
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(f"the knowledge index {path} cannot be written: {error}") from error
        return cls(connection)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """All of it or nothing."""
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        finally:
            if self._db.in_transaction:  # something went wrong, in the body or with the commit
                self._db.execute("rollback")

    # documents

    def known(self) -> dict[tuple[str, str], Known]:
        rows = self._db.execute("select source, path, id, size, mtime_ns, read_ns, sha256 from documents")
        return {
            (source, path): Known(id, Stamp(size, mtime), read, sha)
            for source, path, id, size, mtime, read, sha in rows
        }

    def put(self, source: str, path: str, stamp: Stamp, read_ns: int, sha256: str, document: Document) -> None:
        """Write a document in place of its earlier version."""
        self.remove(source, path)
        updated = document.updated or datetime.fromtimestamp(stamp.mtime_ns // 1_000_000_000, UTC)
        row = (
            source, path, sha256, stamp.size, stamp.mtime_ns, read_ns, document.title, document.subject, document.kind,
            json.dumps(document.services), json.dumps(document.failure_modes), json.dumps(document.steps),
            updated.isoformat(), len(document.errors),
        )  # fmt: skip
        id = self._db.execute(f"insert into documents values (null{', ?' * len(row)})", row).lastrowid  # noqa: S608  # placeholders only
        title, subject = _indexed(document.title), _indexed(document.subject)
        for at, part in enumerate(document.parts):
            key = hashlib.sha256(f"{path}\0{at}\0{document.title}\0{part.text}".encode()).hexdigest()[:32]
            passage = self._db.execute(
                "insert into passages (document, key, heading, text, line) values (?, ?, ?, ?, ?)",
                (id, key, part.heading, part.text, part.line),
            ).lastrowid
            self._db.execute(
                "insert into keywords (rowid, title, subject, text) values (?, ?, ?, ?)",
                (passage, title, subject, _indexed(part.text)),
            )
        self._count_churn(len(document.parts))

    def touch(self, known: Known, stamp: Stamp, read_ns: int) -> None:
        """The same content under a new stamp."""
        self._db.execute(
            "update documents set size = ?, mtime_ns = ?, read_ns = ? where id = ?",
            (stamp.size, stamp.mtime_ns, read_ns, known.id),
        )

    def remove(self, source: str, path: str) -> None:
        rows = self._db.execute(
            "select p.id, p.key from passages p join documents d on d.id = p.document "
            "where d.source = ? and d.path = ?",
            (source, path),
        ).fetchall()
        self._db.executemany("delete from keywords where rowid = ?", [(id,) for id, _ in rows])
        self._db.executemany("insert into doomed values (?)", [(key,) for _, key in rows])
        self._db.execute("delete from documents where source = ? and path = ?", (source, path))
        self._count_churn(len(rows))

    def steps(self, path: str, title: str | None) -> tuple[str, ...]:
        """Of that document; where several sources have one of that name, of the one with that title."""
        row = self._db.execute(
            "select steps from documents where path = ? order by title = ? desc, id limit 1", (path, title or "")
        ).fetchone()
        return tuple(json.loads(row[0])) if row else ()

    def counts(self) -> tuple[int, int, int]:
        """Documents, passages, and documents with something wrong in them."""
        documents, wrong = self._db.execute("select count(*), count(nullif(problems, 0)) from documents").fetchone()
        (passages,) = self._db.execute("select count(*) from passages").fetchone()
        return documents, passages, wrong

    # search

    def by_keywords(self, question: Sequence[str], most: int) -> list[tuple[int, float]]:
        """Ids of the passages that fit best, with their BM25. The question is terms: nothing in it is syntax."""
        asked = Counter(question)
        words = [f'"{term}"' for term in list(asked)[:_MOST_TERMS] for _ in range(min(asked[term], _MOST_REPEATS))]
        if not words:
            return []
        rows = self._db.execute(
            "select rowid, -bm25(keywords, ?, ?, ?) as points from keywords where keywords match ? "
            "order by points desc, rowid limit ?",
            (_TITLE, _SUBJECT, _TEXT, " OR ".join(words), most),
        )
        return rows.fetchall()

    def by_keys(self, keys: Iterable[str]) -> dict[str, list[int]]:
        """Ids of the passages with these keys; keys that are gone are left out."""
        found: dict[str, list[int]] = {}
        rows = self._db.execute(
            "select key, id from passages where key in (select value from json_each(?)) order by id",
            (json.dumps(list(keys)),),
        )
        for key, id in rows:
            found.setdefault(key, []).append(id)
        return found

    def rows(self, ids: Iterable[int]) -> dict[int, Row]:
        found = self._db.execute(
            "select p.id, d.id, d.path, d.title, d.kind, d.services, d.failure_modes, d.updated_at, p.heading, p.text, "
            "p.line from passages p join documents d on d.id = p.document "
            "where p.id in (select value from json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {
            id: Row(
                document,
                Passage(
                    document=path,
                    kind=kind,
                    title=title,
                    heading=heading,
                    text=text,
                    line=line,
                    score=0.0,
                    services=tuple(json.loads(services)),
                    failure_modes=tuple(json.loads(modes)),
                    updated_at=datetime.fromisoformat(updated_at),
                ),
            )
            for id, document, path, title, kind, services, modes, updated_at, heading, text, line in found
        }

    def spread(self, words: Iterable[str]) -> dict[str, int]:
        """In how many passages each term stands; terms that stand in none are left out."""
        rows = self._db.execute(
            "select term, doc from vocabulary where term in (select value from json_each(?))",
            (json.dumps(list(words)),),
        )
        return dict(rows.fetchall())

    # vectors

    @property
    def model(self) -> str:
        """Id of the embedder that the vectors are made with; "" before the first."""
        return self._fact("model", "")

    @property
    def generation(self) -> int:
        """Grows with every change of the vectors, so that another process can see that its view is old."""
        return int(self._fact("generation", "0"))

    @property
    def churn(self) -> int:
        """Passages that came or went since the model was made."""
        return int(self._fact("churn", "0"))

    def load_model(self) -> Lsi | None:
        row = self._db.execute("select id, body from models where id = ?", (self.model,)).fetchone()
        try:
            return Lsi.from_bytes(*row) if row else None
        except ValueError:
            return None

    def texts(self, *, without: str | None = None) -> dict[str, str]:
        """Text to embed by key, of all passages or of those that a model has not embedded yet."""
        rows = self._db.execute(
            "select p.key, d.title, d.subject, p.text from passages p join documents d on d.id = p.document "
            "where ? is null or p.embedder <> ? order by p.id",
            (without, without),
        )
        return {key: f"{title}\n{title}\n{subject}\n{text}" for key, title, subject, text in rows}

    def keys(self) -> int:
        """How many vectors there should be; the same passage in two sources has one."""
        (keys,) = self._db.execute("select count(distinct key) from passages").fetchone()
        return int(keys)

    def embedded(self, model: str) -> int:
        """How many of them are known to be there."""
        (keys,) = self._db.execute("select count(distinct key) from passages where embedder = ?", (model,)).fetchone()
        return int(keys)

    def doomed(self) -> list[str]:
        """Keys whose vectors are to go."""
        return [
            key for (key,) in self._db.execute("select key from doomed where key not in (select key from passages)")
        ]

    def aligned(self) -> bool:
        """Whether the vectors are those of the passages."""
        row = self._db.execute(
            "select exists (select 1 from doomed) or exists (select 1 from passages where embedder <> ?)", (self.model,)
        ).fetchone()
        return not row[0]

    def note_embedded(self, model: str) -> None:
        """The vectors of all passages are in place, and nothing is left to delete."""
        self._db.execute("update passages set embedder = ? where embedder <> ?", (model, model))
        self._db.execute("delete from doomed")
        self._state("generation", str(self.generation + 1))

    def adopt(self, model: Lsi) -> None:
        """From now on this model, and no other."""
        self._db.execute("delete from models")
        self._db.execute("insert into models values (?, ?)", (model.id, model.to_bytes()))
        self._state("model", model.id)
        self._state("churn", "0")

    def _count_churn(self, passages: int) -> None:
        self._state("churn", str(self.churn + passages))

    def _fact(self, name: str, default: str) -> str:
        row = self._db.execute("select value from facts where name = ?", (name,)).fetchone()
        return row[0] if row else default

    def _state(self, name: str, value: str) -> None:
        self._db.execute("insert or replace into facts values (?, ?)", (name, value))


def _indexed(text: str) -> str:
    return " ".join(terms(text))


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
    except sqlite3.Error as error:
        raise KnowledgeError(f"the knowledge index {path} cannot be opened: {error}") from error
    return connection
