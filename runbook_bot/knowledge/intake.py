"""From the folders into the record: what is new, what has changed, what is gone."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runbook_bot.knowledge.document import Problem
from runbook_bot.knowledge.filesystem import Listing, Stamp, look
from runbook_bot.knowledge.reading import read
from runbook_bot.knowledge.record import Known, Record

_RACY_NS = 2_000_000_000
"""A file that was read so soon after its last change may have changed again under the same time."""


@dataclass(frozen=True)
class Root:
    path: Path
    named: bool
    """Somebody asked for it in the configuration, so that it should be there."""


@dataclass
class Taken:
    """What one run found."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    problems: list[Problem] = field(default_factory=list)


class Intake:
    def __init__(self, roots: Sequence[Root]) -> None:
        self._roots = roots
        self._refused: dict[tuple[str, str], Stamp] = {}
        """Files that could not be used, so that they are not taken for news at every look."""

    def run(self, record: Record) -> Taken:
        """Read what may have changed. A file that cannot be read keeps nobody else from being read."""
        taken = Taken()
        known = record.known()
        gone = set(known)
        for root in self._roots:
            listing = look(root.path, expected=root.named)
            taken.problems += listing.problems
            gone -= _still_there(listing, known)
            for name in listing.stamps:
                self._read(record, listing, name, known.get((str(root.path), name)), taken)
        with record.change():
            for source, path in gone:
                record.remove(source, path)
        taken.removed += len(gone)
        return taken

    def news(self, record: Record) -> bool:
        """Whether a run would find anything; reads no file."""
        known = record.known()
        gone = set(known)
        for root in self._roots:
            listing = look(root.path, expected=root.named)
            gone -= _still_there(listing, known)
            for name, stamp in listing.stamps.items():
                key = (str(root.path), name)
                before = known.get(key)
                if self._refused.get(key) != stamp and not (before and _unchanged(before, stamp)):
                    return True
        return bool(gone)

    def _read(self, record: Record, listing: Listing, name: str, known: Known | None, taken: Taken) -> None:
        stamp, source, now = listing.stamps[name], str(listing.root), time.time_ns()
        if known and _unchanged(known, stamp):
            return
        try:
            raw = listing.open(name)
        except OSError as error:
            taken.problems.append(Problem(name, 1, f"cannot be read: {error.strerror}"))
            self._refused[(source, name)] = stamp
            return
        sha256 = hashlib.sha256(raw).hexdigest()
        if known and known.sha256 == sha256:
            with record.change():
                record.touch(known, stamp, now)
            return
        document = read(name, raw)
        with record.change():
            if isinstance(document, Problem):
                taken.problems.append(document)
                self._refused[(source, name)] = stamp
                record.remove(source, name)
                taken.removed += known is not None
                return
            taken.problems += document.errors
            record.put(source, name, stamp, now, sha256, document)
        taken.changed += known is not None
        taken.added += known is None


def _still_there(listing: Listing, known: dict[tuple[str, str], Known]) -> set[tuple[str, str]]:
    """Of a folder that could not be listed, everything is taken to be there still."""
    source = str(listing.root)
    if not listing.complete:
        return {key for key in known if key[0] == source}
    return {(source, name) for name in listing.stamps}


def _unchanged(known: Known, stamp: Stamp) -> bool:
    return known.stamp == stamp and stamp.mtime_ns < known.read_ns - _RACY_NS
