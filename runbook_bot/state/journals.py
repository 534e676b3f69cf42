"""Journals on the disk: one JSONL file an investigation, appended to by any process, never rewritten.

A torn last line (the machine went down while it was written; nobody was told of it) is cut by the next append, which
also notes it. A complete line that cannot be read is passed over as `Unknown`, so that the rest of the investigation
stays open for reading and for more; `verify` names it.
"""

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

from runbook_bot.domain.investigation import Investigation, apply
from runbook_bot.domain.journal import Body, Entry, Noted, Unknown, intact, parse, seal
from runbook_bot.domain.noun import Json
from runbook_bot.domain.ports import Clock
from runbook_bot.errors import JournalError
from runbook_bot.state.filelock import locked, place, read_from, write_through

_KEPT = 100
"""How many folds stay in memory beyond those in use."""
_ID = re.compile(r"inv-[A-Za-z0-9_-]{1,100}")


class FileJournal:
    """One investigation's file. Threads and processes may append at once; each sees what the others wrote."""

    def __init__(self, path: Path, id: str, clock: Clock) -> None:
        self._path = path
        self._id = id
        self._clock = clock
        self._guard = threading.RLock()
        self._forget()

    @property
    def id(self) -> str:
        return self._id

    @property
    def location(self) -> str:
        return str(self._path)

    def append(self, *bodies: Body) -> Sequence[Entry]:
        """The entries of these bodies, on the disk. Raises `JournalError`."""
        if not bodies:
            return ()
        with self._guard, self._open(write=True) as descriptor:
            torn = self._catch_up(descriptor)
            written = bodies
            if torn:
                os.ftruncate(descriptor, self._offset)
                written = (
                    Noted(level="warning", text=f"a torn last line of {torn} bytes was cut after a crash"),
                    *bodies,
                )
            entries = self._sealed(written)
            data = "".join(entry.line() + "\n" for entry in entries).encode()
            write_through(descriptor, data)
            self._offset += len(data)
            for entry in entries:
                self._take(entry)
            return entries[len(written) - len(bodies) :]

    def refresh(self) -> Investigation:
        """The fold of all complete lines. Costs one `stat` where nothing is new. Raises `JournalError`."""
        with self._guard:
            try:
                size = self._path.stat().st_size
            except OSError as error:
                raise JournalError(f"journal {self._path} cannot be read: {error.strerror}") from error
            if size != self._offset:
                with self._open() as descriptor:
                    self._catch_up(descriptor)
            return self._state

    def entries(self) -> Iterator[Entry]:
        """Every entry from the first on, for readers that replay it. Raises `JournalError`."""
        with self._open() as descriptor:
            lines = read_from(descriptor, 0).split(b"\n")[:-1]
        previous: Entry | None = None
        for number, line in enumerate(lines, start=1):
            previous = _read(line, number, previous)
            yield previous

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[int]:
        try:
            with locked(self._path, write=write) as descriptor:
                yield descriptor
        except OSError as error:
            doing = "appended to" if write else "read"
            raise JournalError(f"journal {self._path} cannot be {doing}: {error.strerror}") from error

    def _forget(self) -> None:
        self._state = Investigation(id=self._id)
        self._last: Entry | None = None
        self._lines = 0
        self._offset = 0

    def _catch_up(self, descriptor: int) -> int:
        """Fold what was appended since; returns the length of a torn last line."""
        if os.fstat(descriptor).st_size < self._offset:  # a copy was put back in its place
            self._forget()
        *lines, torn = read_from(descriptor, self._offset).split(b"\n")
        for line in lines:
            self._offset += len(line) + 1
            self._take(_read(line, self._lines + 1, self._last))
        return len(torn)

    def _take(self, entry: Entry) -> None:
        self._lines += 1
        self._last = entry
        self._state = apply(self._state, entry)

    def _sealed(self, bodies: Sequence[Body]) -> list[Entry]:
        entries: list[Entry] = []
        last = self._last
        for body in bodies:
            seq, previous = (last.seq + 1, last.hash) if last else (1, "")
            last = seal(seq, self._clock.now(), previous, body)
            entries.append(last)
        return entries


class FileJournals:
    """The folder `scratchpad/` with all journals."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder.absolute()
        self._clock = clock
        self._guard = threading.Lock()
        self._in_use: WeakValueDictionary[str, FileJournal] = WeakValueDictionary()
        self._recent: OrderedDict[str, FileJournal] = OrderedDict()
        self._began: dict[str, str] = {}

    def create(self, id: str, opened: Body) -> FileJournal | None:
        """See `Journals`. Raises `JournalError` where the folder cannot be written."""
        path = self._path(id)
        line = seal(1, self._clock.now(), "", opened).line() + "\n"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            created = place(path, line.encode())
        except OSError as error:
            raise JournalError(f"journal {path} cannot be created: {error.strerror}") from error
        return self.open(id) if created else None

    def open(self, id: str) -> FileJournal:
        """One object an id, so that a process folds each journal once. Raises `JournalError` for an unknown id."""
        path = self._path(id)
        if not path.is_file():
            raise JournalError(f"there is no investigation {id} in {self._folder}")
        with self._guard:
            journal = self._in_use.get(id) or FileJournal(path, id, self._clock)
            self._in_use[id] = self._recent[id] = journal
            self._recent.move_to_end(id)
            if len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
            return journal

    def ids(self) -> Sequence[str]:
        """All, newest first by the time of the first entry."""
        found = [path for path in self._folder.glob("inv-*.jsonl") if _ID.fullmatch(path.stem)]
        return [path.stem for path in sorted(found, key=lambda path: (self._beginning(path), path.stem), reverse=True)]

    def touched(self, since: datetime) -> Sequence[str]:
        """Those written to since then, the latest first. Opens no file: it goes by their times of change."""
        found = []
        for path in self._folder.glob("inv-*.jsonl"):
            with suppress(FileNotFoundError):
                at = path.stat().st_mtime
                if _ID.fullmatch(path.stem) and at >= since.timestamp():
                    found.append((at, path.stem))
        return [id for _, id in sorted(found, reverse=True)]

    def verify(self, id: str) -> list[str]:
        """What is wrong with a journal, one line each with file and line; nothing where every hash fits.

        One that cannot be read at all is such a line too, so that the others are looked at.
        """
        path = self._path(id)
        try:
            with locked(path) as descriptor:
                *lines, torn = read_from(descriptor, 0).split(b"\n")
        except OSError as error:
            return [f"{path}: cannot be read: {error.strerror}"]
        found = list(_breaks(path, lines))
        if torn:
            found.append(f"{path}:{len(lines) + 1}: torn after {len(torn)} bytes by a crash; the next append cuts it")
        if not lines:
            found.append(f"{path}: holds no entry")
        return found

    def _path(self, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise JournalError(f"{id[:120]!r} is not the id of an investigation (inv-…)")
        return self._folder / f"{id}.jsonl"

    def _beginning(self, path: Path) -> str:
        """When the first entry was written, as text that sorts; read once a file."""
        if path.stem not in self._began:
            try:
                with path.open("rb") as file:
                    raw = _loaded(file.readline())
            except OSError:
                raw = None
            self._began[path.stem] = str(raw.get("at", "")) if raw else ""
        return self._began[path.stem]


def _loaded(line: bytes) -> Json | None:
    """The JSON object of a line; None where it is none."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _read(line: bytes, number: int, last: Entry | None) -> Entry:
    """The entry of a line. Total: what cannot be read becomes `Unknown`, bound to the line's own bytes."""
    raw = _loaded(line)
    if raw is not None:
        try:
            return parse(raw)
        except ValueError:
            pass
    return Entry(
        seq=last.seq + 1 if last else 1,
        at=last.at if last else datetime.fromtimestamp(0, UTC),
        previous=last.hash if last else "",
        hash=_fingerprint(line),
        body=Unknown(kind="unreadable", raw={"kind": "unreadable", "line": number}),
    )


def _fingerprint(line: bytes) -> str:
    return "sha256:" + sha256(line).hexdigest()


def _breaks(path: Path, lines: Sequence[bytes]) -> Iterator[str]:
    previous: object = ""
    for number, line in enumerate(lines, start=1):
        raw = _loaded(line)
        if raw is None:
            yield f"{path}:{number}: is not an entry"
            previous = _fingerprint(line)
            continue
        if not intact(raw):
            yield f"{path}:{number}: was changed after it was written"
        if raw.get("previous") != previous or raw.get("seq") != number:
            yield f"{path}:{number}: does not follow the line before it; something was removed, put in or moved here"
        previous = raw.get("hash")
