"""A folder of documents: what is in it, and what has changed since it was last read."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runbook_bot.knowledge.document import Problem
from runbook_bot.knowledge.reading import ENDINGS, LARGEST_FILE

_SKIPPED = frozenset({"node_modules", "__pycache__"})


@dataclass(frozen=True)
class Stamp:
    """What tells a file from its own later versions without reading it."""

    size: int
    mtime_ns: int


@dataclass
class Listing:
    """The documents of one folder at one moment, by their path within it."""

    root: Path
    stamps: dict[str, Stamp] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False where the folder could not be listed: what is missing then is not gone."""

    def open(self, file: str) -> bytes:
        """No more of it than shows that it is too large. Raises `OSError`."""
        with (self.root if self.root.is_file() else self.root / file).open("rb") as document:
            return document.read(LARGEST_FILE + 1)


def look(root: Path, *, expected: bool) -> Listing:
    """List a folder (or one file). A folder that nobody asked for by name may be absent."""
    listing = Listing(root)
    if root.is_file():
        _note(listing, root.name, root)
        return listing
    if not root.is_dir():
        listing.complete = False
        if expected:
            listing.problems.append(Problem(str(root), 1, "no such folder (knowledge.sources)"))
        return listing
    for name, path in _walk(listing):
        _note(listing, name, path)
    return listing


def _walk(listing: Listing) -> Iterator[tuple[str, Path]]:
    def failed(error: OSError) -> None:
        listing.complete = False
        listing.problems.append(Problem(_printable(error.filename), 1, f"cannot be listed: {error.strerror}"))

    for folder, folders, files in os.walk(listing.root, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix.lower() in ENDINGS and not name.startswith("."):
                yield path.relative_to(listing.root).as_posix(), path


def _note(listing: Listing, name: str, path: Path) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        listing.problems.append(Problem(_printable(name), 1, "the name of this file is not UTF-8, left out"))
        return
    if path.is_symlink() and path != listing.root and not _within(path, listing.root):
        listing.problems.append(Problem(name, 1, "a link that leads out of the folder, left out"))
        return
    try:
        found = path.stat()
    except OSError as error:
        listing.problems.append(Problem(name, 1, f"cannot be read: {error.strerror}"))
        return
    if not stat.S_ISREG(found.st_mode):  # to read from a pipe is to wait for whoever writes into it
        listing.problems.append(Problem(name, 1, "not a file, left out"))
        return
    listing.stamps[name] = Stamp(found.st_size, found.st_mtime_ns)


def _within(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a link that leads to itself
        return False


def _printable(name: object) -> str:
    return str(name).encode("utf-8", "backslashreplace").decode()
