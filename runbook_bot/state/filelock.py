"""Files that several processes use: locked while touched, and on the disk before anybody is told."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, write: bool = False) -> Iterator[int]:
    """The open descriptor of an existing file, locked exclusively for writing, shared for reading.

    The kernel frees the lock when the process ends, however it ends. Raises `OSError`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND if write else os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def read_from(descriptor: int, offset: int) -> bytes:
    """Everything from `offset` to the end."""
    parts = []
    while part := os.pread(descriptor, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def write_through(descriptor: int, data: bytes) -> None:
    """Append all of it and wait for the disk. What could not be written whole is taken back. Raises `OSError`."""
    before = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def place(path: Path, data: bytes) -> bool:
    """A new file with its content, both on the disk when this returns; False where the name is taken.

    It appears under its name only when complete, so that a crash leaves either nothing or all of it.
    Raises `OSError`.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.exists():
            return False
        draft = path.with_name(f".{path.name}.new")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_through(descriptor, data)
        finally:
            os.close(descriptor)
        draft.rename(path)
        os.fsync(folder)
        return True
    finally:
        os.close(folder)
