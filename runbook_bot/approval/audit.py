"""The audit of everything that was asked, pressed, ruled and run: one hash-chained line each, in `approvals.jsonl`.

It is also the register that makes an approval single across processes: `record_unless` looks and writes under one
lock. Beside it, `approvals.head` names the newest record, so that a cut-off end is noticed too.
"""

import csv
import fcntl
import io
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from runbook_bot.domain.noun import Instant, Json, Noun, digest
from runbook_bot.domain.redaction import redact_json
from runbook_bot.errors import RunbookError

Kind = Literal["proposed", "clicked", "ruled", "spent", "executed", "verified", "repaired"]
COLUMNS = ("seq", "at", "kind", "investigation", "proposal", "user", "outcome", "facts")


class Record(Noun):
    """One line. `hash` covers everything else in it, `previous` included."""

    seq: int
    at: Instant
    kind: Kind
    investigation: str = ""
    proposal: str = ""
    facts: Json = Field(default_factory=dict)
    previous: str = ""
    hash: str = ""

    def sealed(self) -> "Record":
        return self.model_copy(update={"hash": _hash(self.model_dump(mode="json"))})

    def line(self) -> str:
        """Its JSON in plain ASCII: whatever somebody typed as a reason can be written."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))


def _hash(raw: Json) -> str:
    return digest({key: value for key, value in raw.items() if key != "hash"})


@dataclass
class Register:
    """What the records so far mean for the next one."""

    digests: dict[str, str] = field(default_factory=dict)
    """Of each proposal, as it was shown to people."""
    approved: dict[str, str] = field(default_factory=dict)
    """The click (its delivery) that approved a proposal."""
    spent: set[str] = field(default_factory=set)
    criticals: dict[str, datetime] = field(default_factory=dict)
    """When each critical proposal was approved."""

    def take(self, record: Record) -> None:
        facts = record.facts
        if record.kind == "proposed":
            self.digests[record.proposal] = str(facts.get("digest"))
        elif record.kind == "spent":
            self.spent.add(record.proposal)
        elif record.kind == "ruled" and facts.get("outcome") == "approved":
            self.approved[record.proposal] = str(facts.get("delivery"))
            if facts.get("risk") == "critical":
                self.criticals[record.proposal] = record.at


T = TypeVar("T")


class Audit:
    """The file, shared by all processes of one `RUNBOOK_HOME`. Methods raise `RunbookError` where it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.absolute() / "approvals.jsonl"
        self._head = self._path.with_name("approvals.head")
        self._guard = threading.Lock()
        self._register = Register()
        self._offset = 0
        self._seq = 0
        self._last = ""

    @property
    def path(self) -> Path:
        return self._path

    def record(self, kind: Kind, at: datetime, *, investigation: str = "", proposal: str = "", **facts: object) -> None:
        """On the disk when this returns."""
        self.record_unless(lambda _: None, kind, at, investigation=investigation, proposal=proposal, **facts)

    def record_unless(
        self,
        objection: Callable[[Register], T | None],
        kind: Kind,
        at: datetime,
        *,
        investigation: str,
        proposal: str,
        **facts: object,
    ) -> T | None:
        """Record it unless there is an objection, which is returned; nobody else records in between."""
        with self._guard, self._locked() as descriptor:
            self._catch_up(descriptor)
            objected = objection(self._register)
            if objected is not None:
                return objected
            record = Record(
                seq=self._seq + 1,
                at=at,
                kind=kind,
                investigation=investigation,
                proposal=proposal,
                facts=_without_secrets(facts),
                previous=self._last,
            ).sealed()
            self._write(descriptor, record)
            return None

    def register(self) -> Register:
        """With what other processes have recorded. To read at once, not to keep."""
        with self._guard, self._locked() as descriptor:
            self._catch_up(descriptor)
            return self._register

    def verify(self) -> list[str]:
        """What is wrong with the file, one line each; nothing where every hash fits and the end is there."""
        if not self._path.exists():
            return [f"{self._path}: is gone, but {self._head.name} is there"] if self._head.exists() else []
        with self._locked() as descriptor:
            *lines, torn = _read(descriptor, 0).split(b"\n")
            head = self._read_head()
        found = list(self._breaks(lines))
        if torn:
            found.append(f"{self._path}:{len(lines) + 1}: torn by a crash; the next record cuts it")
        if head is None:
            return [*found, f"{self._head}: is missing or cannot be read, so a cut-off end would not be noticed"]
        seq, hash = head
        if seq > len(lines):
            found.append(f"{self._path}: ends at line {len(lines)}, but there were {seq}: its end was cut off")
        elif (_loaded(lines[seq - 1]) or {}).get("hash") != hash:
            found.append(f"{self._path}:{seq}: is not the record that was written there")
        return found

    def export(self, since: datetime | None = None, format: Literal["csv", "jsonl"] = "jsonl") -> Iterator[str]:
        """The records from `since` on, a line each without the newline; CSV begins with the names of its columns."""
        if format == "csv":
            yield ",".join(COLUMNS)
        for record in self.records():
            if since is None or record.at >= since:
                yield record.line() if format == "jsonl" else _csv(record)

    def records(self) -> list[Record]:
        """All that can be read."""
        if not self._path.exists():
            return []
        with self._locked() as descriptor:
            lines = _read(descriptor, 0).split(b"\n")[:-1]
        return [record for line in lines if (record := _record(line)) is not None]

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as error:
            raise RunbookError(f"the audit {self._path} cannot be used: {error.strerror}") from error

    def _catch_up(self, descriptor: int) -> None:
        if os.fstat(descriptor).st_size < self._offset:  # cut or replaced: what was recorded stays taken
            self._offset = self._seq = 0
            self._last = ""
        *lines, torn = _read(descriptor, self._offset).split(b"\n")
        for line in lines:
            self._offset += len(line) + 1
            self._seq += 1
            record = _record(line)
            if record is not None:
                self._last = record.hash
                self._register.take(record)
        if torn:  # nobody writes while this holds the lock, so its writer died, and nobody was told of it
            os.ftruncate(descriptor, self._offset)
            text = f"a torn last line of {len(torn)} bytes was cut after a crash"
            cut = Record(
                seq=self._seq + 1, at=datetime.now(UTC), kind="repaired", facts={"text": text}, previous=self._last
            )
            self._write(descriptor, cut.sealed())

    def _write(self, descriptor: int, record: Record) -> None:
        line = record.line().encode() + b"\n"
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._offset)
            raise
        if self._offset == 0:
            _fsync_folder(self._path.parent)
        self._offset += len(line)
        self._seq = record.seq
        self._last = record.hash
        self._register.take(record)
        draft = self._head.with_suffix(".new")
        draft.write_text(json.dumps({"seq": record.seq, "hash": record.hash}) + "\n")
        draft.replace(self._head)

    def _read_head(self) -> tuple[int, str] | None:
        try:
            raw = json.loads(self._head.read_bytes())
            seq, hash = raw["seq"], raw["hash"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (seq, hash) if isinstance(seq, int) and isinstance(hash, str) and seq > 0 else None

    def _breaks(self, lines: list[bytes]) -> Iterator[str]:
        previous: object = ""
        for number, line in enumerate(lines, start=1):
            raw = _loaded(line)
            if raw is None:
                yield f"{self._path}:{number}: is not a record"
                continue
            if raw.get("hash") != _hash(raw):
                yield f"{self._path}:{number}: was changed after it was written"
            if raw.get("previous") != previous or raw.get("seq") != number:
                yield f"{self._path}:{number}: does not follow the one before; a record was removed, put in or moved"
            previous = raw.get("hash")


def _without_secrets(facts: Mapping[str, Any]) -> Json:
    """Our own keys stay what they are: the register compares them."""
    return {key: value if key in ("delivery", "digest") else redact_json(value) for key, value in facts.items()}


def _read(descriptor: int, offset: int) -> bytes:
    parts = []
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _loaded(line: bytes) -> Json | None:
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _record(line: bytes) -> Record | None:
    raw = _loaded(line)
    try:
        return None if raw is None else Record.model_validate(raw)
    except ValidationError:
        return None


def _csv(record: Record) -> str:
    facts = dict(record.facts)
    user, outcome = facts.pop("user", ""), facts.pop("outcome", "")
    row = [record.seq, record.model_dump(mode="json")["at"], record.kind, record.investigation, record.proposal]
    rest = [user, outcome, json.dumps(facts, ensure_ascii=False, sort_keys=True)]
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([_cell(str(each)) for each in (*row, *rest)])
    return text.getvalue()


def _cell(text: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
